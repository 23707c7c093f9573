; One matmul by the firmware's own expansion; its arguments are the block of vm/isa/matmul.h.
.program "matmul macro"
.arg input a 0
.arg input b 0
.arg output c 0
.arg input bias 0
.arg scalar m 0
.arg scalar n 0
.arg scalar k 0
.arg scalar a_stride 0
.arg scalar b_stride 0
.arg scalar c_stride 0
.arg scalar batch0 0
.arg scalar batch1 0
.arg scalar a_batch0 0
.arg scalar a_batch1 0
.arg scalar b_batch0 0
.arg scalar b_batch1 0
.arg scalar c_batch0 0
.arg scalar c_batch1 0
.arg scalar tile_m 0
.arg scalar tile_n 0
.arg scalar tile_k 0
.arg scalar swizzle 0
.arg scalar width 0
.arg scalar trans_a 0
.arg scalar trans_b 0
.arg scalar out 0
.arg scalar post 0
.arg scalar slots 0
.arg scalar slot_bytes 0
.arg scalar bias_type 0
.arg scalar atomic 0
.arg scalar loop 0
.cube
  matmul dtype=f16 index=0
  halt
