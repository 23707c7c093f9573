; Even cores double their 256 i32, odd cores negate them; each arm leaves the flags as it found them.
.program "branch"
.arg input x 0
.arg output out 0
.vector
  ldarg rd=r10 index=0
  ldarg rd=r11 index=1
  smul rd=r12 a=r0 b=1024
  sadd rd=r10 a=r10 b=r12
  sadd rd=r11 a=r11 b=r12
  smod rd=r13 a=r0 b=2
  jnz a=r13 skip=@odd
  load dst=0 src=r10 len=1024 set=vector.0
  vadd dtype=i32 dst=0x400 a=0 b=0 count=256 wait=mte2.0
odd:
  jz a=r13 skip=@join
  load dst=0x800 src=r10 len=1024 set=vector.1
  vneg dtype=i32 dst=0x400 a=0x800 count=256 wait=mte2.1
join:
  set pipe=vector other=mte3 id=0
  store dst=r11 src=0x400 len=1024 dtype=i32 wait=vector.0
  halt
