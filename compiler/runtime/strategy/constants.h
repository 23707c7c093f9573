// What the strategies' hosts and compilers cost beyond the machine's own host parameters: the
// numbers of configs/strategies.yaml as plain data. Owns no behaviour; the reader keeps who said
// it.
#pragma once

#include <cstdint>
#include <vector>

#include "vm/base/strong.h"
#include "vm/machine/machine.h"

namespace dvmsim {

/// Which compile times of a kernel hold.
enum class JitCompiler : std::uint8_t {
  Published,  // seconds a kernel, as documentation of kernel compilers says
  Measured    // milliseconds, as compilers measured for this project take
};

/// All zero: what a strategy makes the host do beyond the machine's parameters is free.
struct StrategyConstants {
  struct {
    Picoseconds infer{};  // shape inference and arguments of one operator
  } graph;
  struct {
    Picoseconds capture{};  // recording one launch
    Bytes task{};           // of a recorded launch on the device
  } sink;
  struct {
    JitCompiler compiler = JitCompiler::Published;
    Picoseconds trace{};            // tracing and lowering one node, published compilers
    Picoseconds kernel{};           // compiling one kernel, published
    Picoseconds measured_kernel{};  // the fixed part, measured
    Picoseconds measured_nest{};    // and for each loop nest of the kernel
    Picoseconds guard{};            // checking what compiled code assumes, a run
    int workers = 1;                // kernels compiled at a time
    int recompile_limit = 8;        // compiled versions at most; after that eager
    bool automatic_dynamic = true;  // a size that changed becomes symbolic
    bool max_autotune = false;      // products are compiled, tuned, and take epilogues
    int candidates = 1;             // versions of a product compiled for tuning
  } jit;
  struct {
    int least = 1;                      // the smallest bucket
    int growth = 2;                     // each bucket is so many times the one before
    std::vector<std::int64_t> sizes{};  // the buckets instead; sizes beyond the last are refused
    Picoseconds choose{};               // finding the bucket of a run
  } bucket;
};

}  // namespace dvmsim
