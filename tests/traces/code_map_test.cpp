#include "traces/code_map.h"

#include <gtest/gtest.h>

namespace dvmsim {
namespace {

using isa::Op;
using Kind = DebugMark::Kind;

/// Heads only: one word per instruction.
Program program_of(std::initializer_list<Op> ops, std::vector<DebugMark> marks) {
  Program program;
  for (Op op : ops) program.vector.push_back(static_cast<std::uint64_t>(op) | 1u << 8);
  program.marks = std::move(marks);
  return program;
}

isa::Command command(std::uint32_t pc, std::uint32_t iteration) {
  isa::Command made;
  made.op = Op::load;
  made.pc = pc;
  made.iteration = iteration;
  return made;
}

TEST(CodeMap, a_tile_loop_holds_the_operators_marked_inside) {
  const Program program =
      program_of({Op::loop, Op::load, Op::vadd, Op::store, Op::endloop, Op::halt},
                 {{Kind::Tile, CoreKind::Vector, 0, "tile"},
                  {Kind::Operator, CoreKind::Vector, 1, "add"},
                  {Kind::Operator, CoreKind::Vector, 3, "out"}});
  const CodeMap map(program, CoreKind::Vector);
  EXPECT_EQ(map.at(0).tile, -1);
  EXPECT_EQ(map.at(2).tile, 0);
  EXPECT_TRUE(map.at(2).direct);
  EXPECT_EQ(map.at(2).op, -1);
  EXPECT_EQ(map.operators()[static_cast<std::size_t>(map.at(2).part)], "add");
  EXPECT_EQ(map.operators()[static_cast<std::size_t>(map.at(3).part)], "out");
  EXPECT_EQ(map.at(5).tile, -1);
  EXPECT_EQ(map.at(99).tile, -1);
}

TEST(CodeMap, operators_own_the_tile_loops_behind_them) {
  const Program program =
      program_of({Op::loop, Op::load, Op::endloop, Op::loop, Op::store, Op::endloop, Op::halt},
                 {{Kind::Operator, CoreKind::Vector, 0, "first"},
                  {Kind::Tile, CoreKind::Vector, 0, "a"},
                  {Kind::Operator, CoreKind::Vector, 3, "second"},
                  {Kind::Tile, CoreKind::Vector, 3, "b"}});
  const CodeMap map(program, CoreKind::Vector);
  EXPECT_EQ(map.operators()[static_cast<std::size_t>(map.at(1).op)], "first");
  EXPECT_EQ(map.operators()[static_cast<std::size_t>(map.at(4).op)], "second");
  EXPECT_NE(map.at(1).tile, map.at(4).tile);
}

TEST(CodeMap, marks_of_the_other_kind_of_core_do_not_count) {
  const Program program = program_of({Op::load, Op::halt}, {{Kind::Tile, CoreKind::Cube, 0, "t"}});
  EXPECT_EQ(CodeMap(program, CoreKind::Vector).at(0).tile, -1);
}

TEST(CodeMap, the_macro_walks_tiles_of_its_own) {
  Program program;
  for (Op op : {Op::matmul, Op::halt}) {
    program.cube.push_back(static_cast<std::uint64_t>(op) | 1u << 8);
  }
  const CodeMap map(program, CoreKind::Cube);
  EXPECT_EQ(map.at(0).tile, 0);
  EXPECT_TRUE(map.at(0).direct);
  EXPECT_EQ(map.at(1).tile, -1);
}

TEST(CodeMap, straight_line_tiles_are_numbered) {
  const Program program = program_of(
      {Op::load, Op::store, Op::load, Op::store, Op::halt},
      {{Kind::Tile, CoreKind::Vector, 0, "tile"}, {Kind::Tile, CoreKind::Vector, 2, "tile"}});
  const CodeMap map(program, CoreKind::Vector);
  TileCounter counter;
  EXPECT_EQ(counter.next(map, map.at(1), command(1, 0)), 0);
  EXPECT_EQ(counter.next(map, map.at(2), command(2, 0)), 1);
}

TEST(TileCounter, takes_the_iteration_of_the_tile_loop) {
  const Program program = program_of({Op::loop, Op::load, Op::endloop, Op::halt},
                                     {{Kind::Tile, CoreKind::Vector, 0, "tile"}});
  const CodeMap map(program, CoreKind::Vector);
  TileCounter counter;
  EXPECT_EQ(counter.next(map, map.at(1), command(1, 0)), 0);
  EXPECT_EQ(counter.next(map, map.at(1), command(1, 1)), 1);
}

TEST(TileCounter, an_inner_loop_stays_in_its_tile_until_it_starts_again) {
  const Program program =
      program_of({Op::loop, Op::loop, Op::load, Op::vadd, Op::endloop, Op::endloop, Op::halt},
                 {{Kind::Tile, CoreKind::Vector, 0, "tile"}});
  const CodeMap map(program, CoreKind::Vector);
  TileCounter counter;
  const auto next = [&](std::uint32_t pc, std::uint32_t iteration) {
    return counter.next(map, map.at(pc), command(pc, iteration));
  };
  EXPECT_EQ(next(2, 0), 0);
  EXPECT_EQ(next(3, 0), 0);
  EXPECT_EQ(next(2, 1), 0);
  EXPECT_EQ(next(2, 0), 1);
  EXPECT_EQ(next(2, 1), 1);
}

}  // namespace
}  // namespace dvmsim
