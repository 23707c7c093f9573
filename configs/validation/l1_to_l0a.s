; Moves of 16 KiB (32 blocks) from L1 to L0A, back to back on one core.
; vTriton, microbench mte_l1_to_l0a: 20480 moves.
.program l1_to_l0a
.launch path=native cube=1
.arg scalar moves 0 value=20480
.cube
  ldarg rd=r4
  loop count=r4
  l0a dtype=f16 dst=0 src=0 m=128 k=64 prows=128
  endloop
  halt
