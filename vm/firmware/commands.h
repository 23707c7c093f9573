// The commands a macro has made and not given yet. What the macros of a cube core share: flags on
// commands, and the slots through which tiles reach the vector cores.
#pragma once

#include <cstdint>
#include <vector>

#include "vm/isa/isa.h"

namespace dvmsim {

/// Lets `command` start after flag `id` of `pipe`. At most two.
inline void wait(isa::Command& command, Pipe pipe, int id) {
  command.wait[command.waits++] = {true, pipe, static_cast<std::uint8_t>(id)};
}
/// Lets `command` raise flag `id` for `pipe` at its end. At most two.
inline void set(isa::Command& command, Pipe pipe, int id) {
  command.set[command.sets++] = {true, pipe, static_cast<std::uint8_t>(id)};
}

class Commands {
 public:
  /// Begins the macro at `pc`: nothing is left of the one before.
  void start(std::uint32_t pc);
  /// A new command of the core's tile `tile`; the reference holds until the next one.
  isa::Command& emit(isa::Op op, Pipe pipe, std::int64_t tile);
  [[nodiscard]] isa::Command& last() { return commands_.back(); }

  /// Tells the vector cores that the slot of `tile` is full, or waits until one is free again.
  void fill_slot(std::int64_t tile);
  void await_slot(std::int64_t tile);

  /// Tells the vector cores that a slot of an operand may be filled, or waits until the next is.
  void offer_block(std::int64_t tile);
  void await_block(std::int64_t tile);

  /// All are given; the room for them is free.
  [[nodiscard]] bool spent();
  /// The next one, valid until the next call of spent(). Not spent.
  [[nodiscard]] const isa::Command* take() { return &commands_[given_++]; }

 private:
  std::uint32_t pc_ = 0;
  std::vector<isa::Command> commands_{};
  std::size_t given_ = 0;
};

}  // namespace dvmsim
