; Eight multiplies of m x n x 64 that add to the same accumulators, back to back on one cube core: the
; head of the first and the gaps of the others. asc-devkit, UnitFlag page: m = 128, n = 256 or 128.
.program mmad_chain
.launch path=native cube=1
.arg scalar n 0 value=256
.arg scalar parts 0 value=8
.cube
  ldarg rd=r4
  ldarg rd=r5 index=1
  ssub rd=r5 a=r5 b=1
  mmad dtype=f16 c=0 a=0 b=0 m=128 k=64 n=r4 init=zero
  loop count=r5
  mmad dtype=f16 c=0 a=0 b=0 m=128 k=64 n=r4 init=accumulate
  endloop
  halt
