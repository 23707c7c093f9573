// Normalisations with known numbers vanish into the convolution before them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "compiler/graph/eval.h"
#include "compiler/graph/shape.h"
#include "compiler/import/onnx.h"
#include "tests/compiler/import/model_builder.h"

namespace dvmsim {
namespace {

void add_floats(onnx::GraphProto& graph, const std::string& name, const std::vector<int>& dims,
                const std::vector<float>& values) {
  onnx::TensorProto& made = *graph.add_initializer();
  made.set_name(name);
  made.set_data_type(onnx::TensorProto::FLOAT);
  for (int dim : dims) made.add_dims(dim);
  for (float value : values) made.add_float_data(value);
}

/// y = batch_norm(conv(x)): two channels of one pixel each, the variances beyond half precision.
onnx::ModelProto normal_model(bool conv_is_read_elsewhere) {
  onnx::ModelProto model = model_of(13);
  onnx::GraphProto& graph = *model.mutable_graph();
  add_input(graph, "x", {"1", "1", "1", "2"});
  add_floats(graph, "w", {2, 1, 1, 1}, {300, -500});
  add_floats(graph, "scale", {2}, {1, 2});
  add_floats(graph, "bias", {2}, {0.5f, -0.25f});
  add_floats(graph, "mean", {2}, {100, 200});
  add_floats(graph, "variance", {2}, {90000, 250000});
  add_node(graph, "Conv", {"x", "w"}, {"c"});
  add_node(graph, "BatchNormalization", {"c", "scale", "bias", "mean", "variance"}, {"y"});
  add_output(graph, "y");
  if (conv_is_read_elsewhere) add_output(graph, "c");
  return model;
}

bool has_norm(const Graph& graph) {
  return std::any_of(graph.nodes.begin(), graph.nodes.end(),
                     [](const Node& node) { return node.op == Op::BatchNorm; });
}

TEST(Normal, batch_norm_goes_into_the_convolution_that_only_it_reads) {
  for (const bool elsewhere : {false, true}) {
    const Graph graph =
        deduce_shapes(import_onnx(normal_model(elsewhere).SerializeAsString(), "m.onnx", ""));
    EXPECT_EQ(has_norm(graph), elsewhere);
    const std::vector<float> x = {0.5f, -2};
    const auto y =
        evaluate(graph, {{"x", Tensor::of_floats(DType::F32, {1, 1, 1, 2}, x)}})[0].floats();
    for (std::size_t i = 0; i < 2; ++i) {
      EXPECT_NEAR(y[i], (300 * x[i] - 100) / 300 + 0.5, 1e-5);
      EXPECT_NEAR(y[2 + i], 2 * (-500 * x[i] - 200) / 500 - 0.25, 1e-5);
    }
  }
}

}  // namespace
}  // namespace dvmsim
