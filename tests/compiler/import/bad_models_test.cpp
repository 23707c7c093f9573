// Mutilated models, through the library and through the command: one clear error each that names
// the file, and the node where there is one; exit code 2.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>

#include "compiler/graph/shape.h"
#include "compiler/import/onnx.h"
#include "tests/compiler/import/model_builder.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

namespace fs = std::filesystem;

/// x [2, 3] -> MatMul with w [3, 4] -> Relu -> y.
onnx::ModelProto good() {
  onnx::ModelProto model = model_of(13);
  onnx::GraphProto& graph = *model.mutable_graph();
  add_input(graph, "x", {"2", "3"});
  onnx::TensorProto& w = *graph.add_initializer();
  w.set_name("w");
  w.set_data_type(onnx::TensorProto::FLOAT);
  w.add_dims(3);
  w.add_dims(4);
  for (int i = 0; i < 12; ++i) w.add_float_data(static_cast<float>(i));
  add_node(graph, "MatMul", {"x", "w"}, {"h"}).set_name("product");
  add_node(graph, "Relu", {"h"}, {"y"}).set_name("positive");
  add_output(graph, "y");
  return model;
}

struct Mutilation {
  const char* name;
  std::function<void(onnx::ModelProto&)> mutilate;
  const char* says;  // after the file
};

onnx::TensorProto& weights(onnx::ModelProto& model) {
  return *model.mutable_graph()->mutable_initializer(0);
}
onnx::NodeProto& node(onnx::ModelProto& model, int index) {
  return *model.mutable_graph()->mutable_node(index);
}
void external(onnx::ModelProto& model, const std::string& key, const std::string& value) {
  onnx::TensorProto& w = weights(model);
  w.set_data_location(onnx::TensorProto::EXTERNAL);
  w.clear_float_data();
  onnx::StringStringEntryProto& entry = *w.add_external_data();
  entry.set_key(key);
  entry.set_value(value);
}

const Mutilation kMutilations[] = {
    {"cyclic", [](auto& m) { node(m, 0).set_input(0, "y"); },
     "node 'product' (MatMul): waits for its own result"},
    {"wrong_type",
     [](auto& m) {
       add_ints(*m.mutable_graph(), "i", {1, 2, 3});
       node(m, 1).set_op_type("Add");
       node(m, 1).add_input("i");
     },
     "node 'positive' (add): inputs are f32 and i64"},
    {"wrong_attribute",
     [](auto& m) {
       node(m, 1).set_op_type("Softmax");
       set_int(node(m, 1), "axis", 1);
       node(m, 1).mutable_attribute(0)->set_type(onnx::AttributeProto::FLOAT);
     },
     "node 'positive' (Softmax): attribute 'axis' is not an integer"},
    {"absurd_input",
     [](auto& m) {
       m.mutable_graph()
           ->mutable_input(0)
           ->mutable_type()
           ->mutable_tensor_type()
           ->mutable_shape()
           ->mutable_dim(0)
           ->set_dim_value(std::int64_t{1} << 60);
     },
     "input 'x': dimension 1152921504606846976 is absurd"},
    {"absurd_weights",
     [](auto& m) {
       weights(m).set_dims(0, std::int64_t{1} << 39);
       weights(m).set_dims(1, std::int64_t{1} << 39);
     },
     "tensor 'w': dimension 549755813888 is absurd"},
    {"negative_weights", [](auto& m) { weights(m).set_dims(0, -3); },
     "tensor 'w': dimension -3 is absurd"},
    {"unknown_operator", [](auto& m) { node(m, 1).set_op_type("Frobnicate"); },
     "node 'positive' (Frobnicate): operator not supported"},
    {"foreign_operator", [](auto& m) { node(m, 1).set_domain("com.example"); },
     "node 'positive' (Relu): operator not supported (domain 'com.example')"},
    {"missing_weights", [](auto& m) { m.mutable_graph()->clear_initializer(); },
     "node 'product' (MatMul): input 'w' is neither"},
    {"missing_input", [](auto& m) { node(m, 0).mutable_input()->RemoveLast(); },
     "node 'product' (MatMul): input 1 is missing"},
    {"missing_external", [](auto& m) { external(m, "location", "weights.bin"); },
     "tensor 'w': external data"},
    {"outside_external", [](auto& m) { external(m, "location", "../../etc/passwd"); },
     "tensor 'w': external data must lie beside the model"},
    {"absolute_external", [](auto& m) { external(m, "location", "/etc/passwd"); },
     "tensor 'w': external data must lie beside the model"},
    {"bad_offset",
     [](auto& m) {
       external(m, "location", "w.bin");
       external(m, "offset", "-8");
     },
     "tensor 'w': external offset '-8' is no number"},
    {"duplicate_values", [](auto& m) { add_node(*m.mutable_graph(), "Exp", {"x"}, {"h"}); },
     "node 'h' (Exp): output 'h' is written twice"},
    {"duplicate_weights", [](auto& m) { *m.mutable_graph()->add_initializer() = weights(m); },
     "value 'w' is written twice"},
    {"duplicate_inputs", [](auto& m) { *m.mutable_graph()->add_input() = m.graph().input(0); },
     "input 'x': is declared twice"},
    {"wrong_domain", [](auto& m) { m.mutable_opset_import(0)->set_domain("ai.example"); },
     "names no opset of domain 'ai.onnx'"},
    {"old_opset", [](auto& m) { m.mutable_opset_import(0)->set_version(0); },
     "opset 0 is not supported"},
    {"shape_mismatch",
     [](auto& m) {
       weights(m).set_dims(0, 4);
       weights(m).set_dims(1, 3);
     },
     "node 'product' (matmul): inner dimensions differ: [2, 3] times [4, 3]"},
    {"cut_weights", [](auto& m) { weights(m).mutable_float_data()->RemoveLast(); },
     "tensor 'w': has 11 numbers, its shape takes 12"},
    {"no_output", [](auto& m) { m.mutable_graph()->clear_output(); }, "the model has no output"},
};

