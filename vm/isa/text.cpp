#include "vm/isa/text.h"

#include <fmt/format.h>
#include <algorithm>
#include <cstdint>
#include <map>
#include <vector>

#include "vm/base/error.h"
#include "vm/isa/codec.h"
#include "vm/isa/line.h"
#include "vm/isa/statement.h"
#include "vm/isa/task_text.h"

namespace dvmsim::isa {
namespace {

// A whole text.

constexpr std::string_view kPaths[kCodePaths] = {"bytecode", "native", "kept"};

void set_launch(const Statement& in, LaunchForm& form, std::string_view word) {
  const auto equals = word.find('=');
  const std::string_view name = word.substr(0, equals);
  const std::string_view value = equals == std::string_view::npos ? "" : word.substr(equals + 1);
  const auto* path = std::find(std::begin(kPaths), std::end(kPaths), value);
  if (name == "path" && path != std::end(kPaths)) {
    form.path = static_cast<CodePath>(path - std::begin(kPaths));
  } else if ((name == "cube" || name == "vector") && !value.empty()) {
    const auto cores = static_cast<int>(in.number(value, UINT16_MAX));
    (name == "cube" ? form.cube : form.vector) = cores;
  } else {
    in.fail(
        fmt::format("'{}': write path=native, path=bytecode, path=kept, cube=N or vector=N", word));
  }
}

/// Collects the program while lines come in; one section of code at a time.
class Assembler {
 public:
  [[nodiscard]] const Constants& constants() const { return constants_; }
  void take(const Statement& in) {
    const std::string_view first = in.word(0);
    if (first.starts_with(".")) return directive(in);
    if (in.words() == 1 && first.ends_with(":"))
      return label(in, first.substr(0, first.size() - 1));
    instruction(in);
  }
  Program finish() {
    end_section();
    return std::move(program_);
  }

 private:
  struct Jump {
    std::size_t head = 0, end = 0;  // words of the code
    std::string label;
    Statement in;
  };

  void directive(const Statement& in) {
    const std::string_view what = in.word(0);
    if (what == ".program") return name(in);
    if (what == ".launch") return launch(in);
    if (what == ".let") return let(in);
    if (what == ".arg") return argument(in);
    if (what == ".task") {
      program_.tasks.push_back(parse_task(in));
      return;
    }
    if (what == ".mark") return mark(in);
    if (what != ".cube" && what != ".vector") {
      in.fail(fmt::format(
          "'{}' is no directive; use .program .launch .let .arg .task .cube .vector .mark", what));
    }
    in.expect(1, 1);
    end_section();
    core_ = what == ".cube" ? CoreKind::Cube : CoreKind::Vector;
    code_ = what == ".cube" ? &program_.cube : &program_.vector;
    if (!code_->empty()) in.fail("the section was there before; write each kind of core once");
  }

  void name(const Statement& in) {
    in.expect(2, 3);
    program_.name = in.name(1);
    if (in.words() < 3) return;
    if (!in.word(2).starts_with("machine=")) in.fail("expected machine=0x...");
    program_.machine = in.hash(in.word(2).substr(8));
  }

  void launch(const Statement& in) {
    if (program_.launch) in.fail("how it is launched was said before; write .launch once");
    program_.launch = LaunchForm{};
    for (std::size_t i = 1; i < in.words(); ++i) set_launch(in, *program_.launch, in.word(i));
  }

  void let(const Statement& in) {
    in.expect(3, 3);
    if (!is_constant_name(in.word(1))) {
      in.fail(fmt::format("'{}' cannot name a constant; use letters, digits and _, and no register",
                          in.word(1)));
    }
    if (!constants_.emplace(in.name(1), in.number(in.word(2))).second) {
      in.fail(fmt::format("constant '{}' is there twice", in.word(1)));
    }
  }

  void argument(const Statement& in) {
    in.expect(4, 5);
    static constexpr std::string_view kKinds[] = {"input", "output", "workspace", "scalar"};
    const auto kind = std::find(std::begin(kKinds), std::end(kKinds), in.word(1));
    if (kind == std::end(kKinds)) in.fail("an argument is input, output, workspace or scalar");
    Argument argument{static_cast<Argument::Kind>(kind - std::begin(kKinds)), in.name(2),
                      in.number(in.word(3))};
    if (in.words() == 5) {
      const bool scalar = argument.kind == Argument::Kind::Scalar;
      if (!scalar || !in.word(4).starts_with("value=")) {
        in.fail("only a scalar has one more word, value=N");
      }
      argument.value = in.number(in.word(4).substr(6));
    }
    program_.arguments.push_back(std::move(argument));
  }

