; 256 KiB copies from memory to L1, back to back, one core: a stream that no cache holds.
; vTriton, microbench mte_gm_to_l1: 1280 copies, 335.5 MB.
.program stream_l1
.launch path=native cube=1
.let PACKET 256*1024
.arg input x 1280*PACKET
.arg scalar packets 0 value=1280
.cube
  ldarg rd=r4
  ldarg rd=r5 index=1
  mov rd=r6 a=PACKET
  loop count=r5
  loadl1 dst=0 src=r4 len=r6
  sadd rd=r4 a=r4 b=r6
  endloop
  halt
