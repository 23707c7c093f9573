// `dvmsim diff` and `dvmsim regress` as a script sees them.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/support/command.h"

namespace dvmsim {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using testing::Command;
using testing::Outcome;

constexpr const char* kCases =
    "cases:\n"
    "  - {model: small.graph, dims: {n: [8, 64]}, strategies: [eager, dvm]}\n"
    "  - {op: matmul, shapes: [64x64, 64x64]}\n";

Json figures_of(const Json& section, const std::string& name) {
  for (const Json& row : section["rows"]) {
    if (row["name"] == name) return row;
  }
  return {};
}
Json section_of(const Json& diff, const std::string& name) {
  for (const Json& section : diff["sections"]) {
    if (section["name"] == name) return section;
  }
  return {{"rows", Json::array()}};
}

TEST_F(Command, the_operators_of_a_report_account_for_its_launches) {
  const std::string run = std::string("run ") + DVMSIM_SOURCE_DIR +
                          "/configs/workloads/encoder.graph --dim seq=20 --mode timing --json - "
                          "--feature=-stack";  // side by side, the same cycles count twice
  const Json report = Json::parse(dvmsim(run).out);
  std::int64_t launches = 0, cycles = 0, bytes = 0, commands = 0;
  std::map<std::string, std::int64_t> work;
  for (const Json& each : report["operators"]) {
    launches += each["launches"].get<std::int64_t>();
    cycles += each["cycles"].get<std::int64_t>();
    bytes += each["hbm_read_bytes"].get<std::int64_t>();
    for (const Json& unit : each["units"]) {
      std::int64_t sum = 0, of_instructions = 0;
      for (const auto& [reason, count] : unit["reasons"].items()) sum += count.get<std::int64_t>();
      EXPECT_EQ(sum, unit["total"]) << each["name"] << unit["name"];
      for (const auto& [name, met] : unit["instructions"].items()) {
        of_instructions += met["cycles"].get<std::int64_t>();
        commands += met["commands"].get<std::int64_t>();
      }
      const std::int64_t of_unit = unit["reasons"].value("work", std::int64_t{0});
      const std::string name = unit["name"];
      if (name.find("scalar") == std::string::npos) {
        EXPECT_EQ(of_instructions, of_unit) << each["name"] << name;
        work[name.substr(name.find('.') + 1)] += of_unit;
      }
    }
  }
  EXPECT_EQ(launches, report["host"]["launches"]);
  EXPECT_EQ(bytes, report["memory"]["hbm_read_bytes"]);
  EXPECT_NEAR(static_cast<double>(cycles) / report["clock_mhz"].get<double>(),
              report["task_us"].get<double>(), 1e-5);
  for (const Json& unit : report["units"]) {
    const std::string name = unit["name"];
    const std::string pipe = name.substr(name.find('.') + 1);
    if (pipe != "scalar") work[pipe] -= unit["reasons"].value("work", std::int64_t{0});
  }
  for (const auto& [pipe, left] : work) EXPECT_EQ(left, 0) << pipe;
  EXPECT_GT(commands, 1000);
}

TEST_F(Command, diff_shows_what_moved_and_only_that) {
  const std::string run = "run small.graph --dim n=64 --mode timing --json ";
  ASSERT_EQ(dvmsim(run + "a.json").code, 0);
  ASSERT_EQ(dvmsim(run + "b.json --set vector.rate.multiply.extra=4cycles").code, 0);
  const Outcome same = dvmsim("diff a.json a.json");
  EXPECT_EQ(same.code, 0);
  EXPECT_EQ(same.out, "small.graph n=64  (dvm on ascend910b1)\nnothing moved\n");
  const Outcome moved = dvmsim("diff a.json b.json --json d.json");
  EXPECT_EQ(moved.code, 0) << moved.err;
  EXPECT_NE(moved.out.find("warning: not the same parameters of the machine"), std::string::npos);
  const Json diff = Json::parse(content(path("d.json")));
  EXPECT_EQ(dvmsim("diff a.json b.json --json -").out, content(path("d.json")));
  const Json row = figures_of(section_of(diff, "operators"), "s, r, z");
  const Json work = row["parts"][0];
  EXPECT_EQ(work["name"], "vector work");
  EXPECT_EQ(work["parts"][0]["name"], "vmul");
  // A cycle for every command, and nothing else on the pipe.
  EXPECT_EQ(work["change"], work["parts"][0]["change"]);
  EXPECT_EQ(work["parts"][0]["note"],
            std::to_string(work["change"].get<std::int64_t>()) + " commands");
  EXPECT_TRUE(section_of(diff, "memory")["rows"].empty());
  EXPECT_TRUE(section_of(diff, "host")["rows"].empty());
}

TEST_F(Command, diff_compares_strategies_by_what_they_compute) {
  const std::string run = "run small.graph --dim n=64 --mode timing --json ";
  ASSERT_EQ(dvmsim(run + "a.json --strategy eager").code, 0);
  ASSERT_EQ(dvmsim(run + "b.json").code, 0);
  const Outcome outcome = dvmsim("diff a.json b.json --top 0");
  EXPECT_EQ(outcome.code, 0);
  EXPECT_NE(outcome.out.find("warning: not the same strategy: eager => dvm"), std::string::npos);
  EXPECT_NE(outcome.out.find("before: s | r | z"), std::string::npos) << outcome.out;
  EXPECT_EQ(outcome.out.find(" more\n"), std::string::npos);
}

TEST_F(Command, diff_refuses_what_is_no_report) {
  ASSERT_EQ(dvmsim("op add 8 8 --json a.json").code, 0);
  write("other.json", "{\"schema\": 99, \"cycles\": 1}");
  const auto complaint = [&](const std::string& words) {
    const Outcome outcome = dvmsim("diff " + words);
    EXPECT_EQ(outcome.code, 2) << words;
    EXPECT_EQ(outcome.out, "");
    return outcome.err;
  };
  EXPECT_NE(complaint("a.json none.json").find("none.json: cannot be read"), std::string::npos);
  EXPECT_NE(complaint("other.json a.json").find("other.json: of schema 99"), std::string::npos);
  EXPECT_NE(complaint("a.json small.graph").find("small.graph: not JSON"), std::string::npos);
  write("s.stream", "steps:\n  - dims: {n: 4}\n");
  ASSERT_EQ(dvmsim("run small.graph --stream s.stream --json s.json").code, 0);
  EXPECT_NE(complaint("a.json s.json").find("report of a stream"), std::string::npos);
}

TEST_F(Command, regress_records_passes_and_catches_one_cycle_of_one_instruction) {
  write("c.yaml", kCases);
  const Outcome first = dvmsim("regress c.yaml");
  EXPECT_EQ(first.code, 1);
  EXPECT_NE(first.out.find("5 without a baseline"), std::string::npos) << first.out;
  ASSERT_EQ(dvmsim("regress c.yaml --update").code, 0);
  const std::string recorded = content(path("c.json"));
  const Outcome good = dvmsim("regress c.yaml");
  EXPECT_EQ(good.code, 0) << good.out;
  EXPECT_NE(good.out.find("5 of 5 cases are as recorded\n"), std::string::npos) << good.out;

  const Outcome caught = dvmsim(
      "regress c.yaml --set vector.rate.multiply.extra=4cycles --junit j.xml --markdown m.md");
  EXPECT_EQ(caught.code, 1);
  EXPECT_NE(caught.out.find("1 of 5 cases are as recorded; 4 moved: 4 slower"), std::string::npos)
      << caught.out;
  EXPECT_NE(caught.out.find("  same     matmul"), std::string::npos) << caught.out;
  for (const char* named : {"  s, r, z ", "    vector work ", "      vmul ", "  z "}) {
    EXPECT_NE(caught.out.find(named), std::string::npos) << named << caught.out;
  }
  EXPECT_NE(caught.out.find("dvmsim regress --update"), std::string::npos);
  EXPECT_NE(content(path("j.xml")).find("tests=\"5\" failures=\"4\" errors=\"0\""),
            std::string::npos);
  EXPECT_NE(content(path("m.md")).find("vector work"), std::string::npos);
  // Less work in the same time is a change too, and the cube's work has its own name.
  const Outcome faster = dvmsim("regress c.yaml --set cube.gap=7cycles");
  EXPECT_EQ(faster.code, 1);
  EXPECT_NE(faster.out.find("most in 'matmul': cube work, mmad"), std::string::npos) << faster.out;
  for (const char* named : {"  matmul ", "    cube work ", "      mmad "}) {
    EXPECT_NE(faster.out.find(named), std::string::npos) << named << faster.out;
  }
  EXPECT_EQ(content(path("c.json")), recorded);
}

TEST_F(Command, regress_updates_some_or_all_and_never_half) {
  write("c.yaml", kCases);
  ASSERT_EQ(dvmsim("regress c.yaml --update").code, 0);
  const std::string recorded = content(path("c.json"));
  // Another operator under the name of a case.
  write("d.yaml",
        "cases:\n  - {op: matmul, shapes: [80x64, 64x64], name: other}\n"
        "  - {op: add, shapes: [8, 8]}\n");
  fs::copy_file(path("c.json"), path("d.json"));
  const Outcome strange = dvmsim("regress d.yaml");
  EXPECT_EQ(strange.code, 1);
  EXPECT_NE(strange.out.find("2 without a baseline; 5 baselines without a case"), std::string::npos)
      << strange.out;
  ASSERT_EQ(dvmsim("regress d.yaml --update --case 'add 8 8 dvm'").code, 0);
  EXPECT_EQ(Json::parse(content(path("d.json")))["baselines"].size(), 6u);
  ASSERT_EQ(dvmsim("regress d.yaml --update").code, 0);
  EXPECT_EQ(Json::parse(content(path("d.json")))["baselines"].size(), 2u);
  EXPECT_EQ(dvmsim("regress d.yaml --case 'add 8 8 dvm'").code, 0);

  write("c.yaml", std::string(kCases) + "  - {op: matmul, shapes: [64x64, 63x64]}\n");
  const Outcome refused = dvmsim("regress c.yaml --update");
  EXPECT_EQ(refused.code, 1);
  EXPECT_NE(refused.out.find("c.yaml:4: node 'matmul'"), std::string::npos) << refused.out;
  EXPECT_NE(refused.out.find("nothing is recorded"), std::string::npos);
  EXPECT_EQ(content(path("c.json")), recorded);
}

TEST_F(Command, regress_refuses_what_it_does_not_understand) {
  write("c.yaml", kCases);
  EXPECT_EQ(dvmsim("regress none.yaml").code, 2);
  EXPECT_EQ(dvmsim("regress c.yaml --case none").code, 2);
  EXPECT_EQ(dvmsim("regress c.yaml --update --set clock.core=1GHz").code, 2);
  write("c.json", "{\"schema\": 1}");
  const Outcome outcome = dvmsim("regress c.yaml");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_NE(outcome.err.find("c.json: the report has no 'baselines'"), std::string::npos)
      << outcome.err;
  fs::remove(path("c.json"));
  write("c.yaml",
        std::string(kCases) + "  - op: add\n    shapes: [8, 8]\n    tolerance: {cycle: 1%}\n");
  EXPECT_NE(dvmsim("regress c.yaml").err.find("c.yaml:6: tolerance of 'cycle'"), std::string::npos);
}

}  // namespace
}  // namespace dvmsim
