// The loop over a core's tiles, as instructions: what is known before the launch is not computed in
// it.
#include <gtest/gtest.h>

#include "compiler/graph/shape.h"
#include "compiler/graph/text.h"
#include "compiler/module/compile.h"
#include "vm/isa/text.h"

namespace dvmsim {
namespace {

/// The program and the cores of an addition of so many rows of 1024 halves.
struct Added {
  explicit Added(std::int64_t rows) {
    const std::string shape = "f16[" + std::to_string(rows) + ", 1024]";
    const Graph graph = infer_shapes(parse_graph(
        "graph g\ninput x: " + shape + "\ninput y: " + shape + "\nz = add(x, y)\noutput z\n",
        "test"));
    const Module module = compile(graph, default_machine(), {});
    text = isa::disassemble(module.programs.at(0));
    cores = module.steps.at(0).vector_cores;
  }
  [[nodiscard]] int count(const std::string& what) const {
    int found = 0;
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) {
      ++found;
    }
    return found;
  }
  std::string text{};
  int cores = 0;
};

TEST(TileLoop, of_one_tile_a_core_is_none) {
  const Added added(32);
  EXPECT_GT(added.cores, 1);
  EXPECT_EQ(added.count("  loop "), 0) << added.text;
  EXPECT_EQ(added.count("sdiv"), 0) << added.text;
  // Loads to the vector pipe, its result to the store: nothing for a tile to come.
  EXPECT_EQ(added.count("wait="), 2) << added.text;
  EXPECT_EQ(added.count("  wait "), 0) << added.text;
}

TEST(TileLoop, of_several_tiles_does_not_divide_them_among_cores_again) {
  const Added added(8192);
  EXPECT_EQ(added.count("  loop "), 1) << added.text;
  EXPECT_EQ(added.count("sdiv"), 0) << added.text;
}

}  // namespace
}  // namespace dvmsim
