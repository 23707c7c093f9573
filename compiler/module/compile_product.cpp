// Matrix products of a module: what is prepared in launches of its own, then the product.
#include "compiler/codegen/matmul.h"
#include "compiler/codegen/mix.h"
#include "compiler/codegen/moves.h"
#include "compiler/codegen/shared_product.h"
#include "compiler/codegen/vector.h"
#include "compiler/module/module_compiler.h"
#include "compiler/module/side_by_side.h"
#include "compiler/pass/mix_group.h"
#include "compiler/pass/prologue.h"
#include "compiler/schedule/matmul_estimate.h"
#include "compiler/schedule/matmul_shared.h"
#include "compiler/schedule/matmul_tactics.h"
#include "compiler/schedule/product.h"
#include "compiler/schedule/vector.h"

namespace dvmsim {
namespace {

/// The machine with fewer groups of cores.
Machine with_cube_cores(const Machine& machine, int cores) {
  Machine fewer = machine;
  fewer.cores.cube = cores;
  fewer.cores.vector = cores * machine.cores.per_group;
  return fewer;
}

}  // namespace

MatmulSchedule ModuleCompiler::schedule_product(const MatmulSpec& spec, const std::string& label,
                                                const Overridden& of, Sharing sharing) {
  if (options_.tiling != Tiling::Cost || !options_.features.has(Feature::CubeFusion)) {
    sharing = Sharing::No;
  }
  if (machine_.step(spec.in).m == 0) {
    throw Error(fmt::format(
        "node '{}': the cube of {} does not multiply {}; run it in another type, --dtype f16",
        label, machine_.name, name_of(spec.in)));
  }
  MatmulSchedule schedule{};
  if (options_.tiling != Tiling::Cost && !spec.whole_rows) {
    work_.tiles += kTilesOfAProduct;
    schedule = choose_dvm(spec, machine_, options_.tiling);
    schedule.cores = std::min(schedule.cores, cube_cores());
  } else if (known_ != nullptr && of.by == nullptr) {
    schedule = schedule_alike(spec, sharing, product_cores());
  } else {
    schedule = cost_schedule(spec, sharing, product_cores());
  }
  if (of.by == nullptr) return schedule;
  std::string why;
  const MatmulChoice choice = of.choice<MatmulChoice>();
  auto chosen = with_choice(spec, schedule, choice, machine_, cube_cores(), &why);
  if (!chosen) refuse(of, label, why);
  const bool resized = chosen->tile_m != schedule.tile_m || chosen->tile_n != schedule.tile_n;
  if (resized && !choice.cores && chosen->shared == 0 && options_.tiling == Tiling::Cost) {
    chosen->cores = worthwhile_cores(spec, *chosen, cube_cores());
  }
  return *chosen;
}

void ModuleCompiler::note_product(const MatmulSpec& spec, const std::string& kernel,
                                  const MatmulSchedule& schedule, std::int64_t k_step,
                                  const Overridden& of) {
  if (!is_asked(of)) return;
  ScheduleDecision decision;
  decision.kernel = kernel;
  decision.note = fmt::format("{}x{}x{} {}", spec.m, spec.k, spec.n, name_of(spec.in));
  MatmulChoice& choice = decision.choice.emplace<MatmulChoice>();
  if (k_step == 0) {
    choice = {schedule.tile_m,  schedule.tile_n, schedule.tile_k, {},
              schedule.swizzle, schedule.width,  schedule.loop,   schedule.cores};
    if (schedule.shared > 0) choice.shared = schedule.shared;
  }
  if (of.number >= 0) choice.k_step = k_step;
  note_decision(of, std::move(decision));
}

MatmulSchedule ModuleCompiler::schedule_alike(const MatmulSpec& spec, Sharing sharing, int cores) {
  const MatmulSpec other = alike(spec);
  const auto [schedule, known] = known_->product(
      other, way_of(sharing, cores), [&] { return cost_schedule(other, sharing, cores); });
  if (known) ++work_.alike;
  MatmulSchedule cut = cut_alike(spec, other, schedule);
  if (cut.shared == 0 || shares(spec, cut, machine_)) return cut;
  cut.shared = 0;  // fewer tiles, and so more pieces of them, than fit UB
  cut.cores = static_cast<int>(std::min<std::int64_t>(cut.cores, tiles_of(spec, cut)));
  return cut;
}

MatmulSchedule ModuleCompiler::cost_schedule(const MatmulSpec& spec, Sharing sharing, int cores) {
  const auto choose = [&] {
    const bool all = cores == cube_cores(), ranked = all && ranked_ && ranked_->spec == spec;
    MatmulSchedule schedule = ranked ? ranked_->schedule
                              : all  ? choose_cost(spec, machine_)
                                     : choose_cost(spec, with_cube_cores(machine_, cores));
    schedule.cores = worthwhile_cores(spec, schedule, cores);
    if (sharing == Sharing::No) return schedule;
    return choose_shared(spec, machine_, schedule, cores,
                         sharing == Sharing::Mixed ? Finishers::Beside : Finishers::Own);
  };
  const auto [schedule, known] = may_repeat_
                                     ? repeated_.product(spec, way_of(sharing, cores), choose)
                                     : KnownSchedules::Found<MatmulSchedule>{choose()};
  if (known) {
    charge_again(kTilesOfAProduct, 0);
  } else {
    work_.tiles += kTilesOfAProduct;
  }
  return schedule;
}

/// Every core of a launch costs time to start: the count for which the product ends first.
int ModuleCompiler::worthwhile_cores(const MatmulSpec& spec, MatmulSchedule schedule,
                                     int cores) const {
  const MatmulEstimate estimate(spec, machine_);
  const auto start =
      static_cast<double>(cycles_in(machine_.launch.per_core, machine_.clock.core).count());
  const int most = std::min(schedule.cores, cores);
  int best = most;
  double least = 0;
  for (int count = most; count >= 1; count /= 2) {
    schedule.cores = count;
    const double total = estimate.of(schedule).total + start * count;
    if (count == most || total < least) {
      least = total;
      best = count;
    }
  }
  return best;
}

/// By group; none: every product has all cores. Products that may run at the same time have some of
/// them each where that is estimated to be over well before all of them one by one.
std::vector<int> ModuleCompiler::shares_of_cores(const PlannedGraph& planned) {
  std::vector<int> shares;
  const bool links = options_.features.has(Feature::OneLaunch) && options_.path != CodePath::Native;
  if (!links || options_.tiling != Tiling::Cost) return shares;
  for (const std::vector<std::size_t>& set : products_beside(planned)) {
    std::vector<MatmulSpec> specs;
    for (const std::size_t group : set) {
      const Node& node =
          planned.graph.node(product_in(planned.graph, planned.partition.groups[group]));
      const auto product = product_of(planned.graph, node, planned.views);
      if (!product || product->launches.size() != 1 || machine_.step(product->spec.in).m == 0) {
        break;
      }
      specs.push_back(known_ == nullptr ? product->spec : alike(product->spec));
    }
    if (specs.size() < set.size()) continue;
    const std::vector<int>& cores = cores_beside(std::move(specs));
    if (cores.empty()) continue;
    shares.resize(planned.partition.groups.size());
    for (std::size_t i = 0; i < set.size(); ++i) shares[set[i]] = cores[i];
  }
  return shares;
}

/// Of each product; none: all have all cores.
const std::vector<int>& ModuleCompiler::cores_beside(std::vector<MatmulSpec> specs) {
  constexpr double kWell = 0.9;  // estimates differ from what is simulated by about as much
  for (const KnownSet& known : sets_) {
    if (known.specs == specs) return known.cores;
  }
  std::vector<double> work;
  for (const MatmulSpec& spec : specs) {
    work.push_back(static_cast<double>(spec.batch0 * spec.batch1 * spec.m * spec.n * spec.k));
  }
  std::vector<int> cores = dvmsim::shares_of(work, cube_cores());
  double apart = 0, beside = 0, memory = 0;
  for (std::size_t i = 0; i < cores.size(); ++i) {
    const auto time = [&](int count) {
      const MatmulSchedule schedule = cost_schedule(specs[i], Sharing::No, count);
      return MatmulEstimate(specs[i], machine_).of(schedule);
    };
    const MatmulTime part = time(cores[i]);
    apart += time(cube_cores()).total;
    beside = std::max(beside, part.total);
    memory += part.hbm;
  }
  if (std::max(beside, memory) > kWell * apart) cores.clear();
  return sets_.emplace_back(KnownSet{std::move(specs), std::move(cores)}).cores;
}

MatmulTactics ModuleCompiler::tactics_of(const MatmulSpec& spec, const Overridden& of) {
  if (machine_.step(spec.in).m == 0) return {};  // refused when it is scheduled
  MatmulTactics tactics = chosen_tactics(spec);
  const std::int64_t step = of.choice<MatmulChoice>().k_step.value_or(tactics.k_step);
  const std::int64_t unit = k_unit(machine_, spec.in);
  if (step < 0 || step % unit != 0) {
    throw Error(fmt::format("{}: k_step: a multiple of {}, or 0 for one launch, not {}",
                            of.by->where, unit, step));
  }
  tactics.k_step = step < spec.k ? step : 0;
  return tactics;
}

MatmulTactics ModuleCompiler::chosen_tactics(const MatmulSpec& spec) {
  if (options_.tiling != Tiling::Cost) return dvm_tactics(spec, machine_);
  // Lengths of rows are not rounded: copies padded for the other are padded for this one.
  if (known_ != nullptr) {
    const MatmulSpec other = alike(spec);
    return known_->tactics(other, [&] { return cost_tactics(other, machine_); }).value;
  }
  const auto choose = [&] {
    const ChosenTactics chosen = choose_tactics(spec, machine_);
    if (chosen.schedule) ranked_ = {prepared(spec, chosen.tactics), *chosen.schedule};
    return chosen.tactics;
  };
  return may_repeat_ ? repeated_.tactics(spec, choose).value : choose();
}

/// Launches what the tactics ask for, and points the operands to the results.
MatmulSpec ModuleCompiler::prepare(const MatmulSpec& spec, const MatmulTactics& tactics,
                                   const std::string& label, ProductOperands& operands) {
  const auto pad = [&](bool of_a, std::int64_t row, ModuleArgument& operand) {
    if (row == 0) return;
    ViewCopy view = padding(spec, of_a, row);
    view.in_offset = operand.value / size_of(spec.in);
    const std::string name = label + (of_a ? ".a" : ".b");
    const int to = workspace(name + ".padded", spec.in, {view.dims[0] * view.out_stride[0]});
    copy(name + ".pad", spec.in, {operand.tensor}, {to}, {view});
    operand = at(to);
  };
  pad(true, tactics.a_row, operands.a);
  pad(false, tactics.b_row, operands.b);
  if (tactics.cast_bias) {
    const int to = workspace(label + ".bias", DType::F32, {spec.n});
    cast(label + ".bias", spec.n, spec.bias_type, operands.bias, DType::F32, at(to));
    operands.bias = at(to);
  }
  return prepared(spec, tactics);
}

/// A launch that turns `count` elements into another type, after what FixPipe would have done.
void ModuleCompiler::cast(const std::string& label, std::int64_t count, DType from_type,
                          ModuleArgument from, DType to_type, ModuleArgument to, isa::Post post) {
  VectorKernel kernel;
  kernel.name = label + ".cast";
  kernel.dims = {1, count};
  kernel.values = {{from_type, Extent::Full}};
  kernel.inputs = {{0, {0, 1}, label}};
  const auto step = [&](isa::Op op, DType result, const char* name) {
    const int last = static_cast<int>(kernel.values.size()) - 1;
    kernel.values.push_back({result, Extent::Full});
    KernelStep next;
    next.op = op;
    next.dtype = from_type;
    next.result = last + 1;
    next.source = {last, -1, -1};
    next.label = name;
    kernel.steps.push_back(next);
  };
  if (post == isa::Post::Relu) step(isa::Op::vrelu, from_type, "relu");
  if (to_type != from_type) step(isa::Op::vcvt, to_type, "cast");
  kernel.outputs = {{kernel.steps.back().result, {0, 1}, kernel.name}};
  const Overridden of = overridden(kernel.name, KernelKind::Vector);
  const VectorSchedule schedule = schedule_whole(kernel, Packing::InOrder, of);
  note_schedule(kernel, schedule, Packing::InOrder, of);
  launch(emit_vector(kernel, schedule, vector_kind(machine_)), {from, to}, 0, schedule.cores,
         kernel.name);
}

void ModuleCompiler::multiply(const MatmulSpec& spec, const std::string& label, ModuleArgument a,
                              ModuleArgument b, ModuleArgument c, int bias) {
  ProductOperands operands{a, b, at(std::max(bias, 0))};
  const Overridden of = overridden(label, KernelKind::Matmul);
  const MatmulTactics tactics = tactics_of(spec, of);
  const MatmulSpec ready = prepare(spec, tactics, label, operands);
  if (tactics.k_step == 0) return multiply_once(ready, label, operands, c, of);
  note_product(ready, label, {}, tactics.k_step, of);
  multiply_in_steps(ready, tactics.k_step, label, operands, c, of);
}

/// The first step stores, the others add to it; a last launch makes the result of the sums.
void ModuleCompiler::multiply_in_steps(const MatmulSpec& spec, std::int64_t step,
                                       const std::string& label, const ProductOperands& operands,
                                       ModuleArgument c, const Overridden& of) {
  const DType type = accumulator_of(spec);
  const std::int64_t count = spec.batch0 * spec.batch1 * spec.m * spec.n, size = size_of(spec.in);
  const bool apart = spec.out != type || spec.post != isa::Post::None;
  const ModuleArgument sums = apart ? at(workspace(label + ".sums", type, {count})) : c;
  MatmulSpec part = spec;
  part.out = type;
  part.post = isa::Post::None;
  part.c_stride = spec.n * size_of(type);
  part.c_batch1 = spec.m * part.c_stride;
  part.c_batch0 = spec.batch1 * part.c_batch1;
  for (std::int64_t k0 = 0; k0 < spec.k; k0 += step) {
    part.k = std::min(step, spec.k - k0);
    part.bias = spec.bias && k0 == 0;
    part.atomic = k0 == 0 ? isa::Atomic::None : isa::Atomic::Add;
    ProductOperands from = operands;
    from.a.value += k0 * (spec.trans_a ? spec.a_stride : size);
    from.b.value += k0 * (spec.trans_b ? size : spec.b_stride);
    const std::string name = fmt::format("{}.k{}", label, k0);
    Overridden own{-1, of.by};  // by name alone, else as the whole
    if (options_.overrides != nullptr) {
      if (const KernelOverride* by = options_.overrides->find(name, -1, KernelKind::Matmul))
        own.by = by;
    }
    multiply_once(part, name, from, sums, own);
  }
  if (apart) cast(label, count, type, sums, spec.out, c, spec.post);
}

void ModuleCompiler::multiply_once(const MatmulSpec& spec, const std::string& label,
                                   const ProductOperands& operands, ModuleArgument c,
                                   const Overridden& of) {
  const MatmulSchedule schedule = schedule_product(spec, label, of, Sharing::Alone);
  note(fmt::format("matmul {}: {}\n", label, to_string(schedule)));
  note_product(spec, label, schedule, 0, of);
  std::vector<ModuleArgument> arguments = scalars(matmul_arguments(spec, schedule, {}));
  arguments[0] = operands.a;
  arguments[1] = operands.b;
  arguments[2] = c;
  if (spec.bias) arguments[3] = operands.bias;
  if (schedule.shared == 0) {
    launch(matmul_program(spec, schedule, machine_), std::move(arguments), schedule.cores, 0,
           label);
    return;
  }
  const std::int64_t bytes = shared_workspace_bytes(spec, schedule);
  arguments.push_back({ModuleArgument::Kind::Scalar, 0, schedule.shared});
  arguments.push_back(at(workspace(label + ".pieces", DType::U8, {bytes})));
  launch_known(program_of(spec, schedule), std::move(arguments), schedule.cores,
               finishing_cores(spec, schedule, machine_), label);
}

void ModuleCompiler::compile_product(Scope& scope, const Group& group) {
  if (has_prologue(*scope.graph, group)) return compile_prologue(scope, group);
  const bool rectified = is_rectified(*scope.graph, group);
  const Node& node = scope.graph->node(group.nodes.front());
  const bool convolves = node.op == Op::ConvLast;
  if (convolves && (rectified || group.nodes.size() == 1)) return compile_windows(scope, group);
  if (!rectified && group.nodes.size() > 1) return compile_mix(scope, group);
  const ValueId result = scope.graph->node(group.nodes.back()).outputs[0];
  Product product = *product_of(*scope.graph, node, *scope.views, result);
  if (rectified) product.spec.post = isa::Post::Relu;
  const int a = base_of(scope, node.inputs[0]), b = base_of(scope, node.inputs[1]);
  const int c = base_of(scope, result);
  const int bias = product.spec.bias ? tensor_of(scope, node.inputs[2]) : -1;
  for (const auto& [offset_a, offset_b, offset_c] : product.launches) {
    multiply(product.spec, node.name, at(a, offset_a), at(b, offset_b), at(c, offset_c), bias);
  }
}

void ModuleCompiler::refuse_wide(const Overridden& of, const std::string& kernel,
                                 const MatmulSchedule& tiles) {
  refuse(of, kernel,
         fmt::format("a row of {} columns with its operands does not fit UB{}; take a smaller n",
                     tiles.tile_n, tiles.shared > 0 ? ", nor do its pieces" : ""));
}

void ModuleCompiler::compile_mix(Scope& scope, const Group& group) {
  auto mix = mix_of(*scope.graph, group, machine_, nullptr, *scope.views);
  DVMSIM_ASSERT(mix.has_value(), "a group of the partition lowers");
  const Node& node = scope.graph->node(mix->product);
  if (node.op == Op::ConvLast) return compile_window_mix(scope, group, std::move(*mix));
  const MatmulSpec& spec = mix->plan.spec;
  const auto& [offset_a, offset_b, offset_c] = mix->plan.launches.front();
  ProductOperands operands{at(base_of(scope, node.inputs[0]), offset_a),
                           at(base_of(scope, node.inputs[1]), offset_b),
                           {}};
  if (spec.bias) operands.bias = at(tensor_of(scope, node.inputs[2]));
  const std::string label = label_of(*scope.graph, group);
  const Overridden of = overridden(label, KernelKind::Matmul);
  if (of.choice<MatmulChoice>().k_step.value_or(0) != 0) {
    throw Error(
        fmt::format("{}: k_step: vector cores finish '{}', so k goes in one launch; split "
                    "them first",
                    of.by->where, label));
  }
  MixKernel kernel{prepare(spec, tactics_of(spec, {of.number, nullptr}), node.name, operands),
                   std::move(mix->rest.kernel)};
  kernel.epilogue.name = label;
  MatmulSchedule schedule = schedule_product(kernel.product, node.name, of,
                                             of.by == nullptr ? Sharing::Mixed : Sharing::No);
  if (of.by == nullptr && schedule.shared > 0 && !mix_fits(kernel, schedule, machine_)) {
    schedule = schedule_product(kernel.product, node.name, of, Sharing::No);
  }
  if (of.by != nullptr && !mix_fits(kernel, schedule, machine_)) {
    refuse_wide(of, label, schedule);
  }
  note(fmt::format("mix {}: {}\n", kernel.epilogue.name, to_string(schedule)));
  if (options_.schedules != nullptr) note(to_text(kernel.epilogue));
  note_product(kernel.product, label, schedule, 0, of);
  const int slots = workspace(node.name + ".slots", DType::U8, {mix_workspace_bytes(schedule)});
  std::vector<std::uint64_t> tensors(kernel.epilogue.inputs.size() - 1 +
                                     kernel.epilogue.outputs.size());
  std::vector<ModuleArgument> arguments = scalars(mix_arguments(kernel, schedule, {}, tensors));
  arguments[0] = operands.a;
  arguments[1] = operands.b;
  arguments[2] = at(slots);
  if (spec.bias) arguments[3] = operands.bias;
  if (schedule.shared > 0) {
    const std::int64_t bytes = shared_workspace_bytes(kernel.product, schedule);
    arguments[kPieces] = at(workspace(node.name + ".pieces", DType::U8, {bytes}));
  }
  std::size_t next = arguments.size() - tensors.size();
  for (std::size_t i = 1; i < mix->rest.inputs.size(); ++i) {
    arguments[next++] = at(tensor_of(scope, mix->rest.inputs[i]));
  }
  for (ValueId id : mix->rest.outputs) arguments[next++] = at(tensor_of(scope, id));
  const std::string name = kernel.epilogue.name;
  launch_known(program_of(std::move(kernel), schedule), std::move(arguments), schedule.cores,
               schedule.cores * machine_.cores.per_group, name);
}

/// The program that `make` makes, or of one like it, if the module has one.
template <class Known, class Make>
int ModuleCompiler::known_program(std::deque<Known>& known, Known one, const Make& make) {
  for (const Known& each : known) {
    if (!each.is_like(one)) continue;
    charge_again(0, each.words);
    return each.program;
  }
  const std::int64_t before = work_.words;
  one.program = add_program(make(one));
  one.words = work_.words - before;
  const int program = one.program;
  if (may_repeat_) known.push_back(std::move(one));
  return program;
}

int ModuleCompiler::program_of(MixKernel kernel, const MatmulSchedule& schedule) {
  return known_program(mixes_, {std::move(kernel), schedule}, [&](const KnownMix& mix) {
    return mix_program(mix.kernel, schedule, machine_, packed());
  });
}

int ModuleCompiler::program_of(const MatmulSpec& spec, const MatmulSchedule& schedule) {
  return known_program(shared_, {spec, schedule}, [&](const KnownShared&) {
    return shared_program(spec, schedule, machine_);
  });
}

}  // namespace dvmsim
