; C[64 t, 64] = A[64 t, 64 kb] * B[64 kb, 64], f16 to f32: t tiles of 64 rows dealt to the cube cores in
; turn, blocks of 64 along k. L1, L0A and L0B are double-buffered; the first block of a tile is peeled
; (it starts the accumulator) and uses the second halves, so that the loop begins with the first.
;   mte1 -> mte2 0, 1: half of L1 is free    mte2 -> mte1 0, 1: it is full
;   cube -> mte1 0, 1: half of L0 is free    mte1 -> cube 0, 1: it is full
;   fix -> cube 7: L0C is free               cube -> fix 7: it is full
.program "matmul loop"
.arg input a 0
.arg input b 0
.arg output c 0
.arg scalar tiles 0
.arg scalar k 0
.cube
  ldarg rd=r10 index=0
  ldarg rd=r11 index=1
  ldarg rd=r12 index=2
  ldarg rd=r13 index=3
  ldarg rd=r14 index=4
  smul rd=r15 a=r14 b=2
  ssub rd=r13 a=r13 b=r0
  sadd rd=r13 a=r13 b=r1
  ssub rd=r13 a=r13 b=1
  sdiv rd=r13 a=r13 b=r1
  sdiv rd=r16 a=r14 b=64
  ssub rd=r16 a=r16 b=1
  smul rd=r17 a=r15 b=64
  smul rd=r18 a=r17 b=r0
  sadd rd=r10 a=r10 b=r18
  smul rd=r17 a=r17 b=r1
  smul rd=r18 a=r0 b=0x4000
  sadd rd=r12 a=r12 b=r18
  smul rd=r18 a=r1 b=0x4000
  mov rd=r20 a=0x0000
  mov rd=r21 a=0x4000
  mov rd=r22 a=0x0000
  mov rd=r23 a=0x0000
  set pipe=mte1 other=mte2 id=0
  set pipe=mte1 other=mte2 id=1
  set pipe=cube other=mte1 id=0
  set pipe=cube other=mte1 id=1
  set pipe=fix other=cube id=7
.mark tile "matmul"
  loop count=r13
  mov rd=r30 a=r10
  mov rd=r31 a=r11
  loadnz dtype=f16 dst=0x2000 src=r30 rows=64 cols=64 prows=64 stride=r15 wait=mte1.1
  loadnz dtype=f16 dst=0x6000 src=r31 rows=64 cols=64 prows=64 stride=128 set=mte1.1
  l0a dtype=f16 dst=0x2000 src=0x2000 m=64 k=64 prows=64 wait=mte2.1,cube.1
  l0b dtype=f16 dst=0x2000 src=0x6000 k=64 n=64 prows=64 set=mte2.1,cube.1
  mmad dtype=f16 c=0 a=0x2000 b=0x2000 m=64 k=64 n=64 init=zero wait=mte1.1,fix.7 set=mte1.1
  loop count=r16 rotate=3
  sadd rd=r30 a=r30 b=128
  sadd rd=r31 a=r31 b=0x2000
  loadnz dtype=f16 dst=r20+i%2*0x2000 src=r30 rows=64 cols=64 prows=64 stride=r15 wait=mte1.0
  loadnz dtype=f16 dst=r21+i%2*0x2000 src=r31 rows=64 cols=64 prows=64 stride=128 set=mte1.0
  l0a dtype=f16 dst=r22+i%2*0x2000 src=r20+i%2*0x2000 m=64 k=64 prows=64 wait=mte2.0,cube.0
  l0b dtype=f16 dst=r23+i%2*0x2000 src=r21+i%2*0x2000 k=64 n=64 prows=64 set=mte2.0,cube.0
  mmad dtype=f16 c=0 a=r22+i%2*0x2000 b=r23+i%2*0x2000 m=64 k=64 n=64 init=accumulate wait=mte1.0 set=mte1.0
  endloop
  set pipe=cube other=fix id=7
  fix dtype=f32 dst=r12 src=0 m=64 n=64 stride=256 wait=cube.7 set=cube.7
  sadd rd=r10 a=r10 b=r17
  sadd rd=r12 a=r12 b=r18
  endloop
  wait pipe=mte2 other=mte1 id=0
  wait pipe=mte2 other=mte1 id=1
  wait pipe=mte1 other=cube id=0
  wait pipe=mte1 other=cube id=1
  wait pipe=cube other=fix id=7
  halt
