#include "dvmsim/cost.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace dvmsim::api {
namespace {

template <class Ask>
std::string refusal_of(Ask&& ask) {
  try {
    ask();
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

bool equal(const Cost& a, const Cost& b) {
  return a.cycles == b.cycles && a.task_us == b.task_us && a.e2e_us == b.e2e_us &&
         a.hbm_read_bytes == b.hbm_read_bytes && a.l2_hit_bytes == b.l2_hit_bytes;
}

constexpr const char* kChain =
    "graph g\ndim n\ninput x: f16[n, 256]\ns = add(x, x)\nr = relu(s)\noutput r\n";

TEST(Simulator, the_same_question_has_the_same_answer_whatever_was_asked_between) {
  const Simulator npu;
  const Operator softmax{"softmax", {{64, 512}}};
  const Cost first = npu.cost(softmax);
  EXPECT_GT(first.cycles, 0);
  EXPECT_EQ(first.launches, 1);
  EXPECT_LE(first.ideal_cycles, first.cycles);
  EXPECT_FALSE(first.bound.empty());
  (void)npu.cost(Operator{"matmul", {{256, 256}, {256, 256}}});
  EXPECT_TRUE(equal(npu.cost(softmax), first));
}

TEST(Simulator, a_variant_is_a_copy_that_is_set) {
  const Simulator npu;
  Simulator fewer = npu;
  fewer.set({{"cores.cube", "2"}, {"cores.vector", "4"}});
  EXPECT_EQ(fewer.get("cores.cube"), "2");
  EXPECT_EQ(npu.get("cores.cube"), "24");
  const Operator add{"add", {{1024, 1024}, {1024, 1024}}};
  const Cost before = npu.cost(add);
  EXPECT_GT(fewer.cost(add).cycles, before.cycles);
  EXPECT_TRUE(equal(npu.cost(add), before));
  fewer = npu;
  EXPECT_TRUE(equal(fewer.cost(add), before));
}

TEST(Simulator, options_are_those_of_the_command) {
  const Simulator npu;
  const Operator add{"add", {{512, 1024}, {512, 1024}}};
  const Cost cold = npu.cost(add);
  Options options;
  options.warm_l2 = true;
  EXPECT_LT(npu.cost(add, options).hbm_read_bytes, 4096);  // the program
  EXPECT_GT(cold.hbm_read_bytes, 2 * 512 * 1024);
  options = Options();
  options.cores = 1;
  EXPECT_GT(npu.cost(add, options).cycles, cold.cycles);
  options = Options();
  options.memory = Memory::Ideal;
  EXPECT_LT(npu.cost(add, options).cycles, cold.cycles);
  Graph chain{kChain, {{"n", 100}}};
  options = Options();
  EXPECT_EQ(npu.cost(chain, options).launches, 1);
  options.strategy = "eager";
  EXPECT_EQ(npu.cost(chain, options).launches, 2);
}

TEST(Simulator, attributes_are_texts) {
  const Simulator npu;
  const Operator transposed{"matmul", {{64, 32}, {48, 32}}, "f16", {{"trans_b", "1"}}};
  EXPECT_GT(npu.cost(transposed).cycles, 0);
}

TEST(Simulator, hardware_files_are_machines) {
  const Simulator tiny(std::string(DVMSIM_SOURCE_DIR) + "/configs/hardware/tiny.yaml");
  EXPECT_EQ(tiny.name(), "tiny");
  EXPECT_GT(tiny.cost(Operator{"relu", {{1000}}}).cycles, 0);
}

TEST(Simulator, what_is_wrong_is_named_and_changes_nothing) {
  Simulator npu;
  const auto op = [&](const Operator& what, const Options& options = {}) {
    return refusal_of([&] { (void)npu.cost(what, options); });
  };
  EXPECT_EQ(op({"dance", {{4}}}), "op dance: no such operator");
  EXPECT_NE(op({"add", {{4}}}).find("op add: takes 2"), std::string::npos);
  EXPECT_NE(op({"add", {{4}, {5}}}).find("node 'add'"), std::string::npos);
  EXPECT_EQ(op({"relu", {{-4}}}), "op relu: a size cannot be negative");
  EXPECT_NE(op({"relu", {{4}}, "f8"}).find("dtype 'f8'"), std::string::npos);
  EXPECT_NE(op({"softmax", {{4}}, "f16", {{"axes", "1"}}}).find("has no such attribute"),
            std::string::npos);
  Options options;
  options.tiling = "mine";
  EXPECT_NE(op({"relu", {{4}}}, options).find("tiling 'mine'"), std::string::npos);
  options = Options();
  options.strategy = "hope";
  EXPECT_NE(op({"relu", {{4}}}, options).find("hope"), std::string::npos);
  options = Options();
  options.cores = -1;
  EXPECT_NE(op({"relu", {{4}}}, options).find("cores"), std::string::npos);
  const auto graph = [&](const std::string& text, std::map<std::string, std::int64_t> dims) {
    return refusal_of([&] { (void)npu.cost(Graph{text, std::move(dims)}); });
  };
  EXPECT_EQ(graph(kChain, {}), "dimension 'n' has no size");
  EXPECT_EQ(graph(kChain, {{"n", 4}, {"m", 4}}), "dimension 'm': the graph has none of this name");
  EXPECT_EQ(graph(kChain, {{"n", -4}}), "dimension 'n': a size cannot be negative");
  EXPECT_NE(graph("graph g\nx = what(y)\n", {}).find("graph:2"), std::string::npos);
  EXPECT_NE(refusal_of([&] { npu.set("cores.cubes", "2"); }), "");
  EXPECT_NE(refusal_of([&] { npu.set("cores.cube", "25"); }), "");  // not half the vector cores
  EXPECT_EQ(npu.get("cores.cube"), "24");
  EXPECT_NE(refusal_of([] { (void)Simulator("none.yaml"); }).find("none.yaml"), std::string::npos);
}

}  // namespace
}  // namespace dvmsim::api
