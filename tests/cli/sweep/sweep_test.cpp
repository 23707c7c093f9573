// What a sweep makes of a study and of results, without running anything.
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "cli/sweep/outcome.h"
#include "cli/sweep/plan.h"
#include "cli/sweep/report.h"
#include "cli/sweep/result_log.h"
#include "cli/sweep/sensitivity.h"
#include "cli/sweep/slurm.h"
#include "cli/text/hash.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

using Status = PointResult::Status;
const std::string kWork = "workloads:\n  - {op: exp, shapes: [n], dims: {n: [8, 16]}}\n";

SweepPlan plan_of(const std::string& text) {
  return plan_sweep(parse_study(text, DVMSIM_SOURCE_DIR "/configs/studies/s.yaml"), 1);
}
std::string error_of(const std::string& text) {
  try {
    (void)sweep_forms(plan_of(text));
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}
using Texts = std::vector<std::string>;

TEST(SweepPlan, is_every_combination_in_order) {
  const SweepPlan plan = plan_of(
      "hardware: [{name: a}, {name: b, set: {hbm.peak: 1TB/s}}]\n"
      "axes:\n  ub.size: [64KiB, 128KiB]\n  hbm.latency: {factors: [1, 2]}\n"
      "launch_cost: [0us, 5us]\nstrategies: [eager, dvm]\n" +
      kWork);
  EXPECT_EQ(plan.machines.size(), 16u);
  EXPECT_EQ(plan.designs.size(), 32u);
  EXPECT_EQ(plan.points.size(), 64u);
  Texts names;
  for (const SweepAxis& axis : plan.axes) names.push_back(axis.name);
  EXPECT_EQ(names,
            (Texts{"hardware", "ub.size", "hbm.latency", "launch_cost", "strategy", "dim.n"}));
  EXPECT_EQ(plan.fixed, (std::vector<std::pair<std::string, std::string>>{{"workload", "exp"}}));
  EXPECT_EQ(plan.axes[1].values[1].number, 128.0 * 1024);
  EXPECT_EQ(plan.axes[1].unit, "B");
  EXPECT_EQ(plan.axes[2].values[1].number, 2.0);
  EXPECT_DOUBLE_EQ(*plan.axes[3].values[1].number, 5e-6);
  // The last point has the last value of everything.
  for (std::size_t a = 0; a < plan.axes.size(); ++a) {
    EXPECT_EQ(plan.value(plan.points.back(), a), 1) << plan.axes[a].name;
  }
  const Machine& last = plan.machine(plan.designs.back());
  EXPECT_EQ(last.ub.size.count(), 128 * 1024);
  EXPECT_EQ(value_of(last, "hbm.latency"), "116ns");
  EXPECT_EQ(value_of(last, "hbm.peak"), "1TB/s");
  EXPECT_EQ(value_of(last, "launch.mix"), "5us");
}

TEST(SweepPlan, lists_go_along_and_choices_set_several_keys) {
  const SweepPlan plan = plan_of(
      "sampling: list\naxes:\n  ub.size: [64KiB, 128KiB]\n  hbm.channels: [16, 64]\n"
      "  kind: {choices: {a: {hbm.peak: 1TB/s, hbm.latency: 50ns}, b: {hbm.peak: 2TB/s}}}\n" +
      kWork);
  ASSERT_EQ(plan.machines.size(), 2u);
  EXPECT_EQ(plan.machines[1].axes, (Texts{"128KiB", "64", "b"}));
  EXPECT_EQ(value_of(plan.machines[0].machine, "hbm.latency"), "50ns");
  EXPECT_EQ(value_of(plan.machines[1].machine, "hbm.peak"), "2TB/s");
  EXPECT_FALSE(plan.axes[2].values[0].number.has_value());
}

TEST(SweepPlan, derived_parameters_follow) {
  const SweepPlan plan = plan_of(
      "axes: {cores.cube: [8, 10]}\n"
      "derived: {cores.vector: \"2 * cores.cube\", l2.read: \"cores.cube * 200GB/s\",\n"
      "  hbm.size: \"cores.cube * 1TiB\", launch.mix: \"cores.cube * 1ms\", hbm.efficiency: 5 / "
      "cores.cube}\n" +
      kWork);
  EXPECT_EQ(plan.machines[0].refused, "");
  EXPECT_EQ(plan.machines[1].machine.cores.vector, 20);
  EXPECT_EQ(value_of(plan.machines[1].machine, "l2.read"), "2TB/s");
  EXPECT_EQ(value_of(plan.machines[1].machine, "hbm.size"), "10TiB");
  EXPECT_EQ(value_of(plan.machines[1].machine, "launch.mix"), "10ms");
  EXPECT_EQ(value_of(plan.machines[1].machine, "hbm.efficiency"), "0.5");
}

TEST(SweepPlan, a_machine_that_cannot_be_is_a_refused_point) {
  const SweepPlan plan = plan_of("axes: {cores.cube: [8, 24]}\n" + kWork);
  EXPECT_NE(plan.machines[0].refused.find("set cores.vector"), std::string::npos);
  const SweepForms forms = sweep_forms(plan);
  const SweepOutcome outcome = outcome_of(plan, forms, {});
  EXPECT_EQ(outcome.results[0].status, Status::Refused);
  EXPECT_EQ(outcome.results[2].status, Status::Missing);
  EXPECT_EQ(outcome.count(Status::Refused), 2u);
}

TEST(SweepPlan, drawn_points_stay_when_there_are_more_of_them_or_another_axis) {
  const auto sizes = [](int count, const std::string& more) {
    const SweepPlan plan = plan_of("sampling: {random: " + std::to_string(count) +
                                   ", seed: 5}\naxes:\n  ub.size: {from: 64KiB, to: 256KiB, by: "
                                   "32KiB}\n" +
                                   more + kWork);
    Texts texts;
    for (const MachinePoint& point : plan.machines) texts.push_back(point.axes[0]);
    return texts;
  };
  const std::string more = "  hbm.peak: {from: 1TB/s, to: 4TB/s, scale: log}\n";
  const Texts ten = sizes(10, more), twenty = sizes(20, more);
  EXPECT_EQ(ten, Texts(twenty.begin(), twenty.begin() + 10));
  EXPECT_EQ(ten, Texts(sizes(10, more + "  queue.cube: {from: 2, to: 64}\n")));
  for (const std::string& text : twenty) {
    const int size = std::stoi(text);
    EXPECT_TRUE(size >= 64 && size <= 256 && size % 32 == 0) << text;
  }
  EXPECT_LE(sizes(200, "").size(), 7u);  // no point twice
}

TEST(SweepPlan, a_key_names_everything_a_result_depends_on) {
  const auto key = [](const std::string& text, std::uint64_t program = 1) {
    return plan_sweep(parse_study(text, "s.yaml"), program).points[0].key;
  };
  const std::string op = "workloads: [{op: exp, shapes: [n], dims: {n: 8}}]\n";
  const std::uint64_t base = key(op);
  EXPECT_EQ(key("study: other title\n" + op), base);
  EXPECT_EQ(key("hardware: [{name: other}]\n" + op), base);
  EXPECT_NE(key(op, 2), base);
  for (const char* other :
       {"hardware: [{set: {hbm.peak: 1TB/s}}]\n", "strategies: [eager]\n",
        "strategies: [{strategy: dvm, tiling: dvm}]\n", "strategies: [{strategy: dvm, cores: 2}]\n",
        "options: {repeat: 2}\n", "options: {l2: warm}\n", "options: {memory: ideal}\n",
        "options: {decode: true}\n", "launch_cost: [9us]\n"}) {
    EXPECT_NE(key(other + op), base) << other;
  }
  for (const char* other :
       {"{op: exp, shapes: [n], dims: {n: 9}}", "{op: exp, shapes: [n], dims: {n: 8}, dtype: f32}",
        "{op: exp, shapes: [n], dims: {n: 8}, mode: functional}",
        "{op: abs, shapes: [n], dims: {n: 8}}"}) {
    EXPECT_NE(key(std::string("workloads: [") + other + "]\n"), base) << other;
  }
}

TEST(SweepPlan, constants_are_axes_of_the_strategies_that_rest_on_them) {
  const SweepPlan plan = plan_of(
      "axes:\n  jit.workers: [1, 8]\n  sink.capture: [1us, 4us]\n"
      "strategies: [dvm, jit, {strategy: sink, set: {graph.infer: 3us}}]\n" +
      kWork);
  ASSERT_EQ(plan.designs.size(), 12u);
  EXPECT_EQ(plan.axes[0].values[1].number, 8.0);
  EXPECT_EQ(plan.axes[1].unit, "s");
  EXPECT_EQ(plan.constants(plan.designs[0]), Texts{});
  EXPECT_EQ(plan.constants(plan.designs[1]), Texts{"jit.workers=1"});
  EXPECT_EQ(plan.constants(plan.designs[2]), (Texts{"graph.infer=3us", "sink.capture=1us"}));
  const auto key = [&](std::size_t machine, std::size_t strategy) {
    return plan.points[(machine * 3 + strategy) * 2].key;
  };
  EXPECT_EQ(key(0, 0), key(3, 0));  // dvm runs once
  EXPECT_EQ(key(0, 1), key(1, 1));  // jit does not capture
  EXPECT_NE(key(0, 1), key(2, 1));
  EXPECT_NE(key(0, 2), key(1, 2));
}

TEST(SweepPlan, drawn_counts_are_whole) {
  const SweepPlan plan = plan_of(
      "sampling: {random: 20, seed: 1}\naxes: {jit.workers: {from: 1, to: 9}}\n"
      "strategies: [jit]\n" +
      kWork);
  EXPECT_LE(plan.axes[0].values.size(), 9u);
  for (const MachinePoint& machine : plan.machines) EXPECT_EQ(machine.refused, "");
}

TEST(SweepPlan, a_recorded_stream_is_one_case) {
  const SweepPlan plan = plan_of(
      "workloads: [{model: ../workloads/llama_7b.graph, trace: ../workloads/llama_7b.stream}]\n");
  ASSERT_EQ(plan.cases.size(), 1u);
  EXPECT_TRUE(plan.cases[0].dims.empty());
}

TEST(SweepForms, refuse_what_no_run_has) {
  const std::string place = "configs/studies/s.yaml:1: ";
  for (const auto& [text, error] : std::vector<std::pair<std::string, std::string>>{
           {"metrics: [speed]\n", place + "metrics: 'speed' is no figure of a report"},
           {"metrics: [{x: \"task_us / dim.m\"}]\n", place + "metrics: 'dim.m' is no"},
           {"metrics: [{x: \"cost.area\"}]\n", place + "metrics: 'cost.area' is no"},
           {"metrics: [firmware.exposed_cycles]\n",
            place + "metrics: firmware.exposed_cycles need"},
           {"pareto: [task_us, area]\n", place + "pareto: 'area' is no metric and no cost"}}) {
    EXPECT_NE(error_of(text + kWork).find(error), std::string::npos) << error_of(text + kWork);
  }
  EXPECT_EQ(error_of("metrics: [aiv_vec_us, {x: \"task_us / dim.n * clock.core\"}]\n" + kWork),
            "accepted");
}

TEST(ResultLog, keeps_numbers_and_reasons_exactly) {
  PointResult good{Status::Ok, "", {{"task_us", 0.1 + 0.2}, {"cycles", 1e17}}};
  PointResult bad{Status::Fault, "a\tdeadlock\nof two", {}};
  PointResults results;
  read_results("\n" + line_of(7, good) + "\n" + line_of(8, bad), results);
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(results[7].figures, good.figures);
  EXPECT_EQ(results[8].status, Status::Fault);
  EXPECT_EQ(results[8].reason, "a deadlock of two");
}

TEST(ResultLog, passes_over_what_is_torn_at_any_byte) {
  const std::string first = "\n" + line_of(1, {Status::Ok, "", {{"a", 1}}});
  const std::string torn = "\n" + line_of(2, {Status::Ok, "", {{"a", 23456789}}});
  const std::string last = "\n" + line_of(3, {Status::Refused, "too small", {}});
  for (std::size_t size = 0; size + 1 < torn.size(); ++size) {
    PointResults results;
    read_results(first + torn.substr(0, size) + last, results);
    EXPECT_TRUE(results.contains(1) && results.contains(3)) << size;
    EXPECT_FALSE(results.contains(2)) << size;
  }
  std::string changed = torn;
  changed[changed.size() / 2] ^= 1;
  PointResults results;
  read_results(first + changed + last, results);
  EXPECT_EQ(results.size(), 2u);
}

TEST(Pareto, keeps_what_no_other_beats) {
  EXPECT_EQ(pareto_front({{3, 1}, {1, 3}, {2, 2}, {2, 3}, {3, 3}, {2, 2}}),
            (std::vector<std::size_t>{1, 2, 5, 0}));
  EXPECT_EQ(pareto_front({{1, 1, 5}, {1, 1, 4}, {2, 0, 9}}), (std::vector<std::size_t>{1, 2}));
  EXPECT_TRUE(pareto_front({}).empty());
  // Against the definition, on many points.
  std::vector<std::vector<double>> rows;
  std::uint64_t state = 1;
  for (int i = 0; i < 300; ++i) {
    std::vector<double> row;
    for (int k = 0; k < 3; ++k) {
      row.push_back(static_cast<double>((state = fnv1a(std::to_string(state))) % 12));
    }
    rows.push_back(row);
  }
  const auto front = pareto_front(rows);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    bool beaten = false;
    for (const auto& other : rows) {
      bool no_worse = true;
      for (int k = 0; k < 3; ++k) no_worse = no_worse && other[k] <= rows[i][k];
      beaten = beaten || (no_worse && other != rows[i]);
    }
    EXPECT_EQ(std::count(front.begin(), front.end(), i), beaten ? 0 : 1) << i;
  }
}

