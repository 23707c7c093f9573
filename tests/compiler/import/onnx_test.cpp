#include "compiler/import/onnx.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "compiler/graph/eval.h"
#include "compiler/graph/shape.h"
#include "compiler/graph/text.h"
#include "tests/compiler/import/model_builder.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

Graph imported(const onnx::ModelProto& model, const std::string& directory = "") {
  return import_onnx(model.SerializeAsString(), "m.onnx", directory);
}

std::string error_of(const std::string& bytes, const std::string& directory = "") {
  try {
    (void)import_onnx(bytes, "m.onnx", directory);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}
std::string error_of(const onnx::ModelProto& model, const std::string& directory = "") {
  return error_of(model.SerializeAsString(), directory);
}

Tensor floats(std::vector<std::int64_t> shape, std::vector<float> values) {
  return Tensor::of_floats(DType::F32, std::move(shape), values);
}

/// y = -relu(x), the nodes in the wrong order.
onnx::ModelProto small_model() {
  onnx::ModelProto model = model_of(13);
  onnx::GraphProto& graph = *model.mutable_graph();
  add_input(graph, "x", {"batch", "", "3"});
  add_node(graph, "Neg", {"a"}, {"y"}).set_name("last");
  add_node(graph, "Relu", {"x"}, {"a"}).set_name("first");
  add_output(graph, "y");
  return model;
}

TEST(Onnx, dynamic_dimensions_keep_or_get_names) {
  const Graph graph = imported(small_model());
  EXPECT_EQ(to_text(*graph.value(graph.inputs[0]).type.shape), "[batch, x_1, 3]");
  EXPECT_EQ(graph.symbols, (std::vector<std::string>{"batch", "x_1"}));
}

/// A scalar or a list of bytes, as an initializer.
void add_bytes(onnx::GraphProto& graph, const std::string& name, onnx::TensorProto::DataType type,
               const std::vector<int>& dims, const std::vector<int>& values) {
  onnx::TensorProto& made = *graph.add_initializer();
  made.set_name(name);
  made.set_data_type(type);
  for (int dim : dims) made.add_dims(dim);
  for (int value : values) made.add_int32_data(value);
}
void add_float(onnx::GraphProto& graph, const std::string& name, float value) {
  onnx::TensorProto& made = *graph.add_initializer();
  made.set_name(name);
  made.set_data_type(onnx::TensorProto::FLOAT);
  made.add_float_data(value);
}

TEST(Onnx, chained_quantised_convolutions_pass_signed_bytes_on) {
  onnx::ModelProto model = model_of(13);
  onnx::GraphProto& graph = *model.mutable_graph();
  add_input(graph, "x", {"1", "2", "3", "3"});
  graph.mutable_input(0)->mutable_type()->mutable_tensor_type()->set_elem_type(
      onnx::TensorProto::UINT8);
  add_float(graph, "scale", 0.5f);
  add_bytes(graph, "zero", onnx::TensorProto::UINT8, {}, {130});
  add_bytes(graph, "none", onnx::TensorProto::INT8, {}, {0});
  add_bytes(graph, "w", onnx::TensorProto::INT8, {2, 2, 1, 1}, {1, 2, -3, 4});
  for (const auto& [from, to] : {std::pair("x", "y"), std::pair("y", "z")}) {
    add_node(graph, "QLinearConv", {from, "scale", "zero", "w", "scale", "none", "scale", "zero"},
             {to});
  }
  add_output(graph, "z");
  const Graph graph_made = deduce_shapes(imported(model));
  int casts = 0;
  for (const Node& node : graph_made.nodes) casts += node.op == Op::Cast ? 1 : 0;
  EXPECT_EQ(casts, 4) << "of x to signed bytes, and of z back; none between";
  std::vector<std::int64_t> x(18);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = 120 + 2 * static_cast<std::int64_t>(i);
  const auto result = evaluate(graph_made, {{"x", Tensor::of_ints(DType::U8, {1, 2, 3, 3}, x)}});
  const auto layer = [](const std::vector<std::int64_t>& in) {
    std::vector<std::int64_t> out(18);
    constexpr int kW[2][2] = {{1, 2}, {-3, 4}};
    for (std::size_t i = 0; i < 18; ++i) {
      const std::size_t n = i / 9, p = i % 9;
      const auto sum = static_cast<float>((in[p] - 130) * kW[n][0] + (in[9 + p] - 130) * kW[n][1]);
      const float value = std::nearbyint(sum * 0.5f) + 130;
      out[i] = static_cast<std::int64_t>(std::clamp(value, 0.0f, 255.0f));
    }
    return out;
  };
  EXPECT_EQ(result[0].ints(), layer(layer(x)));
}

TEST(Onnx, a_product_and_a_row_added_to_it_are_one) {
  const auto operators = [](const std::string& bias, bool reads_product) {
    onnx::ModelProto model = model_of(13);
    onnx::GraphProto& graph = *model.mutable_graph();
    add_input(graph, "x", {"batch", "n", "2"});
    add_input(graph, "w", {"2", "3"});
    add_input(graph, "row", {"3"});
    add_input(graph, "column", {"n", "1"});
    add_node(graph, "MatMul", {"x", "w"}, {"p"});
    add_node(graph, "Add", {bias, "p"}, {"y"});
    add_output(graph, "y");
    if (reads_product) add_output(graph, "p");
    const Graph made = deduce_shapes(imported(model));
    std::vector<std::size_t> inputs;
    for (const Node& node : without_dead(made).nodes) inputs.push_back(node.inputs.size());
    return inputs;
  };
  using Inputs = std::vector<std::size_t>;
  EXPECT_EQ(operators("row", false), Inputs{3});
  EXPECT_EQ(operators("row", true), (Inputs{2, 2})) << "somebody else reads the product";
  EXPECT_EQ(operators("column", false), (Inputs{2, 2})) << "a column is no bias";
}

TEST(Onnx, quantised_weights_of_products_stay_bytes) {
  onnx::ModelProto model = model_of(13);
  onnx::GraphProto& graph = *model.mutable_graph();
  add_input(graph, "x", {"n", "2"});
  add_float(graph, "scale", 0.5f);
  add_bytes(graph, "zero", onnx::TensorProto::UINT8, {}, {130});
  add_bytes(graph, "w", onnx::TensorProto::UINT8, {2, 3}, {130, 132, 128, 255, 0, 131});
  add_node(graph, "DequantizeLinear", {"w", "scale", "zero"}, {"numbers"});
  add_node(graph, "MatMul", {"x", "numbers"}, {"y"});
  add_output(graph, "y");
  const Graph made = deduce_shapes(imported(model));
  std::size_t bytes = 0;
  for (const Value& value : made.values) {
    if (value.kind == ValueKind::Constant) bytes += value.tensor->bytes().size();
  }
  EXPECT_LE(bytes, 6u + 2 * sizeof(float)) << "the weights, the zero point and the scale";
  const std::vector<float> x = {1, 2};
  const Graph bound = specialize(made, {{"n", 1}});
  const auto y = evaluate(bound, {{"x", Tensor::of_floats(DType::F32, {1, 2}, x)}})[0].floats();
  EXPECT_EQ(y, (std::vector<float>{125, -129, 0}));
}

TEST(Onnx, unsorted_nodes_are_sorted_and_keep_their_names) {
  const Graph graph = imported(small_model());
  ASSERT_EQ(graph.nodes.size(), 2u);
  EXPECT_EQ(graph.nodes[0].name, "first");
  EXPECT_EQ(graph.value(graph.nodes[1].outputs[0]).name, "y");
  EXPECT_EQ(evaluate(graph, {{"x", floats({1, 1, 3}, {-1, 2, 3})}})[0],
            floats({1, 1, 3}, {-0.0f, -2, -3}));
}

TEST(Onnx, cycles_missing_values_and_double_writes_name_the_node) {
  onnx::ModelProto cyclic = small_model();
  cyclic.mutable_graph()->mutable_node(1)->set_input(0, "y");
  EXPECT_NE(error_of(cyclic).find("m.onnx: node 'last' (Neg): waits for its own result"),
            std::string::npos);
  onnx::ModelProto missing = small_model();
  missing.mutable_graph()->mutable_node(1)->set_input(0, "weights");
  EXPECT_NE(error_of(missing).find("node 'first' (Relu): input 'weights' is neither"),
            std::string::npos);
  onnx::ModelProto twice = small_model();
  add_node(*twice.mutable_graph(), "Exp", {"x"}, {"a"}).set_name("again");
  EXPECT_NE(error_of(twice).find("'a' is written twice"), std::string::npos);
  onnx::ModelProto lost = small_model();
  add_output(*lost.mutable_graph(), "z");
  EXPECT_NE(error_of(lost).find("output 'z' is written by no node"), std::string::npos);
}

TEST(Onnx, unknown_operators_are_refused_by_name) {
  onnx::ModelProto model = small_model();
  model.mutable_graph()->mutable_node(1)->set_op_type("Nonesuch");
  EXPECT_NE(error_of(model).find("node 'first' (Nonesuch): operator not supported"),
            std::string::npos);
  model.mutable_graph()->mutable_node(1)->set_op_type("Relu");
  model.mutable_graph()->mutable_node(1)->set_domain("com.example");
  EXPECT_NE(error_of(model).find("operator not supported"), std::string::npos);
}

TEST(Onnx, files_cut_anywhere_are_one_error) {
  const std::string bytes = small_model().SerializeAsString();
  EXPECT_EQ(error_of(bytes), "");
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    try {
      (void)import_onnx(bytes.substr(0, size), "m.onnx", "");
    } catch (const Error& error) {
      EXPECT_EQ(std::string(error.what()).substr(0, 7), "m.onnx:") << size;
    }
  }
  EXPECT_NE(error_of("this is no model").find("is no ONNX model"), std::string::npos);
  EXPECT_NE(error_of(model_of(0)).find("opset 0 is not supported"), std::string::npos);
  EXPECT_NE(error_of(model_of(22)).find("opset 22 is not supported"), std::string::npos);
}

