// Pretrained models on the simulated NPU against outputs of ONNX Runtime: every row of models.txt,
// in f32 and in half precision. generate.mjs writes what is expected, and makes the same inputs.
#include <gtest/gtest.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "cli/npy.h"
#include "compiler/graph/narrow.h"
#include "compiler/import/onnx.h"
#include "compiler/runtime/session.h"
#include "sim/device/device.h"
#include "tests/models/error.h"

namespace dvmsim {
namespace {

const std::string kTests = std::string(DVMSIM_SOURCE_DIR) + "/tests/";
constexpr double kTolerance = 1e-4;  // in f32

struct Row {
  std::string model, size, file;
  DType half{};
  double half_tolerance = 0;
  std::vector<std::string> inputs{};
};

std::vector<Row> rows() {
  std::vector<Row> result;
  std::ifstream table(kTests + "models/models.txt");
  for (std::string line; std::getline(table, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream words(line);
    Row row;
    std::string half;
    words >> row.model >> row.size >> half >> row.file;
    row.half = parse_dtype(half.substr(0, half.find(':'))).value();
    row.half_tolerance = std::stod(half.substr(half.find(':') + 1));
    for (std::string word; words >> word;) row.inputs.push_back(word);
    result.push_back(row);
  }
  return result;
}

/// Black on white, something like lines of letters: dots of 2 x 2 pixels, 5 x 8 of them a letter.
double letters(std::int64_t row, std::int64_t column) {
  const std::int64_t y = row % 24 / 2, x = column % 12 / 2;
  const std::int64_t letter = column / 12 + 31 * (row / 24);
  const bool ink = (37 * letter + 17 * y + 29 * x + 7 * letter * y + 13 * x * y) % 5 < 2;
  return ink && y < 8 && x < 5 ? -1 : 1;
}

double tooth(std::int64_t at, std::int64_t period) {
  return 2 * static_cast<double>(at % period) / static_cast<double>(period) - 1;
}

/// The input that `text`, SHAPE*A or SHAPE@V, describes.
Tensor input_of(const std::string& text, DType type) {
  std::vector<std::int64_t> shape;
  const char *at = text.data(), *end = at + text.size();
  const auto number = [&](auto& value) { at = std::from_chars(at, end, value).ptr; };
  if (text.starts_with("scalar")) {
    at += 6;
  } else {
    do {
      at += *at == 'x' ? 1 : 0;
      number(shape.emplace_back());
    } while (at != end && *at == 'x');
  }
  double scale = 1, fill = 0;
  const char sign = at == end ? '*' : *at++;
  if (at != end) number(sign == '*' ? scale : fill);
  const std::int64_t width = shape.empty() ? 1 : shape.back();
  const bool picture = shape.size() == 4 && shape[1] == 3;
  std::vector<double> values(static_cast<std::size_t>(element_count(shape)), fill);
  for (std::int64_t i = 0; sign == '*' && i < std::ssize(values); ++i) {
    const std::int64_t row = i / width, column = i % width;
    values[static_cast<std::size_t>(i)] =
        scale * (picture ? letters(row % shape[2], column)
                         : 0.5 * tooth(column + 3 * row, 37) + 0.3 * tooth(5 * row, 23) +
                               0.2 * tooth(i, 101));
  }
  return Tensor::of(type, shape, values);
}

/// The values as golden files keep them: small tensors whole; of larger ones, from each of at most
/// 1024 runs of equal length, the mean and the element in the middle.
std::vector<float> kept(const std::vector<float>& values) {
  constexpr std::size_t kWhole = 2048, kRuns = 1024;
  const std::size_t count = values.size();
  if (count <= kWhole) return values;
  const std::size_t run = (count + kRuns - 1) / kRuns, parts = (count + run - 1) / run;
  std::vector<float> result(2 * parts);
  for (std::size_t part = 0; part < parts; ++part) {
    const std::size_t begin = part * run, end = std::min(begin + run, count);
    double sum = 0;
    for (std::size_t i = begin; i < end; ++i) sum += values[i];
    result[part] = static_cast<float>(sum / static_cast<double>(end - begin));
    result[parts + part] = values[(begin + end) / 2];
  }
  return result;
}

/// Full: the types of the model.
struct How {
  bool full = true;
  const Strategy* strategy = &kDvm;
};
using Case = std::tuple<Row, How>;

class Pretrained : public testing::TestWithParam<Case> {};

TEST_P(Pretrained, agrees_with_onnx_runtime) {
  const auto& [row, how] = GetParam();
  const DType type = how.full ? DType::F32 : row.half;
  const std::string file = kTests + "models/node_modules/" + row.file;
  ASSERT_TRUE(std::filesystem::exists(file)) << "run .ci/setup to install " << file;
  const Machine machine = default_machine();
  SimDevice device(machine);
  const Graph graph = deduce_shapes(narrowed(import_onnx(file), type));
  std::map<std::string, Tensor> given;
  for (const std::string& input : row.inputs) {
    const std::string name = input.substr(0, input.find('='));
    for (ValueId id : graph.inputs) {
      const Value& value = graph.value(id);
      if (value.name == name) {
        given[name] = input_of(input.substr(name.size() + 1), value.type.dtype);
      }
    }
  }
  SessionOptions options;
  options.strategy = how.strategy;
  Session session(graph, machine, device, options);
  const RunResult result = session.run({}, given);
  ASSERT_FALSE(result.fault) << result.fault.text;
  const std::string golden = kTests + "golden/models/" + row.model + "/" + row.size + "/";
  const double tolerance = how.full ? kTolerance : row.half_tolerance;
  double most = 0;
  for (std::size_t i = 0; i < result.outputs.size(); ++i) {
    const Tensor expected = load_npy(golden + std::to_string(i) + ".npy");
    const double error = worst_error(kept(result.outputs[i].floats()), expected.floats());
    EXPECT_LT(error, tolerance) << "output " << i;
    most = std::max(most, error);
  }
  RecordProperty("worst_error", std::to_string(most));
}

std::string name_case(const testing::TestParamInfo<Case>& info) {
  const auto& [row, how] = info.param;
  std::string name = row.model + "_" + row.size + "_" + std::string(how.strategy->name) + "_" +
                     std::string(name_of(how.full ? DType::F32 : row.half));
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Rows, Pretrained,
                         testing::Combine(testing::ValuesIn(rows()),
                                          testing::Values(How{true, &kDvm}, How{true, &kEager},
                                                          How{true, &kDvmEager},
                                                          How{false, &kDvm})),
                         name_case);

}  // namespace
}  // namespace dvmsim
