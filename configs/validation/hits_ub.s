; Every vector core reads a region of its own over and over, tiles of 64 rows of 2 KiB: after the first time
; L2 holds them all. Inferred from the re-read rows of asc-devkit, 04_memory_access/data_copy.
.program hits_ub
.launch path=native
.let STRIDE 8192
.let REGION 128*STRIDE
.arg input x 48*REGION
.arg scalar rounds 0 value=8
.vector
  ldarg rd=r4
  ldarg rd=r5 index=1
  smul rd=r6 a=r0 b=REGION
  sadd rd=r4 a=r4 b=r6
  mov rd=r12 a=STRIDE
  loop count=r5
  mov rd=r7 a=r4
  loop count=2
  mov rd=r8 a=r7
  loop count=4
  load dst=0x100 src=r8 len=2048 rows=64 dstride=2048 sstride=r12
  sadd rd=r8 a=r8 b=2048
  endloop
  sadd rd=r7 a=r7 b=64*STRIDE
  endloop
  endloop
  halt
