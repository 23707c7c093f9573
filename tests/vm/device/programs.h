// The hand-written programs of tests/golden/programs with inputs and the plain formula of what they
// compute; and a harness that runs one on the reference device.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "vm/device/device.h"
#include "vm/device/hazard.h"
#include "vm/machine/machine.h"
#include "vm/program/program.h"

namespace dvmsim::testing {

/// An argument of a launch: a buffer with these bytes, or a scalar.
struct Value {
  std::vector<std::byte> bytes{};  // empty: a scalar
  std::int64_t scalar = 0;
};

struct Case {
  std::string name{};
  Program program{};
  int cube_cores = 0, vector_cores = 0;
  std::vector<Value> arguments{};
  int output = 0;                     // the argument that holds the result
  std::vector<std::byte> expected{};  // its bytes
};

/// What came out of one run.
struct Outcome {
  Fault fault{};
  std::vector<std::byte> bytes{};   // of every buffer, one after another
  std::vector<std::byte> result{};  // of the output
  std::vector<HazardChecker::Finding> findings{};
};

[[nodiscard]] Program load_golden(const std::string& file);
[[nodiscard]] std::vector<Case> golden_cases();
[[nodiscard]] Outcome run(const Case& item, const Machine& machine, std::uint64_t seed);

template <class T>
std::vector<std::byte> bytes_of(const std::vector<T>& values) {
  std::vector<std::byte> bytes(values.size() * sizeof(T));
  if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

}  // namespace dvmsim::testing
