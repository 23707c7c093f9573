// The built command as a script sees it: exit codes, what goes where, files that appear or do not.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "tests/support/command.h"
#include "traces/check.h"

namespace dvmsim {
namespace {

namespace fs = std::filesystem;
using testing::Command;
using testing::kChain;
using testing::Outcome;

TEST_F(Command, without_words_is_a_usage_error) {
  const Outcome outcome = dvmsim("");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.out, "");
  EXPECT_NE(outcome.err, "");
}

TEST_F(Command, help_goes_to_standard_output) {
  const Outcome outcome = dvmsim("--help");
  EXPECT_EQ(outcome.code, 0);
  EXPECT_NE(outcome.out.find("bench"), std::string::npos);
  EXPECT_EQ(outcome.err, "");
}

TEST_F(Command, an_error_says_dvmsim_error_and_exits_with_2) {
  const Outcome outcome = dvmsim("run none.graph");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_TRUE(outcome.err.starts_with("dvmsim: error: none.graph")) << outcome.err;
}

TEST_F(Command, config_show_prints_what_config_check_takes) {
  const Outcome shown = dvmsim("config show");
  ASSERT_EQ(shown.code, 0) << shown.err;
  write("shown.yaml", shown.out);
  EXPECT_EQ(dvmsim("config check shown.yaml").code, 0);
}

TEST_F(Command, config_check_names_the_line) {
  write("bad.yaml", "name: x\nclock:\n  core: 5 parsecs\n");
  const Outcome outcome = dvmsim("config check bad.yaml");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_NE(outcome.err.find("bad.yaml:3"), std::string::npos) << outcome.err;
}

TEST_F(Command, asm_and_disasm_are_inverse) {
  write("p.s", ".program p\n.vector\n  mov rd=r4 a=7\n  halt\n");
  ASSERT_EQ(dvmsim("asm p.s -o p.dvm").code, 0);
  const Outcome once = dvmsim("disasm p.dvm");
  ASSERT_EQ(once.code, 0) << once.err;
  write("q.s", once.out);
  ASSERT_EQ(dvmsim("asm q.s -o q.dvm").code, 0);
  EXPECT_EQ(content(path("p.dvm")), content(path("q.dvm")));
}

constexpr const char* kCopy =
    ".program copy\n.launch path=native vector=1\n.arg input x 512\n.arg output y 512\n"
    ".arg scalar len 0 value=512\n.vector\n ldarg rd=r4\n ldarg rd=r5 index=1\n"
    " ldarg rd=r6 index=2\n load dst=512 src=r4 len=r6 set=mte3.0\n"
    " store dst=r5 src=512 len=r6 wait=mte2.0\n halt\n";

TEST_F(Command, a_program_runs_as_text_and_as_bytes) {
  write("copy.s", kCopy);
  ASSERT_EQ(dvmsim("asm copy.s -o copy.dvm").code, 0);
  const Outcome text = dvmsim("run copy.s --json -");
  ASSERT_EQ(text.code, 0) << text.err;
  nlohmann::json first = nlohmann::json::parse(text.out);
  nlohmann::json second = nlohmann::json::parse(dvmsim("run copy.dvm --json -").out);
  EXPECT_EQ(first["model"], "copy.s");
  first.erase("model");
  second.erase("model");
  EXPECT_EQ(first, second);
  EXPECT_EQ(first["strategy"], "program");
  EXPECT_GT(first["profiler"]["aiv_mte2_us"], 0);
  EXPECT_GT(first["profiler"]["aiv_mte3_us"], 0);
  EXPECT_EQ(first["profiler"]["aiv_vec_us"], 0);
  EXPECT_FALSE(first["profiler"].contains("aic_us"));
  EXPECT_GT(first["task_us"], first["profiler"]["aiv_us"]);
}

TEST_F(Command, a_program_takes_values_scalars_and_the_options_of_a_run) {
  write("copy.s", kCopy);
  const Outcome outcome = dvmsim(
      "run copy.s --arg len=64 --mode functional --repeat 2 --l2 warm --trace t.pftrace "
      "--output out");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(fs::exists(path("t.pftrace")));
  ASSERT_TRUE(fs::exists(path("out/y.npy")));
  // The copy comes back: y of one run is x of the next, in whatever type it is written.
  const std::string zeros = content(path("out/y.npy"));
  ASSERT_GT(zeros.size(), 512u);
  std::string ones = zeros;
  for (std::size_t i = zeros.size() - 512; i < ones.size(); ++i) ones[i] = 7;
  write("x.npy", ones);
  ASSERT_EQ(dvmsim("run copy.s --input x=x.npy --output again").code, 0);
  EXPECT_EQ(content(path("again/y.npy")), ones);
}

TEST_F(Command, a_program_that_cannot_run_says_why) {
  const auto complaint = [&](const std::string& text, const std::string& more = "") {
    write("p.s", text);
    const Outcome outcome = dvmsim("run p.s " + more);
    EXPECT_EQ(outcome.code, 2);
    return outcome.err;
  };
  const std::string body = ".vector\n halt\n";
  EXPECT_NE(complaint(body).find("p.s: does not say how it is launched"), std::string::npos);
  EXPECT_NE(complaint(".launch\n.vector\n bad\n").find("p.s:3: 'bad' is no instruction"),
            std::string::npos);
  EXPECT_NE(complaint(".launch cube=1\n" + body).find("no code for them"), std::string::npos);
  EXPECT_NE(complaint(".launch vector=4000\n" + body).find("the machine has 48"),
            std::string::npos);
  EXPECT_NE(complaint(".launch\n.arg scalar n 0\n" + body).find("scalar 'n' has no value"),
            std::string::npos);
  EXPECT_NE(complaint(".launch\n" + body, "--arg n=1").find("--arg n: p.s has no such scalar"),
            std::string::npos);
  EXPECT_NE(complaint(".launch\n.arg input x 0\n" + body).find("buffer 'x' has no bytes"),
            std::string::npos);
  EXPECT_NE(complaint(".launch\n" + body, "--cores 2").find("--cores"), std::string::npos);
  EXPECT_NE(complaint(".launch\n" + body, "--dim n=2").find("--dim"), std::string::npos);
  EXPECT_NE(complaint(".program p machine=0x5\n.launch\n" + body).find("another machine"),
            std::string::npos);
  EXPECT_NE(complaint(".launch\n.vector\n nop\n").find("p.s: vector"), std::string::npos);
  EXPECT_NE(complaint(".launch\n" + body, "--launch cubes=1").find("--launch: 'cubes=1'"),
            std::string::npos);
  EXPECT_EQ(dvmsim("run p.s --launch \"vector=3 path=native\"").code, 0);
  EXPECT_NE(dvmsim("run small.graph --dim n=1 --arg n=1").err.find("no assembled program"),
            std::string::npos);
}

TEST_F(Command, tensors_that_l2_does_not_keep_are_read_anew) {
  const auto read = [&](const std::string& words) {
    const Outcome run = dvmsim("op add 512x512 512x512 --decode none --l2 warm --json - " + words);
    EXPECT_EQ(run.code, 0) << run.err;
    return nlohmann::json::parse(run.out)["memory"]["hbm_read_bytes"].get<std::int64_t>();
  };
  EXPECT_EQ(read("--bypass all") - read(""), 2 * 512 * 512 * 2);
  const Outcome wrong = dvmsim("op add 512x512 512x512 --bypass nobody");
  EXPECT_EQ(wrong.code, 2);
  EXPECT_NE(wrong.err.find("--bypass nobody"), std::string::npos);
  write("relu.graph", "graph g\ndim n\ninput x: f16[n, 64]\ny = relu(x)\noutput y\n");
  write("two.yaml", "steps:\n  - dims: {n: 8}\n  - dims: {n: 4}\n");
  EXPECT_EQ(dvmsim("run relu.graph --stream two.yaml --bypass x").code, 0);
  EXPECT_EQ(dvmsim("run relu.graph --stream two.yaml --bypass nobody").code, 2);
  write("where.graph", "graph g\ninput x: f32[8]\ny = nonzero(x)\noutput y\n");
  EXPECT_EQ(dvmsim("run where.graph --bypass x").code, 0);
  EXPECT_EQ(dvmsim("run where.graph --bypass nobody").code, 2);
}

TEST_F(Command, values_to_compile_for_are_refused_where_nothing_is_imported) {
  write("chain.s", kChain);
  EXPECT_EQ(dvmsim("run chain.s --known x").code, 2);
  EXPECT_EQ(dvmsim("op add 4x4 4x4 --known x").code, 2);
}

TEST_F(Command, disasm_refuses_other_files) {
  write("no.dvm", "this is no program");
  EXPECT_EQ(dvmsim("disasm no.dvm").code, 2);
}

TEST_F(Command, a_run_passes_its_check_and_reports) {
  const Outcome outcome =
      dvmsim("run small.graph --dim n=33 --check eval --json a.json --trace a.pftrace" + tiny());
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("pass"), std::string::npos) << outcome.out;
  const auto json = nlohmann::json::parse(content(path("a.json")));
  EXPECT_GT(json["cycles"].get<std::int64_t>(), 0);
  for (const auto& unit : json["units"]) {
    std::int64_t sum = 0;
    for (const auto& [reason, cycles] : unit["reasons"].items()) sum += cycles.get<std::int64_t>();
    EXPECT_EQ(sum, json["cycles"].get<std::int64_t>()) << unit["name"];
  }
}

