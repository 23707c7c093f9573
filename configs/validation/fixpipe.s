; 128 x 128 accumulators (64 KiB) to row-major f32 in memory, back to back on one core.
; vTriton, microbench mte_l0c_to_gm: 1280 times.
.program fixpipe
.launch path=native cube=1
.arg output c 128*128*4
.arg scalar times 0 value=1280
.cube
  ldarg rd=r4
  ldarg rd=r5 index=1
  loop count=r5
  fix dtype=f32 dst=r4 src=0 m=128 n=128 stride=512
  endloop
  halt
