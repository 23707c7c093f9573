; Nothing, on every core: what a launch costs. CANN guide, analysis of profiling data.
.program empty
.launch path=native
.cube
  halt
.vector
  halt