/// Results of a law: task_us by the point's machine and size.
template <class Law>
PointResults results_of(const SweepPlan& plan, Law&& law) {
  PointResults results;
  for (const SweepPoint& point : plan.points) {
    const std::optional<double> value =
        law(plan.machine(plan.designs[point.design]), plan.cases[point.at].dims[0].second);
    results[point.key] = value ? PointResult{Status::Ok, "", {{"task_us", *value}}}
                               : PointResult{Status::Refused, "too large", {}};
  }
  return results;
}

const std::string kStudy =
    "metrics: [task_us]\naxes:\n  ub.size: [64KiB, 128KiB, 256KiB]\n  hbm.peak: [1TB/s, 2TB/s]\n"
    "cost: {area: {unit: mm2, ub: {value: \"ub.size / 1KiB\", source: assumed}}}\n";

TEST(Sensitivity, finds_the_exponents_of_a_law) {
  const SweepPlan plan = plan_of(kStudy + kWork);
  const SweepForms forms = sweep_forms(plan);
  const SweepOutcome outcome =
      outcome_of(plan, forms, results_of(plan, [](const Machine& m, std::int64_t n) {
                   return std::optional(static_cast<double>(n) * 1e6 /
                                        std::sqrt(static_cast<double>(m.ub.size.count())) /
                                        std::pow(m.hbm.peak.per_cycle().value(), 0.1));
                 }));
  const auto effects = effects_on(outcome, 0);
  ASSERT_EQ(effects->axes.size(), 3u);
  // 256 to 64 KiB by the root, and n by its first power: both double; the axis first named leads.
  EXPECT_EQ(plan.axes[effects->axes[2].axis].name, "hbm.peak");
  for (const AxisEffect& effect : effects->axes) {
    const std::string& name = plan.axes[effect.axis].name;
    EXPECT_NEAR(*effect.elasticity, name == "dim.n" ? 1 : name == "ub.size" ? -0.5 : -0.1, 1e-9);
  }
  EXPECT_NEAR(*effects->axes[0].effect, 1, 1e-9);
  EXPECT_NEAR(*effects->axes[2].effect, std::pow(2, 0.1) - 1, 1e-9);
}

