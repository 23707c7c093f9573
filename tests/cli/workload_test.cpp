#include "cli/workload.h"

#include <gtest/gtest.h>

#include "compiler/graph/shape.h"
#include "compiler/graph/text.h"
#include "compiler/graph/verify.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

Graph two_inputs() {
  return parse_graph(
      "graph g\ndim batch\ndim seq\ninput x: f16[batch, seq, 8]\ninput n: i64[batch]\ny = "
      "exp(x)\noutput y, n\n",
      "test");
}

std::string error_of(const RunOptions& options) {
  try {
    (void)bindings_of(two_inputs(), options, {});
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Workload, an_operator_becomes_a_graph_that_deduces) {
  OpOptions op;
  op.op = "matmul";
  op.shapes = {{64, 32}, {48, 32}};
  op.trans_b = true;
  const Graph graph = graph_of(op);
  verify(graph, Level::Imported);
  const Graph shaped = deduce_shapes(graph);
  EXPECT_EQ(to_text(*shaped.value(shaped.outputs[0]).type.shape), "[64, 48]");
}

TEST(Workload, attributes_are_read_by_their_type) {
  OpOptions op;
  op.op = "reduce_sum";
  op.shapes = {{4, 5, 6}};
  op.attributes = {{"axes", "0,2"}, {"keepdims", "0"}};
  const Graph shaped = deduce_shapes(graph_of(op));
  EXPECT_EQ(to_text(*shaped.value(shaped.outputs[0]).type.shape), "[5]");
  op.attributes = {{"axis", "1"}};
  EXPECT_THROW((void)graph_of(op), Error);
}

TEST(Workload, an_unknown_operator_or_a_wrong_number_of_shapes_is_an_error) {
  OpOptions op;
  op.op = "frobnicate";
  EXPECT_THROW((void)graph_of(op), Error);
  op.op = "matmul";
  op.shapes = {{2, 2}};
  EXPECT_THROW((void)graph_of(op), Error);
}

TEST(Workload, sizes_come_from_dims_and_shapes) {
  RunOptions options;
  options.dims = {{"batch", 3}};
  options.shapes = {{"x", {3, 7, 8}}};
  EXPECT_EQ(bindings_of(two_inputs(), options, {}), (Bindings{{"batch", 3}, {"seq", 7}}));
}

TEST(Workload, sizes_that_do_not_agree_are_named) {
  RunOptions options;
  options.dims = {{"batch", 2}};
  EXPECT_NE(error_of(options).find("--dim seq=N"), std::string::npos);
  options.shapes = {{"x", {3, 7, 8}}};
  EXPECT_NE(error_of(options).find("batch is already 2"), std::string::npos);
  options.shapes = {{"x", {2, 7, 9}}};
  EXPECT_NE(error_of(options).find("declares"), std::string::npos);
  options.shapes = {{"z", {2}}};
  EXPECT_NE(error_of(options).find("the model has x, n"), std::string::npos);
  options.shapes.clear();
  options.dims = {{"width", 2}};
  EXPECT_NE(error_of(options).find("no such dimension"), std::string::npos);
}

TEST(Workload, missing_inputs_depend_on_the_seed_only) {
  const Bindings bindings{{"batch", 2}, {"seq", 3}};
  std::map<std::string, Tensor> once, again, other;
  add_missing_inputs(once, two_inputs(), bindings, 1);
  add_missing_inputs(again, two_inputs(), bindings, 1);
  add_missing_inputs(other, two_inputs(), bindings, 2);
  EXPECT_EQ(once.at("x"), again.at("x"));
  EXPECT_FALSE(once.at("x") == other.at("x"));
  EXPECT_EQ(once.at("x").shape(), (std::vector<std::int64_t>{2, 3, 8}));
  EXPECT_EQ(once.at("n").ints(), (std::vector<std::int64_t>{0, 0}));
}

TEST(Workload, a_known_input_needs_its_values) {
  RunOptions options;
  options.known = {"axes"};
  EXPECT_THROW((void)known_inputs(options), Error);
  EXPECT_THROW((void)load_model("m.graph", {}, {{"axes", Tensor(DType::I64, {1})}}), Error);
}

TEST(Workload, a_file_that_is_no_model_is_an_error) {
  EXPECT_THROW((void)load_model("model.txt"), Error);
}

}  // namespace
}  // namespace dvmsim
