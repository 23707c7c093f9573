// What a run asked of each component, in the time that component would need at its best: every
// multiply-accumulate at the cube's peak, every byte at the port's highest rate, every element at
// the vector unit's rate, without fixed costs, conflicts, edges or waits. A listener; sums are of
// whole numbers, so that their order does not show.
#pragma once

#include <array>
#include <cstdint>

#include "vm/isa/cost.h"
#include "vm/machine/machine.h"
#include "vm/observe/span.h"

namespace dvmsim {

class Demands final : public Probe {
 public:
  explicit Demands(const Machine& machine);
  Demands(const Demands&) = delete;
  Demands& operator=(const Demands&) = delete;

  void on_span(const Span& span) override;
  void on_issue(const Issue& issue) override;

  /// Cycles of one core that does everything of its kind alone.
  [[nodiscard]] double cycles(CoreKind kind, Pipe pipe) const;
  /// Bytes that stores and FixPipe moved into the memory system.
  [[nodiscard]] std::int64_t written() const { return written_; }

 private:
  struct Amounts {                                    // of all cores of a kind
    std::array<std::int64_t, kDTypes.size()> macs{};  // by type
    std::array<std::int64_t, kPipes> busy{};          // mte1, vector: cycles at their rates
    std::int64_t to_l1 = 0, to_ub = 0, from_ub = 0;   // bytes
    std::int64_t accumulators = 0;
    std::int64_t commands = 0;
  };
  void on_load(Amounts& amounts, const isa::Command& command) const;

  const Machine& machine_;
  Machine ideal_;
  CostModel costs_;  // of the ideal machine
  std::array<Amounts, 3> of_kind_{};
  std::int64_t written_ = 0;
};

}  // namespace dvmsim
