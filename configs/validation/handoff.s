; One group: the cube core multiplies K / 128 tiles of 128 x 128 x 128 with single buffers, each through
; FixPipe to memory; then all three cores synchronise, and the vector cores add 256 f16 from it.
; vTriton, microbench mandatory_handoff, K = 128 to 2048.
.program handoff
.launch path=native cube=1 vector=2
.let BLOCK 128*128*2
.arg input a BLOCK
.arg input b BLOCK
.arg workspace c 128*128*4
.arg output out 1024
.arg scalar tiles 0 value=1
.cube
  ldarg rd=r4 index=0
  ldarg rd=r5 index=1
  ldarg rd=r6 index=2
  ldarg rd=r7 index=4
  set pipe=mte1 other=mte2 id=0
  set pipe=cube other=mte1 id=0
  set pipe=fix other=cube id=0
  loop count=r7
  loadnz dtype=f16 dst=0 src=r4 rows=128 cols=128 prows=128 stride=256 wait=mte1.0
  loadnz dtype=f16 dst=BLOCK src=r5 rows=128 cols=128 prows=128 stride=256 set=mte1.0
  wait pipe=mte1 other=mte2 id=0
  wait pipe=mte1 other=cube id=0
  mov rd=r10 a=0
  mov rd=r11 a=0
  loop count=8
  l0a dtype=f16 dst=r11 src=0 m=16 k=128 prows=128 m0=r10 k0=0
  l0b dtype=f16 dst=r11 src=BLOCK k=16 n=128 prows=128 k0=r10 n0=0
  sadd rd=r10 a=r10 b=16
  sadd rd=r11 a=r11 b=128*16*2
  endloop
  set pipe=mte1 other=mte2 id=0
  set pipe=mte1 other=cube id=0
  mmad dtype=f16 c=0 a=0 b=0 m=128 k=128 n=128 init=zero wait=mte1.0,fix.0 set=mte1.0,fix.0
  fix dtype=f32 dst=r6 src=0 m=128 n=128 stride=512 wait=cube.0 set=cube.0
  endloop
  wait pipe=mte2 other=mte1 id=0
  wait pipe=mte1 other=cube id=0
  wait pipe=cube other=fix id=0
  xset pipe=fix id=0 mode=group
  xwait pipe=scalar id=1 mode=group
  halt
.vector
  ldarg rd=r4 index=2
  ldarg rd=r5 index=3
  smul rd=r6 a=r3 b=512
  sadd rd=r5 a=r5 b=r6
  xset pipe=mte3 id=1 mode=group
  xwait pipe=mte2 id=0 mode=group
  load dst=0 src=r4 len=512
  load dst=0x10100 src=r4 len=512 set=vector.0
  vadd dtype=f16 dst=0x20000 a=0 b=0x10100 count=256 wait=mte2.0 set=mte3.0
  store dtype=f16 dst=r5 src=0x20000 len=512 wait=vector.0
  halt
