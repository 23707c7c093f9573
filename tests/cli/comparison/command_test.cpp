// `dvmsim compare` as a script sees it.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "tests/support/command.h"
#include "traces/check.h"

namespace dvmsim {
namespace {

using testing::Command;
using testing::Outcome;

constexpr const char* kStudy = R"(study: "small"
workloads:
  - {op: softmax, shapes: [nx256], dims: {n: [64, 100, 64]}}
strategies: [eager, graph, sink, jit, bucket, dvm, dvm-eager, resident]
launch_cost: [5us]
)";

TEST_F(Command, compare_says_the_same_with_any_number_of_workers) {
  write("s.yaml", kStudy);
  const Outcome one = dvmsim("compare s.yaml --jobs 1 --json -");
  const Outcome three = dvmsim("compare s.yaml --jobs 3 --json -");
  ASSERT_EQ(one.code, 0) << one.err;
  EXPECT_EQ(one.out, three.out);
  const auto json = nlohmann::json::parse(one.out);
  EXPECT_EQ(json["launch_costs"], (std::vector<std::string>{"own", "5us"}));
  const auto& strategies = json["cases"][0]["strategies"];
  ASSERT_EQ(strategies.size(), 9u);  // jit twice
  EXPECT_EQ(json["cases"][0]["steps"], (std::vector<int>{0, 1, 0}));
  for (const auto& strategy : strategies) {
    for (const auto& at : strategy["by_cost"]) {
      double parts = 0;
      for (const auto& part : at["breakdown"]) {
        EXPECT_GE(part.get<double>(), -0.001) << strategy["name"];
        parts += part.get<double>();
      }
      EXPECT_NEAR(parts, at["total_us"].get<double>(), 0.01);
    }
  }
}

TEST_F(Command, compare_takes_what_run_takes_for_the_first_run) {
  write("s.yaml", kStudy);
  const auto json = nlohmann::json::parse(dvmsim("compare s.yaml --json -").out);
  for (const auto& strategy : json["cases"][0]["strategies"]) {
    const std::string name = strategy["strategy"];
    if (strategy["name"] == "jit (ms)") continue;
    write("g.graph", "graph g\ndim n\ninput a: f16[n, 256]\ny = softmax(a)\noutput y\n");
    const Outcome run =
        dvmsim("run g.graph --dim n=64 --mode timing --decode none --json - --strategy " + name);
    ASSERT_EQ(run.code, 0) << run.err;
    EXPECT_NEAR(strategy["by_cost"][0]["first_us"].get<double>(),
                nlohmann::json::parse(run.out)["e2e_us"].get<double>(), 0.01)
        << name;
  }
}

TEST_F(Command, compare_draws_the_strategies_side_by_side) {
  write("s.yaml", kStudy);
  const Outcome made = dvmsim("compare s.yaml --trace t.pftrace");
  ASSERT_EQ(made.code, 0) << made.err;
  const TraceCheck trace = check_trace_file(path("t.pftrace"));
  for (const std::string& error : trace.errors) ADD_FAILURE() << error;
  std::set<std::string> lanes;
  for (const auto& [track, cycles] : trace.cycles) lanes.insert(track.substr(0, track.find(": ")));
  EXPECT_EQ(lanes, (std::set<std::string>{"eager", "graph", "sink", "jit", "bucket", "dvm",
                                          "dvm-eager", "resident"}));
}

TEST_F(Command, run_marks_what_a_strategy_rests_on) {
  const auto last = [&](const std::string& strategy) {
    const Outcome run = dvmsim("run small.graph --dim n=64 --mode timing --decode none --json - " +
                               std::string("--strategy ") + strategy);
    return nlohmann::json::parse(run.out)["not_modelled"].back().get<std::string>();
  };
  EXPECT_NE(last("jit").find("jit.trace=5ms"), std::string::npos);
  EXPECT_EQ(last("jit --set jit.trace=6ms").find("jit.trace"), std::string::npos);
  EXPECT_EQ(last("dvm").find("without a source"), std::string::npos);
}

TEST_F(Command, compare_sets_constants_of_strategies) {
  write("s.yaml", kStudy);
  const auto first = [&](const std::string& options) {
    const auto json = nlohmann::json::parse(dvmsim("compare s.yaml --json - " + options).out);
    return json["cases"][0]["strategies"][3]["by_cost"][0]["first_us"].get<double>();
  };
  EXPECT_NEAR(first("--set jit.kernel=3s") - first(""), 2e6, 1);
  EXPECT_EQ(dvmsim("compare s.yaml --set jit.colour=3").code, 2);
}

TEST_F(Command, compare_counts_what_the_framework_dispatches) {
  write("w.graph",
        "graph w\ndim n\ninput x: f16[n, 256]\nm = reduce_max(x) {axes=[1], keepdims=1}\n"
        "d = sub(x, m)\ne = exp(d)\ns = reduce_sum(e) {axes=[1], keepdims=1}\nz = div(e, s)\n"
        "y = relu(z)\noutput y\n");
  write("s.yaml", "workloads: [{model: w.graph, dims: {n: 64}}]\nstrategies: [eager, dvm]\n");
  const auto json = nlohmann::json::parse(dvmsim("compare s.yaml --json -").out);
  const auto& strategies = json["cases"][0]["strategies"];
  const auto expected =
      nlohmann::json::parse(R"({"written": 6, "framework": 2, "rerolled": {"softmax": 1}})");
  EXPECT_EQ(strategies[0]["shapes"][0]["operators"], expected);
  EXPECT_EQ(strategies[0]["shapes"][0]["launches"], 2);
  EXPECT_EQ(strategies[1]["shapes"][0]["operators"], nullptr);
  EXPECT_NE(
      dvmsim("compare s.yaml").out.find("6 operators, 2 dispatched by the framework: softmax 1"),
      std::string::npos);
}

TEST_F(Command, compare_varies_constants_of_strategies) {
  write("s.yaml",
        "axes:\n  graph.infer: [0us, 1ms]\n  bucket.least: [1, 128]\n"
        "workloads: [{op: softmax, shapes: [nx256], dims: {n: 64}}]\n"
        "strategies: [eager, graph, bucket]\n");
  const Outcome made = dvmsim("compare s.yaml --json c.json");
  ASSERT_EQ(made.code, 0) << made.err;
  EXPECT_NE(made.out.find("graph.infer (varied)"), std::string::npos) << made.out;
  const auto json = nlohmann::json::parse(content(path("c.json")));
  ASSERT_EQ(json["cases"].size(), 4u);
  const auto again = [&](int at, int strategy) {
    const auto& one = json["cases"][static_cast<std::size_t>(at)]["strategies"];
    return one[static_cast<std::size_t>(strategy)]["by_cost"][0]["again_us"].get<double>();
  };
  EXPECT_EQ(again(0, 0), again(3, 0));
  EXPECT_NEAR(again(2, 1) - again(0, 1), 1000, 1);
  // Buckets of 128 rows: other launches, not those of the first point again.
  const auto padding = [&](int at) {
    const auto& one = json["cases"][static_cast<std::size_t>(at)]["strategies"];
    return one[2]["padding"].get<double>();
  };
  EXPECT_EQ(padding(0), 0);
  EXPECT_EQ(padding(1), 0.5);
  EXPECT_EQ(json["cases"][2]["strategies"][1]["assumed"][0], "graph.infer=1ms");
}

TEST_F(Command, compare_carries_state_from_step_to_step) {
  write("g.graph",
        "graph g\ndim past\ninput x: f32[1, 8]\ninput s: f32[past, 8]\n"
        "t = concat(s, x) {axis=0}\ny = reduce_sum(t) {axes=[0], keepdims=1}\n"
        "output y\noutput t as next\n");
  write("g.stream",
        "state: {next: s}\ninitial: {past: 2}\nsteps: [{repeat: 5}, {repeat: 2, fresh: true}]\n");
  for (const char* mode : {"timing", "functional"}) {
    write("s.yaml", std::string("workloads: [{model: g.graph, trace: g.stream, mode: ") + mode +
                        "}]\nstrategies: [eager, jit, bucket, dvm, dvm-eager]\n");
    const Outcome made = dvmsim("compare s.yaml --json -");
    ASSERT_EQ(made.code, 0) << made.err;
    const auto json = nlohmann::json::parse(made.out)["cases"][0];
    std::vector<int> past;
    for (const auto& shape : json["shapes"]) past.push_back(shape["past"]);
    EXPECT_EQ(past, (std::vector<int>{2, 3, 4, 5, 6}));
    EXPECT_EQ(json["steps"], (std::vector<int>{0, 1, 2, 3, 4, 0, 0}));
    for (const auto& strategy : json["strategies"]) {
      if (strategy["name"] == "bucket") {  // says by name why it cannot
        EXPECT_EQ(strategy["refused"].get<std::string>().find("node 't' (concat)"), 0u);
      } else {
        EXPECT_EQ(strategy["refused"], nullptr) << strategy["name"];
      }
    }
    // Step by step what a stream of runs takes; in timing mode, sizes that came before take what
    // they took then.
    const Outcome stream = dvmsim(std::string("run g.graph --strategy eager --json - --stream "
                                              "g.stream --mode ") +
                                  mode);
    ASSERT_EQ(stream.code, 0) << stream.err;
    const auto steps = nlohmann::json::parse(stream.out)["steps"];
    const auto latency = json["strategies"][0]["by_cost"][0]["latency_us"];
    ASSERT_EQ(steps.size(), latency.size());
    for (std::size_t i = 0; i < past.size(); ++i) {
      EXPECT_NEAR(latency[i].get<double>(), steps[i]["e2e_us"].get<double>(), 0.01) << mode << i;
    }
  }
}

TEST_F(Command, compare_says_who_has_no_lane_in_its_trace) {
  write("loop.graph",
        "graph g\ndim n\ninput k: i64[]\ninput x: f32[n]\n"
        "y = loop(k, _, x) {carried=1} do (i, go, p) { q = exp(p)  output go, q }\noutput y\n");
  write("s.yaml",
        "workloads:\n  - {model: loop.graph, dims: {n: 4}, mode: functional}\n"
        "strategies: [sink, eager]\n");
  const Outcome made = dvmsim("compare s.yaml --trace t.pftrace");
  EXPECT_EQ(made.code, 0) << made.err;
  EXPECT_NE(made.err.find("dvmsim: sink has no lane in the trace: node 'y' (loop)"),
            std::string::npos)
      << made.err;
}

TEST_F(Command, compare_names_what_cannot_run_and_fails_if_nothing_can) {
  write("loop.graph",
        "graph g\ndim n\ninput k: i64[]\ninput x: f32[n]\n"
        "y = loop(k, _, x) {carried=1} do (i, go, p) { q = exp(p)  output go, q }\noutput y\n");
  write("s.yaml",
        "workloads:\n  - {model: loop.graph, dims: {n: 4}, mode: functional}\n"
        "strategies: [sink, eager]\n");
  const Outcome some = dvmsim("compare s.yaml");
  EXPECT_EQ(some.code, 0) << some.err;
  EXPECT_NE(some.out.find("sink: node 'y' (loop)"), std::string::npos) << some.out;
  write("t.yaml",
        "workloads:\n  - {model: loop.graph, dims: {n: 4}, mode: functional}\n"
        "strategies: [sink]\n");
  EXPECT_EQ(dvmsim("compare t.yaml").code, 1);
}

constexpr const char* kDeviceStudy = R"(view: device
workloads:
  - {class: chains, op: gelu, shapes: [nx256], dims: {n: [64, 100]}}
  - {class: rows, op: softmax, shapes: [8x30000]}
strategies: [eager, dvm, resident]
launch_cost: [0us, 5us]
)";

