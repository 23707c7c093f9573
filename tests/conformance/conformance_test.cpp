// The ONNX project's operator tests through the whole of dvmsim: import, a session per strategy,
// bytes on the reference device, checked for accesses that nothing orders, and on the simulated
// one. A case gives the suite's own outputs or is refused by an Error that says where and why; a
// wrong value, a fault, a hazard, or a difference to the table onnx-node.csv fails.
// DVMSIM_UPDATE_CONFORMANCE=1 rewrites the table (make conformance); DVMSIM_CASE=name runs one
// case.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "compiler/import/onnx.h"
#include "compiler/runtime/session.h"
#include "sim/device/device.h"
#include "tests/support/onnx_suite.h"
#include "vm/base/error.h"
#include "vm/device/hazard.h"
#include "vm/device/reference.h"
#include "vm/isa/verify.h"

namespace dvmsim {
namespace {

namespace fs = std::filesystem;
const fs::path kSuite = fs::path(DVMSIM_ONNX_TESTDATA) / "node";
const fs::path kTable = fs::path(DVMSIM_SOURCE_DIR) / "tests/conformance/onnx-node.csv";

/// Relative error of values stored in this type after a few roundings.
double tolerance_of(DType dtype) {
  return dtype == DType::F16 ? 4e-3 : dtype == DType::BF16 ? 3e-2 : 1e-3;
}

/// Empty when they agree.
std::string difference(const Tensor& got, const Tensor& wanted) {
  if (got.dtype() != wanted.dtype()) return "element types differ";
  if (got.shape() != wanted.shape()) return "shapes differ";
  if (!is_float(got.dtype())) return got == wanted ? "" : "integers differ";
  const std::vector<float> a = got.floats(), b = wanted.floats();
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]))) continue;
    const double bound = 1e-5 + tolerance_of(got.dtype()) * std::fabs(b[i]);
    if (!(std::fabs(static_cast<double>(a[i]) - b[i]) <= bound)) {
      return "element " + std::to_string(i) + " is " + std::to_string(a[i]) + ", not " +
             std::to_string(b[i]);
    }
  }
  return "";
}

const Machine& machine() {
  static const Machine kMachine = default_machine();
  return kMachine;
}

RunResult run_on(Device& device, const Graph& graph, const Strategy* strategy,
                 const std::map<std::string, Tensor>& inputs) {
  SessionOptions options;
  options.strategy = strategy;
  Session session(graph, machine(), device, options);
  RunResult result = session.run({}, inputs);
  const std::vector<Program> none;  // where the host drives the graph
  for (const Program& program : result.module == nullptr ? none : result.module->programs) {
    for (const isa::Finding& found : isa::verify(program, machine())) ADD_FAILURE() << print(found);
  }
  result.module = nullptr;
  EXPECT_FALSE(result.fault) << result.fault.text;
  return result;
}

void expect_outputs(const Graph& graph, const std::map<std::string, Tensor>& inputs,
                    const std::vector<Tensor>& wanted) {
  for (const Strategy* strategy : {&kEager, &kDvm, &kDvmEager}) {
    SCOPED_TRACE(strategy->name);
    Reference reference(machine());
    HazardChecker hazards(machine());
    reference.listen_order(&hazards);
    const RunResult meant = run_on(reference, graph, strategy, inputs);
    for (const auto& found : hazards.findings()) ADD_FAILURE() << found.text;
    ASSERT_EQ(meant.outputs.size(), wanted.size());
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      EXPECT_EQ(difference(meant.outputs[i], wanted[i]), "") << "output " << meant.output_names[i];
    }
    SimDevice simulator(machine());
    EXPECT_EQ(run_on(simulator, graph, strategy, inputs).outputs, meant.outputs)
        << "the simulator and the reference differ";
  }
}

struct Case {
  fs::path directory{};
  SuiteModel model{};
  std::vector<Tensor> inputs{}, outputs{};
};

/// What may have to be said besides the model, least first: inputs that must be known before
/// compilation because they say what is to be done (small parameters, then the first input too if
/// it is a number or a shape), and that doubles are computed in f32.
std::vector<ImportOptions> assumptions(const Case& test) {
  const std::vector<std::string> names = suite_inputs(test.directory);
  ImportOptions parameters, all;
  bool numbers = true;
  for (std::size_t i = 0; i < test.inputs.size() && i < names.size(); ++i) {
    const Tensor& value = test.inputs[i];
    const std::string& name = names[i];
    const bool is_shape = value.dtype() == DType::I64 && value.rank() == 1;
    numbers = numbers && (value.rank() == 0 || is_shape);
    if (value.count() > 8 || value.rank() > 1) continue;
    all.known[name] = value;
    if (i > 0) parameters.known[name] = value;
  }
  std::vector<ImportOptions> list = {ImportOptions{}, parameters};
  if (numbers) list.push_back(all);
  const std::vector<ImportOptions> in_doubles = list;
  for (ImportOptions narrow : in_doubles) {
    narrow.doubles_as_floats = true;
    list.push_back(std::move(narrow));
  }
  return list;
}

void run_graph(const Graph& graph, const Case& test) {
  std::map<std::string, Tensor> inputs;
  for (std::size_t i = 0; i < test.inputs.size() && i < graph.inputs.size(); ++i) {
    inputs[graph.value(graph.inputs[i]).name] = test.inputs[i];
  }
  expect_outputs(graph, inputs, test.outputs);
}

