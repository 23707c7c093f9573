// `config show`: a machine for an architect. The peaks that follow from its numbers, then every
// number with its meaning and source, as a hardware file that can be loaded again.
#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>

#include "cli/commands.h"
#include "cli/machine.h"
#include "cli/sources.h"
#include "vm/machine/derived.h"

namespace dvmsim {
namespace {

constexpr std::size_t kWidth = 120, kComments = 34;

/// What the sources' short names stand for.
constexpr const char* kLegend[] = {
    "Sources. ini: the chips' platform files. arch: the vendor's architecture and constraint "
    "pages.",
    "perf: its tables of theoretical performance. msprof: published profiler rows. vendor model: "
    "its",
    "open cost model. dvm: source and tests of DVM. inferred: arithmetic from those. assumed: "
    "nothing",
    "published. `Here` tells what a hardware file changes in the built-in machine, and why.",
};

// -- peaks ----------------------------------------------------------------------------------------

class Table {
 public:
  void head(const std::string& title, const std::string& unit) {
    text_ += fmt::format("#\n# {:<38}{:>12}{:>13}  {}\n", title, "a core", "all cores", unit);
  }
  /// Of one core, and of so many.
  void each(const std::string& what, double one, int cores) {
    if (one > 0 && cores > 0) row(what, number(one), number(one * cores));
  }
  void all(const std::string& what, double value) { row(what, "", number(value)); }
  void note(const std::string& text) { text_ += (text.empty() ? "#" : "# " + text) + "\n"; }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  static std::string number(double value) {
    return value < 10 ? fmt::format("{:.2f}", value) : fmt::format("{:.1f}", value);
  }
  void row(const std::string& what, const std::string& one, const std::string& total) {
    text_ += fmt::format("#   {:<36}{:>12}{:>13}\n", what, one, total);
  }
  std::string text_{};
};

/// Cores with a vector unit.
int vector_units(const Machine& machine) {
  return machine.cores.unified ? machine.cores.cube : machine.cores.vector;
}

void add_compute(Table& table, const Machine& machine) {
  const int cubes = machine.cores.cube, vectors = vector_units(machine);
  table.head("Cube, a multiply-accumulate is two", "TFLOP/s; integers Top/s");
  for (DType type : kDTypes) {
    table.each(std::string(name_of(type)), peak_cube_ops(machine, type) / 1e12 / cubes, cubes);
  }
  table.head("Vector: add, max, ... and exp, div, ...", "Gelements/s");
  for (VectorClass which : {VectorClass::simple, VectorClass::special}) {
    for (DType type : {DType::F16, DType::F32}) {
      const double all = peak_vector_ops(machine, which, type) / 1e9;
      table.each(fmt::format("{} {}", which == VectorClass::simple ? "add" : "exp", name_of(type)),
                 vectors > 0 ? all / vectors : 0, vectors);
    }
  }
}

void add_memory(Table& table, const Machine& machine) {
  const int cubes = machine.cores.cube, vectors = vector_units(machine);
  const auto rate = [&](Rate each) { return per_second(machine, each) / 1e9; };
  const double sustained = sustained_hbm_read(machine) / 1e9;
  table.head("Memory", "GB/s");
  table.all("HBM peak", peak_hbm(machine) / 1e9);
  table.all("HBM sustained, reading", sustained);
  table.all("HBM sustained, copying (both ways)",
            2 * sustained / (1 + machine.hbm.write_cost.value()));
  if (machine.l2.size > Bytes(0)) {
    table.all("L2 read", l2_read(machine) / 1e9);
    table.all("L2 write", l2_write(machine) / 1e9);
  }
  table.each("GM to L1, from HBM", rate(machine.mte2.gm_to_l1), cubes);
  table.each("GM to L1, from L2", rate(machine.mte2.gm_to_l1_hit), cubes);
  table.each("GM to UB", rate(machine.mte2.gm_to_ub), vectors);
  table.each("UB to GM", rate(machine.mte3.ub_to_gm), vectors);
  table.each("L0C to GM, accumulators of 4 bytes", rate(machine.fix.l0c_to_gm), cubes);
  table.each("L1 to L0A", rate(machine.mte1.l0a), cubes);
  table.each("L1 to L0B", rate(machine.mte1.l0b), cubes);
  table.each("UB, each operand of an addition",
             rate(Rate(machine.rate(VectorClass::simple, DType::F16) * Rational(2))), vectors);
}

std::string peaks(const Machine& machine) {
  Table table;
  table.note(fmt::format("{}: {} {}cores{}, {:g} MHz", machine.name, machine.cores.cube,
                         machine.cores.unified ? "" : "cube ",
                         machine.cores.unified
                             ? std::string()
                             : fmt::format(" and {} vector cores", machine.cores.vector),
                         static_cast<double>(machine.clock.core.count()) / 1e6));
  table.note("What follows from the numbers below:");
  add_compute(table, machine);
  add_memory(table, machine);
  table.note("");
  table.note(fmt::format(
      "Compute and memory balance at {:.0f} f16 operations per byte from HBM, "
      "{:.0f} per byte from L2.",
      balance_ops_per_byte(machine), peak_cube_ops(machine, DType::F16) / l2_read(machine)));
  table.note("");
  for (const char* line : kLegend) table.note(line);
  return table.take() + "\n";
}

// -- parameters -----------------------------------------------------------------------------------

/// By path, of a machine as YAML with its documentation.
std::map<std::string, std::string> values_of(const Machine& machine) {
  std::map<std::string, std::string> values;
  for (const YamlLine& line : yaml_lines(dump(machine))) values[line.path] = line.value;
  return values;
}

/// The comment of a key in a hardware file, its table's if it has none of its own.
std::optional<Source> source_of(const std::map<std::string, Source>& sources, std::string path) {
  for (;;) {
    const auto found = sources.find(path);
    if (found != sources.end()) return found->second;
    const std::size_t dot = path.rfind('.');
    if (dot == std::string::npos) return std::nullopt;
    path.resize(dot);
  }
}

void append_comment(std::string& text, std::string line, const std::string& comment) {
  std::istringstream words(comment);
  const std::size_t indent = std::max(kComments, line.size() + 2);
  const auto begin = [&] { line.resize(std::max(line.size(), indent), ' '), line += "#"; };
  begin();
  for (std::string word; words >> word;) {
    if (line.size() + 1 + word.size() > kWidth && line.size() > indent + 1) {
      text += line + "\n";
      line.clear();
      begin();
    }
    line += " " + word;
  }
  text += line + "\n";
}

class Parameters {
 public:
  Parameters(const Machine& machine, const std::string& file)
      : machine_(machine), built_in_(values_of(default_machine())), in_file_(built_in_) {
    if (file.empty()) return;
    sources_ = sources_of(file);
    in_file_ = values_of(load_machine(file));
  }

