; z = x + y of [8192, 8192] f16 in tiles of 8 KiB with single buffers: two loads, an addition of 32
; repeats whose sources lie in the same banks, a store. asc-devkit,
; 00_vector_compute/add_high_performance, case 2; on one core (--launch vector=1) case 1.
.program add_8k
.launch path=native vector=48
.let TILE 8192
.let TILES 16384
.arg input x TILES*TILE
.arg input y TILES*TILE
.arg output z TILES*TILE
.vector
  ldarg rd=r4 index=0
  ldarg rd=r5 index=1
  ldarg rd=r6 index=2
  ; tiles of this core: TILES / cores, and one more for the first TILES mod cores
  mov rd=r7 a=TILES
  sdiv rd=r8 a=r7 b=r1
  smod rd=r9 a=r7 b=r1
  smul rd=r10 a=r8 b=r0
  smin rd=r11 a=r0 b=r9
  sadd rd=r10 a=r10 b=r11
  slt rd=r11 a=r0 b=r9
  sadd rd=r8 a=r8 b=r11
  smul rd=r10 a=r10 b=TILE
  sadd rd=r4 a=r4 b=r10
  sadd rd=r5 a=r5 b=r10
  sadd rd=r6 a=r6 b=r10
  set pipe=vector other=mte2 id=0
  set pipe=mte3 other=vector id=0
  loop count=r8
  load dst=0 src=r4 len=TILE wait=vector.0
  load dst=TILE src=r5 len=TILE set=vector.0
  vadd dtype=f16 dst=2*TILE a=0 b=TILE count=4096 wait=mte2.0,mte3.0 set=mte2.0,mte3.0
  store dtype=f16 dst=r6 src=2*TILE len=TILE wait=vector.0 set=vector.0
  sadd rd=r4 a=r4 b=TILE
  sadd rd=r5 a=r5 b=TILE
  sadd rd=r6 a=r6 b=TILE
  endloop
  wait pipe=mte2 other=vector id=0
  wait pipe=vector other=mte3 id=0
  halt
