; One instruction over one tile, on one vector core; `op` says which. What the vendor's cost model of its
; tile operations gives for the same tiles: PTO-ISA, tests/costmodel. Tiles of several rows that lie back to
; back are one run of `count` elements; reductions, broadcast and transposition work on `rows` x `count` with
; `stride` bytes between rows.
;    0 add f32
;    1 add i32
;    2 add f16
;    3 sub f32
;    4 sub i32
;    5 sub f16
;    6 mul f32
;    7 mul i32
;    8 mul f16
;    9 div f32
;   10 div f16
;   11 add scalar f32
;   12 add scalar f16
;   13 add scalar i32
;   14 multiply by scalar f32
;   15 abs f32
;   16 abs f16
;   17 min with scalar f32
;   18 min with scalar i32
;   19 min with scalar f16
;   20 exp f32
;   21 exp f16
;   22 sqrt f32
;   23 sqrt f16
;   24 rsqrt f16
;   25 convert f32 to f16
;   26 divide by scalar f32
;   27 divide by scalar f16
;   28 max of each row, f32
;   29 max of each row, f16
;   30 sum of each row, f32
;   31 sum of each row, f16
;   32 max of each column, f32
;   33 max of each column, f16
;   34 sum of each column, f32
;   35 a row of copies of each element, f32
;   36 transpose f32
;   37 select f16
.program tile_ops
.launch path=native vector=1
.let A 0x100
.let B 0x8200
.let DST 0x10100
.arg scalar op 0
.arg scalar count 0
.arg scalar rows 0 value=1
.arg scalar stride 0 value=0
.vector
  ldarg rd=r4 index=0
  ldarg rd=r5 index=1
  ldarg rd=r6 index=2
  ldarg rd=r7 index=3
  seq rd=r8 a=r4 b=0
  jz a=r8 skip=@not0
  vadd dtype=f32 dst=DST a=A b=B count=r5
not0:
  seq rd=r8 a=r4 b=1
  jz a=r8 skip=@not1
  vadd dtype=i32 dst=DST a=A b=B count=r5
not1:
  seq rd=r8 a=r4 b=2
  jz a=r8 skip=@not2
  vadd dtype=f16 dst=DST a=A b=B count=r5
not2:
  seq rd=r8 a=r4 b=3
  jz a=r8 skip=@not3
  vsub dtype=f32 dst=DST a=A b=B count=r5
not3:
  seq rd=r8 a=r4 b=4
  jz a=r8 skip=@not4
  vsub dtype=i32 dst=DST a=A b=B count=r5
not4:
  seq rd=r8 a=r4 b=5
  jz a=r8 skip=@not5
  vsub dtype=f16 dst=DST a=A b=B count=r5
not5:
  seq rd=r8 a=r4 b=6
  jz a=r8 skip=@not6
  vmul dtype=f32 dst=DST a=A b=B count=r5
not6:
  seq rd=r8 a=r4 b=7
  jz a=r8 skip=@not7
  vmul dtype=i32 dst=DST a=A b=B count=r5
not7:
  seq rd=r8 a=r4 b=8
  jz a=r8 skip=@not8
  vmul dtype=f16 dst=DST a=A b=B count=r5
not8:
  seq rd=r8 a=r4 b=9
  jz a=r8 skip=@not9
  vdiv dtype=f32 dst=DST a=A b=B count=r5
not9:
  seq rd=r8 a=r4 b=10
  jz a=r8 skip=@not10
  vdiv dtype=f16 dst=DST a=A b=B count=r5
not10:
  seq rd=r8 a=r4 b=11
  jz a=r8 skip=@not11
  vadds dtype=f32 dst=DST a=A s=f32:1.5 count=r5
not11:
  seq rd=r8 a=r4 b=12
  jz a=r8 skip=@not12
  vadds dtype=f16 dst=DST a=A s=f32:1.5 count=r5
not12:
  seq rd=r8 a=r4 b=13
  jz a=r8 skip=@not13
  vadds dtype=i32 dst=DST a=A s=3 count=r5
not13:
  seq rd=r8 a=r4 b=14
  jz a=r8 skip=@not14
  vmuls dtype=f32 dst=DST a=A s=f32:1.5 count=r5