  /// .mark tile NAME, here; or .mark tile NAME vector 12, anywhere.
  void mark(const Statement& in) {
    in.expect(3, 5);
    const bool is_tile = in.word(1) == "tile";
    if (!is_tile && in.word(1) != "operator") in.fail("a mark is tile or operator");
    DebugMark mark{is_tile ? DebugMark::Kind::Tile : DebugMark::Kind::Operator, core_, 0,
                   in.name(2)};
    if (in.words() == 5) {
      const CoreKind kinds[] = {CoreKind::Cube, CoreKind::Vector, CoreKind::Unified};
      const auto kind = std::find_if(std::begin(kinds), std::end(kinds),
                                     [&](CoreKind k) { return name_of(k) == in.word(3); });
      if (kind == std::end(kinds)) in.fail("a core is cube, vector or unified");
      mark.core = *kind;
      mark.pc = static_cast<std::uint32_t>(in.number(in.word(4), UINT32_MAX));
    } else if (code_ != nullptr && in.words() == 3) {
      mark.pc = static_cast<std::uint32_t>(code_->size());
    } else {
      in.fail("a mark needs a place: put it into .cube or .vector");
    }
    program_.marks.push_back(std::move(mark));
  }

  void label(const Statement& in, std::string_view text) {
    if (code_ == nullptr) in.fail("a label outside .cube and .vector");
    if (!labels_.emplace(std::string(text), code_->size()).second) {
      in.fail(fmt::format("label '{}' is there twice", text));
    }
  }

  void instruction(const Statement& in) {
    if (code_ == nullptr) in.fail("an instruction outside .cube and .vector");
    std::string target;
    Inst inst = read_line(in, &target);
    const std::size_t head = code_->size();
    // A skip that is not 0 takes the same words whatever it is; the label's distance comes later.
    if (!target.empty()) skip_lane(inst) = Lane::imm(kUnknown);
    append(inst, *code_);
    if (!target.empty()) jumps_.push_back({head, code_->size(), target, in});
  }

  void end_section() {
    for (const Jump& jump : jumps_) {
      const auto found = labels_.find(jump.label);
      if (found == labels_.end()) jump.in.fail(fmt::format("no label '{}' here", jump.label));
      if (found->second < jump.end) jump.in.fail("jumps go forward only; use loop");
      patch(jump, static_cast<std::int32_t>(found->second - jump.end));
    }
    jumps_.clear();
    labels_.clear();
  }

  void patch(const Jump& jump, std::int32_t skip) {
    Inst inst;
    DecodeError error;
    DVMSIM_ASSERT(decode(*code_, jump.head, inst, error) != 0, "our own code decodes");
    skip_lane(inst) = Lane::imm(skip);
    std::vector<std::uint64_t> words;
    append(inst, words);
    if (words.size() != jump.end - jump.head) {
      jump.in.fail("a jump to the next instruction; leave it out");
    }
    std::copy(words.begin(), words.end(), code_->begin() + static_cast<std::ptrdiff_t>(jump.head));
  }

  static Lane& skip_lane(Inst& inst) {
    return inst.lane[static_cast<std::size_t>(row_of(inst.op).find("skip"))];
  }

