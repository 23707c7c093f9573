#include "compiler/runtime/captured_modules.h"

#include <algorithm>
#include <set>

#include "compiler/graph/shape.h"
#include "compiler/graph/text.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

/// Attributes that say sizes, not axes.
bool is_size(Op op, std::string_view attribute) {
  switch (op) {
    case Op::Reshape:
    case Op::Expand:
      return attribute == "shape";
    case Op::Slice:
      return attribute == "starts" || attribute == "ends";
    case Op::Split:
      return attribute == "sizes";
    default:
      return false;
  }
}

/// Every Dim of a capture that is not deduced from others.
template <class Visit>
void each_given_dim(Graph& graph, Visit&& visit) {
  for (ValueId id : graph.inputs) {
    for (Dim& dim : *graph.value(id).type.shape) visit(dim);
  }
  for (Node& node : graph.nodes) {
    for (auto& [name, attribute] : node.attributes) {
      Dims* dims = std::get_if<Dims>(&attribute);
      if (dims == nullptr || !is_size(node.op, name)) continue;
      for (Dim& dim : *dims) visit(dim);
    }
  }
}

/// Nullopt where an operator must know a size that is a symbol here.
std::optional<Graph> shaped_with_symbols(const Graph& graph) {
  try {
    return infer_shapes(graph);
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace

SymbolicCapture symbolic(const Graph& capture) {
  SymbolicCapture result{capture, {}};
  std::set<std::int64_t> fixed{1};
  for (Value& value : result.graph.values) {
    if (value.kind == ValueKind::Temp) value.type.shape.reset();  // deduced anew
    if (value.kind != ValueKind::Constant) continue;
    for (const Dim& dim : *value.type.shape) fixed.insert(dim.value());
  }
  std::map<std::int64_t, Dim> symbols;
  for (ValueId id : capture.inputs) {
    for (const Dim& dim : *capture.value(id).type.shape) {
      const std::int64_t size = dim.value();
      if (size < 2 || fixed.contains(size) || symbols.contains(size)) continue;
      const std::string name = "s" + std::to_string(result.sizes.size());
      symbols.emplace(size, Dim::symbol(name));
      result.graph.symbols.push_back(name);
      result.sizes.push_back(size);
    }
  }
  each_given_dim(result.graph, [&](Dim& dim) {
    const auto symbol = symbols.find(dim.value());
    if (symbol != symbols.end()) dim = symbol->second;
  });
  return result;
}

CapturedModules::Found CapturedModules::make(const StageKey& key,
                                             const SymbolicCapture& with_symbols,
                                             const Graph& capture) {
  auto module = std::make_shared<ReadyModule>();
  module->strategy = &kDvmEager;
  module->dynamic = true;
  module->keeps = options_.features.has(Feature::Parametric);
  std::vector<std::unique_ptr<Plan>>& plans = plans_[key.path];
  const auto made = [&](Plan& plan, How how) -> Found {
    module->module = plan.compile(&module->work);
    return {module, how};
  };
  for (const auto& plan : plans) {
    if (plan->bind(key.facts)) return made(*plan, How::Planned);
  }
  std::optional<Graph> shaped = shaped_with_symbols(with_symbols.graph);
  if (!shaped) {
    module->module = compile(deduce_shapes(capture), machine_, options_, &module->work);
    return {module, How::Compiled};
  }
  auto plan = std::make_unique<Plan>(*shaped, key.facts, machine_, options_);
  const Found found = made(*plan, How::Compiled);
  constexpr std::size_t kMostPlans = 8;  // of a structure
  if (plan->symbolic()) plans.insert(plans.begin(), std::move(plan));
  if (plans.size() > kMostPlans) plans.pop_back();
  return found;
}

CapturedModules::Found CapturedModules::find(const Graph& capture) {
  const SymbolicCapture with_symbols = symbolic(capture);
  PrintOptions print;
  print.types = false;
  print.elide_constants = true;
  const StageKey key{print_graph(with_symbols.graph, print), with_symbols.sizes};
  const auto known = modules_.find(key);
  Found found = known == modules_.end() ? make(key, with_symbols, capture)
                                        : Found{known->second.module, How::Known};
  modules_[key] = {found.module, ++uses_};
  keep_few(*found.module);
  make_room(*found.module);
  runner_.place(*found.module);
  runner_.reserve_workspace(*found.module);
  return found;
}

CapturedModules::Modules::iterator CapturedModules::oldest(const ReadyModule& keep, bool placed) {
  auto oldest = modules_.end();
  for (auto at = modules_.begin(); at != modules_.end(); ++at) {
    const Kept& kept = at->second;
    if (kept.module.get() == &keep || (placed && !kept.module->placed)) continue;
    if (oldest == modules_.end() || kept.last_use < oldest->second.last_use) oldest = at;
  }
  return oldest;
}

void CapturedModules::drop(Modules::iterator module) {
  runner_.drop(*module->second.module);
  modules_.erase(module);
}

void CapturedModules::keep_few(const ReadyModule& keep) {
  while (modules_.size() > most_) drop(oldest(keep, false));
  while (plans_.size() > most_) plans_.erase(plans_.begin());
}

void CapturedModules::make_room(const ReadyModule& keep) {
  const auto all = [&] { return runner_.memory().used() + runner_.needs(keep); };
  while (all().total() > machine_.hbm.size.count()) {
    const auto other = oldest(keep, true);
    if (other == modules_.end()) break;
    drop(other);
  }
  check_room(all(), machine_);
}

}  // namespace dvmsim