/// The trace is sound, and every unit's work in it is that of the report.
void expect_drawn(const TraceCheck& trace, const nlohmann::json& report) {
  for (const std::string& error : trace.errors) ADD_FAILURE() << error;
  EXPECT_EQ(trace.open_flows, 0);
  for (const auto& unit : report["units"]) {
    const std::string name = unit["name"];
    const std::size_t digit = name.find_first_of("0123456789"), dot = name.find('.');
    if (name.substr(dot + 1) == "scalar") continue;  // decoding begins before the first dispatch
    const std::string track = name.substr(0, digit) + " core " + name.substr(digit, dot - digit) +
                              "/" + name.substr(dot + 1);
    const auto found = trace.cycles.find(track);
    std::int64_t drawn = 0;
    if (found != trace.cycles.end() && found->second.contains("instruction")) {
      drawn = found->second.at("instruction");
    }
    EXPECT_EQ(drawn, unit["reasons"].value("work", std::int64_t{0})) << track;
  }
}

TEST_F(Command, work_in_the_trace_equals_work_in_the_report) {
  for (const char* strategy : {"dvm", "eager"}) {
    const Outcome outcome = dvmsim(std::string("run small.graph --dim n=65 --json a.json ") +
                                   "--trace a.pftrace --strategy " + strategy + tiny());
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    expect_drawn(check_trace_file(path("a.pftrace")),
                 nlohmann::json::parse(content(path("a.json"))));
  }
}