TEST(Onnx, doubles_are_refused_unless_they_are_narrowed) {
  onnx::ModelProto model = small_model();
  onnx::GraphProto& graph = *model.mutable_graph();
  graph.mutable_input(0)->mutable_type()->mutable_tensor_type()->set_elem_type(
      onnx::TensorProto::DOUBLE);
  onnx::TensorProto& one = *graph.add_initializer();
  one.set_name("one");
  one.set_data_type(onnx::TensorProto::DOUBLE);
  one.add_double_data(1.5);
  graph.mutable_node(0)->set_op_type("Add");
  graph.mutable_node(0)->add_input("one");
  EXPECT_NE(error_of(model).find("--dtype f32"), std::string::npos) << error_of(model);
  const Graph narrow = import_onnx(model.SerializeAsString(), "m.onnx", "", {{}, true});
  const Tensor y = evaluate(narrow, {{"x", floats({1, 1, 3}, {1, -2, 3})}})[0];
  EXPECT_EQ(y, floats({1, 1, 3}, {2.5, 1.5, 4.5}));
}

TEST(Onnx, known_inputs_are_constants_to_the_nodes) {
  onnx::ModelProto model = model_of(13);
  onnx::GraphProto& graph = *model.mutable_graph();
  add_input(graph, "x", {"2", "3"});
  add_input(graph, "axes", {"1"});
  graph.mutable_input(1)->mutable_type()->mutable_tensor_type()->set_elem_type(
      onnx::TensorProto::INT64);
  add_node(graph, "ReduceSum", {"x", "axes"}, {"y"});
  add_output(graph, "y");
  EXPECT_NE(error_of(model).find("axes must be constant"), std::string::npos);
  const std::int64_t one = 1;
  const Tensor axes = Tensor::of_ints(DType::I64, {1}, std::span(&one, 1));
  const Graph known =
      import_onnx(model.SerializeAsString(), "m.onnx", "", {{{"axes", axes}}, false});
  EXPECT_EQ(known.inputs.size(), 2u);
  const Tensor x = floats({2, 3}, {1, 2, 3, 4, 5, 6});
  EXPECT_EQ(evaluate(known, {{"x", x}, {"axes", axes}})[0], floats({2, 1}, {6, 15}));
  EXPECT_THROW((void)import_onnx(model.SerializeAsString(), "m.onnx", "", {{{"axes", x}}, false}),
               Error);
}

