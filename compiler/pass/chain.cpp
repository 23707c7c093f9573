#include "compiler/pass/chain.h"

#include "compiler/pass/prologue.h"

namespace dvmsim {

std::optional<ChainGroup> chain_of(const Graph& graph, const Group& group, const Machine& machine,
                                   std::string* why, const Views& views) {
  const auto refuse = [&](std::string text) {
    if (why != nullptr) *why = std::move(text);
    return std::nullopt;
  };
  ChainGroup chain;
  chain.first = group.nodes.front();
  chain.second = group.nodes.back();
  const auto first = product_of(graph, graph.node(chain.first), views);
  const auto second = product_of(graph, graph.node(chain.second), views);
  if (!first || !second) return refuse("an operand is a view that no stride says");
  chain.first_plan = *first;
  chain.second_plan = *second;
  chain.spec = {first->spec, second->spec};
  if (group.nodes.size() > 2) chain.spec.first.post = isa::Post::Relu;
  if (first->launches.size() != 1 || second->launches.size() != 1) {
    return refuse("a product takes several launches");
  }
  if (std::string text = chain_problem(chain.spec, machine); !text.empty()) {
    return refuse(std::move(text));
  }
  return chain;
}

ChainGain gain_of(const ChainGroup& chain, bool is_finished, const Machine& machine) {
  ChainGain gain = gain_of(chain.spec, machine);
  if (is_finished) gain.together += time_to_finish(chain.spec.second, machine);
  return gain;
}

}  // namespace dvmsim
