// The ONNX project's operator tests through the whole compiler: import, a session, bytes on the
// reference device, checked for accesses that nothing orders. A case gives the suite's own outputs,
// or is refused by an Error that says where; a wrong value, a fault, or a hazard fails.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "compiler/graph/shape.h"
#include "compiler/import/onnx.h"
#include "compiler/runtime/session.h"
#include "tests/support/onnx_suite.h"
#include "vm/base/error.h"
#include "vm/device/hazard.h"
#include "vm/device/reference.h"
#include "vm/isa/verify.h"

namespace dvmsim {
namespace {

namespace fs = std::filesystem;
const fs::path kSuite = fs::path(DVMSIM_ONNX_TESTDATA) / "node";

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

void run(const Graph& graph, const Strategy* strategy, const std::map<std::string, Tensor>& inputs,
         const std::vector<Tensor>& wanted) {
  static const Machine machine = default_machine();
  Reference device(machine);
  HazardChecker hazards(machine);
  device.listen_order(&hazards);
  SessionOptions options;
  options.strategy = strategy;
  Session session(graph, machine, device, options);
  const RunResult result = session.run({}, inputs);
  for (const Program& program : result.module->programs) {
    for (const isa::Finding& found : isa::verify(program, machine)) ADD_FAILURE() << print(found);
  }
  ASSERT_FALSE(result.fault) << result.fault.text;
  ASSERT_EQ(result.outputs.size(), wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    EXPECT_EQ(difference(result.outputs[i], wanted[i]), "") << "output " << result.output_names[i];
  }
  for (const auto& found : hazards.findings()) ADD_FAILURE() << found.text;
}

/// The graph with shapes; where they depend on small integer inputs, for these inputs only.
Graph shaped(const Graph& graph, const std::map<std::string, Tensor>& inputs) {
  try {
    return deduce_shapes(graph);
  } catch (const Error&) {
    Graph assumed = graph;
    for (const auto& [name, value] : inputs) {
      const bool integers = value.dtype() == DType::I64 || value.dtype() == DType::I32;
      if (integers && value.count() <= 8) assumed = assume_input(assumed, name, value);
    }
    return deduce_shapes(assumed);
  }
}

/// An Error must begin with where it is.
void expect_located(const std::string& text) {
  const bool located = text.find("node '") != std::string::npos ||
                       text.find("input '") != std::string::npos ||
                       text.find(kSuite.string()) != std::string::npos;
  EXPECT_TRUE(located) << text;
}

struct Tally {
  int passed = 0, refused = 0;
};

Tally run_suite(const Strategy* strategy) {
  std::vector<fs::path> directories;
  for (const fs::directory_entry& entry : fs::directory_iterator(kSuite)) {
    if (fs::exists(entry.path() / "model.onnx")) directories.push_back(entry.path());
  }
  std::sort(directories.begin(), directories.end());
  const bool verbose = std::getenv("DVMSIM_VERBOSE") != nullptr;
  const char* only = std::getenv("DVMSIM_CASE");
  Tally tally;
  for (const fs::path& directory : directories) {
    SCOPED_TRACE(directory.filename().string());
    if (only != nullptr && directory.filename() != only) continue;
    if (verbose) std::fprintf(stderr, "case %s\n", directory.filename().c_str());
    try {
      const Graph graph = import_onnx((directory / "model.onnx").string());
      const std::vector<Tensor> given = suite_tensors(directory / "test_data_set_0", "input");
      std::map<std::string, Tensor> inputs;
      for (std::size_t i = 0; i < given.size() && i < graph.inputs.size(); ++i) {
        inputs[graph.value(graph.inputs[i]).name] = given[i];
      }
      run(shaped(graph, inputs), strategy, inputs,
          suite_tensors(directory / "test_data_set_0", "output"));
      ++tally.passed;
    } catch (const Error& error) {
      ++tally.refused;
      expect_located(error.what());
      if (verbose) std::fprintf(stderr, "refused: %s\n", error.what());
    }
  }
  if (verbose) {
    std::printf("%s: %d passed, %d refused\n", std::string(strategy->name).c_str(), tally.passed,
                tally.refused);
  }
  return tally;
}

class Conformance : public testing::TestWithParam<const Strategy*> {};

TEST_P(Conformance, operators_give_the_values_the_suite_expects) {
  if (!fs::exists(kSuite)) FAIL() << "libonnx-testdata is not installed; run .ci/setup";
  EXPECT_GE(run_suite(GetParam()).passed, 440);
}

INSTANTIATE_TEST_SUITE_P(Strategies, Conformance, testing::Values(&kEager, &kDvm),
                         [](const auto& tested) { return std::string(tested.param->name); });

}  // namespace
}  // namespace dvmsim
