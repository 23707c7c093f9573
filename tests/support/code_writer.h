// Writes legal, race-free code of one core kind: whoever emits a command says which resources
// (slots of buffers) it reads and writes, and the writer adds the flags and drain bits that order
// it after what it conflicts with, sometimes by a set on an earlier command, sometimes by explicit
// instructions.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "tests/support/random_inst.h"
#include "vm/isa/isa.h"

namespace dvmsim::testing {

/// An instruction by operand names; what is not named holds its default.
struct Named {
  std::string_view name;
  isa::Lane lane;
};
[[nodiscard]] isa::Inst make(isa::Op op, std::initializer_list<Named> operands);
/// Sets one operand by name; the row has it.
void set_operand(isa::Inst& inst, std::string_view name, isa::Lane lane);

class CodeWriter {
 public:
  /// Flags between pipes use ids 0..ids-1.
  CodeWriter(Random& random, int ids) : random_(random), ids_(ids) {}

  /// A scalar instruction.
  void scalar(const isa::Inst& inst) { insts_.push_back(inst); }
  /// A command of a pipe, ordered after everything it conflicts with.
  void emit(isa::Inst inst, Pipe pipe, const std::vector<int>& reads,
            const std::vector<int>& writes);
  /// The same with the caller's own flags: only notes what it touches.
  void emit_as_is(const isa::Inst& inst, Pipe pipe, const std::vector<int>& reads,
                  const std::vector<int>& writes);
  /// The scalar unit waits for all that was emitted.
  void drain_all();

  /// Everything between begin and end is ordered in itself: the writer drains at both ends.
  void begin_loop(isa::Lane count, int rotate = 0);
  void end_loop();
  /// A branch arm, skipped when `a` is zero.
  void begin_arm(isa::Lane a);
  void end_arm();
  /// A loop whose body has flags of its own, which leave nothing pending.
  void begin_bare_loop(isa::Lane count, int rotate);
  void end_bare_loop();

  [[nodiscard]] int words() const;
  /// The words, with halt at the end.
  [[nodiscard]] std::vector<std::uint64_t> finish();

 private:
  struct Access {
    std::array<int, kPipes> write{}, read{};  // the last command of each pipe, 0: none
  };
  void order_after(isa::Inst& inst, Pipe pipe, Pipe other);
  void note(Pipe pipe, const std::vector<int>& reads, const std::vector<int>& writes);
  Access& access(int resource);
  void fence();

  Random& random_;
  int ids_;
  std::vector<isa::Inst> insts_{};
  std::vector<Access> accesses_{};
  std::array<int, kPipes> issued_{};                     // commands so far, per pipe
  std::array<std::array<int, kPipes>, kPipes> known_{};  // [p][q]: command of q that p comes after
  std::array<int, kPipes> last_{-1, -1, -1, -1,
                                -1, -1, -1};  // its last command that may carry a set
  std::vector<std::size_t> arms_{};           // open jumps
  struct Jump {
    std::size_t from, to;
  };
  std::vector<Jump> jumps_{};
};

}  // namespace dvmsim::testing
