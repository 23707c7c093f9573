// Writing instructions: registers by name of their use, operands by name of the row, code as a list
// with loops. What it does not do: placing flags (sync.h) and turning the list into words (link).
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vm/isa/isa.h"
#include "vm/program/program.h"

namespace dvmsim {

/// A scalar register of the program being written. Numbers are handed out in order.
struct Reg {
  int number = 0;
};

/// An operand's value: an immediate or a register. Immediates of more than 32 bits go through a
/// register: add, compute and assign see to it.
struct Val {
  isa::Lane lane{};
  std::int64_t wide = 0;  // the immediate, if 32 bits do not hold it
  Val() = default;
  Val(std::int64_t immediate);                      // NOLINT: val operands read as numbers.
  Val(Reg reg) : lane(isa::Lane::r(reg.number)) {}  // NOLINT
  explicit Val(isa::Lane value) : lane(value) {}
  [[nodiscard]] bool is(std::int64_t immediate) const {
    return !lane.is_register && value() == immediate;
  }
  /// Of an immediate.
  [[nodiscard]] std::int64_t value() const { return wide != 0 ? wide : lane.immediate; }
};

using Operands = std::initializer_list<std::pair<std::string_view, Val>>;

/// Straight-line code cut out of a builder, with the marks in it (positions relative to its begin).
struct Body {
  std::vector<isa::Inst> code{};
  std::vector<std::pair<std::size_t, DebugMark>> marks{};
};

class Builder {
 public:
  explicit Builder(CoreKind kind) : kind_(kind) {}

  /// A fresh register (r0..r3 are the firmware's). At most 64.
  Reg reg();
  /// Registers in use; those taken since there were `mark` become free again.
  [[nodiscard]] int registers() const { return next_reg_; }
  void free_registers(int mark) { next_reg_ = mark; }
  /// Appends an instruction; operands left out hold their fallback. Returns it for flags and drain.
  isa::Inst& add(isa::Op op, Operands operands = {});
  /// A fresh register holding op(a, b); folded where both are immediates or the operation does
  /// nothing.
  Val compute(isa::Op op, Val a, Val b);
  /// A fresh register holding a word of the argument block.
  Val argument(int index);
  /// Overwrites a register.
  void assign(Reg reg, isa::Op op, Val a, Val b);

  void begin_loop(Val count, int rotate = 0);
  void end_loop();
  /// Forward jump to the matching land(): `op` is jz or jnz.
  int jump(isa::Op op, Val condition);
  void land(int jump);
  /// Cuts what was added since the builder had `from` instructions (no jumps in it) / appends it.
  [[nodiscard]] Body take(std::size_t from);
  void append(const Body& body);
  /// Explicit flags.
  void set(Pipe from, Pipe to, int id);
  void wait(Pipe on, Pipe from, int id);
  /// The next instruction begins a tile or an operator, for the trace.
  void mark(DebugMark::Kind kind, std::string name);

  [[nodiscard]] std::vector<isa::Inst>& code() { return code_; }
  [[nodiscard]] const std::vector<isa::Inst>& code() const { return code_; }
  [[nodiscard]] CoreKind kind() const { return kind_; }

  /// Appends halt, resolves jumps, encodes, and adds the marks to the program.
  void link(Program& program);

 private:
  struct Jump {
    std::size_t from = 0, to = 0;
  };
  /// The operand as a lane; a wide immediate is first put into `scratch`.
  isa::Lane lane_of(const Val& value, Reg scratch);
  CoreKind kind_;
  int next_reg_ = 4;
  std::vector<isa::Inst> code_{};
  std::vector<Jump> jumps_{};
  std::vector<std::pair<std::size_t, DebugMark>> marks_{};
};

}  // namespace dvmsim