TEST(Sensitivity, compares_only_what_is_equal_otherwise) {
  // The largest size fits only the largest buffer: its mean must not make that buffer look slow.
  const SweepPlan plan =
      plan_of(kStudy + "workloads:\n  - {op: exp, shapes: [n], dims: {n: [8, 16, 4096]}}\n");
  const SweepForms forms = sweep_forms(plan);
  const SweepOutcome outcome =
      outcome_of(plan, forms, results_of(plan, [](const Machine& m, std::int64_t n) {
                   const auto size = static_cast<double>(m.ub.size.count());
                   if (n == 4096 && size < 200'000) return std::optional<double>();
                   return std::optional(static_cast<double>(n) / size);
                 }));
  const auto effects = effects_on(outcome, 0);
  for (const AxisEffect& effect : effects->axes) {
    if (plan.axes[effect.axis].name == "ub.size") {
      EXPECT_NEAR(*effect.elasticity, -1, 1e-9);
      EXPECT_EQ(effect.levels[0].lacking, 2u);
      EXPECT_EQ(effect.levels[2].lacking, 0u);
    }
  }
}

TEST(Sensitivity, fits_drawn_axes_together) {
  const SweepPlan plan = plan_of(
      "metrics: [task_us]\nsampling: {random: 60, seed: 2}\naxes:\n"
      "  ub.size: {from: 64KiB, to: 256KiB, by: 32KiB}\n"
      "  hbm.peak: {from: 1TB/s, to: 4TB/s, scale: log}\n" +
      kWork);
  const SweepForms forms = sweep_forms(plan);
  const SweepOutcome outcome = outcome_of(
      plan, forms, results_of(plan, [](const Machine& m, std::int64_t n) {
        return std::optional(static_cast<double>(n) / static_cast<double>(m.ub.size.count()) /
                             std::sqrt(m.hbm.peak.per_cycle().value()));
      }));
  const auto effects = effects_on(outcome, 0);
  EXPECT_NEAR(*effects->explained, 1, 1e-6);
  for (const AxisEffect& effect : effects->axes) {
    const std::string& name = plan.axes[effect.axis].name;
    EXPECT_NEAR(*effect.elasticity, name == "ub.size" ? -1 : name == "hbm.peak" ? -0.5 : 1, 1e-3);
  }
}

TEST(Sensitivity, says_nothing_of_axes_that_move_together) {
  const SweepPlan plan = plan_of(
      "metrics: [task_us]\nsampling: list\naxes:\n  ub.size: [64KiB, 128KiB, 256KiB]\n"
      "  hbm.peak: [1TB/s, 2TB/s, 4TB/s]\n" +
      kWork);
  const SweepForms forms = sweep_forms(plan);
  const SweepOutcome outcome =
      outcome_of(plan, forms, results_of(plan, [](const Machine&, std::int64_t n) {
                   return std::optional(static_cast<double>(n));
                 }));
  const auto effects = effects_on(outcome, 0);
  for (const AxisEffect& effect : effects->axes) {
    EXPECT_EQ(effect.effect.has_value(), plan.axes[effect.axis].name == "dim.n");
  }
}

TEST(SweepReport, averages_cases_and_marks_the_front) {
  const SweepPlan plan = plan_of(kStudy + kWork);
  const SweepForms forms = sweep_forms(plan);
  EXPECT_EQ(forms.objectives, (Texts{"task_us", "area"}));
  const SweepOutcome outcome =
      outcome_of(plan, forms, results_of(plan, [](const Machine& m, std::int64_t n) {
                   const double size = static_cast<double>(m.ub.size.count()) / 1024;
                   if (size == 64 && n == 16) return std::optional<double>();
                   return std::optional(static_cast<double>(n * n) / size);
                 }));
  EXPECT_FALSE(outcome.means[0][0].has_value());          // not all its cases
  EXPECT_NEAR(*outcome.means[2][0], 128.0 / 128, 1e-12);  // of 8 x 8 and 16 x 16
  const auto json = nlohmann::json::parse(to_json(outcome, {"a"}));
  EXPECT_EQ(json["counts"]["ok"], 10);
  EXPECT_EQ(json["counts"]["refused"], 2);
  EXPECT_EQ(json["pareto"]["front"], (std::vector<int>{4, 5, 2, 3}));
  EXPECT_EQ(json["designs"][4]["on_front"], true);
  EXPECT_EQ(json["designs"][0]["metrics"], nullptr);
  EXPECT_EQ(json["points"][1]["reason"], "too large");
  EXPECT_EQ(json["points"][1]["values"], (std::vector<int>{0, 0, 1}));
  EXPECT_EQ(json["designs"][1]["values"][2], nullptr);
  EXPECT_EQ(json["costs"][0]["assumed"], true);
  const std::string csv = to_csv(outcome);
  EXPECT_TRUE(
      csv.starts_with("index,status,ub.size,hbm.peak,dim.n,area,task_us,on_front,reason\n"
                      "0,ok,64KiB,1TB/s,8,64,1,no,\n"
                      "1,refused,64KiB,1TB/s,16,64,,no,too large\n"))
      << csv;
  const std::string text = summary(outcome);
  for (const char* part : {"12 points, 10 ok, 2 refused", "task_us against area (assumed)",
                           "what moves task_us", "2 x refused: too large"}) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
  }
}

