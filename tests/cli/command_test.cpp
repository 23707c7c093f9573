// The built command as a script sees it: exit codes, what goes where, files that appear or do not.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>

#include "traces/check.h"

namespace dvmsim {
namespace {

namespace fs = std::filesystem;

struct Outcome {
  int code = -1;
  std::string out{}, err{};
};

class Command : public testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        fs::path(testing::TempDir()) /
        (std::string("command_") + testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    write("small.graph",
          "graph small\ndim n\ninput x: f16[n, 256]\ninput y: f16[n, 256]\n"
          "s = add(x, y)\nr = relu(s)\nz = mul(r, x)\noutput z\n");
  }
  void TearDown() override { fs::remove_all(folder_); }

  [[nodiscard]] std::string path(const std::string& name) const {
    return (folder_ / name).string();
  }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path(name)) << text;
  }
  static std::string content(const std::string& name) {
    std::ifstream file(name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  /// The words are given to a shell in the test's folder.
  [[nodiscard]] Outcome dvmsim(const std::string& words) const {
    const std::string command = "cd '" + folder_.string() + "' && '" DVMSIM_BINARY "' " + words +
                                " > stdout.txt 2> stderr.txt";
    const int status = std::system(command.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, content(path("stdout.txt")),
            content(path("stderr.txt"))};
  }
  [[nodiscard]] static std::string tiny() {
    return std::string(" --hw ") + DVMSIM_SOURCE_DIR + "/configs/hardware/tiny.yaml ";
  }

  fs::path folder_{};
};

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

TEST_F(Command, every_shipped_hardware_file_is_good) {
  for (const auto& entry : fs::directory_iterator(DVMSIM_SOURCE_DIR "/configs/hardware")) {
    EXPECT_EQ(dvmsim("config check " + entry.path().string()).code, 0) << entry.path();
  }
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

TEST_F(Command, work_in_the_trace_equals_work_in_the_report) {
  for (const char* strategy : {"dvm", "eager"}) {
    const Outcome outcome = dvmsim(std::string("run small.graph --dim n=65 --json a.json ") +
                                   "--trace a.pftrace --strategy " + strategy + tiny());
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    const TraceCheck trace = check_trace_file(path("a.pftrace"));
    for (const std::string& error : trace.errors) ADD_FAILURE() << error;
    EXPECT_EQ(trace.open_flows, 0);
    const auto json = nlohmann::json::parse(content(path("a.json")));
    for (const auto& unit : json["units"]) {
      const std::string name = unit["name"];
      const std::size_t digit = name.find_first_of("0123456789"), dot = name.find('.');
      if (name.substr(dot + 1) == "scalar") continue;  // decoding begins before the first dispatch
      const std::string track = name.substr(0, digit) + " core " + name.substr(digit, dot - digit) +
                                "/" + name.substr(dot + 1);
      const auto reasons = unit["reasons"];
      const std::int64_t work = reasons.contains("work") ? reasons["work"].get<std::int64_t>() : 0;
      const auto found = trace.cycles.find(track);
      std::int64_t drawn = 0;
      if (found != trace.cycles.end() && found->second.contains("instruction")) {
        drawn = found->second.at("instruction");
      }
      EXPECT_EQ(drawn, work) << track;
    }
  }
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

TEST_F(Command, a_bad_stream_is_one_error_with_its_line) {
  write("s.stream", "steps:\n  - dims: {n: 4}\n  - dims: {m: 4}\n");
  const Outcome outcome = dvmsim("run small.graph --stream s.stream --json a.json" + tiny());
  EXPECT_EQ(outcome.code, 2);
  EXPECT_NE(outcome.err.find("s.stream:3: step 1: --dim m"), std::string::npos) << outcome.err;
  EXPECT_FALSE(fs::exists(path("a.json")));
  EXPECT_EQ(dvmsim("run small.graph --stream s.stream --dim n=3" + tiny()).code, 2);
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