TEST(Onnx, random_operators_are_refused_with_the_reason) {
  onnx::ModelProto model = small_model();
  model.mutable_graph()->mutable_node(1)->set_op_type("Bernoulli");
  EXPECT_NE(error_of(model).find("node 'first' (Bernoulli): draws random numbers"),
            std::string::npos);
}

void set_floats(onnx::GraphProto& graph, const std::string& name,
                const std::vector<float>& values) {
  onnx::TensorProto& tensor = *graph.add_initializer();
  tensor.set_name(name);
  tensor.set_data_type(onnx::TensorProto::FLOAT);
  if (values.size() > 1) tensor.add_dims(static_cast<std::int64_t>(values.size()));
  for (const float value : values) tensor.add_float_data(value);
}

TEST(Onnx, scales_may_be_made_of_constants) {
  onnx::ModelProto model = model_of(13);
  onnx::GraphProto& graph = *model.mutable_graph();
  add_input(graph, "x", {"n", "2"});
  set_floats(graph, "half", {0.5F, 1});
  set_floats(graph, "four", {4, 4});
  add_node(graph, "Mul", {"half", "four"}, {"scales"});
  add_node(graph, "Resize", {"x", "", "scales"}, {"y"});
  add_output(graph, "y");
  const Graph made = imported(model);
  EXPECT_EQ(to_text(*made.value(made.outputs[0]).type.shape), "[2*n, 8]");
}