TEST_F(Command, compare_sees_the_device_alone) {
  write("s.yaml", kDeviceStudy);
  const auto json = nlohmann::json::parse(dvmsim("compare s.yaml --json -").out);
  ASSERT_EQ(json["cases"].size(), 2u);
  EXPECT_EQ(json["cases"][0]["class"], "chains");
  for (const auto& each : json["cases"]) {
    const double eager = each["strategies"][0]["device"]["by_cost"][1]["time_us"];
    for (const auto& strategy : each["strategies"]) {
      const auto& device = strategy["device"];
      for (const auto& at : device["by_cost"]) {
        EXPECT_LE(at["times"].get<double>(), at["at_most"].get<double>() * 1.001);
      }
      // The parts of the gain at the second launch cost, 0 us, add up to it.
      double gain = 0;
      for (const auto& part : device["by_cost"][1]["gain_us"]) gain += part.get<double>();
      EXPECT_NEAR(gain, eager - device["by_cost"][1]["time_us"].get<double>(), 0.001);
      // At 5 us each launch takes 5 us more.
      EXPECT_NEAR(device["by_cost"][2]["time_us"].get<double>() -
                      device["by_cost"][1]["time_us"].get<double>(),
                  5 * device["launches"].get<double>(), 0.01);
      EXPECT_EQ(device["decode_us"].is_null(), strategy["name"] == "eager");
      EXPECT_GT(device["hbm_read_bytes"].get<std::int64_t>(), 0);
    }
  }
}

