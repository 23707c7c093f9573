// Code as the host-side interpreter keeps it: each instruction decoded once, its cycles added up,
// its operand rules resolved. A cache of the simulator; what the firmware pays is in
// `Decoded::cycles`.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vm/base/strong.h"
#include "vm/device/device.h"
#include "vm/isa/isa.h"
#include "vm/machine/machine.h"
#include "vm/observe/fault.h"

namespace dvmsim::firmware {

enum class Action : std::uint8_t {
  Halt,
  Nothing,
  Arithmetic,
  Argument,
  Read,
  Loop,
  EndLoop,
  Jump,
  Drain,
  Macro,
  Issue
};

/// A register lane of an instruction and what its value must satisfy: value - low <= span (as
/// unsigned), value & align == 0.
struct RegisterLane {
  std::uint8_t operand = 0, reg = 0, modulo = 0, up = 0;
  std::uint32_t align = 0;
  std::int64_t step = 0;  // bytes
  std::int64_t low = 0;
  std::uint64_t span = 0;
};

struct Decoded {
  isa::Command command{};  // immediates in place; the interpreter fills the rest in place
  Action action = Action::Halt;
  std::array<std::uint8_t, 4> flag_ids{};  // wait 0, wait 1, set 0, set 1 before rotation
  std::uint32_t first_lane = 0;            // in Code::lanes()
  std::uint8_t lanes = 0;
  std::uint8_t target_register = 0;
  std::uint8_t times = 1;     // that it is issued
  std::uint32_t next = 0;     // pc after this instruction
  std::int32_t partner = -1;  // loop: pc after its endloop, once known
  Cycles decode{};            // fetch to operand: what a decode cache saves
  Cycles work{};              // the rest
};

class Code {
 public:
  /// `begin`: where the words stand in the program. Commands and messages count from there, all
  /// else from the first word.
  Code(const Machine& machine, std::span<const std::uint64_t> words, CoreKind kind, CodePath path,
       std::uint32_t begin = 0);

  /// The instruction at a word, or nullptr: then problem() says why. Valid until the next at().
  [[nodiscard]] Decoded* at(std::uint32_t pc) {
    if (pc < index_.size() && index_[pc] >= 0)
      return &decoded_[static_cast<std::size_t>(index_[pc])];
    return decode(pc);
  }
  [[nodiscard]] const RegisterLane* lanes() const { return lanes_.data(); }
  /// The pc behind the endloop that closes the loop whose body begins at `body`; -1 if none does.
  [[nodiscard]] std::int32_t end_of_loop(std::uint32_t body);
  [[nodiscard]] const std::string& problem() const { return problem_; }
  [[nodiscard]] FaultKind problem_kind() const { return problem_kind_; }

 private:
  Decoded* decode(std::uint32_t pc);
  bool fill(const isa::Inst& inst, int words, Decoded& decoded);
  bool fill_lanes(const isa::Inst& inst, Decoded& decoded);
  bool fill_flags(const isa::Inst& inst, Decoded& decoded);
  void fill_cycles(const isa::Row& row, int words, Decoded& decoded) const;
  bool refuse(std::uint32_t pc, std::string_view why);

  const Machine* machine_;
  std::span<const std::uint64_t> words_;
  CoreKind kind_;
  CodePath path_;
  std::uint32_t begin_;
  std::vector<std::int32_t> index_{};
  std::vector<Decoded> decoded_{};
  std::vector<RegisterLane> lanes_{};
  std::string problem_{};
  FaultKind problem_kind_ = FaultKind::BadInstruction;
};

/// Does the value of a register fit where the lane uses it?
[[nodiscard]] inline bool fits(const RegisterLane& lane, std::int64_t value) {
  const auto distance = static_cast<std::uint64_t>(value) - static_cast<std::uint64_t>(lane.low);
  return distance <= lane.span && (static_cast<std::uint64_t>(value) & lane.align) == 0;
}
/// Why it does not.
[[nodiscard]] FaultKind misfit_kind(const RegisterLane& lane, std::int64_t value);
[[nodiscard]] std::string misfit(const isa::Command& command, const RegisterLane& lane,
                                 std::int64_t value);

}  // namespace dvmsim::firmware