TEST(Onnx, parameters_that_make_no_sense_are_errors_of_their_node) {
  const auto refused = [](const std::string& type, const std::vector<float>& numbers,
                          const std::string& why) {
    onnx::ModelProto model = model_of(17);
    onnx::GraphProto& graph = *model.mutable_graph();
    add_input(graph, "x", {"1", "8", "1"});
    set_floats(graph, "p", numbers);
    std::vector<std::string> inputs = {"x", "p"};
    if (type == "HannWindow") inputs = {"p"};
    if (type == "Resize") inputs = {"x", "", "p"};
    if (type == "Einsum") inputs = {"x"};
    onnx::NodeProto& node = add_node(graph, type, inputs, {"y"});
    node.set_name("bad");
    if (type == "Einsum") {
      onnx::AttributeProto& equation = *node.add_attribute();
      equation.set_name("equation");
      equation.set_type(onnx::AttributeProto::STRING);
      equation.set_s("abc->aa");
    }
    add_output(graph, "y");
    const std::string text = error_of(model);
    EXPECT_NE(text.find("node 'bad'"), std::string::npos) << type << ": " << text;
    EXPECT_NE(text.find(why), std::string::npos) << type << ": " << text;
  };
  refused("HannWindow", {-3}, "the size must be a number");
  refused("STFT", {0}, "frame_step must be a number");
  refused("DFT", {-1}, "dft_length must be a number");
  refused("Resize", {1, 0, 1}, "scales must be positive");
  refused("Resize", {1, 2}, "one scale or size for each axis");
  refused("Einsum", {0}, "repeats a letter");
  refused("TfIdfVectorizer", {0}, "sequences of known length");
  refused("LRN", {0}, "needs a channel axis and a size");
}

TEST(Onnx, shape_chains_vanish) {
  onnx::ModelProto model = model_of(13);
  onnx::GraphProto& graph = *model.mutable_graph();
  add_input(graph, "x", {"batch", "seq", "8"});
  add_ints(graph, "zero", {0});
  add_ints(graph, "rest", {-1});
  add_node(graph, "Shape", {"x"}, {"s"});
  add_node(graph, "Gather", {"s", "zero"}, {"b"});
  set_int(add_node(graph, "Concat", {"b", "rest"}, {"t"}), "axis", 0);
  add_node(graph, "Reshape", {"x", "t"}, {"y"});
  add_output(graph, "y");
  const Graph shaped = deduce_shapes(imported(model));
  EXPECT_EQ(shaped.nodes.size(), 1u) << print_graph(shaped);
  EXPECT_EQ(to_text(*shaped.value(shaped.outputs[0]).type.shape), "[batch, 8*seq]");
}

