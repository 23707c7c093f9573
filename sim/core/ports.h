// What a core needs from outside: memory, the meaning of commands, and its neighbours' attention.
#pragma once

#include <cstdint>
#include <tuple>

#include "sim/mem/request.h"
#include "vm/isa/isa.h"
#include "vm/observe/fault.h"

namespace dvmsim {

/// The way to the memory system. A queue posts one request at a time and is answered later.
class MemoryPort {
 public:
  virtual ~MemoryPort() = default;
  virtual void post(const Request& request) = 0;
};

/// A fault and the moment it belongs to: the earliest of a launch is the one reported.
struct DatedFault {
  Cycles start{};
  int core = 0;
  Fault fault{};
};
[[nodiscard]] inline bool comes_before(const DatedFault& a, const DatedFault& b) {
  return std::tie(a.start, a.core, a.fault.pc) < std::tie(b.start, b.core, b.fault.pc);
}

/// What commands do to memory; absent in timing mode. Cores are numbered as in RequestKey.
class Meaning {
 public:
  virtual ~Meaning() = default;
  /// Performs the command, perhaps later, but in order for each core. `issued`: commands the core
  /// issued before it. `start` dates a fault.
  virtual void execute(int core, const isa::Command& command, std::uint64_t issued,
                       Cycles start) = 0;
  /// The value of ldgm or ldub, after everything this core has executed.
  virtual Fault read(int core, const isa::Command& command, std::int64_t& value) = 0;
  /// A core begins another task: nothing on it is what it was.
  virtual void renew(int core) = 0;
  /// A core takes a cross-core flag, or learns of a task's end: everything executed so far is done
  /// before what comes next.
  virtual void synchronize() = 0;
};

/// Wakes a core that may be waiting for a cross-core flag.
class Neighbours {
 public:
  virtual ~Neighbours() = default;
  virtual void wake(int core) = 0;
};

}  // namespace dvmsim
