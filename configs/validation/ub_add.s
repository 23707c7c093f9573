; One addition of 4096 f32 (64 repeats) after the other on one vector core; where the three operands
; lie decides about bank conflicts. asc-devkit, 04_memory_access/bank_conflict_ub, scenarios S1 to S6:
; 1000 additions between two readings of a 50 MHz counter.
.program ub_add
.launch path=native vector=1
.arg scalar dst 0 value=0x20000
.arg scalar src0 0 value=0
.arg scalar src1 0 value=0x10100
.arg scalar repeats 0 value=1000
.vector
  ldarg rd=r4 index=0
  ldarg rd=r5 index=1
  ldarg rd=r6 index=2
  ldarg rd=r7 index=3
  loop count=r7
  vadd dtype=f32 dst=r4 a=r5 b=r6 count=4096
  endloop
  halt