TEST(Onnx, branches_capture_what_is_around_them) {
  onnx::ModelProto model = model_of(13);
  onnx::GraphProto& graph = *model.mutable_graph();
  add_input(graph, "x", {"n"});
  add_input(graph, "z", {"n"});
  add_input(graph, "c", {});
  graph.mutable_input(2)->mutable_type()->mutable_tensor_type()->set_elem_type(
      onnx::TensorProto::BOOL);
  onnx::NodeProto& choice = add_node(graph, "If", {"c"}, {"y"});
  for (const bool yes : {true, false}) {
    onnx::AttributeProto& branch = *choice.add_attribute();
    branch.set_name(yes ? "then_branch" : "else_branch");
    branch.set_type(onnx::AttributeProto::GRAPH);
    add_node(*branch.mutable_g(), yes ? "Add" : "Sub", {yes ? "x" : "z", "x"}, {"inner"});
    add_output(*branch.mutable_g(), "inner");
  }
  add_output(graph, "y");
  const Graph result = imported(model);
  EXPECT_EQ(result.nodes[0].inputs.size(), 3u);
  const auto run = [&](std::int64_t condition) {
    return evaluate(result, {{"x", floats({2}, {1, 2})},
                             {"z", floats({2}, {5, 5})},
                             {"c", Tensor::of_ints(DType::Bool, {}, std::span(&condition, 1))}})[0];
  };
  EXPECT_EQ(run(1), floats({2}, {2, 4}));
  EXPECT_EQ(run(0), floats({2}, {4, 3}));
}

TEST(Onnx, weights_may_lie_in_a_file_beside_the_model) {
  const std::filesystem::path directory = std::filesystem::path(testing::TempDir()) / "dvmsim_ext";
  std::filesystem::create_directories(directory);
  const float weights[] = {9, 1, 2, 3};
  std::ofstream(directory / "w.bin", std::ios::binary)
      .write(reinterpret_cast<const char*>(weights), sizeof weights);
  onnx::ModelProto model = model_of(13);
  onnx::GraphProto& graph = *model.mutable_graph();
  add_input(graph, "x", {"3"});
  onnx::TensorProto& tensor = *graph.add_initializer();
  tensor.set_name("w");
  tensor.set_data_type(onnx::TensorProto::FLOAT);
  tensor.add_dims(3);
  tensor.set_data_location(onnx::TensorProto::EXTERNAL);
  const auto set = [&](const char* key, const char* value) {
    onnx::StringStringEntryProto& entry = *tensor.add_external_data();
    entry.set_key(key);
    entry.set_value(value);
  };
  set("location", "w.bin");
  set("offset", "4");
  add_node(graph, "Add", {"x", "w"}, {"y"});
  add_output(graph, "y");
  EXPECT_EQ(evaluate(imported(model, directory.string()), {{"x", floats({3}, {0, 0, 0})}})[0],
            floats({3}, {1, 2, 3}));
  tensor.mutable_external_data(0)->set_value("../w.bin");
  EXPECT_NE(error_of(model).find("must lie beside the model"), std::string::npos);
  tensor.mutable_external_data(0)->set_value("none.bin");
  EXPECT_NE(error_of(model).find("none.bin' cannot be read"), std::string::npos);
  tensor.mutable_external_data(0)->set_value("w.bin");
  tensor.mutable_external_data(1)->set_value("8");
  EXPECT_NE(error_of(model, directory.string()).find("does not hold 12 bytes at offset 8"),
            std::string::npos);
}

TEST(Onnx, damaged_tensors_are_refused) {
  onnx::ModelProto model = model_of(13);
  add_ints(*model.mutable_graph(), "w", {1, 2, 3});
  model.mutable_graph()->mutable_initializer(0)->set_dims(0, 4);
  EXPECT_NE(error_of(model).find("tensor 'w': has 3 numbers, its shape takes 4"),
            std::string::npos);
  model.mutable_graph()->mutable_initializer(0)->set_data_type(onnx::TensorProto::STRING);
  EXPECT_NE(error_of(model).find("element type STRING is not supported"), std::string::npos);
}

TEST(Onnx, old_softmax_flattens_at_its_axis) {
  onnx::ModelProto model = model_of(11);
  onnx::GraphProto& graph = *model.mutable_graph();
  add_input(graph, "x", {"1", "2", "2"});
  set_int(add_node(graph, "Softmax", {"x"}, {"y"}), "axis", 1);
  add_output(graph, "y");
  const Tensor zero = floats({1, 2, 2}, {0, 0, 0, 0});
  EXPECT_EQ(evaluate(imported(model), {{"x", zero}})[0], floats({1, 2, 2}, {.25, .25, .25, .25}));
  model.mutable_opset_import(0)->set_version(13);
  EXPECT_EQ(evaluate(imported(model), {{"x", zero}})[0], floats({1, 2, 2}, {.5, .5, .5, .5}));
}

}  // namespace
}  // namespace dvmsim
