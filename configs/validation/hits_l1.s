; Every cube core reads a region of its own over and over as fractals, tiles of 64 x 256 f16: after the
; first time L2 holds them all. Inferred from the re-read rows of asc-devkit, 04_memory_access/data_copy,
; and from its matmul of M4096 N5120 K4096.
.program hits_l1
.launch path=native
.let STRIDE 8192
.let REGION 256*STRIDE
.arg input x 24*REGION
.arg scalar rounds 0 value=4
.cube
  ldarg rd=r4
  ldarg rd=r5 index=1
  smul rd=r6 a=r0 b=REGION
  sadd rd=r4 a=r4 b=r6
  mov rd=r12 a=STRIDE
  loop count=r5
  mov rd=r7 a=r4
  loop count=4
  mov rd=r8 a=r7
  loop count=16
  loadnz dtype=f16 dst=0 src=r8 rows=64 cols=256 prows=64 stride=r12
  sadd rd=r8 a=r8 b=512
  endloop
  sadd rd=r7 a=r7 b=64*STRIDE
  endloop
  endloop
  halt
