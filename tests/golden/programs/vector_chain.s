; out = relu(1.5 * x + y) on tiles of 1024 f32, dealt to the vector cores in turn, double-buffered.
; vector -> mte2 0, 1: the inputs' buffers are free. mte3 -> vector 0, 1: the output's buffer is free.
.program "vector chain"
.arg input x 45056
.arg input y 45056
.arg output out 45056
.arg scalar tiles 0
.vector
  ldarg rd=r10 index=0
  ldarg rd=r11 index=1
  ldarg rd=r12 index=2
  ldarg rd=r13 index=3
  ssub rd=r13 a=r13 b=r0
  sadd rd=r13 a=r13 b=r1
  ssub rd=r13 a=r13 b=1
  sdiv rd=r13 a=r13 b=r1
  smul rd=r14 a=r0 b=4096
  smul rd=r15 a=r1 b=4096
  sadd rd=r10 a=r10 b=r14
  sadd rd=r11 a=r11 b=r14
  sadd rd=r12 a=r12 b=r14
  mov rd=r20 a=0x0000
  mov rd=r21 a=0x2000
  mov rd=r22 a=0x4000
  mov rd=r23 a=0x6000
  set pipe=vector other=mte2 id=0
  set pipe=vector other=mte2 id=1
  set pipe=mte3 other=vector id=0
  set pipe=mte3 other=vector id=1
.mark tile "chain"
  loop count=r13 rotate=3
  load dst=r20+i%2*0x1000 src=r10 len=4096 wait=vector.0
  load dst=r21+i%2*0x1000 src=r11 len=4096 set=vector.0
  vmuls dtype=f32 dst=r22+i%2*0x1000 a=r20+i%2*0x1000 s=f32:1.5 count=1024 wait=mte2.0
  vadd dtype=f32 dst=r22+i%2*0x1000 a=r22+i%2*0x1000 b=r21+i%2*0x1000 count=1024 set=mte2.0
  vrelu dtype=f32 dst=r23+i%2*0x1000 a=r22+i%2*0x1000 count=1024 wait=mte3.0 set=mte3.0
  store dst=r12 src=r23+i%2*0x1000 len=4096 dtype=f32 wait=vector.0 set=vector.0
  sadd rd=r10 a=r10 b=r15
  sadd rd=r11 a=r11 b=r15
  sadd rd=r12 a=r12 b=r15
  endloop
  wait pipe=mte2 other=vector id=0
  wait pipe=mte2 other=vector id=1
  wait pipe=vector other=mte3 id=0
  wait pipe=vector other=mte3 id=1
  halt
