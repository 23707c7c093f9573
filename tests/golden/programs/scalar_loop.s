; Groups of i32 whose lengths stand in GM: every core takes the groups g with g mod cores = core. out[g]
; is the group's sum times its length, computed by the scalar unit, which thereby also knows that the
; group's buffer is free again; every group has 64 places.
.program "scalar loop"
.arg input lengths 0
.arg input x 0
.arg output out 0
.arg scalar groups 0
.vector
  ldarg rd=r10 index=0
  ldarg rd=r11 index=1
  ldarg rd=r12 index=2
  ldarg rd=r13 index=3
  ssub rd=r14 a=r13 b=r0
  sadd rd=r14 a=r14 b=r1
  ssub rd=r14 a=r14 b=1
  sdiv rd=r14 a=r14 b=r1
  smul rd=r15 a=r0 b=4
  sadd rd=r10 a=r10 b=r15
  smul rd=r15 a=r0 b=256
  sadd rd=r11 a=r11 b=r15
  smul rd=r15 a=r0 b=32
  sadd rd=r12 a=r12 b=r15
  smul rd=r20 a=r1 b=4
  smul rd=r21 a=r1 b=256
  smul rd=r22 a=r1 b=32
  set pipe=mte3 other=vector id=0
  loop count=r14
  ldgm rd=r30 dtype=i32 src=r10
  sadd rd=r10 a=r10 b=r20
  mov rd=r33 a=0
  jz a=r30 skip=@empty
  smul rd=r31 a=r30 b=4
  load dst=0 src=r11 len=r31 set=vector.0
  vredx dtype=i32 dst=0x400 a=0 count=r30 how=sum wait=mte2.0 set=scalar.0
  ldub rd=r32 dtype=i32 src=0x400 wait=vector.0
  smul rd=r33 a=r32 b=r30
empty:
  vdup dtype=i32 dst=0x800 s=r33 count=8 wait=mte3.0 set=mte3.0
  store dst=r12 src=0x800 len=32 dtype=i32 wait=vector.0 set=vector.0
  sadd rd=r11 a=r11 b=r21
  sadd rd=r12 a=r12 b=r22
  endloop
  wait pipe=vector other=mte3 id=0
  halt
