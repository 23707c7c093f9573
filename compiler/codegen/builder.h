// Writing instructions: registers by name of their use, operands by name of the row, code as a list
// with loops. What it does not do: placing flags (sync.h) and turning the list into words (link).
#pragma once

#include <boost/container/small_vector.hpp>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "vm/isa/codec.h"
#include "vm/isa/rows.h"
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

/// An operand of a known instruction: its lane is found, or missed, when the caller is compiled.
template <isa::Op op>
struct Operand {
  struct Name {
    consteval Name(const char* name) : lane(isa::lane_of(op, name)) {  // NOLINT: reads as a name.
      if (lane < 0) throw "the row has no operand of that name";
    }
    int lane = 0;
  };
  Name name;
  Val value{};
};

/// Most programs fit without the heap.
using Code = boost::container::small_vector<isa::Inst, 48>;

class Builder {
 public:
  explicit Builder(CoreKind kind) : kind_(kind) {}

  /// A fresh register (r0..r3 are the firmware's). At most 64.
  Reg reg();
  /// Registers in use; those taken since there were `mark` become free again.
  [[nodiscard]] int registers() const { return next_reg_; }
  void free_registers(int mark) { next_reg_ = mark; }
  /// Appends an instruction; operands left out hold their fallback. Returns it for flags and drain.
  template <isa::Op op>
  isa::Inst& add(std::initializer_list<Operand<op>> operands) {
    bool wide = false;
    for (const Operand<op>& operand : operands) wide = wide || operand.value.wide != 0;
    if (wide) {  // loading it comes first
      isa::Inst inst = isa::blank(op);
      for (const Operand<op>& operand : operands) put(inst, operand.name.lane, operand.value);
      return append(inst);
    }
    isa::Inst& inst = append(isa::blank(op));
    for (const Operand<op>& operand : operands) {
      inst.lane[static_cast<std::size_t>(operand.name.lane)] = operand.value.lane;
    }
    return inst;
  }
  isa::Inst& add(isa::Op op) { return append(isa::blank(op)); }
  /// The same where the instruction is chosen at run time.
  isa::Inst& add(isa::Op op, Operands operands);
  /// Gives a lane its value; a wide one goes through a register.
  void put(isa::Inst& inst, int lane, const Val& value) {
    inst.lane[static_cast<std::size_t>(lane)] =
        value.wide != 0 ? lane_of(value, reg()) : value.lane;
  }
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
  /// Moves what was added since the builder had `middle` instructions before what was added since
  /// it had `begin`. No jumps in either.
  void bring_forward(std::size_t begin, std::size_t middle);
  /// Inserts an instruction before or after number `at`, behind which there are no jumps.
  enum class Side : std::uint8_t { Before, After };
  void insert(std::size_t at, Side side, const isa::Inst& inst);
  /// Explicit flags.
  void set(Pipe from, Pipe to, int id);
  void wait(Pipe on, Pipe from, int id);
  /// The next instruction begins a tile or an operator, for the trace.
  void mark(DebugMark::Kind kind, std::string name);

  [[nodiscard]] Code& code() { return code_; }
  [[nodiscard]] CoreKind kind() const { return kind_; }

  /// Appends halt, resolves jumps, encodes, and adds the marks to the program, which has no code
  /// yet for this kind of core.
  void link(Program& program);

 private:
  struct Jump {
    std::size_t from = 0, to = 0;
  };
  struct Mark {
    std::size_t at = 0;
    DebugMark::Kind kind{};
    std::string name{};
  };
  /// Neighbours that set or wait for one flag, or load arguments one after another, become one.
  void merge_neighbours();
  isa::Inst& append(const isa::Inst& inst) {
    code_.push_back(inst);
    return code_.back();
  }
  /// The operand as a lane; a wide immediate is first put into `scratch`.
  isa::Lane lane_of(const Val& value, Reg scratch);
  CoreKind kind_;
  int next_reg_ = 4;
  Code code_{};
  boost::container::small_vector<Jump, 4> jumps_{};
  boost::container::small_vector<Mark, 16> marks_{};
};

}  // namespace dvmsim
