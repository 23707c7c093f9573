; The sum of 256 f32, 100 times one after the other on one vector core. CANN guide, low-latency reductions:
; 100 times two WholeReduceSum.
.program reduce_256
.launch path=native vector=1
.vector
  loop count=100
  vredx dtype=f32 dst=0x8000 a=0 count=256 astride=1024 how=sum
  endloop
  halt
