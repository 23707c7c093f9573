; Copies of the same bytes from memory to UB, back to back on one vector core.
; vTriton: one or two of 512 B at the start of a kernel.
.program loads
.launch path=native vector=1
.arg input x 1024*1024
.arg scalar len 0 value=512
.arg scalar rows 0 value=1
.arg scalar times 0 value=1
.arg scalar offset 0 value=0
.vector
  ldarg rd=r4 index=0
  ldarg rd=r5 index=1
  ldarg rd=r6 index=2
  ldarg rd=r7 index=3
  ldarg rd=r8 index=4
  sadd rd=r4 a=r4 b=r8
  loop count=r7
  load dst=0x100 src=r4 len=r5 rows=r6 dstride=r5 sstride=r5
  endloop
  halt
