; Loads of 64 KiB to UB and stores of the same, in two buffers, so that both ports of one vector core move
; data at once. vTriton, microbench mte_gm_to_ub: 1280 x 256 KiB each way; here a stream of 320 x 256 KiB
; each way, and the table multiplies by four. Where the copies went is not published: here they never meet
; the same place twice.
.program copy_ub
.launch path=native vector=1
.let TILE 64*1024
.let BYTES 1280*TILE
.arg input x BYTES
.arg output y BYTES
.arg scalar tiles 0 value=1280
.vector
  ldarg rd=r4 index=0
  ldarg rd=r5 index=1
  ldarg rd=r6 index=2
  mov rd=r7 a=0
  mov rd=r8 a=TILE
  set pipe=mte3 other=mte2 id=0
  set pipe=mte3 other=mte2 id=1
  loop count=r6 rotate=3
  load dst=r7+i%2*TILE src=r4 len=r8 wait=mte3.0 set=mte3.0
  store dtype=i8 dst=r5 src=r7+i%2*TILE len=r8 wait=mte2.0 set=mte2.0
  sadd rd=r4 a=r4 b=r8
  sadd rd=r5 a=r5 b=r8
  endloop
  wait pipe=mte2 other=mte3 id=0
  wait pipe=mte2 other=mte3 id=1
  halt
