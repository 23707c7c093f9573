#include "vm/firmware/firmware.h"

#include <algorithm>
#include <cstring>

#include "vm/base/error.h"
#include "vm/firmware/conv.h"
#include "vm/firmware/decode_cache.h"
#include "vm/firmware/decoded.h"
#include "vm/firmware/matmul.h"
#include "vm/firmware/mode.h"
#include "vm/isa/footprint.h"
#include "vm/isa/matmul.h"

namespace dvmsim {
namespace {

using firmware::Action;
using firmware::Code;
using firmware::Decoded;
using firmware::RegisterLane;
using isa::Op;

struct Frame {
  std::uint32_t begin = 0;  // first word of the body
  std::uint32_t count = 0;
  std::uint32_t iteration = 0;
  std::uint8_t rotate = 0;  // mask of flag ids
};

/// Stands for the register of a Read that a macro asked for.
constexpr int kMacroReads = isa::kRegisters;

/// Wraps around like the machine's 64-bit registers.
std::int64_t arithmetic(Op op, std::int64_t a, std::int64_t b) {
  const auto x = static_cast<std::uint64_t>(a), y = static_cast<std::uint64_t>(b);
  const auto wrap = [](std::uint64_t value) { return static_cast<std::int64_t>(value); };
  switch (op) {
    case Op::mov:
      return a;
    case Op::sadd:
      return wrap(x + y);
    case Op::ssub:
      return wrap(x - y);
    case Op::smul:
      return wrap(x * y);
    case Op::sdiv:
      return b == -1 ? wrap(0 - x) : a / b;
    case Op::smod:
      return b == -1 ? 0 : a % b;
    case Op::smin:
      return std::min(a, b);
    case Op::smax:
      return std::max(a, b);
    case Op::sand:
      return wrap(x & y);
    case Op::sor:
      return wrap(x | y);
    case Op::sxor:
      return wrap(x ^ y);
    case Op::sshl:
      return wrap(x << (y & 63));
    case Op::sshr:
      return a >> (y & 63);
    case Op::slt:
      return a < b ? 1 : 0;
    case Op::seq:
      return a == b ? 1 : 0;
    default:
      break;
  }
  DVMSIM_ASSERT(false, "every arithmetic instruction has a meaning");
}

/// What the core runs: a task's part of the launch, or all of it.
struct Part {
  const Program* program = nullptr;
  Team team{};
  std::span<const std::uint64_t> code{}, arguments{};
  std::uint32_t begin = 0;  // of the code, in that of the program
};

Part part_of(const Launch& launch, CoreKind kind, const Task* task) {
  const std::span<const std::uint64_t> code = launch.program->code(kind);
  if (task == nullptr) {
    return {launch.program, whole_team(launch), code, launch.arguments, 0};
  }
  const CodeRange& own = task->code(kind);
  return {launch.program, task->team, code.subspan(own.begin, own.words),
          std::span(launch.arguments).subspan(task->argument, task->arguments), own.begin};
}

}  // namespace

struct Firmware::State {
  State(const Machine& m, const Part& p, CoreId c, CodePath path, DecodeCache* of_core)
      : machine(m),
        part(p),
        core(c),
        native(path == CodePath::Native),
        code(m, p.code, c.kind, path, p.begin),
        kept(of_core == nullptr ? firmware_mode(m, *p.program, path).decode_cache : 0),
        cache(of_core == nullptr ? &kept : of_core) {
    const bool vector = core.kind == CoreKind::Vector;
    const int ratio = std::max(1, machine.cores.per_group);
    const CoreRange& cores = part.team.of(core.kind);
    number = core.index - cores.first;
    registers[isa::kCoreIndexReg] = number;
    registers[isa::kCoreCountReg] = cores.count;
    registers[isa::kGroupReg] = vector ? number / ratio : number;
    registers[isa::kMemberReg] = vector ? number % ratio : 0;
  }

  Step run();
  Step deliver(Step::Kind kind, const isa::Command& command);
  Step fail(FaultKind kind, std::string text);
  Step next_of_macro();
  bool resolve(Decoded& decoded);
  bool perform(Decoded& decoded);
  bool enter_loop(Decoded& decoded);
  bool leave_loop(const Decoded& decoded);
  bool load_argument(const Decoded& decoded);
  bool start_macro(const Decoded& decoded);
  template <class Macro, class Arguments>
  bool start_macro(Macro& macro, const Decoded& decoded);
  [[nodiscard]] bool in_macro() const {
    return drains_left > 0 || product.active() || convolution.active();
  }
  void charge(const Decoded& decoded);
  void rotate_flags();
  void place_flags(Decoded& decoded) const;

