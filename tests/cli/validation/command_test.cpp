// The verbs over tables of measurements: exit codes, what is printed, what is refused.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/support/command.h"

namespace dvmsim {
namespace {

using testing::Command;
using testing::kChain;
using testing::Outcome;

TEST_F(Command, validate_exits_by_what_the_table_allows) {
  write("chain.s", kChain);
  write("t.csv",
        "id,case,metric,measured,unit,tolerance,gate\n"
        "A,run chain.s --set vector.fixed=23cycles --set vector.tail=8cycles --set "
        "vector.rate.minmax.extra=0cycles,aiv_vec_us*clock_mhz,1200,cycles,1%,\n"
        "B,run chain.s,1,2,,,why not\n"
        "C,,,3,us,,several devices\n");
  const Outcome good = dvmsim("validate t.csv --json a.json --plot a.svg --jobs 2");
  EXPECT_EQ(good.code, 0) << good.out << good.err;
  EXPECT_NE(good.out.find("1 of 1 gated rows within their tolerance"), std::string::npos);
  EXPECT_NE(good.out.find("several devices"), std::string::npos);
  EXPECT_EQ(good.err, "");
  const auto json = nlohmann::json::parse(content(path("a.json")));
  EXPECT_TRUE(json["pass"]);
  EXPECT_EQ(json["rows"][0]["simulated"], 1200);  // 50 x (23 + 1)
  EXPECT_TRUE(json["rows"][2]["simulated"].is_null());
  EXPECT_TRUE(content(path("a.svg")).starts_with("<svg"));

  const Outcome again = dvmsim("validate t.csv --jobs 1");
  EXPECT_EQ(again.out, good.out);
  const Outcome beyond = dvmsim("validate t.csv --set vector.fixed=30cycles --failures");
  EXPECT_EQ(beyond.code, 1);
  EXPECT_NE(beyond.out.find("FAIL: beyond 1 %"), std::string::npos);
  EXPECT_EQ(beyond.out.find("several devices"), std::string::npos);
}

TEST_F(Command, validate_names_what_is_wrong_with_a_table_or_an_option) {
  write("chain.s", kChain);
  write("bad.csv", "id,case,metric,measured\nA,run chain.s,cycles,x\n");
  EXPECT_EQ(dvmsim("validate bad.csv").code, 2);
  EXPECT_NE(dvmsim("validate bad.csv").err.find("bad.csv:2: measured"), std::string::npos);
  write("t.csv",
        "id,case,metric,measured,tolerance\nA,run chain.s,cycles,5,1%\n"
        "B,run none.s,cycles,5,1%\nC,run chain.s --typo,cycles,5,1%\n");
  const Outcome failed = dvmsim("validate t.csv");
  EXPECT_EQ(failed.code, 1);
  EXPECT_NE(failed.out.find("t.csv:3: none.s: cannot be read"), std::string::npos) << failed.out;
  EXPECT_NE(failed.out.find("t.csv:4: case: "), std::string::npos) << failed.out;
  write("m.csv", "id,case,metric,measured\nA,run chain.s,speed,5\n");
  EXPECT_NE(dvmsim("validate m.csv").err.find("no figure 'speed'"), std::string::npos);
  for (const char* words :
       {"--id X", "--group X", "--set cube.no=1", "--hw none.yaml", "--memory odd --id A",
        "--tolerance 5", "--ablate --sensitivity 3", "--ablate --json -", "--mechanisms m.yaml"}) {
    const Outcome outcome = dvmsim(std::string("validate t.csv ") + words);
    EXPECT_EQ(outcome.code, 2) << words << outcome.err;
  }
}

TEST_F(Command, validate_takes_a_profiler_s_summary) {
  write("op_summary.csv",
        "Device_id,Op Name,OP Type,Task Type,Task Duration(us),Block Dim,Input Shapes,"
        "Input Data Types,Input Formats,Output Shapes,Output Data Types,aicore_time(us)\n"
        "0,m1,MatMulV2,AI_CORE,9,4,\"\"\"64,32;64,32\"\"\",FLOAT16;FLOAT16,ND;ND,"
        "\"\"\"64,64\"\"\",FLOAT16,8\n"
        "0,s1,Sort,AI_VECTOR_CORE,7,48,\"\"\"8\"\"\",FLOAT,ND,\"\"\"8\"\"\",FLOAT,0\n");
  const Outcome outcome = dvmsim("validate op_summary.csv --json -");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const auto rows = nlohmann::json::parse(outcome.out)["rows"];
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0]["case"], "op matmul 64x32 64x32 --dtype f16 --trans-b");
  EXPECT_GT(rows[0]["simulated"], 0);
  EXPECT_GT(rows[1]["simulated"], 0);
  EXPECT_EQ(rows[2]["reason"], "no operator for type Sort");
  EXPECT_EQ(dvmsim("validate op_summary.csv --tolerance 1%").code, 1);
}

TEST_F(Command, fit_recovers_a_parameter_from_simulated_measurements) {
  write("chain.s", kChain);
  std::string table = "id,case,metric,measured,tolerance\n";
  for (const int count : {64, 256, 1024, 4096}) {
    table += "R" + std::to_string(count) + ",run chain.s --arg count=" + std::to_string(count) +
             ",aiv_vec_us,1,5%\n";
  }
  write("ask.csv", table);
  const auto planted =
      nlohmann::json::parse(dvmsim("validate ask.csv --json - --set vector.fixed=31cycles").out);
  std::string measured = "id,case,metric,measured,tolerance\n";
  for (const auto& row : planted["rows"]) {
    measured += row["id"].get<std::string>() + "," + row["case"].get<std::string>() +
                ",aiv_vec_us," + row["simulated"].dump() + ",5%\n";
  }
  write("measured.csv", measured);
  const Outcome outcome =
      dvmsim("fit measured.csv --parameter vector.fixed=10:60 --folds 2 -o mine.yaml");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(content(path("mine.yaml")).find("fixed: 31cycles"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("fold 2"), std::string::npos);
  EXPECT_EQ(dvmsim("validate measured.csv --hw mine.yaml").code, 0);
  EXPECT_EQ(dvmsim("validate measured.csv").code, 1);
  EXPECT_EQ(dvmsim("fit measured.csv --parameter vector.no -o no.yaml").code, 2);
  EXPECT_FALSE(std::filesystem::exists(path("no.yaml")));
}

TEST_F(Command, studies_print_what_moves_a_case) {
  write("chain.s", kChain);
  write("t.csv", "id,case,metric,measured,tolerance\nA,run chain.s,aiv_vec_us,0.65,5%\n");
  write("m.yaml", "- mechanism: fixed\n  off: [vector.fixed=0cycles]\n");
  const Outcome ablation = dvmsim("validate t.csv --ablate --mechanisms m.yaml");
  EXPECT_EQ(ablation.code, 0) << ablation.err;
  EXPECT_NE(ablation.out.find("fixed"), std::string::npos);
  const Outcome study = dvmsim("validate t.csv --sensitivity 3");
  EXPECT_EQ(study.code, 0) << study.err;
  EXPECT_NE(study.out.find("vector.fixed"), std::string::npos) << study.out;
}

}  // namespace
}  // namespace dvmsim
