#include "traces/record.h"

#include <gtest/gtest.h>

#include "traces/diff.h"
#include "traces/report.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

RunReport report() {
  RunReport report;
  report.model = "m.graph";
  report.strategy = "dvm";
  report.hardware = "tiny";
  report.dims = {{"n", 3}};
  report.options = {{"l2", "warm"}};
  report.cycles = 1000;
  report.e2e_us = 5.25;
  report.features = {"buffers", "attention"};
  report.firmware.by_profile[1] = RunReport::Decode{1000, 90, 10};
  for (const char* name : {"cube0.mte2", "cube1.mte2", "cube0.mte1"}) {
    report.units.push_back({name, 1000, {}});
    report.units.back().reasons[static_cast<std::size_t>(Reason::Work)] = 100;
    report.units.back().reasons[static_cast<std::size_t>(Reason::Idle)] = 900;
  }
  OperatorSum& sum = report.operators.emplace_back();
  sum.label = "a, b";
  sum.launches = 2;
  sum.cycles = 700;
  sum.units.push_back({{CoreKind::Cube, Pipe::MTE2}, 700, {}, {{isa::Op::loadnz, {6, 200}}}});
  sum.units.back().reasons[static_cast<std::size_t>(Reason::Work)] = 200;
  CriticalPath& path = report.critical_path.emplace();
  path.cycles = 1000;
  path.parts = {{{CoreKind::Cube, Pipe::MTE2}, Cause::Work, 700},
                {{CoreKind::Cube, Pipe::MTE2}, Cause::Memory, 200},
                {{CoreKind::Cube, Pipe::Cube}, Cause::Flag, 100}};
  return report;
}

std::string error_of(const std::string& json) {
  try {
    (void)parse_record(json, "f.json");
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

double figure(const std::vector<Record::Figure>& figures, const std::string& name) {
  for (const auto& each : figures) {
    if (each.name == name) return each.value;
  }
  return -1;
}

TEST(Record, is_what_the_report_says) {
  const Record record = parse_record(to_json(report()), "f.json");
  EXPECT_EQ(title_of(record), "m.graph n=3  (dvm on tiny)");
  EXPECT_EQ(figure(record.figures, "cycles"), 1000);
  EXPECT_EQ(figure(record.figures, "e2e_us"), 5.25);
  EXPECT_EQ(figure(record.figures, "decode.nominal.exposed_cycles"), 10);
  ASSERT_EQ(record.units.size(), 2u);
  EXPECT_EQ(record.units[0].name, "cube.mte2");  // both cores
  EXPECT_EQ(record.units[0].reasons.at("work"), 200);
  EXPECT_FALSE(record.units[0].reasons.contains("idle"));
  EXPECT_EQ(record.units[1].name, "mte1");
  ASSERT_EQ(record.operators.size(), 1u);
  EXPECT_EQ(record.operators[0].name, "a, b");
  EXPECT_EQ(figure(record.operators[0].figures, "launches"), 2);
  EXPECT_EQ(record.operators[0].units[0].instructions.at("loadnz").commands, 6);
  ASSERT_EQ(record.path.size(), 3u);
  EXPECT_EQ(record.path[1].first, "cube.mte2 wait-memory");
  EXPECT_EQ(record.path[2].first, "flag");
}

TEST(Record, baselines_keep_all_of_it) {
  const Record record = parse_record(to_json(report()), "f.json");
  const std::string text = to_json(Records{{"case 1", record}, {"none", Record{record}}});
  const Records again = parse_records(text, "b.json");
  ASSERT_EQ(again.size(), 2u);
  const Diff diff = compare(record, again.at("case 1"));
  EXPECT_FALSE(diff.moved()) << to_text(diff, 0);
  EXPECT_TRUE(diff.warnings.empty()) << to_text(diff, 0);
  EXPECT_EQ(again.at("case 1").subject, record.subject);
  EXPECT_EQ(to_json(again), text);
}

TEST(Record, what_is_no_report_is_refused_by_name) {
  EXPECT_EQ(error_of("{"), "f.json: not JSON; name a report of run --json or op --json");
  EXPECT_NE(error_of("[1]").find("f.json: not a report of dvmsim"), std::string::npos);
  EXPECT_NE(error_of("{\"schema\": 7}").find("of schema 7, this version of dvmsim compares schema"),
            std::string::npos);
  EXPECT_NE(error_of("{\"schema\": 1, \"steps\": []}").find("of a stream"), std::string::npos);
  EXPECT_NE(error_of("{\"schema\": 1, \"rows\": []}").find("it has no 'model'"), std::string::npos);
  std::string old = to_json(report());
  const std::string member = "\"operators\"";
  old.replace(old.find(member), member.size(), "\"operations\"");
  EXPECT_NE(error_of(old).find("the report has no 'operators'"), std::string::npos);
  std::string bad = to_json(report());
  const std::string value = "\"cycles\": 1000";
  bad.replace(bad.find(value), value.size(), "\"cycles\": \"many\"");
  EXPECT_EQ(error_of(bad), "f.json: 'cycles' is no number");
}

}  // namespace
}  // namespace dvmsim