TEST_F(Command, a_launch_of_tasks_adds_up_in_report_path_and_trace) {
  const Outcome outcome = dvmsim(std::string("run ") + DVMSIM_SOURCE_DIR +
                                 "/configs/workloads/encoder.graph --dim seq=20 --mode timing "
                                 "--strategy resident --json a.json --trace a.pftrace");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const auto report = nlohmann::json::parse(content(path("a.json")));
  EXPECT_EQ(report["host"]["launches"], 1);
  std::int64_t tasks = 0, parts = 0;
  for (const auto& each : report["operators"]) tasks += each["tasks"].get<std::int64_t>();
  EXPECT_GT(tasks, 10);
  for (const auto& part : report["critical_path"]["parts"]) {
    parts += part["cycles"].get<std::int64_t>();
  }
  EXPECT_EQ(parts, report["cycles"]);
  EXPECT_TRUE(report["critical_path"]["missing"].is_null());
  expect_drawn(check_trace_file(path("a.pftrace")), report);
}

TEST_F(Command, the_same_run_twice_gives_the_same_bytes) {
  for (const char* name : {"a", "b"}) {
    const std::string file = name;
    ASSERT_EQ(dvmsim("run small.graph --dim n=40 --json " + file + ".json --trace " + file +
                     ".pftrace" + tiny())
                  .code,
              0);
  }
  EXPECT_EQ(content(path("a.json")), content(path("b.json")));
  EXPECT_EQ(content(path("a.pftrace")), content(path("b.pftrace")));
}

