#include "compiler/pass/prologue.h"

#include <algorithm>

#include "compiler/schedule/matmul_estimate.h"
#include "compiler/schedule/matmul_tactics.h"
#include "compiler/schedule/vector.h"
#include "compiler/schedule/vector_estimate.h"
#include "vm/base/rounding.h"

namespace dvmsim {
namespace {

/// Cycles from a block's request to its start into L1, besides what it takes to be moved and made.
double way_of_block(const Machine& machine) {
  const Cycles read = machine.mte2.latency + machine.l2.read_latency.cycles();
  const Cycles write = machine.mte3.latency + machine.l2.write_latency.cycles();
  return static_cast<double>(
      (read + machine.hbm.latency.cycles() + write + machine.xflag.latency.cycles() + read)
          .count());
}

}  // namespace

double time_to_finish(const MatmulSpec& spec, const Machine& machine) {
  const double elements = static_cast<double>(spec.batch0 * spec.batch1) *
                          static_cast<double>(spec.m) * static_cast<double>(spec.n);
  return 3 * elements * size_of(spec.out) / machine.l2.read.per_cycle().value() +
         way_of_block(machine);
}

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
  const NodeId maker = graph.value(product.inputs[1]).producer;
  const bool of_a = !std::binary_search(group.nodes.begin(), group.nodes.end() - 1, maker);
  const ValueId operand = product.inputs[of_a ? 0 : 1];
  const std::size_t rank = graph.value(operand).type.shape->size();
  if (rank < 2) return refuse("an operand of one dimension is made in a launch of its own");
  const std::vector<NodeId> nodes(group.nodes.begin(), group.nodes.end() - 1);
  for (NodeId id : nodes) {
    const Pattern pattern = info_of(graph.node(id).op).pattern;
    if (pattern == Pattern::Reduction) return refuse("a reduction needs whole rows of an operand");
  }
  made.plan = product_of(graph, product);
  const MatmulSpec& spec = made.plan.spec;
  if (made.plan.launches.size() != 1) return refuse("the product takes several launches");
  if (machine.step(spec.in).m == 0) return refuse("the cube does not multiply the type");
  // Batches of A may be rows of it.
  ProductFrame frame{operand, {}, DType::F32, true};
  const Dims& shape = *graph.value(operand).type.shape;
  const bool folds = of_a && spec.batch0 * spec.batch1 == 1 && !spec.trans_a;
  for (std::size_t i = 0; i + 2 < rank; ++i) {
    if (!folds && !shape[i].is(1)) return refuse("the operand has batches");
    if (folds) frame.dims[2].push_back(i);
  }
  frame.dims[2].push_back(rank - 2);
  frame.dims[3] = {rank - 1};
  const ValueId outputs[] = {operand};
  auto lowered = lower(graph, nodes, outputs, why, &frame);
  if (!lowered) return std::nullopt;
  made.inputs = std::move(lowered->inputs);
  made.kernel = {spec, std::move(lowered->kernel), of_a};
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
    const double time = time_together(kernel, *schedule, machine);
    if (best && time >= least) return;
    best = schedule;
    least = time;
  };
  consider(like);
  const auto resized = [&](std::int64_t m, std::int64_t n) {
    std::string why;
    const MatmulChoice choice{.m = m, .n = n};
    if (const auto other = with_choice(spec, like, choice, machine, cores, &why)) consider(*other);
  };
  if (kernel.of_a) {  // wide tiles: a block is made for fewer of them
    const std::int64_t whole = round_up(spec.n, 16);
    for (std::int64_t columns : {2 * like.tile_n, round_up(ceil_div(whole, 2), 16), whole}) {
      if (columns <= like.tile_n || columns > whole) continue;
      for (std::int64_t rows : {like.tile_m, like.tile_m / 2, like.tile_m / 4}) {
        if (rows >= 16) resized(round_up(rows, 16), columns);
      }
    }
    return best;
  }
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

double time_apart(const PrologueKernel& kernel, const Machine& machine) {
  const MatmulSpec spec = prepared(kernel.product, cost_tactics(kernel.product, machine));
  const auto alone = schedule_vector(kernel.prologue, machine, machine.cores.vector).estimate;
  const double launch = static_cast<double>(
      cycles_in(machine.launch.per_core, machine.clock.core).count() * machine.cores.vector);
  const Cycles handed_over =
      machine.task.dispatch.cycles() + machine.task.signal.cycles() + machine.task.poll.cycles();
  return std::max(alone.total - launch, 0.0) + static_cast<double>(handed_over.count()) +
         MatmulEstimate(spec, machine).of(choose_cost(spec, machine)).total;
}

double time_together(const PrologueKernel& kernel, const MatmulSchedule& schedule,
                     const Machine& machine) {
  // The operand comes from L2 instead of from HBM, in blocks: the product is at least as fast as
  // with the tensor.
  MatmulSpec spec = kernel.product;
  const std::int64_t other = kernel.of_a ? schedule.tile_m : schedule.tile_n;
  (kernel.of_a ? spec.a_stride : spec.b_stride) =
      (kernel.k_in_row() ? schedule.tile_k : other) * size_of(spec.in);
  const double product = MatmulEstimate(spec, machine).of(schedule).total;
  const std::int64_t members = machine.cores.per_group;
  VectorSchedule share;
  share.tile = kernel.k_in_row() ? VectorTile{ceil_div(other, members), schedule.tile_k}
                                 : VectorTile{ceil_div(schedule.tile_k, members), other};
  share.pitch = share.tile.columns;
  const auto cores = static_cast<int>(schedule.cores * members);
  Estimator(kernel.prologue, machine, cores).judge(share, cores);
  const VectorEstimate& tile = share.estimate;
  const std::int64_t blocks =
      ceil_div(tiles_of(spec, schedule), schedule.cores) * ceil_div(spec.k, schedule.tile_k);
  const double pace = std::max({tile.load, tile.vector, tile.store, tile.scalar, tile.memory});
  const double made = pace * static_cast<double>(blocks);
  const double first = tile.load + tile.vector + tile.store + way_of_block(machine);
  return std::max(made, product) + first;
}

PrologueGain gain_of(const PrologueKernel& kernel, bool is_finished, const Machine& machine) {
  const MatmulSchedule like = choose_cost(kernel.product, machine);
  const auto schedule = choose_prologue(kernel, like, machine, machine.cores.cube);
  if (!schedule) return {};
  const double after = is_finished ? time_to_finish(kernel.product, machine) : 0;
  return {true, {time_apart(kernel, machine), time_together(kernel, *schedule, machine) + after}};
}

}  // namespace dvmsim