  std::string text() {
    std::string text;
    for (const YamlLine& line : yaml_lines(dump(machine_, true))) {
      std::string row = std::string(line.indent, ' ') + line.path.substr(last_of(line.path)) + ":";
      if (line.value.empty()) {
        text += row + "\n";
        continue;
      }
      append_comment(text, row + " " + line.value, line.comment + changed(line));
    }
    return text;
  }

 private:
  static std::size_t last_of(const std::string& path) {
    const std::size_t dot = path.rfind('.');
    return dot == std::string::npos ? 0 : dot + 1;
  }
  /// Whose value it is, if not the built-in machine's.
  [[nodiscard]] std::string changed(const YamlLine& line) const {
    if (line.path == "name") return "";
    if (line.value != in_file_.at(line.path)) {
      return " | Set on the command line instead of " + in_file_.at(line.path) + ".";
    }
    if (line.value == built_in_.at(line.path)) return "";
    const auto source = source_of(sources_, line.path);
    const std::string place = source ? source->place : "the file";
    const std::string why = source ? source->comment : "";
    return fmt::format(" | Here ({}; built in {}): {}", place, built_in_.at(line.path), why);
  }

  const Machine& machine_;
  std::map<std::string, std::string> built_in_, in_file_;
  std::map<std::string, Source> sources_{};
};

}  // namespace

int show_config(const std::string& file, const std::vector<std::string>& sets) {
  const Machine machine = machine_from(file, sets);
  fmt::print("{}{}", peaks(machine), Parameters(machine, file).text());
  return kGood;
}

}  // namespace dvmsim
