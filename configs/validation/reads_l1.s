; The same on 24 cube cores of 512 rows each, converted to fractals on the way: tiles of 64 rows x `cols`
; f16. asc-devkit, 04_memory_access/data_copy: [64, 64], [64, 256], and rows of 12287 elements.
.program reads_l1
.launch path=native cube=24
.let ROWS_PER_CORE 512
.arg input x 12288*12288*2
.arg scalar cols 0 value=256
.arg scalar stride 0 value=24576
.arg scalar last 0 value=256
.cube
  ldarg rd=r4 index=0
  ldarg rd=r6 index=1
  ldarg rd=r7 index=2
  ldarg rd=r8 index=3
  smul rd=r9 a=r7 b=ROWS_PER_CORE
  smul rd=r9 a=r9 b=r0
  sadd rd=r4 a=r4 b=r9
  smul rd=r11 a=r7 b=64
  smul rd=r14 a=r6 b=2
  smul rd=r15 a=r8 b=2
  ssub rd=r12 a=r7 b=r15
  sdiv rd=r12 a=r12 b=r14
  mov rd=r10 a=ROWS_PER_CORE
  sdiv rd=r10 a=r10 b=64
  loop count=r10
  mov rd=r13 a=r4
  loop count=r12
  loadnz dtype=f16 dst=0 src=r13 rows=64 cols=r6 prows=64 stride=r7
  sadd rd=r13 a=r13 b=r14
  endloop
  loadnz dtype=f16 dst=0 src=r13 rows=64 cols=r8 prows=64 stride=r7
  sadd rd=r4 a=r4 b=r11
  endloop
  halt