TEST(SweepReport, the_most_is_the_best_where_more_is_better) {
  std::string study = kStudy;
  study.replace(study.find("task_us"), 7, "roofline.fraction");
  const SweepPlan plan = plan_of(study + kWork);
  const SweepForms forms = sweep_forms(plan);
  PointResults results;
  double fraction = 0;
  for (const SweepPoint& point : plan.points) {
    results[point.key] = {Status::Ok, "", {{"roofline.fraction", fraction += 0.01}}};
  }
  const SweepOutcome outcome = outcome_of(plan, forms, results);
  const auto json = nlohmann::json::parse(to_json(outcome, {}));
  EXPECT_EQ(json["metrics"][0]["better"], "more");
  const std::string text = summary(outcome);
  const std::size_t best = text.find("most roofline.fraction");
  ASSERT_NE(best, std::string::npos) << text;
  // The smallest area and the largest fraction are on the front; what beats neither is not.
  for (std::size_t design : outcome.front) {
    for (std::size_t other = 0; other < plan.designs.size(); ++other) {
      EXPECT_FALSE(*outcome.means[other][0] > *outcome.means[design][0] &&
                   *outcome.costs[other][0] < *outcome.costs[design][0]);
    }
  }
  EXPECT_TRUE(std::find(outcome.front.begin(), outcome.front.end(), plan.designs.size() - 1) !=
              outcome.front.end());
}

TEST(Slurm, scripts_quote_what_they_name) {
  SlurmJob job{"/opt/it's/dvmsim", "/a b/s.yaml", "/out dir", 8, 4, ""};
  const std::string array = array_script(job);
  EXPECT_NE(array.find("#SBATCH --array=0-7\n"), std::string::npos);
  EXPECT_NE(array.find("#SBATCH --cpus-per-task=4\n"), std::string::npos);
  EXPECT_NE(array.find("exec '/opt/it'\\''s/dvmsim' sweep '/a b/s.yaml' --output '/out dir' --part "
                       "\"$SLURM_ARRAY_TASK_ID/8\""),
            std::string::npos)
      << array;
  EXPECT_NE(collect_script(job).find("--output '/out dir' --collect\n"), std::string::npos);
}

}  // namespace
}  // namespace dvmsim
