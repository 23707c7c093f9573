// The ONNX project's operator tests: each is a model with inputs and expected outputs. A test
// passes, or is refused by an Error; a wrong value or another exception fails.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "compiler/graph/eval.h"
#include "compiler/graph/shape.h"
#include "compiler/import/onnx.h"
#include "tests/support/onnx_suite.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

namespace fs = std::filesystem;

/// Empty when they agree to the tolerance of the suite (1e-3 relative, 1e-7 absolute), half apart.
std::string difference(const Tensor& got, const Tensor& wanted) {
  if (got.dtype() != wanted.dtype()) return "element types differ";
  if (got.shape() != wanted.shape()) return "shapes differ";
  if (!is_float(got.dtype())) return got == wanted ? "" : "integers differ";
  const std::vector<float> a = got.floats();
  const std::vector<float> b = wanted.floats();
  for (std::size_t i = 0; i < a.size(); ++i) {
    const bool same = a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]));
    // The suite cuts bfloat16 off instead of rounding it.
    const float part = got.dtype() == DType::BF16 ? 0x1p-7f : 1e-3f;
    const bool close = std::fabs(a[i] - b[i]) <= 1e-6f + part * std::fabs(b[i]);
    if (!same && !close) {
      return "element " + std::to_string(i) + " is " + std::to_string(a[i]) + ", not " +
             std::to_string(b[i]);
    }
  }
  return "";
}

struct Tally {
  int passed = 0;
  int refused = 0;
};

void check(const fs::path& directory, const Graph& graph) {
  const fs::path data = directory / "test_data_set_0";
  const std::vector<Tensor> inputs = suite_tensors(data, "input");
  const std::vector<Tensor> wanted = suite_tensors(data, "output");
  std::map<std::string, Tensor> named;
  for (std::size_t i = 0; i < inputs.size() && i < graph.inputs.size(); ++i) {
    named[graph.value(graph.inputs[i]).name] = inputs[i];
  }
  const std::vector<Tensor> outputs = evaluate(graph, named);
  ASSERT_EQ(outputs.size(), wanted.size()) << directory;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    EXPECT_EQ(difference(outputs[i], wanted[i]), "") << directory << " output " << i;
  }
}

Tally run(const fs::path& suite) {
  std::vector<fs::path> directories;
  for (const fs::directory_entry& entry : fs::directory_iterator(suite)) {
    if (fs::exists(entry.path() / "model.onnx")) directories.push_back(entry.path());
  }
  std::sort(directories.begin(), directories.end());
  Tally tally;
  for (const fs::path& directory : directories) {
    try {
      check(directory, import_onnx((directory / "model.onnx").string()));
      ++tally.passed;
    } catch (const Error& error) {
      ++tally.refused;
      if (std::getenv("DVMSIM_VERBOSE") != nullptr) std::printf("refused: %s\n", error.what());
    }
  }
  std::printf("%s: %d passed, %d refused\n", suite.filename().c_str(), tally.passed, tally.refused);
  return tally;
}

const fs::path kData = DVMSIM_ONNX_TESTDATA;

TEST(NodeSuite, operators_give_the_values_the_suite_expects) {
  if (!fs::exists(kData / "node")) FAIL() << "libonnx-testdata is not installed; run .ci/setup";
  EXPECT_GE(run(kData / "node").passed, 630);
}

TEST(NodeSuite, small_exported_models_give_the_values_they_should) {
  if (!fs::exists(kData / "node")) FAIL() << "libonnx-testdata is not installed; run .ci/setup";
  Tally sum;
  for (const char* suite : {"simple", "pytorch-converted", "pytorch-operator"}) {
    const Tally tally = run(kData / suite);
    sum.passed += tally.passed;
    sum.refused += tally.refused;
  }
  EXPECT_GE(sum.passed, 6);
}

}  // namespace
}  // namespace dvmsim
