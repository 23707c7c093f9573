// One launch or several on the fast engine and on the oracle, and where they first differ.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "vm/device/device.h"
#include "vm/machine/machine.h"

namespace dvmsim::testing {

/// A machine with few cores and its depths, latencies, rates and sizes drawn at random.
[[nodiscard]] Machine random_machine(std::uint64_t seed);

/// What the launches are given: buffers of so many bytes, or a number.
struct Trial {
  struct Value {
    std::int64_t bytes = 0;  // 0: a scalar
    std::uint64_t scalar = 0;
  };
  const Program* program = nullptr;
  std::vector<Value> arguments{};
  int cube_cores = 0, vector_cores = 0;
  CodePath path = CodePath::Bytecode;
  int launches = 1;
  bool ideal_memory = false;
  bool reverse_build = false;
};

struct Verdict {
  std::string difference{};  // empty: the same spans in every row, the same ends
  std::string fault{};       // both agree on it
  std::int64_t cycles = 0;   // of all launches
  std::size_t spans = 0;     // compared
};
[[nodiscard]] Verdict compare(const Machine& machine, const Trial& trial);

}  // namespace dvmsim::testing
