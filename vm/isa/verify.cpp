#include "vm/isa/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <set>

#include "vm/base/error.h"
#include "vm/isa/conv.h"
#include "vm/isa/flow.h"
#include "vm/isa/footprint.h"
#include "vm/isa/matmul.h"
#include "vm/isa/task_table.h"

namespace dvmsim::isa {
namespace {

CoreSet core_set(CoreKind kind) {
  return kind == CoreKind::Unified ? kAnyCore : kind == CoreKind::Cube ? kCubeCore : kVectorCore;
}

/// The pipes that some instruction of the core kind runs on.
std::uint32_t pipes_of(CoreSet cores) {
  std::uint32_t pipes = 0;
  for (const Row& row : rows()) {
    if ((row.cores & cores) != 0) pipes |= 1u << static_cast<unsigned>(row.pipe);
  }
  return pipes;
}

/// Lanes that decide what a memory operand touches, the operand itself among them.
std::uint32_t lanes_of(const Row& row, int index) {
  std::uint32_t lanes = 1u << index;
  const auto add = [&](std::string_view name) {
    const int lane = name.empty() ? -1 : row.find(name);
    if (lane >= 0) lanes |= 1u << lane;
  };
  const Footprint& f = row.operand[static_cast<std::size_t>(index)].footprint;
  for (const Measure& m : {f.length, f.width, f.rows, f.row0, f.column0, f.transpose}) {
    add(m.operand);
  }
  if (f.shape != Shape::Nd) {
    add(f.stride.operand);
    return lanes;
  }
  for (const char digit : {'0', '1', '2', '3'}) {
    add(std::string("n") + digit);
    add(std::string(f.stride.operand) + digit);
  }
  return lanes;
}

/// The rules of one instruction by itself, for a machine and a kind of core.
class Rules {
 public:
  Rules(Flow& flow, const Program& program, const Machine& machine)
      : flow_(flow),
        program_(program),
        machine_(machine),
        cores_(core_set(flow.kind())),
        pipes_(pipes_of(cores_)) {}

  void check(const Line& line) {
    line_ = &line;
    row_ = &row_of(line.inst.op);
    if ((row_->cores & cores_) == 0) {
      fail(fmt::format("{} does not run on {} cores", row_->mnemonic, name_of(flow_.kind())));
      return;
    }
    own_ = row_->named_pipe ? static_cast<Pipe>(imm(0)) : row_->pipe;
    pipes();
    flags();
    rotation();
    by_name();
    counts();
    memory();
  }

 private:
  void fail(const std::string& text) { flow_.report(*line_, text); }
  [[nodiscard]] const Lane& lane(int i) const {
    return line_->inst.lane[static_cast<std::size_t>(i)];
  }
  [[nodiscard]] std::int32_t imm(int i) const { return lane(i).immediate; }
  [[nodiscard]] bool has_pipe(Pipe pipe) const {
    return (pipes_ >> static_cast<unsigned>(pipe) & 1u) != 0;
  }

  void pipes() {
    for (int i = 0; i < row_->operands; ++i) {
      const Operand& operand = row_->operand[static_cast<std::size_t>(i)];
      if (operand.kind != OperandKind::Pick || operand.picks != kPipe) continue;
      const auto pipe = static_cast<Pipe>(imm(i));
      if (!has_pipe(pipe)) {
        fail(fmt::format("{} cores have no pipe {}", name_of(flow_.kind()), name_of(pipe)));
      }
    }
    if (line_->inst.op == Op::drain && imm(0) == static_cast<int>(Pipe::Scalar)) {
      fail("the scalar unit cannot wait until it is drained itself");
    }
  }

  void flag(Pipe other, std::int32_t id) {
    if (other == own_) fail(fmt::format("a flag from {} to itself; use drain", name_of(own_)));
    if (!has_pipe(other)) {
      fail(fmt::format("{} cores have no pipe {}", name_of(flow_.kind()), name_of(other)));
    }
    if (id < 0 || id >= machine_.flag.ids) {
      fail(fmt::format("flag {} on a machine with {}", id, machine_.flag.ids));
    }
  }

