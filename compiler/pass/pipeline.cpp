#include "compiler/pass/pipeline.h"

#include <algorithm>

#include "compiler/graph/text.h"
#include "compiler/graph/verify.h"

namespace dvmsim {
namespace {

template <Op... ops>
bool has(const Graph& graph, const PassContext&) {
  return std::any_of(graph.nodes.begin(), graph.nodes.end(),
                     [](const Node& node) { return ((node.op == ops) || ...); });
}

bool always(const Graph&, const PassContext&) {
  return true;
}

bool is_per_operator(const Graph&, const PassContext& context) {
  return context.rerolled != nullptr;
}

bool has_composite(const Graph& graph, const PassContext&) {
  return std::any_of(graph.nodes.begin(), graph.nodes.end(), [](const Node& node) {
    return info_of(node.op).composite || !node.subgraphs.empty();
  });
}

bool has_empty(const Graph& graph, const PassContext& context) {
  return std::any_of(graph.values.begin(), graph.values.end(), [&](const Value& value) {
    return value.type.shape && std::any_of(value.type.shape->begin(), value.type.shape->end(),
                                           [&](const Dim& dim) { return context.equal(dim, 0); });
  });
}

bool has_short_axes(const Graph& graph, const PassContext& context) {
  return context.features.has(Feature::ShortAxes) &&
         has<Op::ReduceSum, Op::ReduceMax, Op::ReduceMin, Op::ReduceProd>(graph, context);
}

/// A pass leaves a graph as it is in which it finds nothing.
struct Pass {
  std::string_view name;
  Graph (*run)(const Graph&, const PassContext&);
  bool (*finds)(const Graph&, const PassContext&);
};

constexpr Pass kPipeline[] = {
    {"name-nodes", name_nodes, always},
    {"reroll", reroll, is_per_operator},
    {"attention", attention, looks_for_attention},
    {"decompose", decompose_composites, has_composite},
    {"fold-empty", fold_empty, has_empty},
    {"channels-last", channels_last, has<Op::Conv, Op::MaxPool, Op::SumPool>},
    {"split-conv-bias", split_conv_bias, has<Op::Conv>},
    {"last-axes", last_axes, has<Op::GatherElements, Op::TopK, Op::CumSum>},
    {"short-axes", short_axes, has_short_axes},
    {"split-reductions", split_reductions,
     has<Op::ReduceSum, Op::ReduceMax, Op::ReduceMin, Op::ReduceProd>},
    {"simplify-moves", simplify_moves,
     has<Op::Identity, Op::Reshape, Op::Transpose, Op::Cast, Op::Expand, Op::Pad, Op::Slice,
         Op::Concat, Op::Split>},
    {"remove-identities", remove_identities, has<Op::Reshape, Op::Sub, Op::Div, Op::Mul>},
};

}  // namespace

bool looks_for_attention(const Graph& graph, const PassContext& context) {
  const bool wanted = context.features.has(Feature::Attention) || context.rerolled != nullptr;
  return wanted && has<Op::Softmax>(graph, context) && has<Op::MatMul>(graph, context);
}

Graph run_passes(const Graph& graph, const PassContext& context, const PassObserver& observer) {
  using Clock = std::chrono::steady_clock;
  Graph current = graph;
  for (const Pass& pass : kPipeline) {
    const Clock::time_point start = observer ? Clock::now() : Clock::time_point{};
    if (!pass.finds(current, context)) {
      if (observer) observer({pass.name, current, current, false, Clock::now() - start});
      continue;
    }
    Graph next = pass.run(current, context);
    verify(next, Level::Shaped);
    if (observer) {
      const auto time = Clock::now() - start;
      observer({pass.name, current, next, print_graph(next) != print_graph(current), time});
    }
    current = std::move(next);
  }
  return current;
}

}  // namespace dvmsim
