#include "vm/isa/task_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <utility>

namespace dvmsim::isa {
namespace {

std::string print_part(std::string_view kind, const CodeRange& code, const CoreRange& cores) {
  if (code == CodeRange{} && cores == CoreRange{}) return {};
  return fmt::format(" {}={}+{}@{}+{}", kind, code.begin, code.words, cores.first, cores.count);
}

/// "FIRST+COUNT".
std::pair<std::uint32_t, std::uint32_t> parse_range(const Statement& in, std::string_view text,
                                                    std::int64_t most) {
  const auto plus = text.find('+');
  if (plus == std::string_view::npos) in.fail(fmt::format("'{}': write FIRST+COUNT", text));
  return {static_cast<std::uint32_t>(in.number(text.substr(0, plus), most)),
          static_cast<std::uint32_t>(in.number(text.substr(plus + 1), most))};
}

void parse_part(const Statement& in, std::string_view text, CodeRange& code, CoreRange& cores) {
  const auto at = text.find('@');
  if (at == std::string_view::npos) {
    in.fail(fmt::format("'{}': write BEGIN+WORDS@FIRST+CORES", text));
  }
  const auto [begin, words] = parse_range(in, text.substr(0, at), UINT32_MAX);
  const auto [first, count] = parse_range(in, text.substr(at + 1), UINT16_MAX);
  code = {begin, words};
  cores = {static_cast<int>(first), static_cast<int>(count)};
}

std::vector<std::uint32_t> parse_after(const Statement& in, std::string_view text) {
  std::vector<std::uint32_t> after;
  while (!text.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    after.push_back(static_cast<std::uint32_t>(in.number(text.substr(0, comma), UINT32_MAX)));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return after;
}

}  // namespace

std::string print_task(const Task& task) {
  std::string text = fmt::format(".task {}", quoted(task.name));
  text += print_part("cube", task.cube, task.team.cube);
  text += print_part("vector", task.vector, task.team.vector);
  text += fmt::format(" args={}+{}", task.argument, task.arguments);
  if (!task.after.empty()) text += fmt::format(" after={}", fmt::join(task.after, ","));
  return text + "\n";
}

Task parse_task(const Statement& in) {
  in.expect(3, 6);
  Task task;
  task.name = in.name(1);
  for (std::size_t i = 2; i < in.words(); ++i) {
    const std::string_view word = in.word(i);
    const auto equals = std::min(word.find('='), word.size());
    const std::string_view name = word.substr(0, equals);
    const std::string_view value = word.substr(std::min(equals + 1, word.size()));
    if (name == "cube") {
      parse_part(in, value, task.cube, task.team.cube);
    } else if (name == "vector") {
      parse_part(in, value, task.vector, task.team.vector);
    } else if (name == "args") {
      std::tie(task.argument, task.arguments) = parse_range(in, value, UINT32_MAX);
    } else if (name == "after") {
      task.after = parse_after(in, value);
    } else {
      in.fail(fmt::format("'{}': a task has cube=, vector=, args= and after=", word));
    }
  }
  return task;
}

}  // namespace dvmsim::isa
