; C = A * B^T of 8192 x 8192 x 8192 f16 on 24 cube cores split 4 x 6: a core makes rows of tiles of
; 128 x 256, five whole ones and one of 85 columns in each row (8192 / 6 = 1365.3). Along k one copy per
; operand brings `packet` elements of k into one of two halves of L1; base blocks of 64 go through two
; halves of L0. L0C holds one tile. A core has 16 such rows in all; `rows` of them are made.
; asc-devkit, 01_matrix_compute/matmul_high_performance, case 4 (MDL: packets of several base blocks), and
; matmul_basic_api_high_performance.
;   mte2 <-> mte1 0, 1: a half of L1    mte1 <-> cube 2, 3: a half of L0    cube <-> fix 7: L0C
.program matmul_8192
.launch path=native cube=24
.let SIZE 8192
.let ROW SIZE*2
.let TILE_M 128
.let TILE_N 256
.let HALF_L1 192*1024
.let B_IN_L1 64*1024
.arg input a SIZE*ROW
.arg input b SIZE*ROW
.arg output c SIZE*ROW
.arg scalar packet 0 value=256
.arg scalar rows 0 value=16
.arg scalar columns 0 value=1365
.cube
  ldarg rd=r4 index=0
  ldarg rd=r5 index=1
  ldarg rd=r6 index=2
  ldarg rd=r7 index=3
  ldarg rd=r16 index=4
  ldarg rd=r17 index=5
  mov rd=r8 a=ROW
  ; place of the core: r9 of 4 along m, r10 of 6 along n
  sdiv rd=r9 a=r0 b=6
  smod rd=r10 a=r0 b=6
  smul rd=r11 a=r9 b=2048*ROW
  sadd rd=r4 a=r4 b=r11
  sadd rd=r6 a=r6 b=r11
  smul rd=r11 a=r10 b=r17
  smul rd=r12 a=r11 b=ROW
  sadd rd=r5 a=r5 b=r12
  smul rd=r12 a=r11 b=2
  sadd rd=r6 a=r6 b=r12
  mov rd=r13 a=SIZE
  sdiv rd=r13 a=r13 b=r7
  sdiv rd=r14 a=r7 b=64
  sadd rd=r18 a=r17 b=TILE_N-1
  sdiv rd=r18 a=r18 b=TILE_N
  smul rd=r15 a=r7 b=2
  set pipe=mte1 other=mte2 id=0
  set pipe=mte1 other=mte2 id=1
  set pipe=cube other=mte1 id=2
  set pipe=cube other=mte1 id=3
  set pipe=fix other=cube id=7
  mov rd=r40 a=0
  mov rd=r41 a=B_IN_L1
  mov rd=r42 a=0
  mov rd=r43 a=0
.mark tile rows
  loop count=r16
  mov rd=r20 a=r5
  mov rd=r21 a=r6
  mov rd=r22 a=r17
.mark tile columns
  loop count=r18
  smin rd=r23 a=r22 b=TILE_N
  sadd rd=r24 a=r23 b=15
  sdiv rd=r24 a=r24 b=16
  smul rd=r24 a=r24 b=16
  mov rd=r30 a=r4
  mov rd=r31 a=r20
  wait pipe=cube other=fix id=7
  mov rd=r35 a=0
  loop count=r13 rotate=3
  loadnz dtype=f16 dst=r40+i%2*HALF_L1 src=r30 rows=TILE_M cols=r7 prows=TILE_M stride=r8 wait=mte1.0
  loadnz dtype=f16 dst=r41+i%2*HALF_L1 src=r31 rows=r23 cols=r7 prows=r24 stride=r8 set=mte1.0
  wait pipe=mte1 other=mte2 id=0
  mov rd=r32 a=0
  loop count=r14 rotate=12
  l0a dtype=f16 dst=r42+i%2*0x8000 src=r40+i%2*HALF_L1^1 m=TILE_M k=64 prows=TILE_M m0=0 k0=r32 wait=cube.2
  l0b dtype=f16 dst=r43+i%2*0x8000 src=r41+i%2*HALF_L1^1 k=64 n=r23 prows=r24 k0=r32 n0=0 trans=1 set=cube.2
  wait pipe=cube other=mte1 id=2
  jnz a=r35 skip=@more
  mmad dtype=f16 c=0 a=r42+i%2*0x8000 b=r43+i%2*0x8000 m=TILE_M k=64 n=r23 init=zero
more:
  jz a=r35 skip=@first
  mmad dtype=f16 c=0 a=r42+i%2*0x8000 b=r43+i%2*0x8000 m=TILE_M k=64 n=r23 init=accumulate
first:
  mov rd=r35 a=1
  set pipe=cube other=mte1 id=2
  sadd rd=r32 a=r32 b=64
  endloop
  set pipe=mte1 other=mte2 id=0
  sadd rd=r30 a=r30 b=r15
  sadd rd=r31 a=r31 b=r15
  endloop
  set pipe=cube other=fix id=7
  fix dtype=f16 dst=r21 src=0 m=TILE_M n=r23 stride=r8 wait=cube.7 set=cube.7
  smul rd=r33 a=r23 b=ROW
  sadd rd=r20 a=r20 b=r33
  sadd rd=r21 a=r21 b=TILE_N*2
  ssub rd=r22 a=r22 b=r23
  endloop
  sadd rd=r4 a=r4 b=TILE_M*ROW
  sadd rd=r6 a=r6 b=TILE_M*ROW
  endloop
  wait pipe=mte2 other=mte1 id=0
  wait pipe=mte2 other=mte1 id=1
  wait pipe=mte1 other=cube id=2
  wait pipe=mte1 other=cube id=3
  wait pipe=cube other=fix id=7
  halt