  static constexpr std::int32_t kUnknown = INT32_MAX;
  Program program_{};
  Constants constants_{};
  CoreKind core_ = CoreKind::Cube;
  std::vector<std::uint64_t>* code_ = nullptr;
  std::map<std::string, std::size_t> labels_{};
  std::vector<Jump> jumps_{};
};

// A whole program, printed.

struct Line {
  std::size_t at = 0, end = 0;
  Inst inst{};
};

std::vector<Line> lines_of(std::span<const std::uint64_t> code) {
  std::vector<Line> lines;
  for (std::size_t at = 0; at < code.size(); at = lines.back().end) {
    Line line{at, 0, {}};
    DecodeError error;
    const int words = decode(code, at, line.inst, error);
    if (words == 0)
      throw Error(fmt::format("offset {}: {}; not bytecode of this version", at, error.text));
    line.end = at + static_cast<std::size_t>(words);
    lines.push_back(line);
  }
  return lines;
}

/// Where jumps go, if that is where an instruction begins (or the code ends), and their labels.
std::map<std::size_t, std::string> targets_of(const std::vector<Line>& lines) {
  std::map<std::size_t, std::string> targets;
  for (const Line& line : lines) {
    const int lane = row_of(line.inst.op).find("skip");
    if (lane < 0) continue;
    const std::int32_t skip = line.inst.lane[static_cast<std::size_t>(lane)].immediate;
    if (skip <= 0) continue;
    const std::size_t target = line.end + static_cast<std::size_t>(skip);
    const bool is_start =
        target == lines.back().end ||
        std::any_of(lines.begin(), lines.end(), [&](const Line& l) { return l.at == target; });
    if (is_start) targets[target] = fmt::format("w{}", target);
  }
  return targets;
}

std::string print_mark(const DebugMark& mark, bool in_place) {
  const auto kind = mark.kind == DebugMark::Kind::Tile ? "tile" : "operator";
  const std::string where =
      in_place ? std::string{} : fmt::format(" {} {}", name_of(mark.core), mark.pc);
  return fmt::format(".mark {} {}{}\n", kind, quoted(mark.name), where);
}

std::string print_launch(const LaunchForm& form) {
  const auto cores = [](const char* kind, int count) {
    return count == 0 ? std::string{} : fmt::format(" {}={}", kind, count);
  };
  return fmt::format(".launch path={}{}{}\n", kPaths[static_cast<std::size_t>(form.path)],
                     cores("cube", form.cube), cores("vector", form.vector));
}

std::string print_argument(const Argument& argument) {
  static constexpr std::string_view kKinds[] = {"input", "output", "workspace", "scalar"};
  const std::string value = argument.value ? fmt::format(" value={}", *argument.value) : "";
  return fmt::format(".arg {} {} {}{}\n", kKinds[static_cast<std::size_t>(argument.kind)],
                     quoted(argument.name), argument.bytes, value);
}

using MarksAt = std::multimap<std::size_t, const DebugMark*>;

std::string print_code(const std::vector<Line>& lines, const MarksAt& marks) {
  const auto targets = targets_of(lines);
  std::string text;
  const auto announce = [&](std::size_t at) {
    if (const auto found = targets.find(at); found != targets.end()) text += found->second + ":\n";
    const auto [first, last] = marks.equal_range(at);
    for (auto i = first; i != last; ++i) text += print_mark(*i->second, true);
  };
  for (const Line& line : lines) {
    announce(line.at);
    const int lane = row_of(line.inst.op).find("skip");
    std::string_view label;
    if (lane >= 0) {
      const std::int32_t skip = line.inst.lane[static_cast<std::size_t>(lane)].immediate;
      const auto found = targets.find(line.end + static_cast<std::size_t>(std::max(skip, 0)));
      if (skip > 0 && found != targets.end()) label = found->second;
    }
    text += "  " + print_line(line.inst, label) + "\n";
  }
  announce(lines.empty() ? 0 : lines.back().end);
  return text;
}

/// Marks can stand in the code if they come in its order and each begins an instruction.
bool marks_fit(const Program& program, const std::vector<Line>& cube,
               const std::vector<Line>& vector) {
  const auto begins = [](const std::vector<Line>& lines, std::uint32_t pc) {
    return std::any_of(lines.begin(), lines.end(), [&](const Line& l) { return l.at == pc; });
  };
  const DebugMark* before = nullptr;
  for (const DebugMark& mark : program.marks) {
    if (mark.core == CoreKind::Unified) return false;
    if (!begins(mark.core == CoreKind::Cube ? cube : vector, mark.pc)) return false;
    if (before != nullptr && std::pair(before->core, before->pc) > std::pair(mark.core, mark.pc)) {
      return false;
    }
    before = &mark;
  }
  return true;
}

MarksAt marks_of(const Program& program, CoreKind core) {
  MarksAt marks;
  for (const DebugMark& mark : program.marks) {
    if (mark.core == core) marks.emplace(mark.pc, &mark);
  }
  return marks;
}

}  // namespace

std::string disassemble(std::span<const std::uint64_t> code) {
  return print_code(lines_of(code), {});
}

std::string disassemble(const Program& program) {
  const auto cube = lines_of(program.cube), vector = lines_of(program.vector);
  std::string text =
      fmt::format(".program {} machine={:#x}\n", quoted(program.name), program.machine);
  if (program.launch) text += print_launch(*program.launch);
  for (const Argument& argument : program.arguments) text += print_argument(argument);
  for (const Task& task : program.tasks) text += print_task(task);
  const bool in_place = marks_fit(program, cube, vector);
  for (const DebugMark& mark : program.marks) {
    if (!in_place) text += print_mark(mark, false);
  }
  for (const CoreKind core : {CoreKind::Cube, CoreKind::Vector}) {
    const auto& lines = core == CoreKind::Cube ? cube : vector;
    if (lines.empty()) continue;
    text += fmt::format(".{}\n", name_of(core));
    text += print_code(lines, in_place ? marks_of(program, core) : MarksAt{});
  }
  return text;
}

LaunchForm parse_launch(std::string_view words, const std::string& where, LaunchForm form) {
  const Statement in(words, where);
  for (std::size_t i = 0; i < in.words(); ++i) set_launch(in, form, in.word(i));
  return form;
}

Program assemble(std::string_view text, const std::string& name) {
  Assembler assembler;
  for (int line = 1; !text.empty(); ++line) {
    const auto end = std::min(text.find('\n'), text.size());
    const Statement in(text.substr(0, end), fmt::format("{}:{}", name, line),
                       &assembler.constants());
    if (in.words() != 0) assembler.take(in);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return assembler.finish();
}

}  // namespace dvmsim::isa
