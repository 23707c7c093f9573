// A product whose B the vector cores of its own launch make: which groups are that, and whether it
// pays.
#pragma once

#include <optional>
#include <string>

#include "compiler/codegen/prologue.h"
#include "compiler/graph/graph.h"
#include "compiler/pass/partition.h"

namespace dvmsim {

/// Ends the group with a product whose operand its other nodes make?
[[nodiscard]] bool has_prologue(const Graph& graph, const Group& group);

/// The product, and the kernel that makes A or B of it, with the values behind its inputs.
struct PrologueGroup {
  NodeId product = -1;
  Product plan{};
  PrologueKernel kernel{};
  std::vector<ValueId> inputs{};
};
/// Of a group that has_prologue(). Nullopt if the vector cores cannot do it; `why` then says it.
[[nodiscard]] std::optional<PrologueGroup> prologue_of(const Graph& graph, const Group& group,
                                                       const Machine& machine,
                                                       std::string* why = nullptr);

/// The best of a few schedules like `like`: with as many columns a tile, and with columns that give
/// every core as many tiles. Nullopt if not even the least block fits UB.
[[nodiscard]] std::optional<MatmulSchedule> choose_prologue(const PrologueKernel& kernel,
                                                            const MatmulSchedule& like,
                                                            const Machine& machine, int cores);
/// Cycles by estimate, without what launches cost: the operand made and stored, then the product as
/// the next task.
[[nodiscard]] double time_apart(const PrologueKernel& kernel, const Machine& machine);
/// Every block made each time it is multiplied. The schedule is prologue_schedule()'s.
[[nodiscard]] double time_together(const PrologueKernel& kernel, const MatmulSchedule& schedule,
                                   const Machine& machine);

/// What follows a product elementwise, in a launch of its own: it reads the result and another
/// tensor, and writes one. Cycles by estimate.
[[nodiscard]] double time_to_finish(const MatmulSpec& spec, const Machine& machine);

/// Of a product at its sizes: both ways, if a block fits.
struct PrologueGain {
  bool fits = false;
  struct {
    double apart = 0, together = 0;
  } times{};
  [[nodiscard]] bool pays() const { return fits && times.together < times.apart; }
};
/// `is_finished`: without the prologue the vector cores would also do what follows the product.
[[nodiscard]] PrologueGain gain_of(const PrologueKernel& kernel, bool is_finished,
                                   const Machine& machine);

}  // namespace dvmsim