TEST_F(Command, json_to_standard_output_is_alone_there) {
  const Outcome outcome = dvmsim("run small.graph --dim n=8 --json -" + tiny());
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(nlohmann::json::accept(outcome.out)) << outcome.out;
}

TEST_F(Command, timing_mode_has_the_cycles_of_functional_mode) {
  ASSERT_EQ(dvmsim("run small.graph --dim n=40 --json a.json" + tiny()).code, 0);
  ASSERT_EQ(dvmsim("run small.graph --dim n=40 --mode timing --json b.json" + tiny()).code, 0);
  EXPECT_EQ(content(path("a.json")), content(path("b.json")));
}

TEST_F(Command, an_unwritable_output_is_found_before_the_run) {
  const Outcome outcome = dvmsim("run small.graph --dim n=8 --json none/a.json" + tiny());
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.out, "");
  EXPECT_NE(outcome.err.find("none/a.json"), std::string::npos);
}

TEST_F(Command, a_missing_size_is_named) {
  const Outcome outcome = dvmsim("run small.graph" + tiny());
  EXPECT_EQ(outcome.code, 2);
  EXPECT_NE(outcome.err.find("--dim n=N"), std::string::npos) << outcome.err;
}

TEST_F(Command, a_compiled_module_runs_as_the_model_does) {
  ASSERT_EQ(dvmsim("compile small.graph --dim n=24 -o m.dvm" + tiny()).code, 0);
  const Outcome outcome = dvmsim("run m.dvm --output out" + tiny());
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  ASSERT_EQ(dvmsim("run small.graph --dim n=24 --output same" + tiny()).code, 0);
  EXPECT_EQ(content(path("out/z.npy")), content(path("same/z.npy")));
  EXPECT_FALSE(content(path("out/z.npy")).empty());
}

TEST_F(Command, op_runs_a_single_operator) {
  const Outcome outcome = dvmsim("op matmul 64x48 32x48 --trans-b --check eval" + tiny());
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("pass"), std::string::npos) << outcome.out;
}

TEST_F(Command, compile_dumps_every_level) {
  for (const char* level : {"graph", "groups", "schedule", "bytecode"}) {
    const Outcome outcome =
        dvmsim("compile small.graph --dim n=24 --dump " + std::string(level) + tiny());
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_NE(outcome.out, "") << level;
  }
}

TEST_F(Command, a_stream_is_the_same_each_time_and_carries_state) {
  write("grow.graph",
        "graph grow\ndim past\ninput x: f32[1, 32]\ninput cache: f32[past, 32]\n"
        "next = concat(cache, x) {axis=0}\ny = softmax(next)\noutput y, next\n");
  write("grow.stream",
        "seed: 4\nstate: {next: cache}\ninitial: {past: 0}\n"
        "steps:\n  - repeat: 5\n  - {repeat: 2, fresh: true, seed: 1}\n");
  const std::string words = "run grow.graph --stream grow.stream --check eval" + tiny();
  const Outcome once = dvmsim(words + "--json a.json --csv a.csv");
  ASSERT_EQ(once.code, 0) << once.err;
  ASSERT_EQ(dvmsim(words + "--json b.json --csv b.csv").code, 0);
  EXPECT_EQ(content(path("a.json")), content(path("b.json")));
  EXPECT_EQ(content(path("a.csv")), content(path("b.csv")));
  const auto json = nlohmann::json::parse(content(path("a.json")));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(json["steps"][i]["dims"]["past"], i);
  EXPECT_EQ(json["steps"][5]["dims"]["past"], 0);
  EXPECT_EQ(json["steps"][5]["outputs"], json["steps"][6]["outputs"]);
  EXPECT_EQ(json["steps"][6]["cached"], true);
}

