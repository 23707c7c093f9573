#include "cli/schedule_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "cli/text/files.h"
#include "cli/text/yaml.h"
#include "compiler/module/choice_fields.h"
#include "compiler/runtime/strategy/strategy.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

constexpr std::int64_t kMostCores = 1 << 16;

std::string place_of(const YamlEntry& entry) {
  return fmt::format("{}:{}", entry.value.file(), entry.line);
}

/// A whole number of at least `least` that an int holds.
int small(const YamlEntry& entry, std::int64_t least) {
  const std::int64_t value = entry.value.integer(entry.key, least);
  if (value > kMostCores) entry.fail(fmt::format("{}: {} is too much", entry.key, value));
  return static_cast<int>(value);
}

void read(const YamlEntry& entry, std::int64_t least, std::int64_t& value) {
  value = entry.value.integer(entry.key, least);
}
void read(const YamlEntry& entry, std::int64_t least, int& value) {
  value = small(entry, least);
}
void read(const YamlEntry& entry, std::int64_t, bool& value) {
  value = entry.value.flag(entry.key);
}

void read(const YamlEntry& entry, std::int64_t, Packing& value) {
  const std::string& text = entry.value.text(entry.key);
  for (const Packing each : {Packing::InOrder, Packing::BestFit}) {
    if (text != name_of(each)) continue;
    value = each;
    return;
  }
  entry.fail("packing: in-order or best-fit, not '" + text + "'");
}

void read(const YamlEntry& entry, std::int64_t, isa::Swizzle& value) {
  const std::string& text = entry.value.text(entry.key);
  std::string known;
  for (int i = 0; i < isa::kSwizzles; ++i) {
    value = static_cast<isa::Swizzle>(i);
    if (text == isa::name_of(value)) return;
    known += std::string(i == 0 ? "" : ", ") + isa::name_of(value);
  }
  entry.fail("visit: one of " + known + ", not '" + text + "'");
}

/// Does the entry hold one value for all? A value may be a list itself.
template <class Value>
bool is_one(const YamlEntry& entry, const std::vector<Value>&) {
  return !entry.value.is_list();
}
bool is_one(const YamlEntry& entry, const std::vector<std::vector<std::int64_t>>&) {
  return !entry.value.is_list() || !entry.value.list(entry.key).front().is_list();
}

void read(const YamlEntry& entry, std::int64_t least, std::vector<std::int64_t>& sides) {
  for (const Yaml& item : entry.value.list(entry.key)) {
    sides.push_back(item.integer(entry.key, least));
  }
}

/// One for all, or a list of them.
template <class Value>
void read(const YamlEntry& entry, std::int64_t least, std::vector<Value>& values) {
  if (is_one(entry, values)) return read(entry, least, values.emplace_back());
  for (const Yaml& item : entry.value.list(entry.key)) {
    read({entry.key, item.line(), item}, least, values.emplace_back());
  }
}

void read_field(const YamlEntry& entry, const LoopField& field, MatmulChoice& choice) {
  std::int64_t loop = 0;
  for (const Yaml& item : entry.value.list(entry.key)) {
    const std::string& text = item.text("loop");
    const auto all = loop_names();
    const auto found = std::find_if(all.begin(), all.end(),
                                    [&](const LoopName& each) { return each.name == text; });
    if (found == all.end()) {
      std::string known;
      for (const LoopName& each : all) known += " " + std::string(each.name);
      item.fail("loop: '" + text + "' is none of" + known);
    }
    loop |= found->bit;
  }
  choice.*field.at = loop;
}
template <class Choice, class Value>
void read_field(const YamlEntry& entry, const ChoiceField<Choice, Value>& field, Choice& choice) {
  read(entry, field.least, (choice.*field.at).emplace());
}

/// "a, b and c".
std::string listed(std::span<const std::string_view> names) {
  return fmt::format("{} and {}", fmt::join(names.first(names.size() - 1), ", "), names.back());
}

/// The fields of a kind of choice.
template <class Choice>
Choice choice_of(const YamlEntry& from) {
  Choice choice;
  const auto read_one = [&](const YamlEntry& entry, const auto&... field) {
    const auto is_it = [&](const auto& each) {
      if (entry.key != each.key) return false;
      read_field(entry, each, choice);
      return true;
    };
    if ((is_it(field) || ...)) return;
    const std::array keys = {std::string_view(field.key)...};
    entry.unknown(from.key, listed(keys));
  };
  from.value.each(from.key, [&](const YamlEntry& entry) {
    std::apply([&](const auto&... field) { read_one(entry, field...); }, fields_of(choice));
  });
  return choice;
}