  void flags() {
    const Inst& inst = line_->inst;
    for (const auto* refs : {&inst.waits, &inst.sets}) {
      for (const FlagRef& ref : *refs) {
        if (ref.valid) flag(ref.pipe, ref.id);
      }
    }
    if (inst.op == Op::set || inst.op == Op::wait) {
      flag(static_cast<Pipe>(imm(1)), imm(2));
      const auto& refs = inst.op == Op::set ? inst.sets : inst.waits;
      if (refs[0].valid) fail("set and wait carry no further flags of their kind");
      if (imm(3) < 1 || imm(3) > kMostTimes) fail(fmt::format("done {} times", imm(3)));
      if (imm(3) > 1 && (inst.waits[0].valid || inst.sets[0].valid)) {
        fail("set and wait that are done several times carry no flags");
      }
    }
    const bool is_queued = row_->named_pipe || row_->pipe != Pipe::Scalar || inst.op == Op::ldgm ||
                           inst.op == Op::ldub;
    if (!is_queued && (inst.waits[0].valid || inst.sets[0].valid || inst.drain)) {
      fail("flags on an instruction that no queue runs");
    }
    if (inst.unit && !machine_.cube.unit_flag) fail("the machine has no unit flags");
  }

  void rotation() {
    for (int i = 0; i < row_->operands; ++i) {
      if (lane(i).modulo != 0 && lane(i).up >= line_->depth) {
        fail("an operand rotates with a loop that does not enclose it");
      }
    }
  }

  /// Operands with a meaning of their own.
  void by_name() {
    const auto arguments = static_cast<std::int64_t>(program_.arguments.size());
    switch (line_->inst.op) {
      case Op::ldarg:
      case Op::conv:
      case Op::gmatmul:
      case Op::matmul: {
        const int words = line_->inst.op == Op::matmul    ? kMatmulWords
                          : line_->inst.op == Op::gmatmul ? kGroupedWords
                          : line_->inst.op == Op::conv    ? kConvWords
                                                          : imm(2);
        if (words < 1) fail(fmt::format("loads {} argument words", words));
        if (line_->inst.op == Op::ldarg && lane(0).reg + words > kRegisters) {
          fail(fmt::format("register {} of {}", lane(0).reg + words - 1, kRegisters));
        }
        if (imm(1) < 0 || std::int64_t{imm(1)} + words > arguments) {
          fail(fmt::format("argument word {} of {}", std::int64_t{imm(1)} + words - 1, arguments));
        }
        break;
      }
      case Op::loop:
        if (imm(1) < 0 || imm(1) >= 1 << machine_.flag.ids)
          fail("rotates flags the machine has not");
        if (!lane(0).is_register && imm(0) < 0) fail("a negative loop count");
        break;
      case Op::xset:
      case Op::xwait:
        if (imm(1) < 0 || imm(1) >= machine_.xflag.ids) {
          fail(fmt::format("flag {} between cores on a machine with {}", imm(1),
                           machine_.xflag.ids));
        }
        if (imm(2) != static_cast<int>(CrossMode::All) &&
            (machine_.cores.per_group == 0 || machine_.cores.unified)) {
          fail("flags inside a group on a machine without groups");
        }
        break;
      case Op::mmad:
        if (machine_.step(static_cast<DType>(imm(0))).k == 0) {
          fail(fmt::format("the cube cannot multiply {}", name_of(static_cast<DType>(imm(0)))));
        }
        break;
      case Op::fixnz:
        if (!machine_.can.l0c_to_l1) fail("accumulators do not go back to L1 on this machine");
        break;
      default:
        break;
    }
    const int atomic = row_->find("atomic"), type = row_->find("dtype");
    if (atomic >= 0 && imm(atomic) != 0 &&
        !contains(machine_.can.atomic.set, static_cast<DType>(imm(type)))) {
      fail(fmt::format("no atomic stores of {}", name_of(static_cast<DType>(imm(type)))));
    }
  }

  /// Lengths, counts and offsets that are immediates are not negative.
  void counts() {
    std::uint32_t lanes = 0;
    for (int i = 0; i < row_->operands; ++i) {
      const Operand& operand = row_->operand[static_cast<std::size_t>(i)];
      if (operand.kind != OperandKind::Memory) continue;
      lanes |= lanes_of(*row_, i);
    }
    for (int i = 0; i < row_->operands; ++i) {
      const Operand& operand = row_->operand[static_cast<std::size_t>(i)];
      const bool is_stride =
          operand.name.ends_with("stride") || operand.name[0] == 's' || operand.name[0] == 'd';
      const bool matters =
          (lanes >> i & 1u) != 0 && operand.kind == OperandKind::Value && !is_stride;
      if (!matters || lane(i).is_register) continue;
      if (imm(i) < 0) fail(fmt::format("{} is {}", operand.name, imm(i)));
      if (operand.name == "prows" && imm(i) % 16 != 0) fail("prows is not a multiple of 16");
    }
  }

