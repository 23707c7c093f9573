// Study files: what they mean and what is refused.
#include "cli/study/study.h"

#include <gtest/gtest.h>

#include "vm/base/error.h"

namespace dvmsim {
namespace {

const std::string kFile = DVMSIM_SOURCE_DIR "/configs/studies/s.yaml";
const std::string kWork = "workloads:\n  - {op: add, shapes: [8x8, 8x8]}\n";

Study study_of(const std::string& text) {
  return parse_study(text, kFile);
}

/// The message without the folder.
std::string error_of(const std::string& text) {
  try {
    (void)study_of(text);
  } catch (const Error& error) {
    const std::string what = error.what();
    const std::string folder = kFile.substr(0, kFile.size() - 6);
    return what.starts_with(folder) ? what.substr(folder.size()) : what;
  }
  return "accepted";
}

std::vector<std::string> values_of(const StudyAxis& axis) {
  std::vector<std::string> texts;
  for (const AxisValue& value : axis.values) texts.push_back(value.text);
  return texts;
}
using Texts = std::vector<std::string>;

TEST(Study, says_all_it_can) {
  const Study study = study_of(R"(study: "a title"
hardware:
  - {file: ../hardware/ascend910b1.yaml, name: B1, set: {launch.vector: 5us}}
  - file: ../hardware/ascend910b4.yaml
axes:
  cores.cube: [20, 24]
  hbm.peak: {values: [0.8TB/s]}
  ub.size: {from: 128KiB, to: 256KiB, steps: 5}
  l2.size: {from: 8MiB, to: 128MiB, steps: 5, scale: log}
  queue.cube: {from: 2, to: 8, by: 3}
  vector: {factors: [1/2, 1, 2], of: ["vector.rate.simple.b*", vector.fixed]}
  hbm.efficiency: {factors: [1]}
  memory: {choices: {slow: {hbm.latency: 90ns}, fast: {hbm.latency: 20ns, hbm.channels: 64}}}
derived: {cores.vector: "2 * cores.cube"}
workloads:
  - model: ../workloads/encoder.graph
    dims: {batch: 1, seq: {list: [4, 8]}, other: {range: [1, 5, 2]}}
    mode: functional
    dtype: bf16
    weight: 2.5
    seed: 3
  - {name: soft, op: softmax, shapes: [nx64], dims: {n: [1, 2]}, attrs: {axis: -1}, dtype: f32}
  - {model: ../workloads/llama_7b.graph, trace: ../workloads/llama_7b.stream}
strategies:
  - eager
  - {strategy: resident, name: plain, feature: "-shape-cache,+graph-split", tiling: dvm, cores: 3}
launch_cost: [0us, 5us]
options: {memory: closed-form, l2: warm, repeat: 2, decode: true}
metrics: [e2e_us, {per_row: "task_us / dim.n"}]
cost:
  area: {unit: mm2, all: {value: "cores.cube * 2 + l2.size / 1MiB", source: "assumed: a test"}}
pareto: [e2e_us, area]
)");
  EXPECT_EQ(study.title, "a title");
  ASSERT_EQ(study.hardware.size(), 2u);
  EXPECT_TRUE(study.hardware[0].file.ends_with("configs/hardware/ascend910b1.yaml"));
  EXPECT_EQ(study.hardware[0].sets, (Texts{"launch.vector=5us"}));
  EXPECT_EQ(study.hardware[1].name, "ascend910b4");
  ASSERT_EQ(study.axes.size(), 8u);
  EXPECT_EQ(values_of(study.axes[0]), (Texts{"20", "24"}));
  EXPECT_EQ(values_of(study.axes[2]), (Texts{"128KiB", "160KiB", "192KiB", "224KiB", "256KiB"}));
  EXPECT_EQ(values_of(study.axes[3]), (Texts{"8MiB", "16MiB", "32MiB", "64MiB", "128MiB"}));
  EXPECT_EQ(values_of(study.axes[4]), (Texts{"2", "5", "8"}));
  EXPECT_EQ(study.axes[5].keys.size(), 5u);
  EXPECT_EQ(study.axes[5].values[0].factor, 0.5);
  EXPECT_EQ(study.axes[7].values[1].sets.size(), 2u);
  EXPECT_EQ(study.derived[0].key, "cores.vector");
  ASSERT_EQ(study.workloads.size(), 3u);
  const StudyWorkload& model = study.workloads[0];
  EXPECT_EQ(model.name, "encoder");
  ASSERT_EQ(model.sizes.size(), 6u);
  EXPECT_EQ(model.sizes[1], (DimSizes{{"batch", 1}, {"seq", 4}, {"other", 3}}));
  EXPECT_TRUE(model.mode == Mode::Functional && model.floats == DType::BF16);
  EXPECT_TRUE(model.weight == 2.5 && model.seed == 3);
  const StudyWorkload& op = study.workloads[1];
  EXPECT_EQ(op.op_shapes[0][0].symbol_name(), "n");
  EXPECT_EQ(op.op_shapes[0][1].value(), 64);
  EXPECT_EQ(op.op.attributes[0].second, "-1");
  EXPECT_EQ(op.op.dtype, DType::F32);
  EXPECT_TRUE(study.workloads[2].trace.ends_with("llama_7b.stream"));
  EXPECT_EQ(study.strategies[0].name, "eager");
  EXPECT_EQ(study.strategies[1].strategy, "resident");
  EXPECT_EQ(study.strategies[1].features[0], std::pair("shape-cache" + std::string(), false));
  EXPECT_EQ(study.launch_costs, (Texts{"0us", "5us"}));
  EXPECT_TRUE(study.memory == MemoryModel::ClosedForm && study.warm_l2 && study.decode);
  EXPECT_EQ(study.repeat, 2);
  EXPECT_EQ(study.metrics[1].value.names(), (Texts{"task_us", "dim.n"}));
  EXPECT_TRUE((*study.cost)[0].assumed());
  EXPECT_EQ(study.pareto[1].first, "area");
}

TEST(Study, needs_only_workloads) {
  const Study study = study_of(kWork);
  EXPECT_EQ(study.title, "s");
  EXPECT_EQ(study.hardware[0].name, "ascend910b1");
  EXPECT_EQ(study.strategies[0].strategy, "dvm");
  EXPECT_EQ(study.workloads[0].sizes, std::vector<DimSizes>{{}});
  EXPECT_TRUE(study.axes.empty() && study.launch_costs.empty() && !study.cost);
}

TEST(Study, random_and_shuffled_sizes_follow_from_the_seed) {
  const auto sizes = [](const std::string& form) {
    const Study study =
        study_of("workloads:\n  - {op: exp, shapes: [n], dims: {n: " + form + "}}\n");
    std::vector<std::int64_t> result;
    for (const DimSizes& each : study.workloads[0].sizes) result.push_back(each[0].second);
    return result;
  };
  const auto drawn = sizes("{random: {min: 8, max: 64, count: 50, seed: 7, step: 8}}");
  EXPECT_EQ(drawn, sizes("{random: {min: 8, max: 64, count: 50, seed: 7, step: 8}}"));
  EXPECT_NE(drawn, sizes("{random: {min: 8, max: 64, count: 50, seed: 8, step: 8}}"));
  for (const std::int64_t size : drawn) EXPECT_TRUE(size >= 8 && size <= 64 && size % 8 == 0);
  auto shuffled = sizes("{range: [1, 100], shuffle: 3}");
  const auto straight = sizes("{range: [1, 100]}");
  EXPECT_NE(shuffled, straight);
  std::sort(shuffled.begin(), shuffled.end());
  EXPECT_EQ(shuffled, straight);
}

TEST(Study, sizes_combine_as_a_grid_or_a_list) {
  const std::string op = "workloads:\n  - {op: exp, shapes: [axb], dims: {a: [1, 2], b: [3, 4]}";
  EXPECT_EQ(study_of(op + "}\n").workloads[0].sizes.size(), 4u);
  const auto list = study_of(op + ", combine: list}\n").workloads[0].sizes;
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[1], (DimSizes{{"a", 2}, {"b", 4}}));
}

TEST(Study, drawn_axes_need_no_steps) {
  const Study study = study_of(
      "sampling: {random: 20, seed: 4}\naxes:\n  ub.size: {from: 64KiB, to: 256KiB, by: 32KiB}\n"
      "  hbm.peak: {from: 1TB/s, to: 4TB/s, scale: log}\n  cores.cube: [8, 16]\n" +
      kWork);
  EXPECT_EQ(study.sampling.count, 20);
  EXPECT_EQ(study.axes[0].range->by, 32);
  EXPECT_EQ(study.axes[0].range->unit, "KiB");
  EXPECT_TRUE(study.axes[1].range->log);
  EXPECT_FALSE(study.axes[2].range.has_value());
}

struct Wrong {
  std::string text, error;
};

void expect_errors(const std::vector<Wrong>& cases) {
  for (const Wrong& each : cases) {
    const std::string error = error_of(each.text);
    EXPECT_NE(error.find(each.error), std::string::npos) << each.text << "says: " << error;
  }
}

TEST(Study, refuses_a_wrong_top) {
  expect_errors({
      {"", "s.yaml:1: is no study; write study, hardware"},
      {"study: x\n", "s.yaml:1: has no workloads; add"},
      {kWork + "size: 3\n", "s.yaml:3: 'size': unknown; a study has study, hardware"},
      {kWork + "study: x\nstudy: y\n", "s.yaml:4: 'study' is given twice"},
      {"a: [\n", "not YAML"},
      {"hardware:\n  - file: none.yaml\n" + kWork, "s.yaml:2: file:"},
      {"hardware:\n  - set: {hbm.peak: fast}\n" + kWork, "s.yaml:2: --set hbm.peak=fast"},
      {"hardware:\n  - files: x\n" + kWork, "s.yaml:2: 'files': unknown; a machine has file"},
      {"hardware:\n  - {}\n  - {}\n" + kWork, "s.yaml:3: two machines are called 'ascend910b1'"},
      {"sampling: dense\n" + kWork, "s.yaml:1: sampling: grid, list or"},
      {"sampling: {seed: 1}\n" + kWork, "s.yaml:1: sampling: add random"},
      {"sampling: {random: 0}\n" + kWork, "s.yaml:1: random: write at least 1"},
      {"launch_cost: [5]\n" + kWork, "s.yaml:1: --set launch.vector=5"},
      {"launch_cost: [5us, 5us]\n" + kWork, "s.yaml:1: launch_cost: '5us' is there twice"},
      {"axes: {launch.mix: [1us]}\nlaunch_cost: [5us]\n" + kWork,
       "s.yaml:2: launch_cost: 'launch.mix"},
      {"options: {memory: real}\n" + kWork, "s.yaml:1: memory real: unknown; use ideal"},
      {"options: {l2: hot}\n" + kWork, "s.yaml:1: l2 hot: unknown"},
      {"options: {decode: 1}\n" + kWork, "s.yaml:1: decode: write true or false"},
      {"strategies: [fast]\n" + kWork, "s.yaml:1: strategy fast: unknown"},
      {"strategies: [dvm, dvm]\n" + kWork, "s.yaml:1: two strategies are called 'dvm'"},
      {"strategies: [{tiling: x}]\n" + kWork, "s.yaml:1: tiling x: unknown"},
      {"strategies: [{cores: 2}]\n" + kWork, "s.yaml:1: a strategy: add strategy"},
      {"strategies: [{strategy: dvm, feature: x}]\n" + kWork, "s.yaml:1: feature 'x': write +name"},
      {"metrics: [a, a]\n" + kWork, "s.yaml:1: 'a' is there twice"},
      {"metrics: [{x: \"1 +\"}]\n" + kWork, "s.yaml:1: a number or a name is missing"},
      {"pareto: [cycles]\n" + kWork, "s.yaml:1: pareto: write two"},
  });
}

TEST(Study, constants_of_strategies_are_axes_and_set) {
  const Study study = study_of(
      "axes:\n  jit.trace: {from: 1ms, to: 9ms, steps: 3}\n"
      "  host: {choices: {slow: {host.capture: 9us, graph.infer: 5us}, fast: {graph.infer: 1us}}}\n"
      "strategies: [graph, {strategy: jit, name: wide, set: {jit.workers: 32}}]\n" +
      kWork);
  EXPECT_EQ(values_of(study.axes[0]), (Texts{"1ms", "5ms", "9ms"}));
  EXPECT_EQ(study.axes[1].keys, (Texts{"host.capture", "graph.infer"}));
  EXPECT_EQ(study.strategies[1].sets, Texts{"jit.workers=32"});
}

TEST(Study, metrics_say_what_is_better) {
  const Study study = study_of(
      "metrics: [e2e_us, roofline.fraction, {speed: \"1 / e2e_us\", better: more}]\n" + kWork);
  EXPECT_FALSE(study.metrics[0].more);
  EXPECT_TRUE(study.metrics[1].more);
  EXPECT_TRUE(study.metrics[2].more);
  EXPECT_EQ(study.metrics[2].name, "speed");
  EXPECT_NE(error_of("metrics: [{speed: \"1\", better: high}]\n" + kWork).find("less or more"),
            std::string::npos);
}

TEST(Study, refuses_wrong_axes) {
  const auto axis = [](const std::string& text) { return "axes:\n  " + text + "\n" + kWork; };
  expect_errors({
      {axis("ub.sice: [1KiB]"), "s.yaml:2: 'ub.sice': no key of a machine"},
      {axis("jit.trace: [fast]"), "s.yaml:2: 'fast'"},
      {axis("jit.trace: {factors: [1, 2]}"), "s.yaml:2: 'jit.trace': factors are of machines'"},
      {axis("jit.workers: [4]") + "strategies: [{strategy: jit, set: {jit.workers: 2}}]\n",
       "s.yaml:5: set: 'jit.workers' is already set by the axis jit.workers"},
      {kWork + "strategies: [{strategy: dvm, set: {jit.workers: 2}}]\n",
       "s.yaml:3: set: strategy dvm does not depend on jit.workers"},
      {kWork + "strategies: [{strategy: jit, set: {jit.colour: 2}}]\n", "s.yaml:3: 'jit.colour'"},
      {axis("ub.size: 1KiB"), "s.yaml:2: ub.size: write a list of values"},
      {axis("ub.size: [big]"), "s.yaml:2: --set ub.size=big"},
      {axis("ub.size: [1KiB, 1KiB]"), "s.yaml:2: ub.size: '1KiB' is there twice"},
      {axis("ub.size: {from: 1KiB}"), "s.yaml:2: ub.size: add to"},
      {axis("ub.size: {from: 1KiB, to: 2KiB}"), "s.yaml:2: ub.size: add steps"},
      {axis("ub.size: {from: 1KiB, to: 2MiB, steps: 2}"), "s.yaml:2: to: write it in 'KiB'"},
      {axis("ub.size: {from: 2KiB, to: 1KiB, steps: 2}"), "s.yaml:2: to: must be more than from"},
      {axis("ub.size: {from: 1KiB, to: 2KiB, steps: 1}"), "s.yaml:2: steps: write at least 2"},
      {axis("ub.size: {from: 1KiB, to: 2KiB, step: 1}"), "s.yaml:2: 'step': unknown"},
      {axis("queue.cube: {from: 1, to: 4, steps: 3}"), "s.yaml:2: --set queue.cube=2.5"},
      {axis("x: {factors: [1, 2]}"), "s.yaml:2: 'x': no key of a machine"},
      {axis("x: {factors: [1, no], of: [hbm.peak]}"), "s.yaml:2: 'no': a factor is a number"},
      {axis("x: {factors: [0], of: [hbm.peak]}"), "s.yaml:2: factors: '0' must be more than 0"},
      {axis("x: {factors: [1], of: [hbm.p]}"), "s.yaml:2: of: no parameter is called 'hbm.p'"},
      {axis("x: {factors: [1], of: [firmware.memory]}"), "s.yaml:2: 'firmware.memory': no number"},
      {axis("x: {choices: {a: {hbm.no: 1}}}"), "s.yaml:2: --set hbm.no=1"},
      {axis("hbm.peak: [1TB/s]\n  x: {choices: {a: {hbm.peak: 1TB/s}}}"),
       "s.yaml:3: 'hbm.peak' is already set by the axis hbm.peak"},
      {"sampling: list\naxes:\n  ub.size: [1KiB, 2KiB]\n  hbm.peak: [1TB/s]\n" + kWork,
       "s.yaml:2: sampling: list needs as many values"},
      {"derived: {hbm.no: \"1\"}\n" + kWork, "s.yaml:1: unknown key 'hbm.no'"},
      {"derived: {cores.vector: \"2 * cubes\"}\n" + kWork, "s.yaml:1: unknown key 'cubes'"},
      {"axes: {hbm.peak: [1TB/s]}\nderived: {hbm.peak: \"1\"}\n" + kWork,
       "s.yaml:2: 'hbm.peak' is already set"},
  });
}

TEST(Study, refuses_wrong_workloads) {
  const auto work = [](const std::string& text) { return "workloads:\n  - {" + text + "}\n"; };
  const std::string exp = "op: exp, shapes: [n], ";
  expect_errors({
      {work("name: x"), "s.yaml:2: a workload is a model: FILE or an op"},
      {work("op: exp, model: ../workloads/encoder.graph"), "s.yaml:2: a workload is a model"},
      {work("model: none.graph"), "s.yaml:2: model: '"},
      {work("model: s.yaml"), "s.yaml:2: model:"},
      {work("op: exp"), "s.yaml:2: op: add shapes"},
      {work("op: exp, shapes: [8x]"), "s.yaml:2: shapes: '8x': write sizes or symbols"},
      {work("op: exp, shapes: [8xn]"), "s.yaml:2: shapes: add the sizes of 'n' to dims"},
      {work("op: exp, shapes: [8], dims: {n: 1}"), "s.yaml:2: dims: no shape has the symbol 'n'"},
      {work("op: exp, shapes: [8], dtype: half"), "s.yaml:2: dtype: 'half'"},
      {work("op: exp, shapes: [8], mode: fast"), "s.yaml:2: mode fast: unknown"},
      {work("op: exp, shapes: [8], weight: 0"), "s.yaml:2: weight: must be more than 0"},
      {work("op: exp, shapes: [8], size: 0"), "s.yaml:2: 'size': unknown; a workload has"},
      {work(exp + "dims: {n: many}"), "s.yaml:2: n: 'many' is not a whole number"},
      {work(exp + "dims: {n: -1}"), "s.yaml:2: n: write at least 0"},
      {work(exp + "dims: {n: {range: [5, 1]}}"), "s.yaml:2: range: first to last"},
      {work(exp + "dims: {n: {range: [5]}}"), "s.yaml:2: range: write [first, last, step]"},
      {work(exp + "dims: {n: {random: {min: 1}}}"), "s.yaml:2: random: write {min: 1, max: 2048"},
      {work(exp + "dims: {n: {random: {mix: 1}}}"), "s.yaml:2: 'mix': unknown; random has"},
      {work(exp + "dims: {n: {shuffle: 1}}"), "s.yaml:2: n: write a size, a list"},
      {work(exp + "dims: {n: []}"), "s.yaml:2: n: write a list"},
      {work("op: exp, shapes: [axb], combine: list, dims: {a: [1, 2], b: [1, 2, 3]}"),
       "s.yaml:2: combine: list needs as many sizes of each symbol; b has 3, not 2"},
      {work("op: exp, shapes: [8], trace: ../workloads/llama_7b.stream"), "s.yaml:2: trace: of a"},
      {"workloads:\n  - {op: exp, shapes: [8]}\n  - {op: exp, shapes: [9]}\n",
       "s.yaml:3: two workloads are called 'exp'"},
  });
}

}  // namespace
}  // namespace dvmsim
