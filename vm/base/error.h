// What goes wrong outside the simulated machine: invalid input (Error) and broken invariants
// (DVMSIM_ASSERT). Faults inside the simulated machine are values: see vm/observe/fault.h.
#pragma once

#include <stdexcept>
#include <string>

namespace dvmsim {

/// Invalid input. The text begins with where it is ("file:line: ", "node 'x': ", "offset 16: ")
/// and ends with what to do. Caught once, in main: exit code 2.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

[[noreturn]] void assertion_failed(const char* rule, const char* file, int line);

}  // namespace dvmsim

/// An invariant of ours, checked in every build. `rule` says what must hold, not what was compared.
#define DVMSIM_ASSERT(condition, rule) \
  ((condition) ? void(0) : ::dvmsim::assertion_failed(rule, __FILE__, __LINE__))
