; One copy from UB to memory on one vector core. vTriton: 512 B and 32 B at the end of a kernel.
.program stores
.launch path=native vector=1
.arg output y 64*1024
.arg scalar len 0 value=512
.vector
  ldarg rd=r4 index=0
  ldarg rd=r5 index=1
  store dtype=i8 dst=r4 src=0x100 len=r5
  halt
