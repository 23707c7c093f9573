// If. A condition that is known picks its branch here. Otherwise both branches become graphs; where
// their results differ in rank (exporters write squeeze(dim) that way), the nodes that read the
// results go into the branches, too, so that each of them sees one rank. A branch in which those
// nodes make no sense refuses to run.
#include <algorithm>
#include <array>

#include "compiler/import/lower.h"
#include "vm/base/error.h"

namespace dvmsim::onnx_import {
namespace {

struct Branch {
  Graph graph{};
  std::optional<Scope> scope{};
  std::string failure{};  // why it cannot run
};
using Branches = std::array<Branch, 2>;

bool differ_in_rank(const Branches& branches) {
  const auto shape = [&](std::size_t branch, std::size_t output) -> const std::optional<Dims>& {
    const Graph& graph = branches[branch].graph;
    return graph.value(graph.outputs[output]).type.shape;
  };
  for (std::size_t i = 0; i < branches[0].graph.outputs.size(); ++i) {
    if (!shape(0, i) || !shape(1, i) || shape(0, i)->size() != shape(1, i)->size()) return true;
  }
  return false;
}

/// Goes on in the branch, where the node's results have `names`.
void take_rest(const Model& model, Branch& branch, const onnx::GraphProto& from, const Rest& rest,
               const std::vector<std::string>& names) {
  try {
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (!names[i].empty()) branch.scope->define(names[i], branch.graph.outputs[i]);
    }
    branch.graph.outputs.clear();
    branch.graph.output_names.clear();
    lower_nodes(model, *branch.scope, from, rest.nodes);
    for (const std::string& name : rest.outputs) {
      branch.graph.add_output(branch.scope->find(name).value(), name);
    }
  } catch (const Error& error) {
    branch.failure = error.what();
  }
}

/// A graph that gives what `like` gives, if anyone could run it.
void refuse(Branch& branch, const Graph& like, Scope* outer) {
  branch.graph = Graph{};
  branch.scope.emplace(branch.graph, outer);
  for (ValueId id : like.outputs) {
    const ValueType& type = like.value(id).type;
    AttributeMap attributes = {{"to", type.dtype}, {"why", branch.failure}};
    if (type.shape) attributes.insert(attributes.begin(), {"shape", *type.shape});
    const ValueId made = branch.graph.add(Op::Refuse, {}, std::move(attributes));
    branch.graph.value(made).type = {type.dtype, type.shape, std::nullopt};
    branch.graph.add_output(made);
  }
}

/// Makes the union of what the branches capture the inputs of both, in one order; the outer values.
std::vector<ValueId> join_captures(Branches& branches, const Graph& outer) {
  std::vector<ValueId> captured;
  for (const Branch& branch : branches) {
    for (const Scope::Capture& capture : branch.scope->captures()) {
      if (std::find(captured.begin(), captured.end(), capture.outer) == captured.end()) {
        captured.push_back(capture.outer);
      }
    }
  }
  for (Branch& branch : branches) {
    std::vector<ValueId> ordered;
    for (ValueId id : captured) {
      const auto& captures = branch.scope->captures();
      const auto found = std::find_if(captures.begin(), captures.end(),
                                      [&](const Scope::Capture& each) { return each.outer == id; });
      if (found != captures.end()) {
        ordered.push_back(found->inner);
        continue;
      }
      const Value& value = outer.value(id);
      ordered.push_back(branch.graph.add_input(value.name, value.type.dtype, {}));
      branch.graph.value(ordered.back()).type = value.type;
    }
    branch.graph.inputs = std::move(ordered);
  }
  return captured;
}

void lower_if(Lower& l) {
  l.lower_if();
}

constexpr Entry kTable[] = {{"If", lower_if}};
constexpr std::string_view kNames[] = {"then_branch", "else_branch"};

}  // namespace

std::optional<bool> Lower::known_condition() {
  const std::optional<Dims> says = contents(in(0));
  if (!says || says->size() != 1 || !says->front().is_known()) return std::nullopt;
  return !says->front().is(0);
}

void Lower::take_branch(const onnx::GraphProto& branch) {
  Scope inside(scope_.graph(), &scope_);
  const std::vector<ValueId> made = lower_body(model_, inside, branch);
  for (int i = 0; i < std::min(outputs(), static_cast<int>(made.size())); ++i) {
    out(i, made[static_cast<std::size_t>(i)]);
  }
}

void Lower::lower_if() {
  for (std::string_view name : kNames) {
    if (output_count(graph_of(name)) != outputs()) {
      fail(std::string(name) + " has another number of outputs than the node");
    }
  }
  if (const std::optional<bool> taken = known_condition()) {
    return take_branch(graph_of(kNames[*taken ? 0 : 1]));
  }
  std::vector<std::string> names;
  for (int i = 0; i < outputs(); ++i) names.push_back(wants(i) ? output_name(i) : "");
  Branches branches;
  for (std::size_t i = 0; i < 2; ++i) {
    branches[i].scope.emplace(branches[i].graph, &scope_);
    lower_graph(model_, *branches[i].scope, graph_of(kNames[i]));
  }
  if (differ_in_rank(branches)) {
    const Rest rest = later_.rest_of(node_);
    if (!rest.nodes.empty()) {
      lower_nodes(model_, scope_, later_.graph, rest.others);
      for (Branch& branch : branches) take_rest(model_, branch, later_.graph, rest, names);
      if (!branches[0].failure.empty() && !branches[1].failure.empty()) {
        throw Error(branches[0].failure);
      }
      for (std::size_t i = 0; i < 2; ++i) {
        if (!branches[i].failure.empty()) refuse(branches[i], branches[1 - i].graph, &scope_);
      }
      names = rest.outputs;
      did_the_rest_ = true;
      if (names.empty()) return;
    }
  }
  Graph& graph = scope_.graph();
  std::vector<ValueId> inputs = join_captures(branches, graph);
  inputs.insert(inputs.begin(), in(0));
  const NodeId id = graph.add_node(Op::If, std::move(inputs),
                                   std::vector<std::string>(names.size(), label_), {}, label_);
  for (Branch& branch : branches) graph.node(id).subgraphs.push_back(std::move(branch.graph));
  deduce(id);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!names[i].empty()) publish(names[i], graph.node(id).outputs[i]);
  }
}

std::span<const Entry> branch_table() {
  return kTable;
}

}  // namespace dvmsim::onnx_import
