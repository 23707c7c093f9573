; out = relu(A * B + row bias): the cube core of a group multiplies tiles of 64 x 64 into two slots of
; the group in a workspace, its two vector cores take half of each tile. 64 rows of A a tile, k = 64; B
; stays in L0B. Group flag 0: a slot is full; 1: it is free again.
.program "mix"
.arg input a 0
.arg input b 0
.arg input bias 256
.arg output out 0
.arg workspace slots 0
.arg scalar tiles 0
.cube
  ldarg rd=r10 index=0
  ldarg rd=r11 index=1
  ldarg rd=r12 index=4
  ldarg rd=r13 index=5
  ssub rd=r13 a=r13 b=r0
  sadd rd=r13 a=r13 b=r1
  ssub rd=r13 a=r13 b=1
  sdiv rd=r13 a=r13 b=r1
  smul rd=r14 a=r0 b=0x2000
  sadd rd=r10 a=r10 b=r14
  smul rd=r14 a=r1 b=0x2000
  smul rd=r15 a=r0 b=0x8000
  sadd rd=r12 a=r12 b=r15
  loadnz dtype=f16 dst=0x8000 src=r11 rows=64 cols=64 prows=64 stride=128 set=mte1.3
  l0b dtype=f16 dst=0 src=0x8000 k=64 n=64 prows=64 wait=mte2.3
  mov rd=r20 a=0
  mov rd=r21 a=0
  mov rd=r22 a=0
  set pipe=mte1 other=mte2 id=0
  set pipe=mte1 other=mte2 id=1
  set pipe=cube other=mte1 id=0
  set pipe=cube other=mte1 id=1
  set pipe=fix other=cube id=0
  set pipe=fix other=cube id=1
  loop count=r13 rotate=3
  loadnz dtype=f16 dst=r20+i%2*0x2000 src=r10 rows=64 cols=64 prows=64 stride=128 wait=mte1.0 set=mte1.0
  l0a dtype=f16 dst=r21+i%2*0x2000 src=r20+i%2*0x2000 m=64 k=64 prows=64 wait=mte2.0,cube.0 set=mte2.0,cube.0
  mmad dtype=f16 c=r22+i%2*0x4000 a=r21+i%2*0x2000 b=0 m=64 k=64 n=64 init=zero wait=mte1.0,fix.0 set=mte1.0,fix.0
  xwait pipe=fix id=1 mode=group
  fix dtype=f32 dst=r12+i%2*0x4000 src=r22+i%2*0x4000 m=64 n=64 stride=256 wait=cube.0 set=cube.0
  xset pipe=fix id=0 mode=group
  sadd rd=r10 a=r10 b=r14
  endloop
  wait pipe=mte2 other=mte1 id=0
  wait pipe=mte2 other=mte1 id=1
  wait pipe=mte1 other=cube id=0
  wait pipe=mte1 other=cube id=1
  wait pipe=cube other=fix id=0
  wait pipe=cube other=fix id=1
  xwait pipe=fix id=1 mode=group
  xwait pipe=fix id=1 mode=group
  halt
.vector
  ldarg rd=r10 index=4
  ldarg rd=r11 index=2
  ldarg rd=r12 index=3
  ldarg rd=r13 index=5
  sdiv rd=r16 a=r1 b=2
  ssub rd=r13 a=r13 b=r2
  sadd rd=r13 a=r13 b=r16
  ssub rd=r13 a=r13 b=1
  sdiv rd=r13 a=r13 b=r16
  smul rd=r14 a=r2 b=0x8000
  sadd rd=r10 a=r10 b=r14
  smul rd=r14 a=r3 b=0x2000
  sadd rd=r10 a=r10 b=r14
  sadd rd=r12 a=r12 b=r14
  smul rd=r14 a=r2 b=0x4000
  sadd rd=r12 a=r12 b=r14
  smul rd=r14 a=r16 b=0x4000
  mov rd=r20 a=0
  mov rd=r21 a=0x8000
  load dst=0x10000 src=r11 len=256 set=vector.3
  wait pipe=vector other=mte2 id=3
  xset pipe=mte2 id=1 mode=group
  xset pipe=mte2 id=1 mode=group
  set pipe=vector other=mte2 id=0
  set pipe=vector other=mte2 id=1
  set pipe=mte3 other=vector id=0
  set pipe=mte3 other=vector id=1
  loop count=r13 rotate=3
  xwait pipe=mte2 id=0 mode=group
  load dst=r20+i%2*0x2000 src=r10+i%2*0x4000 len=0x2000 wait=vector.0 set=vector.0
  xset pipe=mte2 id=1 mode=group
  vadd dtype=f32 dst=r21+i%2*0x2000 a=r20+i%2*0x2000 b=0x10000 count=64 rows=32 dstride=256 astride=256 bstride=0 wait=mte2.0,mte3.0 set=mte2.0
  vrelu dtype=f32 dst=r21+i%2*0x2000 a=r21+i%2*0x2000 count=2048 set=mte3.0
  store dst=r12 src=r21+i%2*0x2000 len=0x2000 dtype=f32 wait=vector.0 set=vector.0
  sadd rd=r12 a=r12 b=r14
  endloop
  wait pipe=mte2 other=vector id=0
  wait pipe=mte2 other=vector id=1
  wait pipe=vector other=mte3 id=0
  wait pipe=vector other=mte3 id=1
  halt
