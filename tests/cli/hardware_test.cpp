// Every hardware file through the built command: it is accepted, shown, computes right values, and
// its reports keep the laws of the verdict.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "traces/check.h"

namespace dvmsim {
namespace {

namespace fs = std::filesystem;

struct Outcome {
  int code = -1;
  std::string out{};
};

Outcome dvmsim(const std::string& words) {
  std::FILE* pipe = popen(("'" DVMSIM_BINARY "' " + words + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return {};
  Outcome outcome;
  char buffer[4096];
  for (std::size_t got; (got = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) {
    outcome.out.append(buffer, got);
  }
  const int status = pclose(pipe);
  outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return outcome;
}

std::vector<std::string> hardware_files() {
  std::vector<std::string> names;
  for (const auto& file : fs::directory_iterator(DVMSIM_SOURCE_DIR "/configs/hardware")) {
    if (file.path().extension() == ".yaml") names.push_back(file.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

class Hardware : public testing::TestWithParam<std::string> {
 protected:
  [[nodiscard]] static std::string file() {
    return "'" DVMSIM_SOURCE_DIR "/configs/hardware/" + GetParam() + ".yaml'";
  }
};

void expect_laws(const std::string& text) {
  const auto json = nlohmann::json::parse(text);
  const std::int64_t cycles = json["cycles"];
  const auto& roofline = json["roofline"];
  EXPECT_LE(roofline["ideal_cycles"].get<std::int64_t>(), cycles);
  EXPECT_GT(roofline["ideal_cycles"].get<std::int64_t>(), 0);
  EXPECT_NE(roofline["verdict"], "");
  for (const auto& [name, component] : roofline["components"].items()) {
    EXPECT_LE(component["ceiling_cycles"].get<std::int64_t>(),
              roofline["ideal_cycles"].get<std::int64_t>())
        << name;
    // Nothing is done faster than its ceiling; the scalar unit's commands may cost it nothing.
    if (!name.ends_with("scalar")) {
      EXPECT_LE(component["ceiling_cycles"], component["busy_cycles"]) << name;
    }
  }
  const auto& path = json["critical_path"];
  EXPECT_TRUE(path["missing"].is_null()) << path["missing"];
  std::int64_t sum = 0;
  for (const auto& part : path["parts"]) sum += part["cycles"].get<std::int64_t>();
  EXPECT_EQ(sum, cycles);
  for (const auto& [name, slack] : path["slack"].items()) {
    EXPECT_GE(slack["gain"], 0) << name;
    EXPECT_LE(slack["gain"], 0.1 + 1e-6) << name;
  }
}

TEST_P(Hardware, is_good_and_computes_a_matmul_and_an_addition) {
  EXPECT_EQ(dvmsim("config check " + file()).code, 0);
  for (const std::string op : {"matmul 96x160 160x112", "add 200x300 200x300"}) {
    const Outcome run = dvmsim("op " + op + " --check eval --decode none --json - --hw " + file());
    ASSERT_EQ(run.code, 0) << run.out;
    expect_laws(run.out);
  }
}

TEST_P(Hardware, keeps_the_laws_of_the_verdict_on_larger_operators) {
  for (const std::string op :
       {"matmul 640x640 640x640", "softmax 512x640", "exp 1000x1000", "add 2048x1024 2048x1024"}) {
    const std::string words = "op " + op + " --decode none --json - --hw " + file();
    const Outcome run = dvmsim(words);
    ASSERT_EQ(run.code, 0) << run.out;
    expect_laws(run.out);
    EXPECT_EQ(run.out, dvmsim(words).out) << op;
  }
}

TEST_P(Hardware, is_shown_with_peaks_and_what_it_changes) {
  const Outcome shown = dvmsim("config show " + file());
  ASSERT_EQ(shown.code, 0) << shown.out;
  for (const char* text : {"HBM peak", "HBM sustained, reading", "GM to UB", "L1 to L0A", "f16"}) {
    EXPECT_NE(shown.out.find(text), std::string::npos) << text;
  }
  const auto json = nlohmann::json::parse(dvmsim("config show --json " + file()).out);
  EXPECT_EQ(json["name"], GetParam());
  EXPECT_GT(json["peaks"].size(), 12u);
  EXPECT_GT(json["parameters"].size(), 100u);
  if (GetParam() == "ascend910b4") {
    EXPECT_NE(shown.out.find("Here (ascend910b4.yaml:"), std::string::npos) << shown.out;
  }
}

INSTANTIATE_TEST_SUITE_P(Files, Hardware, testing::ValuesIn(hardware_files()),
                         [](const auto& file) { return file.param; });

TEST(Verdict, can_be_left_out) {
  const std::string words = "op add 64x64 64x64 --decode none --critical-path none";
  const Outcome run = dvmsim(words + " --json -");
  EXPECT_TRUE(nlohmann::json::parse(run.out)["critical_path"].is_null());
  EXPECT_EQ(dvmsim(words).out.find("critical path"), std::string::npos);
  EXPECT_EQ(dvmsim("op add 64x64 64x64 --critical-path half").code, 2);
}

TEST(Verdict, is_drawn_as_a_track_that_fills_the_run) {
  const std::string trace = testing::TempDir() + "verdict_path.pftrace";
  const Outcome run = dvmsim("op matmul 512x512 512x512 --json - --trace '" + trace + "'");
  ASSERT_EQ(run.code, 0) << run.out;
  TraceCheck check = check_trace_file(trace);
  EXPECT_TRUE(check.errors.empty()) << check.errors.front();
  EXPECT_EQ(check.cycles["device/critical path"]["critical path"],
            nlohmann::json::parse(run.out)["cycles"].get<std::int64_t>());
  fs::remove(trace);
}

TEST(Verdict, knows_no_memory_under_ideal_memory) {
  const Outcome run = dvmsim("op add 2048x2048 2048x2048 --memory ideal --decode none --json -");
  expect_laws(run.out);
  EXPECT_FALSE(nlohmann::json::parse(run.out)["roofline"]["components"].contains("hbm"));
}

TEST(Verdict, of_a_chain_of_launches_names_the_host) {
  const Outcome run = dvmsim("run '" DVMSIM_SOURCE_DIR
                             "/configs/workloads/encoder.graph' --dim seq=16 --strategy eager "
                             "--set host.submit=20us --mode timing --decode none --json -");
  ASSERT_EQ(run.code, 0) << run.out;
  expect_laws(run.out);
  const auto parts = nlohmann::json::parse(run.out)["critical_path"]["parts"];
  EXPECT_TRUE(std::any_of(parts.begin(), parts.end(),
                          [](const auto& part) { return part["what"] == "host"; }));
}

}  // namespace
}  // namespace dvmsim