/// Of the kind that the key names; nullopt if it names none.
template <std::size_t... kind>
std::optional<KernelChoice> read_choice(const YamlEntry& entry, std::index_sequence<kind...>) {
  std::optional<KernelChoice> found;
  const auto read_kind = [&]<class Choice>(std::string_view key, const Choice&) {
    if (entry.key == key) found = choice_of<Choice>(entry);
  };
  (read_kind(kind_keys()[kind], std::variant_alternative_t<kind, KernelChoice>{}), ...);
  return found;
}

KernelOverride kernel_of(const Yaml& item) {
  constexpr auto kKinds = std::make_index_sequence<std::variant_size_v<KernelChoice>>{};
  KernelOverride found;
  found.where = fmt::format("{}:{}", item.file(), item.line());
  bool named = false;
  int choices = 0;
  item.each("an entry of kernels", [&](const YamlEntry& entry) {
    if (entry.key == "kernel") {
      found.kernel = entry.value.text("kernel");
      named = true;
    } else if (entry.key == "number") {
      found.number = small(entry, 0);
    } else if (auto choice = read_choice(entry, kKinds)) {
      found.choice = std::move(*choice);
      found.where = place_of(entry);
      ++choices;
    } else {
      entry.unknown("kernels", "kernel, number, " + listed(kind_keys()));
    }
  });
  if (named == found.number.has_value()) item.fail("kernels: give either kernel or number");
  if (choices != 1) item.fail("kernels: give one of " + listed(kind_keys()));
  return found;
}

void add_hints(const Yaml& item, std::vector<FusionHint>& hints) {
  item.each("an entry of partition", [&](const YamlEntry& entry) {
    if (entry.key != "fuse" && entry.key != "split") {
      entry.unknown("partition", "fuse and split");
    }
    const auto& names = entry.value.list(entry.key);
    if (names.size() != 2) entry.fail(entry.key + ": two names of nodes");
    hints.push_back({entry.key == "fuse", names[0].text("a node"), names[1].text("a node"),
                     place_of(entry), false});
  });
}

std::string quoted(const std::string& name) {
  std::string text = "\"";
  for (char c : name) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + "\"";
}

}  // namespace

ScheduleOverrides parse_overrides(const std::string& text, const std::string& file) {
  ScheduleOverrides overrides;
  const Yaml root = parse_yaml(text, file);
  root.each("a file of schedule overrides", [&](const YamlEntry& entry) {
    if (entry.key == "kernels") {
      for (const Yaml& item : entry.value.list("kernels")) {
        overrides.kernels.push_back(kernel_of(item));
      }
    } else if (entry.key == "partition") {
      for (const Yaml& item : entry.value.list("partition")) add_hints(item, overrides.hints);
    } else {
      entry.unknown("a file of schedule overrides", "kernels and partition");
    }
  });
  return overrides;
}

ScheduleOverrides load_overrides(const RunOptions& options) {
  if (options.schedule.empty()) return {};
  if (find_strategy(options.strategy).captures) {
    throw Error("--schedule: strategy " + options.strategy +
                " groups calls as they come; use dvm or resident");
  }
  return parse_overrides(read_text(options.schedule), options.schedule);
}

void check_used(const ScheduleOverrides& overrides) {
  if (const auto unused = overrides.unused()) throw Error(*unused);
}

std::string to_yaml(std::span<const ScheduleDecision> decisions) {
  if (decisions.empty()) return "# no kernel whose schedule can be decided\n";
  std::map<std::string, int> same;
  for (const ScheduleDecision& decision : decisions) ++same[decision.kernel];
  std::string text = "kernels:\n";
  for (const ScheduleDecision& decision : decisions) {
    const bool unclear =
        same[decision.kernel] > 1 || decision.kernel.find_first_of("*?\n") != std::string::npos;
    const bool by_number = unclear && decision.number >= 0;
    text += by_number
                ? fmt::format("  - number: {}  # {}", decision.number, quoted(decision.kernel))
                : fmt::format("  - kernel: {}  #", quoted(decision.kernel));
    text += fmt::format(" {}{}\n", decision.note,
                        decision.by.empty() ? "" : ", as " + decision.by + " says");
    const auto kind = static_cast<std::size_t>(kind_of(decision.choice));
    text += fmt::format("    {}: {{{}}}\n", kind_keys()[kind], to_text(decision.choice));
  }
  return text;
}

}  // namespace dvmsim
