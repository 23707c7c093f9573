// Axes of a study: which parameters they set, and to what.
#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "cli/strategy_constants.h"
#include "cli/study/parts.h"
#include "vm/machine/number.h"

namespace dvmsim {
namespace {

constexpr std::size_t kMostValues = 10'000;
constexpr const char* kForms =
    "a list of values, {values: [...]}, {from: A, to: B, steps: N}, {factors: [...]} or "
    "{choices: {...}}";

/// "128KiB": the number and the rest.
std::pair<double, std::string> number_and_unit(const Yaml& node, const std::string& what) {
  const std::string& text = node.text(what);
  double number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc() || !std::isfinite(number)) {
    node.fail(what + ": '" + text + "' begins with no number");
  }
  return {number, text.substr(static_cast<std::size_t>(end - text.data()))};
}

/// Does the pattern, in which * stands for any text, fit?
bool fits(std::string_view pattern, std::string_view name) {
  if (pattern.empty()) return name.empty();
  if (pattern[0] == '*') {
    return fits(pattern.substr(1), name) || (!name.empty() && fits(pattern, name.substr(1)));
  }
  return !name.empty() && pattern[0] == name[0] && fits(pattern.substr(1), name.substr(1));
}

bool is_key(const std::string& name) {
  const auto all = parameters();
  return std::any_of(all.begin(), all.end(), [&](const Parameter& p) { return p.key == name; });
}

std::string type_of(const std::string& key) {
  for (const Parameter& parameter : parameters()) {
    if (parameter.key == key) return parameter.type;
  }
  return "";
}

/// Reads one entry of `axes`.
class AxisReader {
 public:
  AxisReader(const YamlEntry& entry, bool drawn) : entry_(entry), drawn_(drawn) {
    axis_.name = entry.key;
    axis_.line = entry.line;
  }

  StudyAxis read() {
    const Yaml& value = entry_.value;
    if (value.is_list()) {
      read_values(value);
    } else if (value.is_map()) {
      read_form();
    } else {
      entry_.fail(entry_.key + ": write " + kForms);
    }
    if (axis_.values.size() > kMostValues) {
      entry_.fail(entry_.key + ": more than " + std::to_string(kMostValues) + " values");
    }
    check_distinct();
    return std::move(axis_);
  }

 private:
  void read_form() {
    const Yaml& map = entry_.value;
    if (const Yaml* values = map.find("values")) {
      only({"values"});
      read_values(*values);
    } else if (const Yaml* factors = map.find("factors")) {
      only({"factors", "of"});
      read_factors(*factors, map.find("of"));
    } else if (const Yaml* choices = map.find("choices")) {
      only({"choices"});
      read_choices(*choices);
    } else if (map.find("from") != nullptr) {
      only({"from", "to", "steps", "by", "scale"});
      read_range();
    } else {
      entry_.fail(entry_.key + ": write " + kForms);
    }
  }

  void only(std::initializer_list<std::string_view> known) const {
    std::string names;
    for (const std::string_view each : known) {
      names += (names.empty() ? "" : ", ") + std::string(each);
    }
    for (const YamlEntry& each : entry_.value.map(entry_.key)) {
      if (std::find(known.begin(), known.end(), each.key) == known.end()) {
        each.unknown("this form of an axis", names);
      }
    }
  }

  void set_own_key() {
    if (!is_key(axis_.name) && !is_constant(axis_.name)) {
      entry_.fail("'" + axis_.name +
                  "': no key of a machine, which `dvmsim config show` lists, and no constant of "
                  "strategies.yaml; an axis of another name has {factors, of} or {choices}");
    }
    if (axis_.name == "name") entry_.fail("name: the machine's name is no axis; use hardware");
    axis_.keys = {axis_.name};
  }

  void add_value(const Yaml& at, const std::string& text) {
    check_axis_setting(at, axis_.name, text);
    axis_.values.push_back({text, {{axis_.name, text}}, {}});
  }

  void read_values(const Yaml& values) {
    set_own_key();
    for (const Yaml& each : values.list(axis_.name)) add_value(each, each.text(axis_.name));
  }

  void read_factors(const Yaml& factors, const Yaml* of) {
    if (of == nullptr) {
      set_own_key();
    } else {
      for (const Yaml& pattern : of->list("of")) add_keys(pattern);
    }
    for (const std::string& key : axis_.keys) {
      if (is_constant(key)) {
        entry_.fail("'" + key + "': factors are of machines' parameters; write values or a range");
      }
      if (!number_of(default_machine(), key) || type_of(key) == "Bool") {
        entry_.fail("'" + key + "': no number, so nothing to multiply");
      }
    }
    for (const Yaml& each : factors.list("factors")) {
      const std::string& text = each.text("factors");
      const double value = placed(each, [&] {
        return Expression(text).value([](std::string_view name) -> double {
          throw Error("'" + std::string(name) + "': a factor is a number, 1.5 or 1/2");
        });
      });
      if (value <= 0) each.fail("factors: '" + text + "' must be more than 0");
      axis_.values.push_back({text, {}, value});
    }
  }

