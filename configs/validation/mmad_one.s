; One multiplication of m x k x n, types as `type` says (0: f16, 1: i8, 2: f32), on one idle cube core.
; PTO-ISA, tests/costmodel.
.program mmad_one
.launch path=native cube=1
.arg scalar type 0 value=0
.arg scalar m 0
.arg scalar k 0
.arg scalar n 0
.cube
  ldarg rd=r4 index=0
  ldarg rd=r5 index=1
  ldarg rd=r6 index=2
  ldarg rd=r7 index=3
  seq rd=r8 a=r4 b=0
  jz a=r8 skip=@not_f16
  mmad dtype=f16 c=0 a=0 b=0 m=r5 k=r6 n=r7 init=zero
not_f16:
  seq rd=r8 a=r4 b=1
  jz a=r8 skip=@not_i8
  mmad dtype=i8 c=0 a=0 b=0 m=r5 k=r6 n=r7 init=zero
not_i8:
  seq rd=r8 a=r4 b=2
  jz a=r8 skip=@not_f32
  mmad dtype=f32 c=0 a=0 b=0 m=r5 k=r6 n=r7 init=zero
not_f32:
  halt