TEST_F(Command, a_streams_memory_does_not_grow) {
  write("s.stream", "steps:\n  - {repeat: 300, dims: {n: 1..200}}\n");
  const Outcome outcome =
      dvmsim("run small.graph --stream s.stream --mode timing --json a.json" + tiny());
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const auto json = nlohmann::json::parse(content(path("a.json")));
  std::map<int, std::int64_t> most;  // without programs, one size always needs the same
  for (const auto& step : json["steps"]) {
    const auto [seen, is_new] = most.try_emplace(step["dims"]["n"], step["memory_bytes"]);
    EXPECT_LE(step["memory_bytes"].get<std::int64_t>(), seen->second + 200 * 1024);
  }
}

TEST_F(Command, a_group_list_that_leaves_its_axis_is_a_fault_of_the_machine) {
  write("groups.graph",
        "graph groups\ninput x: f16[64, 32]\nconst w: f16[2, 32, 48] = random(1, 0.5)\n"
        "const list: i64[2] = [65, 0]\np = softmax(x)\ny = grouped_matmul(p, w, list)\n"
        "z = relu(y)\noutput z\n");
  for (const std::string strategy : {"eager", "dvm", "resident"}) {
    const Outcome outcome = dvmsim("run groups.graph --mode functional --strategy " + strategy);
    EXPECT_EQ(outcome.code, 3) << strategy;
    EXPECT_NE(outcome.err.find("group 0 of the list has 65 elements, 64 are left of 64"),
              std::string::npos)
        << outcome.err;
  }
}

TEST_F(Command, unknown_features_are_refused_by_every_verb) {
  write("s.stream", "steps:\n  - dims: {n: 4}\n");
  for (const std::string words : {"run small.graph --dim n=4", "run small.graph --stream s.stream",
                                  "compile small.graph --dim n=4", "op relu 4x4"}) {
    const Outcome outcome = dvmsim(words + " --feature +fly" + tiny());
    EXPECT_EQ(outcome.code, 2) << words;
    EXPECT_NE(
        outcome.err.find("--feature fly: unknown; there are long-reduce attention buffers decode "
                         "parametric stack one-launch short-axes cube-fusion"),
        std::string::npos)
        << words << ": " << outcome.err;
  }
}

TEST_F(Command, other_compilers_compute_the_kernels_they_are_timed_on) {
  const Outcome outcome = dvmsim("bench compile --only softmax");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("of its largest: agree"), std::string::npos) << outcome.out;
  EXPECT_EQ(outcome.out.find("gelu"), std::string::npos) << outcome.out;
  const Outcome none = dvmsim("bench compile --only soup");
  EXPECT_EQ(none.code, 2);
  EXPECT_NE(none.err.find("--only soup: no case"), std::string::npos) << none.err;
}

TEST_F(Command, features_are_those_of_the_strategy_as_switched) {
  const auto features = [&](const std::string& words) {
    const Outcome outcome = dvmsim("op relu 4x4 --json a.json " + words + tiny());
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return nlohmann::json::parse(content(path("a.json")))["features"];
  };
  EXPECT_EQ(features("--strategy dvm"), nlohmann::json::array({"stack"}));
  EXPECT_TRUE(features("--feature=-stack").empty());
  EXPECT_TRUE(features("--strategy eager").empty());
  EXPECT_EQ(features("--feature +long-reduce"), nlohmann::json::array({"long-reduce", "stack"}));
  const nlohmann::json all = features("--strategy resident");
  EXPECT_GE(all.size(), 2u);
  const nlohmann::json most = features("--strategy resident --feature=-long-reduce");
  EXPECT_EQ(most.size() + 1, all.size());
  EXPECT_EQ(std::count(most.begin(), most.end(), "long-reduce"), 0);
}

