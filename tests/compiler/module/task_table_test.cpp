// Launches become tasks: what orders them, where they run, what memory they may share.
#include "compiler/module/task_table.h"

#include <gtest/gtest.h>

#include "compiler/graph/shape.h"
#include "compiler/graph/text.h"
#include "compiler/module/compile.h"
#include "compiler/module/task_place.h"
#include "vm/isa/verify.h"

namespace dvmsim {
namespace {

Module compiled(const std::string& text, Features features, const Machine& machine) {
  CompileOptions options;
  options.features = features;
  return compile(infer_shapes(parse_graph(text, "test")), machine, options);
}

/// Two products that need nothing of one another, and one of both.
constexpr const char* kDiamond = R"(graph diamond
input x: f16[64, 64]
input a: f16[64, 64]
input b: f16[64, 64]
left = matmul(x, a)
right = matmul(x, b)
both = matmul(left, right)
output both
)";

const Program& only_program(const Module& module) {
  EXPECT_EQ(module.steps.size(), 1u);
  EXPECT_EQ(module.programs.size(), 1u);
  return module.programs.at(0);
}

TEST(TaskTable, launches_become_tasks_ordered_by_what_they_touch) {
  const Machine machine = default_machine();
  const Module module = compiled(kDiamond, Features::only(Feature::OneLaunch), machine);
  const Program& program = only_program(module);
  ASSERT_EQ(program.tasks.size(), 3u);
  EXPECT_TRUE(program.tasks[0].after.empty());
  EXPECT_TRUE(program.tasks[1].after.empty());
  EXPECT_EQ(program.tasks[2].after, (std::vector<std::uint32_t>{0, 1}));
  EXPECT_TRUE(isa::verify(program, machine).empty());
  EXPECT_EQ(module.steps[0].arguments.size(), program.arguments.size());
}

TEST(TaskTable, is_run_as_its_launches_would_be) {
  for (const CodePath path : {CodePath::Bytecode, CodePath::Kept}) {
    CompileOptions options;
    options.features = Features::only(Feature::OneLaunch);
    options.path = path;
    const Module module =
        compile(infer_shapes(parse_graph(kDiamond, "test")), default_machine(), options);
    ASSERT_EQ(module.steps.size(), 1u);
    EXPECT_EQ(module.steps[0].path, path);
  }
}

TEST(TaskTable, independent_tasks_have_cores_of_their_own) {
  const Module module = compiled(kDiamond, Features::only(Feature::OneLaunch), default_machine());
  const std::vector<Task>& tasks = only_program(module).tasks;
  const CoreRange left = tasks[0].team.cube, right = tasks[1].team.cube;
  ASSERT_LE(left.count + right.count, default_machine().cores.cube);
  EXPECT_TRUE(left.end() <= right.first || right.end() <= left.first);
}

TEST(TaskTable, what_can_begin_goes_before_what_must_wait) {
  const Machine machine = default_machine();
  const Module module = compiled(R"(graph waits
input x: f16[512, 512]
input a: f16[512, 512]
input b: f16[512, 512]
r = exp(x)
late = matmul(r, a)
early = matmul(x, b)
output late
output early
)",
                                 Features::only(Feature::OneLaunch), machine);
  const Program& program = only_program(module);
  std::vector<std::string> names;
  for (const Task& task : program.tasks) names.push_back(task.name);
  EXPECT_EQ(names, (std::vector<std::string>{"r", "early", "late"}));
  EXPECT_TRUE(program.tasks[1].after.empty());
  EXPECT_EQ(program.tasks[2].after, std::vector<std::uint32_t>{0});
  EXPECT_TRUE(isa::verify(program, machine).empty());
}

TEST(TaskTable, stacked_kernels_share_a_launch_and_what_needs_them_has_its_own) {
  const Machine machine = default_machine();
  const Module module = compiled(kDiamond, Features::only(Feature::Stack), machine);
  ASSERT_EQ(module.steps.size(), 2u);
  ASSERT_EQ(module.programs.size(), 2u);
  const Program& stack = module.programs[static_cast<std::size_t>(module.steps[0].program)];
  ASSERT_EQ(stack.tasks.size(), 2u);
  for (const Task& task : stack.tasks) EXPECT_TRUE(task.after.empty());
  EXPECT_TRUE(module.programs[static_cast<std::size_t>(module.steps[1].program)].tasks.empty());
}

TEST(TaskTable, kernels_that_do_not_fit_beside_one_another_are_not_stacked) {
  Machine machine = default_machine();
  apply_set(machine, "cores.cube=1");
  apply_set(machine, "cores.vector=2");
  EXPECT_EQ(compiled(kDiamond, Features::only(Feature::Stack), machine).steps.size(), 3u);
  EXPECT_EQ(
      only_program(compiled(kDiamond, Features::only(Feature::OneLaunch), machine)).tasks.size(),
      3u);
}

TEST(TaskTable, memory_is_shared_only_by_what_is_ordered) {
  // Four chains side by side; in order of the plan one would reuse the memory of another.
  std::string text = "graph chains\ninput x: f16[64, 64]\ninput w: f16[64, 64]\n";
  for (const char* chain : {"a", "b", "c", "d"}) {
    for (int i = 0; i < 3; ++i) {
      text += std::string(chain) + std::to_string(i) + " = matmul(" +
              (i == 0 ? "x" : chain + std::to_string(i - 1)) + ", w)\n";
    }
    text += std::string("output ") + chain + "2\n";
  }
  const Module module = compiled(text, Features::only(Feature::OneLaunch), default_machine());
  for (const Task& task : only_program(module).tasks) {
    EXPECT_LE(task.after.size(), 1u) << task.name << " waits for another chain";
  }
  const Module serial = compiled(text, {}, default_machine());
  EXPECT_LT(serial.workspace_bytes, module.workspace_bytes);
}

TEST(TaskTable, long_runs_become_tables_of_equal_length) {
  std::string text = "graph chain\ninput x: f16[64, 64]\ninput w: f16[64, 64]\n";
  for (int i = 0; i < 70; ++i) {
    text += "y" + std::to_string(i) + " = matmul(" + (i == 0 ? "x" : "y" + std::to_string(i - 1)) +
            ", w)\n";
  }
  const Module module =
      compiled(text + "output y69\n", Features::only(Feature::OneLaunch), default_machine());
  std::vector<std::size_t> tasks;
  for (const Program& program : module.programs) tasks.push_back(program.tasks.size());
  EXPECT_EQ(tasks, (std::vector<std::size_t>{24, 23, 23}));
}

TEST(TaskTable, a_single_launch_stays_what_it_is) {
  const Module module = compiled("graph g\ninput x: f16[64]\ny = relu(x)\noutput y\n",
                                 Features::all(), default_machine());
  EXPECT_TRUE(only_program(module).tasks.empty());
}

}  // namespace
}  // namespace dvmsim
