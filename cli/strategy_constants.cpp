#include "cli/strategy_constants.h"

#include <algorithm>
#include <charconv>
#include <sstream>

#include "cli/text/files.h"
#include "cli/text/sources.h"
#include "vm/base/error.h"
#include "vm/machine/quantity.h"

namespace dvmsim {
namespace {

using Constants = StrategyConstants;
using Set = void (*)(Constants&, const std::string& text);

template <class Value>
Value read(const std::string& text) {
  Value value{};
  quantity::read_value(text, Hertz(1'000'000'000), value);
  return value;
}

int at_least(int least, const std::string& text) {
  const int value = read<int>(text);
  if (value < least) {
    throw Error("'" + text + "' is out of range; at least " + std::to_string(least));
  }
  return value;
}

JitCompiler read_compiler(const std::string& text) {
  if (text == "published") return JitCompiler::Published;
  if (text == "measured") return JitCompiler::Measured;
  throw Error("'" + text + "' is unknown; use published or measured");
}

/// "[1, 2]": ascending, from 1 on.
std::vector<std::int64_t> read_sizes(const std::string& text) {
  if (text.size() < 2 || text.front() != '[' || text.back() != ']') {
    throw Error("'" + text + "' is no list; write [128, 256, 512], or [] for none");
  }
  std::vector<std::int64_t> sizes;
  std::stringstream list(text.substr(1, text.size() - 2));
  for (std::string part; std::getline(list, part, ',');) {
    const std::size_t first = part.find_first_not_of(' ');
    part = first == std::string::npos ? ""
                                      : part.substr(first, part.find_last_not_of(' ') - first + 1);
    const std::int64_t size = at_least(1, part);
    if (!sizes.empty() && size <= sizes.back()) {
      throw Error("'" + text + "': sizes must grow from one to the next");
    }
    sizes.push_back(size);
  }
  return sizes;
}

enum class Kind : std::uint8_t { Time, Size, Count, Flag, Word };

struct Row {
  const char* key;
  Kind kind;
  Set set;
};
constexpr Row kRows[] = {
    {"graph.infer", Kind::Time,
     [](Constants& c, const auto& t) { c.graph.infer = read<Picoseconds>(t); }},
    {"sink.capture", Kind::Time,
     [](Constants& c, const auto& t) { c.sink.capture = read<Picoseconds>(t); }},
    {"sink.task", Kind::Size, [](Constants& c, const auto& t) { c.sink.task = read<Bytes>(t); }},
    {"jit.compiler", Kind::Word,
     [](Constants& c, const auto& t) { c.jit.compiler = read_compiler(t); }},
    {"jit.trace", Kind::Time,
     [](Constants& c, const auto& t) { c.jit.trace = read<Picoseconds>(t); }},
    {"jit.kernel", Kind::Time,
     [](Constants& c, const auto& t) { c.jit.kernel = read<Picoseconds>(t); }},
    {"jit.measured_kernel", Kind::Time,
     [](Constants& c, const auto& t) { c.jit.measured_kernel = read<Picoseconds>(t); }},
    {"jit.measured_nest", Kind::Time,
     [](Constants& c, const auto& t) { c.jit.measured_nest = read<Picoseconds>(t); }},
    {"jit.guard", Kind::Time,
     [](Constants& c, const auto& t) { c.jit.guard = read<Picoseconds>(t); }},
    {"jit.workers", Kind::Count,
     [](Constants& c, const auto& t) { c.jit.workers = at_least(1, t); }},
    {"jit.recompile_limit", Kind::Count,
     [](Constants& c, const auto& t) { c.jit.recompile_limit = at_least(0, t); }},
    {"jit.automatic_dynamic", Kind::Flag,
     [](Constants& c, const auto& t) { c.jit.automatic_dynamic = read<bool>(t); }},
    {"jit.max_autotune", Kind::Flag,
     [](Constants& c, const auto& t) { c.jit.max_autotune = read<bool>(t); }},
    {"jit.candidates", Kind::Count,
     [](Constants& c, const auto& t) { c.jit.candidates = at_least(1, t); }},
    {"bucket.least", Kind::Count,
     [](Constants& c, const auto& t) { c.bucket.least = at_least(1, t); }},
    {"bucket.growth", Kind::Count,
     [](Constants& c, const auto& t) { c.bucket.growth = at_least(2, t); }},
    {"bucket.sizes", Kind::Word,
     [](Constants& c, const auto& t) { c.bucket.sizes = read_sizes(t); }},
    {"bucket.choose", Kind::Time,
     [](Constants& c, const auto& t) { c.bucket.choose = read<Picoseconds>(t); }},
};

const Row& find_row(std::string_view key) {
  const auto found = std::find_if(std::begin(kRows), std::end(kRows),
                                  [&](const Row& row) { return key == row.key; });
  if (found == std::end(kRows))
    throw Error("'" + std::string(key) + "' is no constant of a strategy");
  return *found;
}

std::pair<std::string, std::string> key_and_value(const std::string& assignment) {
  const std::size_t equals = assignment.find('=');
  return {assignment.substr(0, equals), assignment.substr(equals + 1)};
}

/// As the user says, who is its source then.
void apply(ConstantsFile& file, const std::string& assignment) {
  const auto [key, value] = key_and_value(assignment);
  try {
    find_row(key).set(file.constants, value);
  } catch (const Error& error) {
    throw Error("--set " + assignment + ": " + error.what());
  }
  for (StrategyConstant& constant : file.all) {
    if (constant.key == key) constant = {key, value, "set by the user", false};
  }
}

/// Every line is blank, a comment, or a key.
void check_lines(const std::string& text, const std::string& file) {
  std::istringstream stream(text);
  std::string line;
  for (int number = 1; std::getline(stream, line); ++number) {
    const std::size_t first = line.find_first_not_of(" \r");
    if (first == std::string::npos || line[first] == '#') continue;
    if (line.find('\t') == std::string::npos && line.find(':') != std::string::npos) continue;
    throw Error(file + ":" + std::to_string(number) + ": write 'key: value'");
  }
}

bool is_section(const std::string& path) {
  return std::any_of(std::begin(kRows), std::end(kRows), [&](const Row& row) {
    return std::string_view(row.key).starts_with(path + ".");
  });
}

}  // namespace

std::vector<std::string> ConstantsFile::assumed_of(std::string_view strategy) const {
  std::vector<std::string> texts;
  for (const StrategyConstant& constant : all) {
    if (constant.assumed && rests_on(strategy, constant.key)) {
      texts.push_back(constant.key + "=" + constant.value);
    }
  }
  return texts;
}

ConstantsFile ConstantsFile::with(const std::vector<std::string>& assignments) const {
  ConstantsFile result = *this;
  for (const std::string& assignment : assignments) {
    const auto [key, value] = key_and_value(assignment);
    find_row(key).set(result.constants, value);
    for (StrategyConstant& constant : result.all) {
      if (constant.key == key) constant.value = value;
    }
  }
  return result;
}

ConstantsFile parse_constants(const std::string& text, const std::string& file) {
  ConstantsFile result;
  check_lines(text, file);
  for (const YamlLine& line : yaml_lines(text)) {
    const std::string place = file + ":" + std::to_string(line.number) + ": ";
    if (line.value.empty() && line.indent == 0 && is_section(line.path)) continue;
    try {
      find_row(line.path).set(result.constants, line.value);
    } catch (const Error& error) {
      throw Error(place + line.path + ": " + error.what());
    }
    for (const StrategyConstant& known : result.all) {
      if (known.key == line.path) throw Error(place + line.path + " is there twice");
    }
    if (line.comment.empty()) throw Error(place + line.path + ": say above it where it is from");
    result.all.push_back(
        {line.path, line.value, line.comment, line.comment.starts_with("assumed")});
  }
  for (const Row& row : kRows) {
    const bool there = std::any_of(result.all.begin(), result.all.end(),
                                   [&](const StrategyConstant& one) { return one.key == row.key; });
    if (!there) throw Error(file + ": " + row.key + " is missing");
  }
  return result;
}

ConstantsFile constants_from(const std::string& file, const std::vector<std::string>& sets) {
  const std::string path = file.empty() ? find_config("strategies.yaml") : file;
  ConstantsFile result = parse_constants(read_text(path), path);
  for (const std::string& set : sets) apply(result, set);
  return result;
}

StrategyConstants constants_of(const RunOptions& options) {
  const std::vector<std::string> sets = strategy_sets(options.sets);
  if (is_section(options.strategy)) return constants_from(options.strategies, sets).constants;
  if (!sets.empty()) {
    throw Error("--set " + sets.front() + ": strategy " + options.strategy + " has no constants");
  }
  return {};
}

std::vector<std::string> assumptions_of(const RunOptions& options) {
  if (!is_section(options.strategy)) return {};
  std::string line = "strategy " + options.strategy + " rests on numbers without a source:";
  const ConstantsFile file = constants_from(options.strategies, strategy_sets(options.sets));
  const std::vector<std::string> assumed = file.assumed_of(options.strategy);
  for (const std::string& each : assumed) line += " " + each;
  return assumed.empty() ? std::vector<std::string>{} : std::vector<std::string>{line};
}

bool is_constant(std::string_view key) {
  return std::any_of(std::begin(kRows), std::end(kRows),
                     [&](const Row& row) { return key == row.key; });
}

bool rests_on(std::string_view strategy, std::string_view key) {
  const std::string_view section = key.substr(0, key.find('.'));
  if (strategy == "sink") return section == "sink" || section == "graph";
  if (strategy != "bucket") return section == strategy;
  const bool compiles = key == "jit.trace" || key == "jit.kernel" || key == "jit.compiler" ||
                        key == "jit.measured_kernel" || key == "jit.measured_nest" ||
                        key == "jit.workers" || key == "jit.max_autotune" ||
                        key == "jit.candidates";
  return section == "bucket" || compiles;
}

void check_constant(const std::string& key, const std::string& value) {
  StrategyConstants ignored;
  find_row(key).set(ignored, value);
}

std::optional<MachineNumber> constant_number(const std::string& key, const std::string& value) {
  constexpr double kPicosecondsPerSecond = 1e12;
  switch (find_row(key).kind) {
    case Kind::Time:
      return MachineNumber{
          static_cast<double>(read<Picoseconds>(value).count()) / kPicosecondsPerSecond, "s"};
    case Kind::Size:
      return MachineNumber{static_cast<double>(read<Bytes>(value).count()), "B"};
    case Kind::Count:
      return MachineNumber{static_cast<double>(read<int>(value)), ""};
    case Kind::Flag:
      return MachineNumber{read<bool>(value) ? 1.0 : 0.0, ""};
    case Kind::Word:
      break;
  }
  return std::nullopt;
}

bool is_whole_constant(std::string_view key) {
  const Kind kind = find_row(key).kind;
  return kind == Kind::Count || kind == Kind::Size;
}

bool sets_strategy(std::string_view assignment) {
  const std::string section(assignment.substr(0, assignment.find('.')));
  return is_section(section);
}

std::vector<std::string> strategy_sets(const std::vector<std::string>& sets) {
  std::vector<std::string> result;
  std::copy_if(sets.begin(), sets.end(), std::back_inserter(result), sets_strategy);
  return result;
}

std::vector<std::string> machine_sets(const std::vector<std::string>& sets) {
  std::vector<std::string> result;
  std::remove_copy_if(sets.begin(), sets.end(), std::back_inserter(result), sets_strategy);
  return result;
}

}  // namespace dvmsim
