; Reads a matrix of 12288 rows of f16 once, on 48 vector cores of 256 rows each, in tiles of `rows` x `len`
; bytes, all into the same place. asc-devkit, 04_memory_access/data_copy: tiles of [1, 64], [64, 64] and
; [64, 1024]; rows of 12287 elements leave every row but the first at an odd place.
.program reads_ub
.launch path=native vector=48
.let ROWS_PER_CORE 256
.arg input x 12288*12288*2
.arg scalar rows 0 value=64
.arg scalar len 0 value=2048
.arg scalar stride 0 value=24576
.arg scalar last 0 value=2048
.vector
  ldarg rd=r4 index=0
  ldarg rd=r5 index=1
  ldarg rd=r6 index=2
  ldarg rd=r7 index=3
  ldarg rd=r8 index=4
  smul rd=r9 a=r7 b=ROWS_PER_CORE
  smul rd=r9 a=r9 b=r0
  sadd rd=r4 a=r4 b=r9
  mov rd=r10 a=ROWS_PER_CORE
  sdiv rd=r10 a=r10 b=r5
  smul rd=r11 a=r5 b=r7
  ; tiles of full width in a row, and one of `last` bytes
  ssub rd=r12 a=r7 b=r8
  sdiv rd=r12 a=r12 b=r6
  loop count=r10
  mov rd=r13 a=r4
  loop count=r12
  load dst=0x100 src=r13 len=r6 rows=r5 dstride=2048 sstride=r7
  sadd rd=r13 a=r13 b=r6
  endloop
  load dst=0x100 src=r13 len=r8 rows=r5 dstride=2048 sstride=r7
  sadd rd=r4 a=r4 b=r11
  endloop
  halt
