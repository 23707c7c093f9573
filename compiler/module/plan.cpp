#include "compiler/module/plan.h"

#include <algorithm>

#include "compiler/graph/shape.h"
#include "compiler/module/module_compiler.h"
#include "compiler/module/size_questions.h"
#include "compiler/pass/chain.h"
#include "compiler/pass/mix_group.h"
#include "compiler/pass/pipeline.h"
#include "compiler/pass/prologue.h"
#include "compiler/schedule/attention_node.h"
#include "compiler/schedule/conv_node.h"
#include "compiler/schedule/vector.h"

namespace dvmsim {
namespace {

/// Columns of the least tile of a kernel that may cut them.
constexpr std::int64_t kLeastColumns = 32;

bool all_known(const Dims& dims) {
  return std::all_of(dims.begin(), dims.end(), [](const Dim& dim) { return dim.is_known(); });
}

/// What multiplies a convolution, and how its weights lie, depends on its channels and its kernel.
bool knows_kernel(const Graph& graph, const Node& node) {
  const auto& x = graph.value(node.inputs[0]).type.shape;
  return x && (*x)[1].is_known() &&
         std::all_of(node.inputs.begin() + 1, node.inputs.end(), [&](ValueId id) {
           return id == kNoValue ||
                  (graph.value(id).type.shape && all_known(*graph.value(id).type.shape));
         });
}

/// Does the node read one number without dimensions?
bool is_number(const Graph& graph, const Node& node) {
  const auto& shape = graph.value(node.inputs[0]).type.shape;
  return shape && shape->empty();
}

/// Numbers that are known are checked against the size.
bool checks_late(const Graph& graph, const Node& node) {
  if (graph.value(node.inputs[1]).kind != ValueKind::Constant) return true;
  const auto& shape = graph.value(node.inputs[0]).type.shape;
  if (!shape) return false;
  const std::int64_t axis = node.int_of("axis");
  return (*shape)[static_cast<std::size_t>(axis < 0 ? axis + std::ssize(*shape) : axis)].is_known();
}

/// Is the node the same whatever the sizes of its inputs? Operators that are not here need numbers.
bool may_be_symbolic(const Graph& graph, const Node& node) {
  const Op op = node.op;
  if (is_vector_node(node)) return true;
  if (info_of(op).composite) return true;
  if (op == Op::Conv) return knows_kernel(graph, node);
  if (op == Op::Gather) return checks_late(graph, node);
  return op == Op::MatMul || op == Op::GroupedMatMul || op == Op::Attention || op == Op::Reshape ||
         op == Op::Transpose || op == Op::Slice || op == Op::Concat || op == Op::Split ||
         op == Op::Pad || op == Op::ConvLast || op == Op::MaxPool || op == Op::SumPool ||
         op == Op::Depthwise || op == Op::DepthToSpace || op == Op::TopK ||
         op == Op::GatherElements || op == Op::ScatterRows;
}

/// Does the node say and see numbers only?
bool has_known_sizes(const Graph& graph, const Node& node) {
  const auto knows = [&](ValueId id) {
    if (id == kNoValue) return true;
    const ValueType& type = graph.value(id).type;
    return type.shape && all_known(*type.shape) && (!type.contents || all_known(*type.contents));
  };
  return std::all_of(node.inputs.begin(), node.inputs.end(), knows) &&
         std::all_of(node.outputs.begin(), node.outputs.end(), knows) &&
         std::all_of(node.attributes.begin(), node.attributes.end(), [](const auto& each) {
           const Dims* dims = std::get_if<Dims>(&each.second);
           return dims == nullptr || all_known(*dims);
         });
}

/// Nothing about the node but sizes depends on the symbols, and nothing of it is computed early
/// where they are numbers.
bool is_sized_late(const Graph& graph, const Node& node) {
  if (!node.subgraphs.empty()) return false;
  if (has_known_sizes(graph, node)) return true;
  if (!may_be_symbolic(graph, node)) return false;
  // Part of a table is taken on the device, and a number repeated.
  const bool reads = std::any_of(node.inputs.begin(), node.inputs.end(), [&](ValueId id) {
    return id != kNoValue && graph.value(id).kind != ValueKind::Constant;
  });
  const bool moves = node.op == Op::Slice || (node.op == Op::Expand && is_number(graph, node));
  return (reads || moves) &&
         std::none_of(node.outputs.begin(), node.outputs.end(),
                      [&](ValueId id) { return graph.value(id).type.contents.has_value(); });
}

/// Does the node count positions? Of those, attention takes what its mask is made of.
bool counts(const Graph& graph, const Node& node) {
  if (node.op == Op::Shape || node.op == Op::Range) return true;
  return node.subgraphs.empty() &&
         std::all_of(node.outputs.begin(), node.outputs.end(), [&](ValueId id) {
           const DType type = graph.value(id).type.dtype;
           return type == DType::I64 || type == DType::I32;
         });
}

/// `lowered`: passes are over.
bool is_symbolic(const Graph& graph, const PassContext& context, bool lowered) {
  if (graph.symbols.empty()) return false;
  const bool may_count = !lowered && looks_for_attention(graph, context);
  const bool nodes = std::all_of(graph.nodes.begin(), graph.nodes.end(), [&](const Node& node) {
    return is_sized_late(graph, node) || (may_count && counts(graph, node));
  });
  const bool values = std::all_of(graph.values.begin(), graph.values.end(),
                                  [](const Value& value) { return value.type.shape.has_value(); });
  return nodes && values;
}

/// What a symbol's size is needed for stays composite.
bool is_primitive(const Graph& graph) {
  return std::none_of(graph.nodes.begin(), graph.nodes.end(),
                      [](const Node& node) { return info_of(node.op).composite; });
}

/// Every Dim of a graph whose shapes are deduced.
template <class AnyGraph, class Visit>
void each_dim(AnyGraph& graph, Visit&& visit) {
  for (auto& value : graph.values) {
    for (auto& dim : *value.type.shape) visit(dim);
  }
  for (auto& node : graph.nodes) {
    for (auto& [name, attribute] : node.attributes) {
      auto* dims = std::get_if<Dims>(&attribute);
      for (std::size_t i = 0; dims != nullptr && i < dims->size(); ++i) visit((*dims)[i]);
    }
  }
}

bool has_empty(const Graph& graph) {
  return std::any_of(graph.values.begin(), graph.values.end(),
                     [](const Value& value) { return element_count(*value.type.shape).is(0); });
}

Dim product_of(const Graph& graph, const std::vector<DimSource>& sources) {
  Dim product = 1;
  for (const auto& [value, axis] : sources) {
    product = product * (*graph.value(value).type.shape)[axis];
  }
  return product;
}

/// Which dimensions of a kernel depend on symbols; empty: none.
KnownSchedules::Varying varying(const LoweredKernel& kernel, const Graph& lowered) {
  KnownSchedules::Varying varies;
  for (const std::vector<DimSource>& sources : kernel.sizes) {
    varies.push_back(!product_of(lowered, sources).is_known());
  }
  const bool any = std::find(varies.begin(), varies.end(), true) != varies.end();
  return any ? varies : KnownSchedules::Varying{};
}

/// What a vector group does; `users` is users_of() its graph. It keeps the name it had.
void lower_group(PlannedGraph& planned, std::size_t index,
                 const std::vector<std::vector<NodeId>>& users) {
  const Group& group = planned.partition.groups[index];
  if (group.kind != GroupKind::Vector) return;
  LoweredKernel& kernel = planned.kernels[index];
  std::string name = std::move(kernel.kernel.name);
  if (name.empty()) name = label_of(planned.graph, group);
  auto lowered = lower(planned.graph, group.nodes, outputs_of(planned.graph, group, users), nullptr,
                       nullptr, planned.views);
  DVMSIM_ASSERT(lowered.has_value(), "a group of the partition lowers");
  kernel = std::move(*lowered);
  kernel.kernel.name = std::move(name);
}

}  // namespace

PlannedGraph plan_graph(Graph graph, const Machine& machine, Fusion fusion, Features features,
                        FusionHints hints) {
  PlannedGraph planned;
  planned.graph = std::move(graph);
  planned.partition = partition(planned.graph, machine, fusion, features, hints);
  if (fusion != Fusion::PerOperator) {
    planned.views = fold_views(planned.graph, planned.partition, machine, hints, &planned.folds);
  }
  const auto users = users_of(planned.graph);
  for (std::size_t i = 0; i < planned.partition.groups.size(); ++i) {
    planned.kernels.emplace_back();
    lower_group(planned, i, users);
  }
  return planned;
}

PassContext pass_context(const Machine& machine, const CompileOptions& options,
                         std::vector<Rerolled>& rerolled) {
  rerolled.clear();
  const bool per_operator = options.fusion == Fusion::PerOperator;
  return {machine, options.features, nullptr, options.groups, per_operator ? &rerolled : nullptr};
}

Plan::Plan(const Graph& graph, std::span<const std::int64_t> sizes, const Machine& machine,
           const CompileOptions& options)
    : machine_(machine), options_(options), guards_(graph.symbols, {sizes.begin(), sizes.end()}) {
  if (graph.symbols.empty()) {
    plan_numbers(graph);
    return;
  }
  const Graph numbers = specialize(graph, bindings_of(graph, sizes));
  std::vector<Rerolled> rerolled;
  PassContext context = pass_context(machine_, options_, rerolled);
  context.guards = &guards_;
  if (!has_empty(numbers) && is_symbolic(graph, context, false)) {
    const Graph lowered = run_passes(graph, context, options_.observer);
    symbolic_ = is_primitive(lowered) && is_symbolic(lowered, context, true);
    if (symbolic_) {
      ask_what_fits(graph, guards_);
      plan_symbolic(lowered);
      planned_.rerolled = std::move(rerolled);
      return;
    }
  }
  plan_numbers(numbers);
}

void Plan::plan_numbers(const Graph& numbers) {
  std::vector<Rerolled> rerolled;
  const PassContext context = pass_context(machine_, options_, rerolled);
  planned_ = plan_graph(run_passes(numbers, context, options_.observer), machine_, options_.fusion,
                        options_.features, hints_of(options_));
  planned_.rerolled = std::move(rerolled);
}

void Plan::plan_symbolic(const Graph& lowered) {
  ask_what_meets(lowered, guards_);
  Graph numbers = lowered;
  each_dim(numbers, [&](Dim& dim) { dim = guards_.number(dim); });
  planned_ = plan_graph(std::move(numbers), machine_, options_.fusion, options_.features,
                        hints_of(options_));
  std::vector<int> places;
  each_dim(lowered,
           [&](const Dim& dim) { places.push_back(dim.is_known() ? -1 : guards_.place(dim)); });
  std::size_t next = 0;
  each_dim(planned_.graph, [&](Dim& dim) {
    const int place = places[next++];
    if (place >= 0) numbers_.push_back({place, &dim});
  });
  if (options_.fusion != Fusion::PerOperator) {
    beside_moves_ = beside_moves(planned_.graph, planned_.partition);
  }
  for (std::size_t i = 0; i < planned_.kernels.size(); ++i) {
    if (std::binary_search(beside_moves_.begin(), beside_moves_.end(), i)) {
      known_.vary(i, {true});  // its dimensions are others where others fold
      continue;
    }
    add_sized(planned_.kernels[i], lowered, kernels_);
    known_.vary(i, varying(planned_.kernels[i], lowered));
  }
  keep_checks(lowered);
  keep_counts(lowered);
}

/// Whether a kernel fits UB depends on the rows and columns that a tile must hold.
void Plan::keep_checks(const Graph& lowered) {
  for (FitCheck& check : planned_.partition.checks) {
    const VectorKernel& kernel = check.lowered.kernel;
    const auto& sizes = check.lowered.sizes;
    const Dim columns = product_of(lowered, sizes.back()),
              rows = product_of(lowered, sizes[sizes.size() - 2]);
    if (!kernel.whole_columns && guards_.at_most(columns, kLeastColumns - 1)) {
      (void)guards_.value(columns);
    }
    // How much of a kernel in phases must be there at once depends on all its sizes.
    const bool whole = kernel.whole_columns || kernel.whole_rows;
    const bool depends = (options_.features.has(Feature::LongReduce) && (whole || !check.fits)) ||
                         (kernel.whole_columns && !columns.is_known()) ||
                         (kernel.whole_rows && !rows.is_known());
    if (depends) checks_.push_back(std::move(check));
  }
  planned_.partition.checks.clear();
  for (FitCheck& check : checks_) add_sized(check.lowered, lowered, checked_);
}

/// Constants that are counts of elements, and kernels in whose instructions they may be.
void Plan::keep_counts(const Graph& lowered) {
  for (std::size_t id = 0; id < lowered.values.size(); ++id) {
    const std::optional<Counted>& counted = lowered.values[id].counted;
    if (counted) counts_.push_back({guards_.place(counted->count), static_cast<ValueId>(id)});
  }
  const auto reads = [&](NodeId id) {
    const std::vector<ValueId>& inputs = lowered.node(id).inputs;
    return std::any_of(inputs.begin(), inputs.end(), [&](ValueId input) {
      return input != kNoValue && lowered.value(input).counted;
    });
  };
  for (std::size_t i = 0; i < planned_.kernels.size(); ++i) {
    const std::vector<NodeId>& nodes = planned_.partition.groups[i].nodes;
    const bool counts = std::any_of(nodes.begin(), nodes.end(), reads);
    if (counts || std::binary_search(beside_moves_.begin(), beside_moves_.end(), i)) {
      lowered_again_.push_back(i);
    }
  }
}

void Plan::set_counts() {
  for (const Count& count : counts_) {
    Value& value = planned_.graph.value(count.constant);
    const double number = value.counted->number(values_[static_cast<std::size_t>(count.place)]);
    value.tensor = Tensor::of(value.type.dtype, {}, std::span(&number, 1));
  }
}

void Plan::add_sized(LoweredKernel& kernel, const Graph& lowered, std::vector<Sized>& list) {
  Sized sized{&kernel.kernel, {}};
  for (const std::vector<DimSource>& sources : kernel.sizes) {
    sized.places.push_back(guards_.place(product_of(lowered, sources)));
  }
  if (!sized.places.empty()) list.push_back(std::move(sized));
}

/// Tensors are dense over the dimensions they have.
void Plan::set_sizes(const Sized& sized) const {
  VectorKernel& kernel = *sized.kernel;
  for (std::size_t i = 0; i < sized.places.size(); ++i) {
    kernel.dims[i] = values_[static_cast<std::size_t>(sized.places[i])];
  }
  for (auto* tensors : {&kernel.inputs, &kernel.outputs}) {
    for (KernelTensor& tensor : *tensors) {
      std::int64_t stride = 1;
      for (std::size_t i = kernel.dims.size(); i-- > 0;) {
        if (tensor.stride[i] == 0) continue;
        tensor.stride[i] = stride;
        stride *= kernel.dims[i];
      }
    }
  }
}

bool Plan::bind(std::span<const std::int64_t> sizes) {
  if (!symbolic_ || !guards_.answered_alike(sizes, values_)) return false;
  for (const Sized& sized : checked_) set_sizes(sized);
  for (const FitCheck& check : checks_) {
    const bool fits = has_tile(check.lowered.kernel, machine_, options_.features);
    if (fits != check.fits) return false;
  }
  for (const Number& number : numbers_) {
    *number.where = values_[static_cast<std::size_t>(number.place)];
  }
  if (!std::all_of(planned_.graph.nodes.begin(), planned_.graph.nodes.end(),
                   [&](const Node& node) { return is_possible(node); })) {
    return false;
  }
  if (!has_same_prologues() || !has_same_chains() || !has_same_rows() || !has_same_tiles())
    return false;
  for (const Sized& sized : kernels_) set_sizes(sized);
  set_counts();
  lower_again();
  return true;
}

/// Do products whose B is made in their launch still gain by it, and the others not?
bool Plan::has_same_prologues() const {
  const auto is_same = [&](const PrologueCheck& check) {
    const auto made = prologue_of(planned_.graph, check.group, machine_);
    return (made && gain_of(made->kernel, check.is_finished, machine_).pays()) == check.pays;
  };
  const std::vector<PrologueCheck>& all = planned_.partition.prologues;
  return std::all_of(all.begin(), all.end(), is_same);
}

/// Do the same products still gain by being one kernel?
bool Plan::has_same_chains() const {
  const std::vector<ChainCheck>& all = planned_.partition.chains;
  return std::all_of(all.begin(), all.end(), [&](const ChainCheck& check) {
    const auto chain = chain_of(planned_.graph, check.group, machine_);
    return (chain && gain_of(*chain, check.is_finished, machine_).pays()) == check.pays;
  });
}

/// Do the same products have tiles of whole rows?
bool Plan::has_same_rows() const {
  const std::vector<RowCheck>& all = planned_.partition.rows;
  return std::all_of(all.begin(), all.end(), [&](const RowCheck& check) {
    return has_whole_rows(planned_.graph, check.product, machine_) == check.whole;
  });
}

/// Do the same convolutions have tiles of the whole width of their maps?
bool Plan::has_same_tiles() const {
  const std::vector<TileCheck>& all = planned_.partition.tiles;
  return std::all_of(all.begin(), all.end(), [&](const TileCheck& check) {
    const ConvTask task = conv_task(planned_.graph, planned_.graph.node(check.conv));
    return fits_whole_rows(task, machine_) == check.whole;
  });
}

/// Does an attention, of which there was one program, still have one?
bool Plan::is_possible(const Node& node) const {
  if (node.op != Op::Attention) return true;
  std::vector<ValueType> types;
  for (ValueId id : node.inputs) types.push_back(planned_.graph.value(id).type);
  return attention_problem(node, types, machine_).empty();
}

/// What folds depends on sizes, and with it how the kernels beside moves are lowered.
void Plan::lower_again() {
  if (!beside_moves_.empty()) {
    planned_.views = fold_views(planned_.graph, planned_.partition, machine_, hints_of(options_));
  }
  if (lowered_again_.empty()) return;
  const auto users = users_of(planned_.graph);
  for (std::size_t i : lowered_again_) lower_group(planned_, i, users);
}

Module Plan::compile(CompileWork* work) {
  CompileWork ignored;
  const bool alike = symbolic_ && options_.features.has(Feature::Parametric);
  return ModuleCompiler(machine_, options_, work == nullptr ? ignored : *work, measure_,
                        alike ? &known_ : nullptr)
      .run(planned_);
}

Module compile(const Graph& graph, const Machine& machine, const CompileOptions& options,
               CompileWork* work) {
  DVMSIM_ASSERT(graph.symbols.empty(), "a graph is compiled when its shapes are numbers");
  return Plan(graph, {}, machine, options).compile(work);
}

}  // namespace dvmsim
