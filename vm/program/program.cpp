#include "vm/program/program.h"

#include "vm/isa/isa.h"
#include "vm/program/bytes.h"

namespace dvmsim {

// The file, little-endian:
//   magic 4 | version 2 | zero 2 | table hash 8 | machine hash 8 |
//   words of cube code 4 | of vector code 4 | arguments 4 | marks 4 | tasks 4 | name |
//   cube code | vector code | arguments: kind 1, has value 1, bytes 8, value 8, name |
//   marks: kind 1, core 1, pc 4, name | has launch 1, path 1, cube cores 2, vector cores 2 |
//   tasks: code of cube cores and of vector cores (begin 4, words 4), cores of each (first 2, count
//     2), argument 4, arguments 4, name, number of tasks before it 4, each 4 |
//   checksum 8 over all before it
// A name is its length in 4 bytes and its characters.

namespace {

void write_task(const Task& task, ByteWriter& out) {
  for (const CodeRange& code : {task.cube, task.vector}) {
    out.number(code.begin, 4);
    out.number(code.words, 4);
  }
  for (const CoreRange& cores : {task.team.cube, task.team.vector}) {
    out.number(static_cast<std::uint64_t>(cores.first), 2);
    out.number(static_cast<std::uint64_t>(cores.count), 2);
  }
  out.number(task.argument, 4);
  out.number(task.arguments, 4);
  out.text(task.name);
  out.count(task.after.size());
  for (const std::uint32_t before : task.after) out.number(before, 4);
}

}  // namespace

std::vector<std::uint8_t> save(const Program& program) {
  ByteWriter out;
  out.number(kProgramMagic, 4);
  out.number(kProgramVersion, 2);
  out.number(0, 2);
  out.number(isa::table_hash(), 8);
  out.number(program.machine, 8);
  for (const std::size_t size :
       {program.cube.size(), program.vector.size(), program.arguments.size(), program.marks.size(),
        program.tasks.size()}) {
    out.count(size);
  }
  out.text(program.name);
  out.code(program.cube);
  out.code(program.vector);
  for (const Argument& argument : program.arguments) {
    out.number(static_cast<std::uint64_t>(argument.kind), 1);
    out.number(argument.value ? 1 : 0, 1);
    out.number(static_cast<std::uint64_t>(argument.bytes), 8);
    out.number(static_cast<std::uint64_t>(argument.value.value_or(0)), 8);
    out.text(argument.name);
  }
  for (const DebugMark& mark : program.marks) {
    out.number(static_cast<std::uint64_t>(mark.kind), 1);
    out.number(static_cast<std::uint64_t>(mark.core), 1);
    out.number(mark.pc, 4);
    out.text(mark.name);
  }
  const LaunchForm launch = program.launch.value_or(LaunchForm{});
  out.number(program.launch ? 1 : 0, 1);
  out.number(static_cast<std::uint64_t>(launch.path), 1);
  out.number(static_cast<std::uint64_t>(launch.cube), 2);
  out.number(static_cast<std::uint64_t>(launch.vector), 2);
  for (const Task& task : program.tasks) write_task(task, out);
  return out.finish();
}

namespace {

/// A value is there and of a scalar, or its bytes are zero.
Argument read_argument(ByteReader& in) {
  Argument argument;
  argument.kind = static_cast<Argument::Kind>(in.below(4, 1, "kind of argument"));
  const bool valued = in.below(2, 1, "flag") != 0;
  argument.bytes = static_cast<std::int64_t>(in.number(8));
  const auto value = static_cast<std::int64_t>(in.number(8));
  if (valued && argument.kind != Argument::Kind::Scalar) in.fail("a value that is no scalar's");
  if (!valued && value != 0) in.fail("a value that is not there is not zero");
  if (valued) argument.value = value;
  argument.name = in.text();
  return argument;
}

std::optional<LaunchForm> read_launch(ByteReader& in) {
  const bool launched = in.below(2, 1, "flag") != 0;
  LaunchForm form;
  form.path = static_cast<CodePath>(in.below(kCodePaths, 1, "code path"));
  form.cube = static_cast<int>(in.number(2));
  form.vector = static_cast<int>(in.number(2));
  if (!launched && form != LaunchForm{}) in.fail("a launch that is not there is not zero");
  return launched ? std::optional(form) : std::nullopt;
}

/// Whether it fits the program, isa::verify says.
Task read_task(ByteReader& in, std::uint64_t number) {
  Task task;
  for (CodeRange* code : {&task.cube, &task.vector}) {
    code->begin = static_cast<std::uint32_t>(in.number(4));
    code->words = static_cast<std::uint32_t>(in.number(4));
  }
  for (CoreRange* cores : {&task.team.cube, &task.team.vector}) {
    cores->first = static_cast<int>(in.number(2));
    cores->count = static_cast<int>(in.number(2));
  }
  task.argument = static_cast<std::uint32_t>(in.number(4));
  task.arguments = static_cast<std::uint32_t>(in.number(4));
  task.name = in.text();
  const std::uint64_t before = in.number(4);
  if (before > number) in.fail("a task comes after more tasks than there are before it");
  for (std::uint64_t i = 0; i < before; ++i) {
    task.after.push_back(static_cast<std::uint32_t>(in.below(number, 4, "earlier task")));
  }
  return task;
}

}  // namespace

Program load_program(std::span<const std::uint8_t> bytes, const std::string& where) {
  ByteReader in(bytes, where);
  if (bytes.size() < 4 || in.number(4) != kProgramMagic) in.fail("not a program of dvmsim");
  if (in.number(2) != kProgramVersion) in.fail("another format version; compile it again");
  if (in.number(2) != 0) in.fail("reserved bytes are not zero");
  if (in.number(8) != isa::table_hash()) in.fail("another instruction table; compile it again");
  in.check_sum();
  Program program;
  program.machine = in.number(8);
  const std::uint64_t cube = in.number(4), vector = in.number(4);
  const std::uint64_t arguments = in.number(4), marks = in.number(4), tasks = in.number(4);
  program.name = in.text();
  program.cube = in.code(cube);
  program.vector = in.code(vector);
  for (std::uint64_t i = 0; i < arguments; ++i) {
    program.arguments.push_back(read_argument(in));
  }
  for (std::uint64_t i = 0; i < marks; ++i) {
    DebugMark mark;
    mark.kind = static_cast<DebugMark::Kind>(in.below(2, 1, "kind of mark"));
    mark.core = static_cast<CoreKind>(in.below(3, 1, "kind of core"));
    mark.pc = static_cast<std::uint32_t>(in.number(4));
    mark.name = in.text();
    program.marks.push_back(std::move(mark));
  }
  program.launch = read_launch(in);
  for (std::uint64_t i = 0; i < tasks; ++i) program.tasks.push_back(read_task(in, i));
  if (in.left() != 8) in.fail("bytes after the tasks");
  return program;
}

}  // namespace dvmsim