class BadModels : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / "bad_models" /
              testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  [[nodiscard]] std::string write(const std::string& name, const std::string& bytes) const {
    const std::string path = (folder_ / (name + ".onnx")).string();
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }
  static std::string error_of(const std::string& path) {
    try {
      (void)deduce_shapes(import_onnx(path));
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }
  /// The command's exit code; what it says on standard error is in `said`.
  int command(const std::string& path, std::string& said) const {
    const std::string error = (folder_ / "stderr.txt").string();
    const int status = std::system(("'" DVMSIM_BINARY "' run '" + path + "' --mode timing >'" +
                                    error + ".out' 2>'" + error + "'")
                                       .c_str());
    std::ifstream file(error);
    said.assign(std::istreambuf_iterator<char>(file), {});
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  fs::path folder_{};
};

TEST_F(BadModels, the_good_one_runs) {
  std::string said;
  EXPECT_EQ(command(write("good", good().SerializeAsString()), said), 0) << said;
}

TEST_F(BadModels, each_is_one_error_that_names_file_and_node) {
  for (const Mutilation& each : kMutilations) {
    SCOPED_TRACE(each.name);
    onnx::ModelProto model = good();
    each.mutilate(model);
    const std::string path = write(each.name, model.SerializeAsString());
    const std::string error = error_of(path);
    EXPECT_EQ(error.find(path + ": "), 0u) << error;
    EXPECT_NE(error.find(each.says), std::string::npos) << error;
    std::string said;
    EXPECT_EQ(command(path, said), 2);
    EXPECT_EQ(said, "dvmsim: error: " + error + "\n");
  }
}

TEST_F(BadModels, truncated_anywhere_is_one_error) {
  const std::string bytes = good().SerializeAsString();
  for (std::size_t cut = 0; cut < bytes.size(); cut += 7) {
    const std::string path = write("cut", bytes.substr(0, cut));
    const std::string error = error_of(path);
    EXPECT_EQ(error.find(path + ": "), 0u) << cut << ": " << error;
  }
  std::string said;
  EXPECT_EQ(command(write("cut", bytes.substr(0, bytes.size() / 2)), said), 2);
  EXPECT_NE(said.find("cut.onnx: "), std::string::npos) << said;
}

TEST_F(BadModels, links_out_of_the_folder_are_not_followed) {
  onnx::ModelProto model = good();
  external(model, "location", "w.bin");
  std::ofstream(folder_.parent_path() / "outside.bin") << std::string(48, 'x');
  fs::create_symlink(folder_.parent_path() / "outside.bin", folder_ / "w.bin");
  const std::string error = error_of(write("link", model.SerializeAsString()));
  EXPECT_NE(error.find("must lie beside the model"), std::string::npos) << error;
  fs::remove(folder_ / "w.bin");
  std::ofstream(folder_ / "w.bin") << std::string(48, 'x');
  EXPECT_EQ(error_of(write("beside", model.SerializeAsString())), "");
}

}  // namespace
}  // namespace dvmsim
