; A million rounds of two dependent scalar operations. The measured kernel multiplies and adds in floating
; point, which the scalar unit here does not have; integer multiplications stand in for them.
; vTriton, microbench scalar_peak. 10000 rounds here; the table multiplies by 100.
.program scalar_loop
.launch path=native vector=1
.arg scalar rounds 0 value=10000
.vector
  ldarg rd=r4
  mov rd=r5 a=3
  loop count=r4
  smul rd=r5 a=r5 b=5
  smul rd=r5 a=r5 b=7
  endloop
  halt
