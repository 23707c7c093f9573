// Task tables: they come back from bytes and text, look to their tasks like launches of their own,
// and are refused when they are not sound.
#include "vm/program/table.h"

#include <gtest/gtest.h>

#include <functional>

#include "tests/support/random_table.h"
#include "vm/base/error.h"
#include "vm/isa/task_table.h"
#include "vm/isa/text.h"
#include "vm/isa/verify.h"

namespace dvmsim {
namespace {

using testing::random_program;
using testing::random_table;

TEST(TaskTable, comes_back_from_bytes_and_text) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Program table = random_table(default_machine(), seed).program;
    ASSERT_FALSE(table.tasks.empty());
    EXPECT_EQ(load_program(save(table), "t"), table);
    EXPECT_EQ(isa::assemble(isa::disassemble(table), "t"), table);
  }
}

TEST(TaskTable, a_task_alone_is_the_program_it_was_made_of) {
  const Machine machine = default_machine();
  Program first = random_program(machine, 1).program, second = random_program(machine, 2).program;
  TableBuilder builder;
  const Team team{{0, 2}, {0, 4}};
  builder.add(first, team, {}, first.name);
  builder.add(second, team, {0}, second.name);
  builder.add(first, team, {1}, first.name);
  const Program table = builder.finish("table");
  EXPECT_EQ(table.tasks[2].cube, table.tasks[0].cube);  // shared
  for (const std::size_t i : {std::size_t{0}, std::size_t{1}, std::size_t{2}}) {
    Program alone = isa::alone(table, table.tasks[i]);
    const Program& made_of = i == 1 ? second : first;
    EXPECT_EQ(alone.cube, made_of.cube);
    EXPECT_EQ(alone.vector, made_of.vector);
    EXPECT_EQ(alone.arguments, made_of.arguments);
  }
  EXPECT_TRUE(isa::verify(table, machine).empty());
}

TEST(TaskTable, says_which_task_is_wrong) {
  const Machine machine = default_machine();
  TableBuilder builder;
  const Program part = random_program(machine, 3).program;
  builder.add(part, {{0, 2}, {0, 4}}, {}, "first");
  builder.add(part, {{2, 2}, {4, 4}}, {0}, "second");
  const Program good = builder.finish("table");
  ASSERT_TRUE(isa::verify(good, machine).empty());
  const auto complaint = [&](const std::function<void(Task&)>& change) {
    Program bad = good;
    change(bad.tasks[1]);
    return isa::problem_of_tasks(bad, machine);
  };
  EXPECT_EQ(complaint([](Task& task) { task.cube.words += 100000; }).substr(0, 41),
            "task 1 'second': its cube code leaves the");
  EXPECT_EQ(complaint([](Task& task) { task.team.cube.first = 23; }),
            "task 1 'second': it has cube cores that the machine does not have");
  EXPECT_EQ(complaint([](Task& task) { task.team.vector.first = 5; }),
            "task 1 'second': its vector cores begin inside a group");
  EXPECT_EQ(complaint([](Task& task) { task.team.vector.first = 6; }),
            "task 1 'second': its vector cores are not those of its cube cores");
  EXPECT_EQ(complaint([](Task& task) { ++task.arguments; }),
            "task 1 'second': its arguments leave the argument block");
  EXPECT_EQ(complaint([](Task& task) { task.after = {1}; }),
            "task 1 'second': it does not come after earlier tasks, in ascending order");
  EXPECT_EQ(complaint([](Task& task) { task.team.cube.count = 0; }),
            "task 1 'second': it has cube cores or code for them, but not both");
}

TEST(TaskTable, text_that_is_none_is_refused_by_line) {
  const auto complaint = [](const std::string& line) {
    try {
      (void)isa::assemble(line + "\n", "p.s");
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  EXPECT_EQ(complaint(".task a vector=0+2"), "p.s:1: '0+2': write BEGIN+WORDS@FIRST+CORES");
  EXPECT_EQ(complaint(".task a args=3"), "p.s:1: '3': write FIRST+COUNT");
  EXPECT_EQ(complaint(".task a cores=3"),
            "p.s:1: 'cores=3': a task has cube=, vector=, args= and after=");
}

}  // namespace
}  // namespace dvmsim