TEST_F(Command, the_device_of_a_comparison_does_what_run_says) {
  write("s.yaml", kDeviceStudy);
  const auto json = nlohmann::json::parse(dvmsim("compare s.yaml --json -").out);
  for (const auto& strategy : json["cases"][1]["strategies"]) {
    const Outcome run =
        dvmsim("op softmax 8x30000 --mode timing --decode none --json - --strategy " +
               strategy["name"].get<std::string>());
    ASSERT_EQ(run.code, 0) << run.err;
    const auto report = nlohmann::json::parse(run.out);
    const auto& device = strategy["device"];
    EXPECT_EQ(device["launches"], report["host"]["launches"]);
    EXPECT_EQ(device["hbm_read_bytes"], report["memory"]["hbm_read_bytes"]);
    EXPECT_EQ(device["l2_hit_bytes"], report["memory"]["l2_hit_bytes"]);
    EXPECT_EQ(device["bound"], report["roofline"]["bound"]);
  }
}

TEST_F(Command, the_device_s_view_is_printed_and_written_as_csv) {
  write("s.yaml", kDeviceStudy);
  const Outcome outcome = dvmsim("compare s.yaml --csv d.csv");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("ratios beyond what bytes and launches allow: none"),
            std::string::npos)
      << outcome.out;
  const std::string csv = content(path("d.csv"));
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 1 + 2 * 3 * 3);
  EXPECT_EQ(csv.substr(0, csv.find('\n')).find("machine,axes,class,workload"), 0u);
  const Outcome stream = dvmsim("compare s.yaml --view stream");
  EXPECT_NE(stream.out.find("beats eager"), std::string::npos) << stream.out;
  EXPECT_EQ(dvmsim("compare s.yaml --view sideways").code, 2);
  write("t.yaml", "view: sideways\nworkloads:\n  - {op: gelu, shapes: [8x8]}\n");
  EXPECT_NE(dvmsim("compare t.yaml").err.find("t.yaml:1: view sideways"), std::string::npos);
}

TEST_F(Command, compare_writes_nothing_for_a_bad_study) {
  write("s.yaml", "workloads:\n  - {op: softmax, shapes: [nx256], dims: {n: 4}, colour: red}\n");
  const Outcome outcome = dvmsim("compare s.yaml --json c.json");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_NE(outcome.err.find("s.yaml:2"), std::string::npos) << outcome.err;
  EXPECT_FALSE(std::filesystem::exists(path("c.json")));
}

}  // namespace
}  // namespace dvmsim