  void add_keys(const Yaml& pattern) {
    const std::string& text = pattern.text("of");
    bool any = false;
    for (const Parameter& parameter : parameters()) {
      const std::string& key = parameter.key;
      if (!fits(text, key)) continue;
      // A pattern means the numbers among what it fits.
      if (text != key && (!number_of(default_machine(), key) || parameter.type == "Bool")) continue;
      any = true;
      if (std::find(axis_.keys.begin(), axis_.keys.end(), key) == axis_.keys.end()) {
        axis_.keys.push_back(key);
      }
    }
    if (!any) pattern.fail("of: no parameter is called '" + text + "'");
  }

  void read_choices(const Yaml& choices) {
    for (const YamlEntry& choice : choices.map("choices")) {
      AxisValue value{choice.key, {}, {}};
      for (const YamlEntry& set : choice.value.map(choice.key)) {
        const std::string& text = set.value.text(set.key);
        check_axis_setting(set.value, set.key, text);
        value.sets.emplace_back(set.key, text);
        if (std::find(axis_.keys.begin(), axis_.keys.end(), set.key) == axis_.keys.end()) {
          axis_.keys.push_back(set.key);
        }
      }
      axis_.values.push_back(std::move(value));
    }
    if (axis_.values.empty()) entry_.fail("choices: write {NAME: {key: value}}");
  }

  void read_range() {
    set_own_key();
    const Yaml& map = entry_.value;
    const Yaml *to = map.find("to"), *steps = map.find("steps"), *by = map.find("by");
    if (to == nullptr) entry_.fail(axis_.name + ": add to:, where it ends");
    const Yaml* from = map.find("from");
    StudyAxis::Range range;
    std::string unit;
    std::tie(range.from, range.unit) = number_and_unit(*from, "from");
    std::tie(range.to, unit) = number_and_unit(*to, "to");
    if (unit != range.unit) to->fail("to: write it in '" + range.unit + "', as from");
    if (range.from >= range.to) to->fail("to: must be more than from");
    if (const Yaml* scale = map.find("scale")) {
      range.log = scale->text("scale") == "log";
      if (!range.log && scale->text("scale") != "linear") scale->fail("scale: linear or log");
      if (range.log && range.from <= 0) from->fail("from: must be more than 0 on a log scale");
    }
    if (by != nullptr) {
      std::tie(range.by, unit) = number_and_unit(*by, "by");
      if (unit != range.unit) by->fail("by: write it in '" + range.unit + "', as from");
      if (range.by <= 0) by->fail("by: must be more than 0");
      if ((range.to - range.from) / range.by > static_cast<double>(kMostValues)) {
        by->fail("by: makes more than " + std::to_string(kMostValues) + " values");
      }
    }
    for (const Yaml* end : {from, to}) check_axis_setting(*end, axis_.name, end->text(axis_.name));
    if (steps != nullptr) {
      add_steps(*steps, range, steps->integer("steps", 2));
    } else if (by != nullptr && !range.log) {
      const auto count = static_cast<std::int64_t>((range.to - range.from) / range.by + 1e-9);
      for (std::int64_t i = 0; i <= count; ++i) {
        add_value(*by, text_of(range.from + range.by * static_cast<double>(i), range.unit));
      }
    } else if (!drawn_) {
      entry_.fail(axis_.name + ": add steps: how many values" + (range.log ? "" : ", or by:"));
    }
    if (drawn_ && steps == nullptr) {
      axis_.values.clear();
      axis_.range = range;
    }
  }

  void add_steps(const Yaml& at, const StudyAxis::Range& range, std::int64_t steps) {
    if (steps > static_cast<std::int64_t>(kMostValues)) {
      at.fail("steps: at most " + std::to_string(kMostValues));
    }
    for (std::int64_t i = 0; i < steps; ++i) {
      const double share = static_cast<double>(i) / static_cast<double>(steps - 1);
      double value = range.log ? range.from * std::pow(range.to / range.from, share)
                               : range.from + (range.to - range.from) * share;
      if (range.by > 0) value = std::round(value / range.by) * range.by;
      add_value(at, text_of(value, range.unit));
    }
  }

  static std::string text_of(double value, const std::string& unit) {
    return fmt::format("{:.9g}{}", value, unit);
  }

  void check_distinct() const {
    for (std::size_t i = 0; i < axis_.values.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        if (axis_.values[i].text != axis_.values[j].text) continue;
        entry_.fail(entry_.key + ": '" + axis_.values[i].text + "' is there twice");
      }
    }
  }

  const YamlEntry& entry_;
  bool drawn_;
  StudyAxis axis_{};
};

}  // namespace

void check_setting(const Yaml& at, const std::string& key, const std::string& value) {
  placed(at, [&] {
    Machine machine = default_machine();
    apply_set(machine, key + "=" + value);
    return 0;
  });
}

void check_axis_setting(const Yaml& at, const std::string& key, const std::string& value) {
  if (!is_constant(key)) return check_setting(at, key, value);
  placed(at, [&] { return check_constant(key, value), 0; });
}

StudyAxis read_axis(const YamlEntry& entry, bool drawn) {
  return AxisReader(entry, drawn).read();
}

}  // namespace dvmsim