TEST_F(Command, an_operator_written_out_is_dispatched_once) {
  write("w.graph",
        "graph w\ninput x: f16[8, 256]\nm = reduce_max(x) {axes=[1], keepdims=1}\n"
        "d = sub(x, m)\ne = exp(d)\ns = reduce_sum(e) {axes=[1], keepdims=1}\nz = div(e, s)\n"
        "y = relu(z)\noutput y\n");
  const auto host = [&](const std::string& strategy) {
    const Outcome run =
        dvmsim("run w.graph --check eval --decode none --json - --strategy " + strategy);
    EXPECT_EQ(run.code, 0) << run.err;
    return nlohmann::json::parse(run.out)["host"];
  };
  for (const char* strategy : {"eager", "graph", "sink"}) {
    const auto found = host(strategy);
    EXPECT_EQ(found["launches"], 2) << strategy;
    EXPECT_EQ(
        found["operators"],
        nlohmann::json::parse(R"({"written": 6, "framework": 2, "rerolled": {"softmax": 1}})"));
  }
  EXPECT_FALSE(host("dvm").contains("operators"));
  EXPECT_NE(dvmsim("run w.graph --strategy eager")
                .out.find("operators     2 of the framework, written as 6: softmax 1"),
            std::string::npos);
  // A row too long for one kernel: several launches, one dispatch; kept in a compiled module.
  write("l.graph", "graph l\ninput x: f32[4, 60000]\ny = softmax(x)\noutput y\n");
  const Outcome run = dvmsim("run l.graph --mode timing --decode none --json - --strategy eager");
  const auto longer = nlohmann::json::parse(run.out);
  EXPECT_GT(longer["host"]["launches"], 1);
  EXPECT_EQ(longer["host"]["operators"]["framework"], 1);
  ASSERT_EQ(dvmsim("compile l.graph --strategy eager -o l.dvm").code, 0);
  const auto kept = nlohmann::json::parse(
      dvmsim("run l.dvm --mode timing --decode none --json - --strategy eager").out);
  EXPECT_EQ(kept["e2e_us"], longer["e2e_us"]);
  EXPECT_EQ(kept["host"]["operators"], longer["host"]["operators"]);
}

TEST_F(Command, a_strategy_of_compiled_kernels_takes_no_features) {
  const Outcome outcome = dvmsim("op relu 4x4 --strategy eager --feature +long-reduce" + tiny());
  EXPECT_EQ(outcome.code, 2);
  EXPECT_NE(outcome.err.find("--feature long-reduce: strategy eager launches kernels compiled"),
            std::string::npos)
      << outcome.err;
}

TEST_F(Command, a_bad_stream_is_one_error_with_its_line) {
  write("s.stream", "steps:\n  - dims: {n: 4}\n  - dims: {m: 4}\n");
  const Outcome outcome = dvmsim("run small.graph --stream s.stream --json a.json" + tiny());
  EXPECT_EQ(outcome.code, 2);
  EXPECT_NE(outcome.err.find("s.stream:3: step 1: --dim m"), std::string::npos) << outcome.err;
  EXPECT_FALSE(fs::exists(path("a.json")));
  EXPECT_EQ(dvmsim("run small.graph --stream s.stream --dim n=3" + tiny()).code, 2);
  EXPECT_EQ(dvmsim("run small.graph --stream s.stream --known x" + tiny()).code, 2);
  EXPECT_EQ(dvmsim("run small.graph --dim n=3 --csv a.csv" + tiny()).code, 2);
}

TEST_F(Command, a_model_too_large_for_the_device_is_refused_with_the_figure) {
  const Outcome outcome =
      dvmsim("run small.graph --dim n=100000 --mode timing --set hbm.size=1MiB");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_NE(outcome.err.find("MiB of device memory (weights 0 B, inputs and outputs 146.48 MiB"),
            std::string::npos)
      << outcome.err;
}

TEST_F(Command, what_the_host_drives_runs_and_is_named) {
  write("loop.graph",
        "graph g\ninput n: i64[]\ninput x: f32[64]\ny = loop(n, _, x) {carried=1} do (i, go, p) {\n"
        "  q = tanh(p)\n  output go, q\n}\noutput y\n");
  const Outcome compiled = dvmsim("compile loop.graph -o a.dvm");
  EXPECT_EQ(compiled.code, 2);
  EXPECT_NE(compiled.err.find("node 'y' (loop): what follows depends on values"), std::string::npos)
      << compiled.err;
  const Outcome outcome = dvmsim("run loop.graph --check eval --json a.json" + tiny());
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  const auto json = nlohmann::json::parse(content(path("a.json")));
  EXPECT_EQ(json["host"]["nodes"][0], "node 'y' (loop)");
}

}  // namespace
}  // namespace dvmsim
