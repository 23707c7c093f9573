; C = A * B^T of 8192 x 8192 x 8192 f16 with every buffer single: each base block of m x n x 64 is loaded,
; moved into L0 and multiplied; the next one may load when this one has left L1. The cores are split
; 24 / split x split; each has `columns` columns of C, and makes `rows` rows of tiles of it (a single core
; of a split of 1 makes what it is told).
; asc-devkit, 01_matrix_compute/matmul_high_performance: cases 0 and 1 (one core, blocks of 64 x 64 and
; 128 x 256), 2 and 3 (24 cores split 2 x 12 and 4 x 6). The table scales what is made to the whole.
;   mte2 <-> mte1 0: L1    mte1 <-> cube 1: L0    cube <-> fix 7: L0C
.program matmul_norm
.launch path=native cube=24
.let SIZE 8192
.let ROW SIZE*2
.let B_IN_L1 64*1024
.arg input a SIZE*ROW
.arg input b SIZE*ROW
.arg output c SIZE*ROW
.arg scalar m 0 value=128
.arg scalar n 0 value=256
.arg scalar split 0 value=6
.arg scalar columns 0 value=1365
.arg scalar rows 0 value=2
.cube
  ldarg rd=r4 index=0
  ldarg rd=r5 index=1
  ldarg rd=r6 index=2
  ldarg rd=r7 index=3
  ldarg rd=r16 index=4
  ldarg rd=r17 index=5
  ldarg rd=r18 index=6
  ldarg rd=r19 index=7
  mov rd=r8 a=ROW
  ; place of the core: r9 along m, r10 along n; rows of C per core: 8192 * split / cores
  sdiv rd=r9 a=r0 b=r17
  smod rd=r10 a=r0 b=r17
  smul rd=r11 a=r17 b=SIZE
  sdiv rd=r11 a=r11 b=r1
  smul rd=r11 a=r11 b=r9
  smul rd=r11 a=r11 b=ROW
  sadd rd=r4 a=r4 b=r11
  sadd rd=r6 a=r6 b=r11
  smul rd=r11 a=r10 b=r18
  smul rd=r12 a=r11 b=ROW
  sadd rd=r5 a=r5 b=r12
  smul rd=r12 a=r11 b=2
  sadd rd=r6 a=r6 b=r12
  sadd rd=r13 a=r18 b=r16
  ssub rd=r13 a=r13 b=1
  sdiv rd=r13 a=r13 b=r16
  smul rd=r14 a=r7 b=ROW
  smul rd=r15 a=r16 b=2
  set pipe=mte1 other=mte2 id=0
  set pipe=cube other=mte1 id=1
  set pipe=fix other=cube id=7
.mark tile rows
  loop count=r19
  mov rd=r20 a=r5
  mov rd=r21 a=r6
  mov rd=r22 a=r18
.mark tile columns
  loop count=r13
  smin rd=r23 a=r22 b=r16
  sadd rd=r24 a=r23 b=15
  sdiv rd=r24 a=r24 b=16
  smul rd=r24 a=r24 b=16
  mov rd=r30 a=r4
  mov rd=r31 a=r20
  wait pipe=cube other=fix id=7
  mov rd=r35 a=0
  loop count=128
  loadnz dtype=f16 dst=0 src=r30 rows=r7 cols=64 prows=r7 stride=r8 wait=mte1.0
  loadnz dtype=f16 dst=B_IN_L1 src=r31 rows=r23 cols=64 prows=r24 stride=r8 set=mte1.0
  l0a dtype=f16 dst=0 src=0 m=r7 k=64 prows=r7 m0=0 k0=0 wait=mte2.0,cube.1
  l0b dtype=f16 dst=0 src=B_IN_L1 k=64 n=r23 prows=r24 k0=0 n0=0 trans=1 set=mte2.0,cube.1
  wait pipe=cube other=mte1 id=1
  jnz a=r35 skip=@more
  mmad dtype=f16 c=0 a=0 b=0 m=r7 k=64 n=r23 init=zero
more:
  jz a=r35 skip=@first
  mmad dtype=f16 c=0 a=0 b=0 m=r7 k=64 n=r23 init=accumulate
first:
  mov rd=r35 a=1
  set pipe=cube other=mte1 id=1
  sadd rd=r30 a=r30 b=128
  sadd rd=r31 a=r31 b=128
  endloop
  set pipe=cube other=fix id=7
  fix dtype=f16 dst=r21 src=0 m=r7 n=r23 stride=r8 wait=cube.7 set=cube.7
  smul rd=r33 a=r23 b=ROW
  sadd rd=r20 a=r20 b=r33
  sadd rd=r21 a=r21 b=r15
  ssub rd=r22 a=r22 b=r23
  endloop
  sadd rd=r4 a=r4 b=r14
  smul rd=r34 a=r7 b=ROW
  sadd rd=r6 a=r6 b=r34
  endloop
  wait pipe=mte2 other=mte1 id=0
  wait pipe=mte1 other=cube id=1
  wait pipe=cube other=fix id=7
  halt