not14:
  seq rd=r8 a=r4 b=15
  jz a=r8 skip=@not15
  vabs dtype=f32 dst=DST a=A count=r5
not15:
  seq rd=r8 a=r4 b=16
  jz a=r8 skip=@not16
  vabs dtype=f16 dst=DST a=A count=r5
not16:
  seq rd=r8 a=r4 b=17
  jz a=r8 skip=@not17
  vmins dtype=f32 dst=DST a=A s=f32:1.5 count=r5
not17:
  seq rd=r8 a=r4 b=18
  jz a=r8 skip=@not18
  vmins dtype=i32 dst=DST a=A s=3 count=r5
not18:
  seq rd=r8 a=r4 b=19
  jz a=r8 skip=@not19
  vmins dtype=f16 dst=DST a=A s=f32:1.5 count=r5
not19:
  seq rd=r8 a=r4 b=20
  jz a=r8 skip=@not20
  vexp dtype=f32 dst=DST a=A count=r5
not20:
  seq rd=r8 a=r4 b=21
  jz a=r8 skip=@not21
  vexp dtype=f16 dst=DST a=A count=r5
not21:
  seq rd=r8 a=r4 b=22
  jz a=r8 skip=@not22
  vsqrt dtype=f32 dst=DST a=A count=r5
not22:
  seq rd=r8 a=r4 b=23
  jz a=r8 skip=@not23
  vsqrt dtype=f16 dst=DST a=A count=r5
not23:
  seq rd=r8 a=r4 b=24
  jz a=r8 skip=@not24
  vrsqrt dtype=f16 dst=DST a=A count=r5
not24:
  seq rd=r8 a=r4 b=25
  jz a=r8 skip=@not25
  vcvt dtype=f32 to=f16 dst=DST a=A count=r5
not25:
  seq rd=r8 a=r4 b=26
  jz a=r8 skip=@not26
  vdivs dtype=f32 dst=DST a=A s=f32:1.5 count=r5
not26:
  seq rd=r8 a=r4 b=27
  jz a=r8 skip=@not27
  vdivs dtype=f16 dst=DST a=A s=f32:1.5 count=r5
not27:
  seq rd=r8 a=r4 b=28
  jz a=r8 skip=@not28
  vredx dtype=f32 dst=DST a=A count=r5 rows=r6 astride=r7 how=max
not28:
  seq rd=r8 a=r4 b=29
  jz a=r8 skip=@not29
  vredx dtype=f16 dst=DST a=A count=r5 rows=r6 astride=r7 how=max
not29:
  seq rd=r8 a=r4 b=30
  jz a=r8 skip=@not30
  vredx dtype=f32 dst=DST a=A count=r5 rows=r6 astride=r7 how=sum
not30:
  seq rd=r8 a=r4 b=31
  jz a=r8 skip=@not31
  vredx dtype=f16 dst=DST a=A count=r5 rows=r6 astride=r7 how=sum
not31:
  seq rd=r8 a=r4 b=32
  jz a=r8 skip=@not32
  vredy dtype=f32 dst=DST a=A count=r5 rows=r6 astride=r7 how=max
not32:
  seq rd=r8 a=r4 b=33
  jz a=r8 skip=@not33
  vredy dtype=f16 dst=DST a=A count=r5 rows=r6 astride=r7 how=max
not33:
  seq rd=r8 a=r4 b=34
  jz a=r8 skip=@not34
  vredy dtype=f32 dst=DST a=A count=r5 rows=r6 astride=r7 how=sum
not34:
  seq rd=r8 a=r4 b=35
  jz a=r8 skip=@not35
  vbrc dtype=f32 dst=DST a=A count=r5 rows=r6 dstride=r7
not35:
  seq rd=r8 a=r4 b=36
  jz a=r8 skip=@not36
  vtrans dtype=f32 dst=DST a=A count=r5 rows=r6 dstride=r7 astride=r7
not36:
  seq rd=r8 a=r4 b=37
  jz a=r8 skip=@not37
  vsel dtype=f16 dst=DST mask=B a=A b=A+0x100 count=r5
not37:
  halt