  const Machine& machine;
  Part part;
  CoreId core;
  int number = 0;  // in its team
  bool native;
  Code code;
  std::array<std::int64_t, isa::kRegisters> registers{};
  std::array<Frame, isa::kMaxLoopDepth> frames{};
  int depth = 0;
  std::uint32_t pc = 0;
  bool rotating = false;
  std::array<std::uint8_t, isa::kFlagIds> flag_map{};
  DecodeCache kept;    // of its own, or
  DecodeCache* cache;  // of the core
  MatmulMacro product{};
  ConvMacro convolution{};
  isa::Command drain{};
  int drains_left = 0;  // before a macro that is not the first to use the queues
  bool issued = false;
  int times_left = 0;  // of the instruction at `repeated`, which is issued several times
  std::uint32_t repeated = 0;
  int pending_register = -1;  // of a Read
  bool stopped = false;
  Cycles spent{};
  int instructions = 0;
  Fault fault{};
};

Firmware::Firmware(const Machine& machine, const Launch& launch, CoreId core, CodePath path,
                   const Task* task, DecodeCache* cache)
    : state_(
          std::make_unique<State>(machine, part_of(launch, core.kind, task), core, path, cache)) {}
Firmware::~Firmware() = default;
Firmware::Firmware(Firmware&&) noexcept = default;

Step Firmware::step() {
  State& state = *state_;
  DVMSIM_ASSERT(state.pending_register < 0, "a read is supplied before the next step");
  state.spent = Cycles(0);
  state.instructions = 0;
  return state.run();
}

void Firmware::supply(std::int64_t value) {
  DVMSIM_ASSERT(state_->pending_register >= 0, "only a pending read is supplied");
  if (state_->pending_register == kMacroReads) {
    state_->product.supply(value);
    state_->pending_register = -1;
    return;
  }
  state_->registers[static_cast<std::size_t>(state_->pending_register)] = value;
  state_->pending_register = -1;
}

const Fault& Firmware::fault() const {
  return state_->fault;
}

Step Firmware::State::run() {
  if (fault) return deliver(Step::Kind::Fault, drain);
  if (stopped) return deliver(Step::Kind::Halt, drain);
  if (in_macro()) return next_of_macro();
  if (times_left > 0) {
    --times_left;
    spent += machine.firmware.flag_issue;
    return deliver(Step::Kind::Command, code.at(repeated)->command);
  }
  for (;;) {
    Decoded* const decoded = code.at(pc);
    if (decoded == nullptr) return fail(code.problem_kind(), code.problem());
    ++instructions;
    charge(*decoded);
    if (!resolve(*decoded)) return deliver(Step::Kind::Fault, drain);
    switch (decoded->action) {
      case Action::Issue:
        times_left = decoded->times - 1;
        repeated = pc;
        pc = decoded->next;
        issued = true;
        place_flags(*decoded);
        return deliver(Step::Kind::Command, decoded->command);
      case Action::Read:
        pc = decoded->next;
        pending_register = decoded->target_register;
        place_flags(*decoded);
        return deliver(Step::Kind::Read, decoded->command);
      case Action::Drain:
        pc = decoded->next;
        return deliver(Step::Kind::Drain, decoded->command);
      case Action::Halt:
        stopped = true;
        return deliver(Step::Kind::Halt, decoded->command);
      case Action::Macro:
        if (!start_macro(*decoded)) return deliver(Step::Kind::Fault, drain);
        if (in_macro()) return next_of_macro();
        break;
      default:
        if (!perform(*decoded)) return deliver(Step::Kind::Fault, drain);
    }
  }
}

Step Firmware::State::deliver(Step::Kind kind, const isa::Command& command) {
  return {kind, spent, instructions, &command, std::nullopt};
}

Step Firmware::State::fail(FaultKind kind, std::string text) {
  fault = {kind, core, part.begin + pc, std::move(text)};
  return deliver(Step::Kind::Fault, drain);
}

void Firmware::State::charge(const Decoded& decoded) {
  spent += decoded.work;
  const bool found = cache->finds(part.begin + pc);
  spent += found ? std::min(decoded.decode, machine.firmware.decode_hit) : decoded.decode;
}

bool Firmware::State::resolve(Decoded& decoded) {
  isa::Command& command = decoded.command;
  command.iteration = depth > 0 ? frames[static_cast<std::size_t>(depth - 1)].iteration : 0;
  const RegisterLane* lane = code.lanes() + decoded.first_lane;
  for (const RegisterLane* end = lane + decoded.lanes; lane != end; ++lane) {
    std::int64_t value = registers[lane->reg];
    if (lane->modulo != 0) {
      const int level = depth - 1 - lane->up;
      if (level < 0) {
        fail(FaultKind::BadInstruction, "an operand rotates with a loop that does not enclose it");
        return false;
      }
      value += frames[static_cast<std::size_t>(level)].iteration % lane->modulo * lane->step;
    }
    command.operand[lane->operand] = value;
    if (!firmware::fits(*lane, value)) {
      fail(firmware::misfit_kind(*lane, value), firmware::misfit(command, *lane, value));
      return false;
    }
  }
  return true;
}

bool Firmware::State::perform(Decoded& decoded) {
  const isa::Command& command = decoded.command;
  switch (decoded.action) {
    case Action::Loop:
      return enter_loop(decoded);
    case Action::EndLoop:
      return leave_loop(decoded);
    case Action::Argument:
      return load_argument(decoded);
    case Action::Nothing:
      break;
    case Action::Jump:
      if ((command.at(0) == 0) == (command.op == Op::jz)) {
        const std::int64_t target = decoded.next + command.at(1);
        if (command.at(1) < 0) {
          fail(FaultKind::BadInstruction, "a jump goes backwards");
          return false;
        }
        if (!native) spent += machine.firmware.branch;
        pc = static_cast<std::uint32_t>(target);
        return true;
      }
      break;
    default:
      if ((command.op == Op::sdiv || command.op == Op::smod) && command.at(2) == 0) {
        fail(FaultKind::DivideByZero, "division by zero");
        return false;
      }
      registers[decoded.target_register] = arithmetic(command.op, command.at(1), command.at(2));
  }
  pc = decoded.next;
  return true;
}

bool Firmware::State::enter_loop(Decoded& decoded) {
  const std::uint32_t body = decoded.next;
  const std::int64_t count = decoded.command.at(0), rotate = decoded.command.at(1);
  if (rotate < 0 || rotate >= 1 << isa::kFlagIds) {
    fail(FaultKind::BadInstruction, "a loop rotates flags that do not exist");
    return false;
  }
  if (count == 0) {
    if (!native) spent += machine.firmware.branch;
    if (decoded.partner < 0) {
      const std::int32_t behind = code.end_of_loop(body);  // may move what `decoded` refers to
      if (behind < 0) {
        fail(FaultKind::BadInstruction, "a loop does not end: " + code.problem());
        return false;
      }
      code.at(pc)->partner = behind;
      pc = static_cast<std::uint32_t>(behind);
      return true;
    }
    pc = static_cast<std::uint32_t>(decoded.partner);
    return true;
  }
  if (depth == isa::kMaxLoopDepth) {
    fail(FaultKind::BadInstruction, "loops are nested too deep");
    return false;
  }
  frames[static_cast<std::size_t>(depth++)] = {body, static_cast<std::uint32_t>(count), 0,
                                               static_cast<std::uint8_t>(rotate)};
  rotate_flags();
  pc = body;
  return true;
}

bool Firmware::State::leave_loop(const Decoded& decoded) {
  if (depth == 0) {
    fail(FaultKind::BadInstruction, "endloop without a loop");
    return false;
  }
  Frame& frame = frames[static_cast<std::size_t>(depth - 1)];
  if (++frame.iteration < frame.count) {
    pc = frame.begin;
  } else {
    --depth;
    pc = decoded.next;
  }
  if (rotating) rotate_flags();
  return true;
}

/// In iteration i the p-th id of the innermost mask stands for the (p + i mod n)-th.
void Firmware::State::rotate_flags() {
  rotating = false;
  for (int level = depth - 1; level >= 0 && !rotating; --level) {
    const Frame& frame = frames[static_cast<std::size_t>(level)];
    if (frame.rotate == 0) continue;
    rotating = true;
    std::array<std::uint8_t, isa::kFlagIds> ids{};
    std::uint32_t n = 0;
    for (std::uint8_t id = 0; id < isa::kFlagIds; ++id) {
      flag_map[id] = id;
      if ((frame.rotate >> id & 1) != 0) ids[n++] = id;
    }
    const std::uint32_t turn = frame.iteration % n;
    for (std::uint32_t p = 0; p < n; ++p) flag_map[ids[p]] = ids[(p + turn) % n];
  }
}

void Firmware::State::place_flags(Decoded& decoded) const {
  isa::Command& command = decoded.command;
  if (command.waits + command.sets == 0) return;
  for (std::size_t i = 0; i < 2; ++i) {
    const std::uint8_t wait = decoded.flag_ids[i], set = decoded.flag_ids[2 + i];
    if (command.wait[i].valid) command.wait[i].id = rotating ? flag_map[wait] : wait;
    if (command.set[i].valid) command.set[i].id = rotating ? flag_map[set] : set;
  }
}

bool Firmware::State::load_argument(const Decoded& decoded) {
  const std::int64_t index = decoded.command.at(1), count = decoded.command.at(2);
  const auto words = static_cast<std::int64_t>(part.arguments.size());
  if (count < 1 || decoded.target_register + count > isa::kRegisters) {
    fail(FaultKind::BadInstruction, "it loads into no register, or one there is not");
    return false;
  }
  if (index < 0 || index >= words || count > words - index) {
    fail(FaultKind::OutOfBounds, "argument word " + std::to_string(index + count - 1) +
                                     " of a launch with " + std::to_string(words));
    return false;
  }
  for (std::int64_t i = 0; i < count; ++i) {
    registers[static_cast<std::size_t>(decoded.target_register + i)] =
        static_cast<std::int64_t>(part.arguments[static_cast<std::size_t>(index + i)]);
  }
  pc = decoded.next;
  return true;
}

bool Firmware::State::start_macro(const Decoded& decoded) {
  switch (decoded.command.op) {
    case Op::conv:
      return start_macro<ConvMacro, isa::ConvArguments>(convolution, decoded);
    case Op::gmatmul:
      return start_macro<MatmulMacro, isa::GroupedArguments>(product, decoded);
    default:
      return start_macro<MatmulMacro, isa::MatmulArguments>(product, decoded);
  }
}

template <class Macro, class Arguments>
bool Firmware::State::start_macro(Macro& macro, const Decoded& decoded) {
  const std::string name(isa::row_of(decoded.command.op).mnemonic);
  const std::int64_t index = decoded.command.at(1);
  const auto words = static_cast<std::int64_t>(part.arguments.size());
  if (index < 0 || index > words - static_cast<std::int64_t>(sizeof(Arguments) / 8)) {
    fail(FaultKind::OutOfBounds, name + ": its arguments leave the argument block");
    return false;
  }
  Arguments arguments;
  std::memcpy(static_cast<void*>(&arguments), part.arguments.data() + index, sizeof arguments);
  const DType type = decoded.command.dtype();
  const std::string problem = Macro::problem(machine, arguments, type);
  if (!problem.empty()) {
    fail(FaultKind::BadInstruction, name + ": " + problem);
    return false;
  }
  const int cores = part.team.cube.count;
  if constexpr (std::is_same_v<Arguments, isa::MatmulArguments>) {
    const auto more = static_cast<std::size_t>(Macro::more_words(arguments));
    const std::size_t end = static_cast<std::size_t>(index) + sizeof(Arguments) / 8;
    if (end + more > part.arguments.size()) {
      fail(FaultKind::OutOfBounds, name + ": its arguments leave the argument block");
      return false;
    }
    const auto behind = std::span(part.arguments).subspan(end, more);
    if (auto text = Macro::problem_of_more(arguments, behind); !text.empty()) {
      fail(FaultKind::BadInstruction, name + ": " + text);
      return false;
    }
    macro.start(machine, arguments, behind, type, number, cores, decoded.command.pc);
  } else {
    macro.start(machine, arguments, type, number, cores, decoded.command.pc);
  }
  // The expansion takes its buffers as free: what came before must be over.
  drains_left = issued ? static_cast<int>(Macro::kPipes.size()) : 0;
  issued = true;
  pc = decoded.next;
  return true;
}

Step Firmware::State::next_of_macro() {
  if (drains_left > 0) {
    drain = {};
    drain.op = Op::drain;
    drain.operand[0] = static_cast<std::int64_t>(
        MatmulMacro::kPipes[MatmulMacro::kPipes.size() - static_cast<std::size_t>(drains_left)]);
    --drains_left;
    return deliver(Step::Kind::Drain, drain);
  }
  if (product.active()) {
    if (const isa::Command* read = product.read()) {
      spent += machine.firmware.macro_command;
      pending_register = kMacroReads;
      Step step = deliver(Step::Kind::Read, *read);
      step.assumed = product.assumed();
      return step;
    }
    if (!product.fault().empty()) {
      fault = {FaultKind::OutOfBounds, core, product.pc(), "gmatmul: " + product.fault()};
      return deliver(Step::Kind::Fault, drain);
    }
  }
  const isa::Command* command = product.active() ? product.next() : convolution.next();
  if (command == nullptr) return run();
  const bool only_flags = command->op == Op::set || command->op == Op::wait;
  if (!only_flags) spent += machine.firmware.macro_command;
  spent += machine.firmware.flag_issue * (command->waits + command->sets);
  return deliver(Step::Kind::Command, *command);
}

bool leaves_core(const Step& step) {
  if (step.kind == Step::Kind::Drain) return false;
  if (step.kind != Step::Kind::Command) return true;
  if (step.command->op == isa::Op::xset || step.command->op == isa::Op::xwait) return true;
  return isa::region_in(*step.command, Space::GM).rows != 0;
}

}  // namespace dvmsim
