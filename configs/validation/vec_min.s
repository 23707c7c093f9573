; The same vmin of 256 f16 (2 repeats) 10000 times into the same place on one vector core: short
; instructions behind barriers, so fixed costs show. The operands lie in different banks; where they lay is not
; published. vTriton, microbench vector_peak_elemwise_min.
.program vec_min
.launch path=native vector=1
.arg scalar repeats 0 value=10000
.vector
  ldarg rd=r4
  loop count=r4
  vmin dtype=f16 dst=0x20000 a=0 b=0x10100 count=256 drain
  endloop
  halt
