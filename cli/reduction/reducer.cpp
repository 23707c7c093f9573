#include "cli/reduction/reducer.h"

#include <algorithm>
#include <numeric>

#include "cli/reduction/edits.h"
#include "compiler/graph/shape.h"
#include "compiler/graph/text.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

constexpr std::int64_t kShortConstant = 16;  // elements: its text costs no more than an input's

std::string text_of(const Graph& graph) {
  return print_graph(graph, {.types = false});
}

std::string key_of(const ReductionCase& of) {
  std::string key = of.text;
  for (const auto& [name, size] : of.dims) key += "\n" + name + "=" + std::to_string(size);
  return key;
}

/// The values that the graph's symbols have.
Bindings used_by(const Graph& graph, const Bindings& dims) {
  Bindings used;
  for (const auto& [name, size] : dims) {
    const auto& symbols = graph.symbols;
    if (std::find(symbols.begin(), symbols.end(), name) != symbols.end()) used[name] = size;
  }
  return used;
}

}  // namespace

bool Reducer::accept(const std::optional<Graph>& candidate, const Bindings& dims) {
  if (!candidate || tries_ >= most_tries_) return false;
  try {
    ReductionCase next{text_of(*candidate), {}};
    Graph read = infer_shapes(parse_graph(next.text, "candidate"));
    next.dims = used_by(read, dims);
    if (!asked_.insert(key_of(next)).second) return false;
    ++tries_;
    if (!interesting_(next)) return false;
    best_ = std::move(next);
    graph_ = std::move(read);
  } catch (const Error&) {  // the cut makes no sense
    return false;
  }
  if (tries_ > 1) smaller_(graph_, tries_);
  return true;
}

bool Reducer::drop(
    std::size_t count,
    const std::function<std::optional<Graph>(const std::vector<std::size_t>& kept)>& build) {
  std::vector<std::size_t> kept(count);
  std::iota(kept.begin(), kept.end(), std::size_t{0});
  bool any = false;
  for (std::size_t chunk = std::max<std::size_t>(1, count / 2);; chunk /= 2) {
    for (std::size_t end = kept.size(); end > 0;) {  // from the end: what was made last
      const std::size_t begin = end > chunk ? end - chunk : 0;
      std::vector<std::size_t> fewer(kept.begin(),
                                     kept.begin() + static_cast<std::ptrdiff_t>(begin));
      fewer.insert(fewer.end(), kept.begin() + static_cast<std::ptrdiff_t>(end), kept.end());
      if (!fewer.empty() && accept(build(fewer))) {
        kept = std::move(fewer);
        any = true;
      }
      end = begin;
    }
    if (chunk == 1) return any;
  }
}

/// Numbers instead of symbols, unless those are what it is about.
bool Reducer::bind_numbers() {
  if (best_.dims.empty()) return false;
  try {
    return accept(bind_symbols(graph_, best_.dims));
  } catch (const Error&) {
    return false;
  }
}

bool Reducer::drop_outputs() {
  const Graph whole = graph_;
  return drop(whole.outputs.size(),
              [&](const std::vector<std::size_t>& kept) { return with_outputs(whole, kept); });
}

bool Reducer::drop_nodes() {
  const Graph whole = graph_;
  return drop(whole.nodes.size(), [&](const std::vector<std::size_t>& kept) {
    return with_nodes(whole, {kept.begin(), kept.end()});
  });
}

bool Reducer::bypass_nodes() {
  bool any = false;
  for (auto id = static_cast<NodeId>(graph_.nodes.size()); id-- > 0;) {
    if (id >= static_cast<NodeId>(graph_.nodes.size())) continue;
    any |= accept(without_node(graph_, id));
  }
  return any;
}

bool Reducer::free_constants() {
  bool any = false;
  for (ValueId id = 0; id < static_cast<ValueId>(graph_.values.size()); ++id) {
    const Value& value = graph_.value(id);
    const bool is_long = value.tensor && value.tensor->count() > kShortConstant;
    if (value.kind == ValueKind::Constant && is_long) any |= accept(with_free_constant(graph_, id));
  }
  return any;
}

bool Reducer::join_inputs() {
  bool any = false;
  for (std::size_t from = graph_.inputs.size(); from-- > 1;) {
    for (std::size_t to = 0; to < from && from < graph_.inputs.size(); ++to) {
      if (accept(with_one_input(graph_, from, to))) {
        any = true;
        break;
      }
    }
  }
  return any;
}

/// Each size to the least that is still interesting: 1, or what halving and counting down reach.
bool Reducer::shrink_sizes() {
  bool any = false;
  for (std::int64_t size : sizes_of(graph_)) {
    for (bool shrunk = true; shrunk && size > 1;) {
      shrunk = false;
      for (std::int64_t to : {std::int64_t{1}, size / 2, size - size / 4, size - 1}) {
        if (to < 1 || to >= size || !accept(with_size(graph_, size, to))) continue;
        size = to;
        shrunk = any = true;
        break;
      }
    }
  }
  return any;
}

bool Reducer::shrink_symbols() {
  bool any = false;
  for (const auto& [name, before] : Bindings(best_.dims)) {
    std::int64_t size = before;
    for (bool shrunk = true; shrunk && size > 1;) {
      shrunk = false;
      for (std::int64_t to : {std::int64_t{1}, size / 2, size - size / 4, size - 1}) {
        Bindings dims = best_.dims;
        dims[name] = to;
        if (to < 1 || to >= size || !accept(graph_, dims)) continue;
        size = to;
        shrunk = any = true;
        break;
      }
    }
  }
  return any;
}

std::optional<ReductionCase> Reducer::run(const Graph& graph, const Bindings& dims) {
  if (!accept(graph, dims)) return std::nullopt;
  bind_numbers();
  for (bool any = true; any;) {
    any = false;
    for (auto step : {&Reducer::drop_outputs, &Reducer::drop_nodes, &Reducer::bypass_nodes,
                      &Reducer::free_constants, &Reducer::join_inputs, &Reducer::shrink_sizes,
                      &Reducer::shrink_symbols}) {
      any |= (this->*step)();
    }
  }
  return best_;
}

}  // namespace dvmsim
