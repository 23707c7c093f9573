// If in ONNX models: known conditions, branches whose results differ in rank, and branches in which
// the rest of the model makes no sense.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "compiler/graph/eval.h"
#include "compiler/graph/narrow.h"
#include "compiler/graph/shape.h"
#include "compiler/graph/text.h"
#include "compiler/import/onnx.h"
#include "tests/compiler/import/model_builder.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

onnx::GraphProto& add_branch(onnx::NodeProto& node, bool then) {
  onnx::AttributeProto& branch = *node.add_attribute();
  branch.set_name(then ? "then_branch" : "else_branch");
  branch.set_type(onnx::AttributeProto::GRAPH);
  return *branch.mutable_g();
}

/// squeezed = squeeze(x, 1) if x has one column, as TorchScript's exporter writes it.
void add_squeeze(onnx::GraphProto& graph) {
  add_ints(graph, "one", {1});
  add_node(graph, "Shape", {"x"}, {"shape"});
  add_node(graph, "Gather", {"shape", "one"}, {"columns"});
  add_node(graph, "Equal", {"columns", "one"}, {"is_one"});
  onnx::NodeProto& choice = add_node(graph, "If", {"is_one"}, {"squeezed"});
  add_node(add_branch(choice, true), "Squeeze", {"x", "one"}, {"less"});
  add_output(*choice.mutable_attribute(0)->mutable_g(), "less");
  add_node(add_branch(choice, false), "Identity", {"x"}, {"same"});
  add_output(*choice.mutable_attribute(1)->mutable_g(), "same");
}

Graph imported(const onnx::ModelProto& model) {
  return import_onnx(model.SerializeAsString(), "m.onnx", "");
}

Tensor floats(std::vector<std::int64_t> shape, std::vector<float> values) {
  return Tensor::of_floats(DType::F32, std::move(shape), values);
}

std::size_t count_of(const Graph& graph, Op op) {
  return static_cast<std::size_t>(std::count_if(graph.nodes.begin(), graph.nodes.end(),
                                                [&](const Node& node) { return node.op == op; }));
}

TEST(Branches, a_known_condition_leaves_one_branch) {
  onnx::ModelProto model = model_of(13);
  onnx::GraphProto& graph = *model.mutable_graph();
  add_input(graph, "x", {"n", "1"});
  add_squeeze(graph);
  add_node(graph, "Relu", {"squeezed"}, {"y"});
  add_output(graph, "y");
  const Graph made = deduce_shapes(imported(model));
  EXPECT_EQ(count_of(made, Op::If), 0u);
  EXPECT_EQ(to_text(*made.value(made.outputs[0]).type.shape), "[n]");
}

TEST(Branches, what_reads_results_of_two_ranks_is_in_both_branches) {
  onnx::ModelProto model = model_of(13);
  onnx::GraphProto& graph = *model.mutable_graph();
  add_input(graph, "x", {"2", "m"});
  add_input(graph, "z", {"2", "m"});
  add_squeeze(graph);
  add_node(graph, "ReduceSum", {"squeezed"}, {"sum"}).set_name("sum");
  set_int(*graph.mutable_node(graph.node_size() - 1), "keepdims", 0);
  add_node(graph, "Neg", {"z"}, {"other"});
  add_node(graph, "ReduceMax", {"other"}, {"top"});
  set_int(*graph.mutable_node(graph.node_size() - 1), "keepdims", 0);
  add_node(graph, "Add", {"sum", "top"}, {"y"});
  add_output(graph, "y");
  add_output(graph, "other");
  const Graph made = imported(model);
  ASSERT_EQ(count_of(made, Op::If), 1u);
  const auto run = [&](std::int64_t m, const std::vector<float>& x) {
    return evaluate(
        specialize(made, {{"m", m}}),
        {{"x", floats({2, m}, x)}, {"z", floats({2, m}, std::vector<float>(x.size(), -5))}});
  };
  EXPECT_EQ(run(1, {1, 2})[0], floats({}, {8}));
  EXPECT_EQ(run(2, {1, 2, 3, 4})[0], floats({}, {15}));
  EXPECT_EQ(run(2, {1, 2, 3, 4})[1], floats({2, 2}, {5, 5, 5, 5}));
  EXPECT_EQ(count_of(specialize(made, {{"m", 1}}), Op::If), 0u);
}

TEST(Branches, a_branch_without_sense_refuses_when_it_is_taken) {
  onnx::ModelProto model = model_of(13);
  onnx::GraphProto& graph = *model.mutable_graph();
  add_input(graph, "x", {"2", "m"});
  add_squeeze(graph);
  add_node(graph, "Transpose", {"squeezed"}, {"y"}).set_name("turn");
  onnx::AttributeProto& perm = *graph.mutable_node(graph.node_size() - 1)->add_attribute();
  perm.set_name("perm");
  perm.set_type(onnx::AttributeProto::INTS);
  perm.add_ints(0);
  add_output(graph, "y");
  const Graph made = imported(model);
  EXPECT_EQ(evaluate(specialize(made, {{"m", 1}}), {{"x", floats({2, 1}, {3, 4})}})[0],
            floats({2}, {3, 4}));
  const Graph halves = infer_shapes(narrowed(made, DType::F16));
  EXPECT_EQ(halves.value(halves.outputs[0]).type.dtype, DType::F16);
  try {
    (void)evaluate(specialize(made, {{"m", 2}}), {{"x", floats({2, 2}, {1, 2, 3, 4})}});
    ADD_FAILURE() << "a matrix was turned as a vector";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("node 'turn'"), std::string::npos) << error.what();
  }
}

TEST(Branches, a_rest_that_fits_neither_branch_is_an_error) {
  onnx::ModelProto model = model_of(13);
  onnx::GraphProto& graph = *model.mutable_graph();
  add_input(graph, "x", {"2", "m"});
  add_squeeze(graph);
  add_node(graph, "Mystery", {"squeezed"}, {"y"});
  add_output(graph, "y");
  EXPECT_THROW((void)imported(model), Error);
}

}  // namespace
}  // namespace dvmsim
