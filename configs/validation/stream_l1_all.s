; 256 KiB copies from memory to L1 on 20 cores, each round and round a region of 16 MiB of its own:
; together more than L2 holds. vTriton, microbench mte_hbm_allcore: 1280 copies per core; here 320, five
; rounds, and the table multiplies by four.
.program stream_l1_all
.launch path=native cube=20
.let PACKET 256*1024
.let REGION 16*1024*1024
.arg input x 20*REGION
.arg scalar rounds 0 value=5
.cube
  ldarg rd=r4
  ldarg rd=r5 index=1
  smul rd=r6 a=r0 b=REGION
  sadd rd=r4 a=r4 b=r6
  mov rd=r6 a=PACKET
  loop count=r5
  mov rd=r7 a=r4
  loop count=64
  loadl1 dst=0 src=r7 len=r6
  sadd rd=r7 a=r7 b=r6
  endloop
  endloop
  halt
