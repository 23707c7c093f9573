; exp, ln, sqrt, rsqrt of 256 f16, each of the one before, 10000 times on one vector core.
; vTriton, microbench vector_peak_transcendental.
.program vec_chain
.launch path=native vector=1
.arg scalar repeats 0 value=10000
.vector
  ldarg rd=r4
  loop count=r4
  vexp dtype=f16 dst=0x20000 a=0 count=256 drain
  vlog dtype=f16 dst=0x20000 a=0x20000 count=256 drain
  vsqrt dtype=f16 dst=0x20000 a=0x20000 count=256 drain
  vrsqrt dtype=f16 dst=0x20000 a=0x20000 count=256 drain
  endloop
  halt
