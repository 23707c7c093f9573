#include "traces/operators.h"

#include <gtest/gtest.h>

#include "vm/program/program.h"

namespace dvmsim {
namespace {

constexpr CoreId kFirst{CoreKind::Vector, 0}, kSecond{CoreKind::Vector, 1};

LaunchMark mark_of(int number, std::string_view label, std::int64_t begin, std::int64_t end) {
  return {number, label, Cycles(begin), Cycles(begin), Cycles(end), Cycles(0)};
}

void work(Operators& operators, CoreId core, std::int64_t begin, std::int64_t end, isa::Op op) {
  isa::Command command;
  command.op = op;
  Span span{{core, Pipe::Vector}, Cycles(begin), Cycles(end), Reason::Work};
  span.command = &command;
  operators.on_span(span);
}

TEST(Operators, launches_of_one_label_are_summed) {
  Operators operators(default_machine());
  for (int i = 0; i < 2; ++i) {
    const LaunchMark mark = mark_of(i, "a, b", 100 * i, 100 * i + 50);
    operators.on_launch_begin(mark, Program());
    work(operators, kFirst, 100 * i, 100 * i + 10, isa::Op::vadd);
    work(operators, kFirst, 100 * i + 10, 100 * i + 15, isa::Op::vmul);
    work(operators, kSecond, 100 * i, 100 * i + 10, isa::Op::vadd);
    operators.on_traffic({Place::HbmRead, Bytes(512), Cycles(0), Cycles(1)});
    operators.on_launch_end(mark);
  }
  ASSERT_EQ(operators.sums().size(), 1u);
  const OperatorSum& sum = operators.sums()[0];
  EXPECT_EQ(sum.label, "a, b");
  EXPECT_EQ(sum.launches, 2);
  EXPECT_EQ(sum.cycles, 100);
  EXPECT_EQ(sum.bytes[static_cast<std::size_t>(Place::HbmRead)], 1024);
  ASSERT_EQ(sum.units.size(), 1u);
  const OperatorSum::Unit& unit = sum.units[0];
  EXPECT_EQ(name_of(unit.unit), "vector");
  EXPECT_EQ(unit.total, 200);  // two launches of 50 cycles on two cores
  EXPECT_EQ(unit.reasons[static_cast<std::size_t>(Reason::Work)], 50);
  EXPECT_EQ(unit.reasons[static_cast<std::size_t>(Reason::Idle)], 150);
  EXPECT_EQ(unit.instructions.at(isa::Op::vadd).commands, 4);
  EXPECT_EQ(unit.instructions.at(isa::Op::vadd).cycles, 40);
  EXPECT_EQ(unit.instructions.at(isa::Op::vmul).cycles, 10);
}

TEST(Operators, tasks_are_told_apart_by_name_and_the_launch_keeps_the_rest) {
  Operators operators(default_machine());
  Program program;
  program.tasks = {{"a"}, {"b"}};
  const auto tell = [&](TaskMark::What what, CoreId core, std::uint32_t number, std::int64_t at) {
    operators.on_task({what, core, number, &program.tasks[number], Cycles(at)});
  };
  const LaunchMark mark = mark_of(0, "two", 0, 200);
  operators.on_launch_begin(mark, program);
  tell(TaskMark::What::Begin, kFirst, 0, 20);
  work(operators, kFirst, 30, 60, isa::Op::vadd);
  tell(TaskMark::What::End, kFirst, 0, 70);
  tell(TaskMark::What::Begin, kSecond, 1, 40);
  work(operators, kSecond, 50, 150, isa::Op::vmul);
  Traffic read{Place::HbmRead, Bytes(512), Cycles(50), Cycles(60)};
  read.core = default_machine().cores.cube + kSecond.index;
  operators.on_traffic(read);
  tell(TaskMark::What::End, kSecond, 1, 160);
  operators.on_launch_end(mark);

  ASSERT_EQ(operators.sums().size(), 3u);
  const OperatorSum &launch = operators.sums()[0], &a = operators.sums()[1],
                    &b = operators.sums()[2];
  EXPECT_EQ(launch.label, "two");
  EXPECT_EQ(launch.cycles, 20 + 40);  // before the first task and after the last
  EXPECT_TRUE(launch.units.empty());
  EXPECT_EQ(launch.launches, 1);
  EXPECT_EQ(launch.tasks, 0);
  EXPECT_EQ(a.label, "a");
  EXPECT_EQ(a.launches, 0);
  EXPECT_EQ(a.tasks, 1);
  EXPECT_EQ(a.cycles, 50);
  ASSERT_EQ(a.units.size(), 1u);
  EXPECT_EQ(a.units[0].reasons[static_cast<std::size_t>(Reason::Work)], 30);
  EXPECT_EQ(a.units[0].total, 50);
  EXPECT_EQ(b.cycles, 120);
  EXPECT_EQ(b.bytes[static_cast<std::size_t>(Place::HbmRead)], 512);
  EXPECT_EQ(a.bytes[static_cast<std::size_t>(Place::HbmRead)], 0);
}

TEST(Operators, a_core_that_sits_a_launch_out_is_not_in_its_total) {
  Operators operators(default_machine());
  const LaunchMark first = mark_of(0, "a", 0, 50), second = mark_of(1, "b", 60, 80);
  operators.on_launch_begin(first, Program());
  work(operators, kFirst, 0, 10, isa::Op::vadd);
  work(operators, kSecond, 0, 10, isa::Op::vadd);
  operators.on_launch_end(first);
  operators.on_launch_begin(second, Program());
  work(operators, kSecond, 60, 70, isa::Op::vadd);
  operators.on_launch_end(second);
  ASSERT_EQ(operators.sums().size(), 2u);
  EXPECT_EQ(operators.sums()[0].units[0].total, 100);
  EXPECT_EQ(operators.sums()[1].units[0].total, 20);
  EXPECT_EQ(operators.sums()[1].units[0].instructions.at(isa::Op::vadd).commands, 1);
}

}  // namespace
}  // namespace dvmsim