  void memory() {
    Command command;
    command.op = line_->inst.op;
    std::uint32_t registers = 0;
    for (int i = 0; i < row_->operands; ++i) {
      command.operand[static_cast<std::size_t>(i)] = imm(i);
      if (lane(i).is_register) registers |= 1u << i;
    }
    for (int i = 0; i < row_->operands; ++i) {
      const Operand& operand = row_->operand[static_cast<std::size_t>(i)];
      const bool is_on_core = operand.kind == OperandKind::Memory && operand.space != Space::GM;
      if (is_on_core && !lane(i).is_register) address(operand, imm(i));
    }
    const Regions all = regions(command);
    for (int r = 0; r < all.count; ++r) {
      const Region& region = all.region[r];
      const bool is_known = (lanes_of(*row_, region.operand) & registers) == 0;
      if (region.space != Space::GM && is_known) bounds(region);
    }
  }

  void address(const Operand& operand, std::int32_t base) {
    const std::int64_t align = machine_.ub.align.count();
    if (base < 0) fail(fmt::format("{} is {}", operand.name, base));
    if (operand.space == Space::UB && row_->pipe != Pipe::Scalar && base % align != 0) {
      fail(fmt::format("{} at {}, not a multiple of {}", operand.name, base, align));
    }
  }

  void bounds(const Region& region) {
    const std::int64_t size = machine_.size_of_space(region.space).count();
    if (region.first() >= 0 && region.last() <= size) return;
    fail(fmt::format("{} touches {} bytes {} to {} of {}",
                     row_->operand[static_cast<std::size_t>(region.operand)].name,
                     name_of(region.space), region.first(), region.last(), size));
  }

  Flow& flow_;
  const Program& program_;
  const Machine& machine_;
  CoreSet cores_;
  std::uint32_t pipes_;
  const Line* line_ = nullptr;
  const Row* row_ = nullptr;
  Pipe own_ = Pipe::Scalar;
};

void verify(const Program& program, CoreKind kind, const Machine& machine,
            std::vector<Finding>& findings) {
  if (program.code(kind).empty()) return;
  const std::size_t before = findings.size();
  Flow flow(program.code(kind), kind, findings);
  if (flow.lines().empty()) return;
  Rules rules(flow, program, machine);
  for (const Line& line : flow.lines()) rules.check(line);
  // Flags make sense only where pipes and ids do.
  if (flow.sound() && findings.size() == before) check_flags(flow, machine);
}

/// Each task as a program of its own; those that share code and arguments alike once.
std::vector<Finding> verify_tasks(const Program& program, const Machine& machine) {
  if (const std::string problem = problem_of_tasks(program, machine); !problem.empty()) {
    return {{CoreKind::Cube, 0, problem}};
  }
  std::vector<Finding> findings;
  std::set<std::array<std::uint32_t, 5>> seen;
  for (const Task& task : program.tasks) {
    if (!seen.insert({task.cube.begin, task.cube.words, task.vector.begin, task.vector.words,
                      task.arguments})
             .second) {
      continue;
    }
    for (Finding& finding : isa::verify(alone(program, task), machine)) {
      finding.offset += task.code(finding.core).begin;
      findings.push_back(std::move(finding));
    }
  }
  return findings;
}

}  // namespace

std::vector<Finding> verify(const Program& program, const Machine& machine) {
  if (!program.tasks.empty()) return verify_tasks(program, machine);
  std::vector<Finding> findings;
  if (machine.cores.unified) {
    verify(program, CoreKind::Unified, machine, findings);
    if (!program.vector.empty()) {
      findings.push_back({CoreKind::Vector, 0, "code for vector cores on a machine without them"});
    }
  } else {
    verify(program, CoreKind::Cube, machine, findings);
    verify(program, CoreKind::Vector, machine, findings);
  }
  std::stable_sort(findings.begin(), findings.end(), [](const Finding& a, const Finding& b) {
    return std::pair(a.core, a.offset) < std::pair(b.core, b.offset);
  });
  return findings;
}

std::string print(const Finding& finding) {
  return fmt::format("{} {}: {}", name_of(finding.core), finding.offset, finding.text);
}

void check(const Program& program, const Machine& machine, const std::string& where) {
  const auto findings = verify(program, machine);
  if (!findings.empty()) throw Error(where + ": " + print(findings.front()));
}

}  // namespace dvmsim::isa
