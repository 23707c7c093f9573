#include "cli/schedule_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "cli/files.h"
#include "cli/yaml.h"
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

Packing packing_of(const YamlEntry& entry) {
  const std::string& text = entry.value.text(entry.key);
  if (text == "in-order") return Packing::InOrder;
  if (text == "best-fit") return Packing::BestFit;
  entry.fail("packing: in-order or best-fit, not '" + text + "'");
}

VectorChoice vector_of(const YamlEntry& from) {
  VectorChoice choice;
  from.value.each("vector", [&](const YamlEntry& entry) {
    const std::string& key = entry.key;
    if (key == "rows") {
      choice.rows = entry.value.integer(key, 1);
    } else if (key == "columns") {
      choice.columns = entry.value.integer(key, 1);
    } else if (key == "packing") {
      choice.packing = packing_of(entry);
    } else if (key == "loads") {
      choice.loads = small(entry, 1);
    } else if (key == "stores") {
      choice.stores = small(entry, 1);
    } else if (key == "cores") {
      choice.cores = small(entry, 1);
    } else if (key == "phases") {
      choice.phases = entry.value.flag(key);
    } else if (key == "parts") {
      choice.parts = small(entry, 1);
    } else {
      entry.unknown("vector", "rows, columns, packing, loads, stores, cores, phases and parts");
    }
  });
  return choice;
}

isa::Swizzle visit_of(const YamlEntry& entry) {
  const std::string& text = entry.value.text(entry.key);
  std::string known;
  for (int i = 0; i < isa::kSwizzles; ++i) {
    const auto swizzle = static_cast<isa::Swizzle>(i);
    if (text == isa::name_of(swizzle)) return swizzle;
    known += std::string(i == 0 ? "" : ", ") + isa::name_of(swizzle);
  }
  entry.fail("visit: one of " + known + ", not '" + text + "'");
}

std::int64_t loop_of(const YamlEntry& entry) {
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
  return loop;
}

MatmulChoice matmul_of(const YamlEntry& from) {
  MatmulChoice choice;
  from.value.each("matmul", [&](const YamlEntry& entry) {
    const std::string& key = entry.key;
    if (key == "m") {
      choice.m = entry.value.integer(key, 1);
    } else if (key == "n") {
      choice.n = entry.value.integer(key, 1);
    } else if (key == "k") {
      choice.k = entry.value.integer(key, 1);
    } else if (key == "k_step") {
      choice.k_step = entry.value.integer(key, 0);
    } else if (key == "shared") {
      choice.shared = entry.value.integer(key, 0);
    } else if (key == "visit") {
      choice.visit = visit_of(entry);
    } else if (key == "width") {
      choice.width = entry.value.integer(key, 1);
    } else if (key == "loop") {
      choice.loop = loop_of(entry);
    } else if (key == "cores") {
      choice.cores = small(entry, 1);
    } else {
      entry.unknown("matmul", "m, n, k, k_step, visit, width, loop, cores and shared");
    }
  });
  return choice;
}

AttentionChoice attention_of(const YamlEntry& from) {
  AttentionChoice choice;
  from.value.each("attention", [&](const YamlEntry& entry) {
    const std::string& key = entry.key;
    if (key == "queries") {
      choice.queries = entry.value.integer(key, 1);
    } else if (key == "keys") {
      choice.keys = entry.value.integer(key, 1);
    } else if (key == "part") {
      choice.part = entry.value.integer(key, 1);
    } else if (key == "piece") {
      choice.piece = entry.value.integer(key, 1);
    } else if (key == "add") {
      choice.add = entry.value.integer(key, 1);
    } else if (key == "scale_queries") {
      choice.scale_queries = entry.value.flag(key);
    } else if (key == "cores") {
      choice.cores = small(entry, 1);
    } else {
      entry.unknown("attention", "queries, keys, part, piece, add, scale_queries and cores");
    }
  });
  return choice;
}

KernelOverride kernel_of(const Yaml& item) {
  KernelOverride found;
  found.where = fmt::format("{}:{}", item.file(), item.line());
  bool named = false;
  item.each("an entry of kernels", [&](const YamlEntry& entry) {
    if (entry.key == "kernel") {
      found.kernel = entry.value.text("kernel");
      named = true;
    } else if (entry.key == "number") {
      found.number = small(entry, 0);
    } else if (entry.key == "vector") {
      found.vector = vector_of(entry);
      found.where = place_of(entry);
    } else if (entry.key == "matmul") {
      found.matmul = matmul_of(entry);
      found.where = place_of(entry);
    } else if (entry.key == "attention") {
      found.attention = attention_of(entry);
      found.where = place_of(entry);
    } else {
      entry.unknown("kernels", "kernel, number, vector, matmul and attention");
    }
  });
  if (named == found.number.has_value()) item.fail("kernels: give either kernel or number");
  const int kinds = (found.vector ? 1 : 0) + (found.matmul ? 1 : 0) + (found.attention ? 1 : 0);
  if (kinds != 1) item.fail("kernels: give one of vector, matmul and attention");
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

/// What is chosen, as a mapping in one line.
class Fields {
 public:
  template <class T>
  void add(const char* key, const std::optional<T>& value) {
    if (value) add(fmt::format("{}: {}", key, *value));
  }
  void add(std::string field) { fields_.push_back(std::move(field)); }
  [[nodiscard]] std::string text(const char* name) const {
    return fmt::format("{}: {{{}}}", name, fmt::join(fields_, ", "));
  }

 private:
  std::vector<std::string> fields_{};
};

std::string fields_of(const VectorChoice& choice) {
  Fields fields;
  fields.add("rows", choice.rows);
  fields.add("columns", choice.columns);
  fields.add("cores", choice.cores);
  if (choice.packing) {
    const bool in_order = *choice.packing == Packing::InOrder;
    fields.add(in_order ? "packing: in-order" : "packing: best-fit");
  }
  fields.add("loads", choice.loads);
  fields.add("stores", choice.stores);
  fields.add("phases", choice.phases);
  fields.add("parts", choice.parts);
  return fields.text("vector");
}

std::string fields_of(const MatmulChoice& choice) {
  Fields fields;
  fields.add("m", choice.m);
  fields.add("n", choice.n);
  fields.add("k", choice.k);
  fields.add("k_step", choice.k_step);
  if (choice.visit) fields.add(fmt::format("visit: {}", isa::name_of(*choice.visit)));
  fields.add("width", choice.width);
  if (choice.loop.value_or(0) != 0) {
    std::vector<std::string_view> names;
    for (const LoopName& each : loop_names()) {
      if ((*choice.loop & each.bit) != 0) names.push_back(each.name);
    }
    fields.add(fmt::format("loop: [{}]", fmt::join(names, ", ")));
  }
  fields.add("cores", choice.cores);
  fields.add("shared", choice.shared);
  return fields.text("matmul");
}

std::string fields_of(const AttentionChoice& choice) {
  Fields fields;
  fields.add("queries", choice.queries);
  fields.add("keys", choice.keys);
  fields.add("part", choice.part);
  fields.add("piece", choice.piece);
  fields.add("add", choice.add);
  fields.add("scale_queries", choice.scale_queries);
  fields.add("cores", choice.cores);
  return fields.text("attention");
}

std::string fields_of(const ScheduleDecision& decision) {
  if (decision.vector) return fields_of(*decision.vector);
  return decision.matmul ? fields_of(*decision.matmul) : fields_of(*decision.attention);
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
    text += "    " + fields_of(decision) + "\n";
  }
  return text;
}

}  // namespace dvmsim
