#include "compiler/pass/pipeline.h"

#include "compiler/graph/text.h"
#include "compiler/graph/verify.h"

namespace dvmsim {
namespace {

struct Pass {
  std::string_view name;
  Graph (*run)(const Graph&, const PassContext&);
};

constexpr Pass kPipeline[] = {
    {"name-nodes", name_nodes},
    {"attention", attention},
    {"decompose", decompose_composites},
    {"fold-empty", fold_empty},
    {"channels-last", channels_last},
    {"split-conv-bias", split_conv_bias},
    {"last-axes", last_axes},
    {"split-reductions", split_reductions},
    {"simplify-moves", simplify_moves},
    {"remove-identities", remove_identities},
};

}  // namespace

Graph run_passes(const Graph& graph, const PassContext& context, const PassObserver& observer) {
  Graph current = graph;
  for (const Pass& pass : kPipeline) {
    Graph next = pass.run(current, context);
    verify(next, Level::Shaped);
    if (observer) observer(pass.name, next, print_graph(next) != print_graph(current));
    current = std::move(next);
  }
  return current;
}

}  // namespace dvmsim