/// Runs a case; what had to be said besides the model: "--dtype f32" for doubles, and inputs known
/// before compilation.
std::string run_case(const Case& test) {
  const std::string path = (test.directory / "model.onnx").string();
  std::string refusal;
  for (const ImportOptions& options : assumptions(test)) {
    try {
      run_graph(import_onnx(path, options), test);
    } catch (const Error& error) {
      const std::string why = error.what();
      const bool still_double = why.find("DOUBLE") != std::string::npos;
      if (refusal.empty() || !still_double) refusal = why;
      continue;
    }
    std::string said = options.doubles_as_floats ? "--dtype f32" : "";
    for (const auto& [name, value] : options.known) said += (said.empty() ? "" : " ") + name;
    return said;
  }
  throw Error(refusal);
}

/// "Unique: ..." of an error about a node, without where it is.
std::string reason_of(const std::string& text) {
  const std::size_t node = text.find("node '");
  if (node != std::string::npos) {
    const std::size_t open = text.find(" (", node), close = text.find("): ", node);
    if (open != std::string::npos && close != std::string::npos) {
      return text.substr(open + 2, close - open - 2) + ": " + text.substr(close + 3);
    }
  }
  const std::size_t file = text.rfind("model.onnx: ");
  if (file != std::string::npos) return text.substr(file + 12);
  const std::size_t data = text.find(".pb: ");
  return data == std::string::npos ? text : text.substr(data + 5);
}

/// An Error must begin with where it is.
void expect_located(const std::string& text) {
  const bool located = text.find("node '") != std::string::npos ||
                       text.find("input '") != std::string::npos ||
                       text.find(kSuite.string()) != std::string::npos;
  EXPECT_TRUE(located) << text;
}

/// Of a model that is refused itself, the model's reason, not that of its tensors.
void read_tensors(Case& test) {
  try {
    test.inputs = suite_tensors(test.directory / "test_data_set_0", "input");
    test.outputs = suite_tensors(test.directory / "test_data_set_0", "output");
  } catch (const Error&) {
    (void)import_onnx((test.directory / "model.onnx").string());
    throw;
  }
}

struct Line {
  std::string name{}, group{}, result{}, given{};
  std::int64_t opset = 0;
  bool passed = false;
};

Line line_of(const fs::path& directory) {
  Case test{directory, suite_model(directory), {}, {}};
  Line line{directory.filename().string(), test.model.group, "", "", test.model.opset, false};
  SCOPED_TRACE(line.name);
  try {
    read_tensors(test);
    line.given = run_case(test);
    line.result = "passes";
    line.passed = true;
  } catch (const Error& error) {
    expect_located(error.what());
    line.result = "refused: " + reason_of(error.what());
  }
  return line;
}

std::string quoted(std::string text) {
  std::string result = "\"";
  for (const char c : text) {
    result += c == '"' ? '\'' : c == '\n' ? ' ' : c;
  }
  return result + '"';
}

std::string table_of(const std::vector<Line>& lines) {
  struct Share {
    int passed = 0, narrowed = 0, cases = 0;
  };
  std::map<std::string, Share> groups;
  for (const Line& line : lines) {
    Share& share = groups[line.group];
    ++share.cases;
    share.passed += line.passed ? 1 : 0;
    share.narrowed += line.given.starts_with("--dtype") ? 1 : 0;
  }
  std::ostringstream out;
  out << "# ONNX operator tests (libonnx-testdata), from model to the bytes of the simulated "
         "device,\n"
         "# against the suite's outputs. Group core: opset 1 to 17, and no string, sequence or\n"
         "# optional type, training or ML domain. Given: inputs that had to be known before\n"
         "# compilation, and --dtype f32 where the model is in doubles, which the machine has "
         "not.\n"
         "# Made by `make conformance`.\n";
  for (const auto& [group, share] : groups) {
    char text[120];
    std::snprintf(text, sizeof text,
                  "# %-8s %3d of %3d pass (%.1f %%), %d of them in f32 for f64\n", group.c_str(),
                  share.passed, share.cases, 100.0 * share.passed / share.cases, share.narrowed);
    out << text;
  }
  out << "case,opset,group,result,given\n";
  for (const Line& line : lines) {
    out << line.name << ',' << line.opset << ',' << line.group << ','
        << (line.passed ? line.result : quoted(line.result)) << ',' << line.given << '\n';
  }
  return out.str();
}

std::string file_text(const fs::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// The first line that differs.
std::string first_difference(const std::string& got, const std::string& wanted) {
  std::istringstream a(got), b(wanted);
  std::string x, y;
  while (true) {
    const bool more = static_cast<bool>(std::getline(a, x)),
               more_b = static_cast<bool>(std::getline(b, y));
    if (!more && !more_b) return "";
    if (!more || !more_b || x != y) {
      return "runs: " + (more ? x : "nothing") + "\ntable: " + (more_b ? y : "nothing");
    }
  }
}

TEST(Conformance, every_case_passes_or_is_refused_as_the_table_says) {
  if (!fs::exists(kSuite)) FAIL() << "libonnx-testdata is not installed; run .ci/setup";
  const char* only = std::getenv("DVMSIM_CASE");
  std::vector<Line> lines;
  for (const fs::path& directory : suite_cases(kSuite)) {
    if (only != nullptr && directory.filename() != only) continue;
    lines.push_back(line_of(directory));
  }
  const std::string table = table_of(lines);
  if (only != nullptr) {
    std::printf("%s", table.c_str());
    return;
  }
  std::printf("%s", table.substr(0, table.find("case,")).c_str());
  if (std::getenv("DVMSIM_UPDATE_CONFORMANCE") != nullptr && !HasFailure()) {
    std::ofstream(kTable) << table;
  }
  EXPECT_EQ(first_difference(table, file_text(kTable)), "")
      << "make conformance rewrites " << kTable.string();
}

}  // namespace
}  // namespace dvmsim
