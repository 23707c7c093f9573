// Floating-point updates of global memory, whose result depends on their order, kept back and
// applied in one order whatever the interleaving was. Both devices execute commands through this.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "vm/exec/memory.h"
#include "vm/isa/footprint.h"
#include "vm/isa/isa.h"
#include "vm/observe/fault.h"

namespace dvmsim {

/// An update becomes visible when something reads or writes its bytes in any other way, and at the
/// end of the launch at the latest; updates of the same bytes are then applied in ascending `order`
/// (core, then program order). That is the same for every interleaving of a program without races,
/// because what is ordered before an access has been executed by then, and what is not, has not.
/// Integer updates commute and are applied at once.
class Atomics {
 public:
  /// As dvmsim::execute. `order`: see order_of.
  [[nodiscard]] Fault execute(const isa::Command& command, CoreMemory& core, GlobalMemory& global,
                              std::uint64_t order);
  /// As dvmsim::read_scalar.
  [[nodiscard]] Fault read(const isa::Command& command, CoreMemory& core, GlobalMemory& global,
                           std::int64_t& value);
  /// At the end of a launch: applies what is left.
  void finish(GlobalMemory& global);

  /// Place in the canonical order of a command: the core's number in the launch (cube cores first)
  /// and how many commands the core issued before it.
  [[nodiscard]] static constexpr std::uint64_t order_of(int core, std::uint64_t issued) {
    return static_cast<std::uint64_t>(core) << 40 | issued;
  }

 private:
  struct Run {
    std::int64_t begin = 0, end = 0;
  };
  struct Update {
    std::int64_t address = 0, bytes = 0;
    std::size_t data = 0;  // in data_
    std::uint64_t order = 0;
    DType type = DType::F32;
    isa::Atomic atomic = isa::Atomic::None;
  };

  [[nodiscard]] Fault keep(const isa::Command& command, CoreMemory& core, GlobalMemory& global,
                           std::uint64_t order);
  void settle(const isa::Command& command, GlobalMemory& global);
  void settle(const isa::Region& region, GlobalMemory& global);
  void apply(std::vector<Update>& updates, GlobalMemory& global);

  std::vector<Update> updates_{};
  std::vector<std::byte> data_{};
  std::int64_t first_ = 0, last_ = 0;  // hull of the updates
};

}  // namespace dvmsim
