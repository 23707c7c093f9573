#include "traces/report.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace dvmsim {
namespace {

RunReport sample() {
  RunReport report;
  report.model = "softmax.graph";
  report.strategy = "dvm";
  report.hardware = "ascend910b1";
  report.dims = {{"batch", 3}};
  report.cycles = 1234567;
  report.clock_mhz = 1850;
  report.task_us = 667.333514;
  report.host.launches = 2;
  report.units = {{"vector0.mte2", 10, {}}};
  report.units[0].reasons[static_cast<std::size_t>(Reason::Work)] = 7;
  report.units[0].reasons[static_cast<std::size_t>(Reason::Idle)] = 3;
  report.memory = {3 << 20, 512, 0};
  report.roofline.bound = report.roofline.limiter = "hbm";
  report.roofline.ideal_cycles = 1000000;
  report.roofline.fraction = 0.81;
  report.roofline.verdict = Verdict::Memory;
  report.roofline.cause = Side::Memory;
  report.roofline.per_pipe = {{"hbm", 1000000, 0.81}};
  report.roofline.components = {{"cube.mte2", Side::Memory, 500000, 700000, 0.405, 0.567},
                                {"hbm", Side::Memory, 1000000, 1000000, 0.81, 0.81}};
  CriticalPath& path = report.critical_path.emplace();
  path.cycles = 1234567;
  path.parts = {{{CoreKind::Cube, Pipe::MTE2}, Cause::Work, 1000000},
                {{CoreKind::Cube, Pipe::Cube}, Cause::Flag, 234567}};
  path.top = {{"softmax", "loadnz", {CoreKind::Cube, Pipe::MTE2}, 1000000, 12}};
  path.faster = 1.1;
  path.slack = {{"mte2", 1160000, 0.0643}, {"cube", 1234567, 0}};
  report.check = RunReport::Check{1e-3, 2e-3, true};
  report.not_modelled = {"tlb"};
  return report;
}

TEST(Report, json_holds_the_members_scripts_depend_on) {
  const auto json = nlohmann::json::parse(to_json(sample()));
  for (const char* member : {"schema", "model", "strategy", "features", "hardware", "dims",
                             "cycles", "e2e_us", "task_us", "core_us", "host", "units", "memory",
                             "firmware", "roofline", "check", "not_modelled"}) {
    EXPECT_TRUE(json.contains(member)) << member;
  }
  EXPECT_EQ(json["dims"]["batch"], 3);
  EXPECT_EQ(json["units"][0]["total"], 10);
  EXPECT_EQ(json["units"][0]["reasons"]["work"], 7);
  EXPECT_EQ(json["memory"]["hbm_read_bytes"], 3 << 20);
  EXPECT_EQ(json["roofline"]["per_pipe"]["hbm"]["cycles"], 1000000);
  EXPECT_EQ(json["roofline"]["verdict"], "memory bound");
  EXPECT_EQ(json["roofline"]["components"]["cube.mte2"]["busy_cycles"], 700000);
  EXPECT_EQ(json["critical_path"]["parts"][0]["unit"], "cube.mte2");
  EXPECT_EQ(json["critical_path"]["slack"]["mte2"]["gain"], 0.0643);
  EXPECT_TRUE(json["critical_path"]["missing"].is_null());
  EXPECT_EQ(json["check"]["pass"], true);
}

TEST(Report, what_was_not_measured_is_null) {
  RunReport report = sample();
  report.check.reset();
  report.critical_path.reset();
  const auto json = nlohmann::json::parse(to_json(report));
  EXPECT_TRUE(json["check"].is_null());
  EXPECT_TRUE(json["critical_path"].is_null());
  EXPECT_TRUE(json["firmware"]["exposed_cycles"].is_null());
}

TEST(Report, json_is_the_same_twice) {
  EXPECT_EQ(to_json(sample()), to_json(sample()));
}

TEST(Report, json_times_are_rounded) {
  RunReport report = sample();
  report.e2e_us = 0.1 + 0.2;
  EXPECT_NE(to_json(report).find("\"e2e_us\": 0.3,"), std::string::npos);
}

TEST(Report, summary_fits_one_screen_and_names_what_matters) {
  const std::string page = summary(sample(), {{"trace", "a.pftrace"}});
  EXPECT_NE(page.find("softmax.graph batch=3  (dvm on ascend910b1)"), std::string::npos) << page;
  EXPECT_NE(page.find("1,234,567"), std::string::npos) << page;
  EXPECT_NE(page.find("HBM read 3.00 MiB, write 512 B"), std::string::npos) << page;
  EXPECT_NE(page.find("pass (max abs err 0.001"), std::string::npos) << page;
  EXPECT_NE(page.find("memory bound: hbm reaches 81.0 % of its ceiling"), std::string::npos)
      << page;
  EXPECT_NE(page.find("cube.mte2 81.0 %  flag 19.0 %"), std::string::npos) << page;
  EXPECT_NE(page.find("mte2 => 6.4 %\n"), std::string::npos) << page;
  EXPECT_NE(page.find("a.pftrace"), std::string::npos) << page;
  EXPECT_LE(std::count(page.begin(), page.end(), '\n'), 24);
}

TEST(Report, summary_shows_decode_at_all_three_profiles) {
  RunReport report = sample();
  report.firmware.by_profile = {RunReport::Decode{1000, 90, 10}, RunReport::Decode{1100, 190, 110},
                                RunReport::Decode{1300, 390, 325}};
  EXPECT_NE(summary(report).find("exposes 10 / 110 / 325 cycles (1.0 % / 10.0 % / 25.0 %) at low"),
            std::string::npos)
      << summary(report);
}

TEST(Report, fill_takes_cycles_units_and_times_from_stats) {
  Stats stats;
  stats.on_span({{{CoreKind::Vector, 0}, Pipe::MTE2}, Cycles(100), Cycles(150), Reason::Work});
  stats.on_host({HostThread::Front, HostWork::Compile, "g", 0, 2500});
  stats.on_launch_end({0, "g", Cycles(40), Cycles(50), Cycles(300)});
  stats.close(Cycles(100), Cycles(300));
  RunReport report;
  fill(report, stats, 1'000'000'000);
  EXPECT_EQ(report.cycles, 200);
  EXPECT_DOUBLE_EQ(report.task_us, 0.25);
  EXPECT_DOUBLE_EQ(report.host.compile_us, 2.5);
  ASSERT_EQ(report.units.size(), 1u);
  EXPECT_EQ(report.units[0].name, "vector0.mte2");
  EXPECT_EQ(report.units[0].total, 200);
}

}  // namespace
}  // namespace dvmsim
