#include "compiler/pass/prologue.h"

#include <algorithm>

#include "compiler/schedule/matmul_estimate.h"
#include "compiler/schedule/vector.h"
#include "compiler/schedule/vector_estimate.h"
#include "vm/base/rounding.h"

namespace dvmsim {

bool has_prologue(const Graph& graph, const Group& group) {
  return group.nodes.size() > 1 && graph.node(group.nodes.back()).op == Op::MatMul;
}

std::optional<PrologueGroup> prologue_of(const Graph& graph, const Group& group,
                                         const Machine& machine, std::string* why) {
  const auto refuse = [&](std::string text) {
    if (why != nullptr) *why = std::move(text);
    return std::nullopt;
  };
  PrologueGroup made;
  made.product = group.nodes.back();
  const Node& product = graph.node(made.product);
  const ValueId operand = product.inputs[1];
  const std::size_t rank = graph.value(operand).type.shape->size();
  if (rank < 2) return refuse("an operand of one dimension is made in a launch of its own");
  const std::vector<NodeId> nodes(group.nodes.begin(), group.nodes.end() - 1);
  for (NodeId id : nodes) {
    const Pattern pattern = info_of(graph.node(id).op).pattern;
    if (pattern == Pattern::Reduction) return refuse("a reduction needs whole rows of an operand");
    if (graph.node(id).op == Op::CumSum) return refuse("a running sum needs a whole operand");
  }
  made.plan = product_of(graph, product);
  const MatmulSpec& spec = made.plan.spec;
  if (made.plan.launches.size() != 1) return refuse("the product takes several launches");
  if (machine.step(spec.in).m == 0) return refuse("the cube does not multiply the type");
  const Dims& shape = *graph.value(operand).type.shape;
  for (std::size_t i = 0; i + 2 < rank; ++i) {
    if (!shape[i].is(1)) return refuse("the operand has batches");
  }
  ProductFrame frame{operand, {}, DType::F32, true};
  frame.dims[2] = {rank - 2};
  frame.dims[3] = {rank - 1};
  const ValueId outputs[] = {operand};
  auto lowered = lower(graph, nodes, outputs, why, &frame);
  if (!lowered) return std::nullopt;
  made.inputs = std::move(lowered->inputs);
  made.kernel = {spec, std::move(lowered->kernel)};
  made.kernel.prologue.name = label_of(graph, group);
  if (std::string text = prologue_problem(made.kernel, machine); !text.empty()) {
    return refuse(std::move(text));
  }
  return made;
}

std::optional<MatmulSchedule> choose_prologue(const PrologueKernel& kernel,
                                              const MatmulSchedule& like, const Machine& machine,
                                              int cores) {
  const MatmulSpec& spec = kernel.product;
  std::optional<MatmulSchedule> best;
  double least = 0;
  const auto consider = [&](const MatmulSchedule& candidate) {
    const auto schedule = prologue_schedule(kernel, candidate, machine);
    if (!schedule) return;
    const double time = prologue_times(kernel, *schedule, machine).together;
    if (best && time >= least) return;
    best = schedule;
    least = time;
  };
  consider(like);
  const std::int64_t columns = spec.n * tiles_m(spec, like) * spec.batch0 * spec.batch1;
  constexpr std::int64_t kTurns = 4;  // more make tiles too slim to multiply well
  for (std::int64_t turns = 1; turns <= kTurns; ++turns) {
    MatmulChoice choice;
    choice.n = round_up(ceil_div(columns, cores * turns), 16);
    if (*choice.n >= like.tile_n) continue;
    choice.k = like.tile_k;
    std::string why;
    if (const auto even = with_choice(spec, like, choice, machine, cores, &why)) consider(*even);
  }
  return best;
}

PrologueTimes prologue_times(const PrologueKernel& kernel, const MatmulSchedule& schedule,
                             const Machine& machine) {
  const MatmulSpec& spec = kernel.product;
  // The operand comes from L2 instead of from HBM: the product is at least as fast as with the
  // tensor.
  const double product = MatmulEstimate(spec, machine).of(schedule).total;
  const auto alone = schedule_vector(kernel.prologue, machine, machine.cores.vector).estimate;
  const double launch = static_cast<double>(
      cycles_in(machine.launch.per_core, machine.clock.core).count() * machine.cores.vector);
  const std::int64_t members = machine.cores.per_group;
  VectorSchedule share;
  share.tile = spec.trans_b ? VectorTile{ceil_div(schedule.tile_n, members), schedule.tile_k}
                            : VectorTile{ceil_div(schedule.tile_k, members), schedule.tile_n};
  share.pitch = share.tile.columns;
  const auto cores = static_cast<int>(schedule.cores * members);
  Estimator(kernel.prologue, machine, cores).judge(share, cores);
  const VectorEstimate& tile = share.estimate;
  const std::int64_t blocks =
      ceil_div(tiles_of(spec, schedule), schedule.cores) * ceil_div(spec.k, schedule.tile_k);
  const double pace = std::max({tile.load, tile.vector, tile.store, tile.scalar, tile.memory});
  const double made = pace * static_cast<double>(blocks);
  const double first = tile.load + tile.vector + tile.store;
  return {std::max(alone.total - launch, 0.0) + product, std::max(made, product) + first};
}

PrologueGain gain_of(const PrologueKernel& kernel, const Machine& machine) {
  const MatmulSchedule like = choose_cost(kernel.product, machine);
  const auto schedule = choose_prologue(kernel, like, machine, machine.cores.cube);
  if (!schedule) return {};
  return {true, prologue_times(kernel, *schedule, machine)};
}

}  // namespace dvmsim
