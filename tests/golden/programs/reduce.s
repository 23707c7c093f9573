; The sum of all elements: every vector core sums its 1024 f32 and leaves the sum in a line of the
; workspace, all cores meet, and core 0 adds the sums.
.program "reduce"
.arg input x 0
.arg output out 32
.arg workspace sums 0
.vector
  ldarg rd=r10 index=0
  ldarg rd=r11 index=1
  ldarg rd=r12 index=2
  smul rd=r13 a=r0 b=4096
  sadd rd=r10 a=r10 b=r13
  smul rd=r13 a=r0 b=32
  sadd rd=r13 a=r12 b=r13
  load dst=0 src=r10 len=4096 set=vector.0
  vdup dtype=f32 dst=0x2000 s=f32:0 count=8
  vredx dtype=f32 dst=0x2000 a=0 count=1024 how=sum wait=mte2.0 set=mte3.0
  store dst=r13 src=0x2000 len=32 dtype=f32 wait=vector.0
  xset pipe=mte3 id=0 mode=all
  xwait pipe=mte2 id=0 mode=all
  jnz a=r0 skip=@done
  smul rd=r14 a=r1 b=32
  load dst=0x3000 src=r12 len=r14 set=vector.1
  smul rd=r15 a=r1 b=8
  vredx dtype=f32 dst=0x2800 a=0x3000 count=r15 how=sum wait=mte2.1 set=mte3.1
  store dst=r11 src=0x2800 len=4 dtype=f32 wait=vector.1
done:
  halt
