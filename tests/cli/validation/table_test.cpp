#include "cli/validation/table.h"

#include <gtest/gtest.h>

#include "vm/base/error.h"

namespace dvmsim {
namespace {

std::string complaint(const std::string& text) {
  try {
    (void)parse_table(text, "d/t.csv");
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}
std::string complaint_of_row(const std::string& row) {
  return complaint("id,case,reference,metric,measured,tolerance,gate\n" + row + "\n");
}

TEST(Table, reads_rows_and_limits) {
  const Table table = parse_table(
      "# what it is\n"
      "#gate loads median=6% worst=20.5%\n"
      "id,group,hardware,case,metric,measured,unit,tolerance,gate,note\n"
      "A,loads,x.yaml,run a.s,task_us,5,us,12.5 %,,\"n, m\"\n"
      "B,,,op add 2 2,cycles/2,20..21,cycles,,only listed,\n"
      "C,,,,,3,us,,host-inclusive,\n"
      "D,,,run d.s,cycles,1,,,,\n",
      "d/t.csv");
  ASSERT_EQ(table.rows.size(), 4u);
  EXPECT_EQ(table.folder, "d");
  const TableRow& a = table.rows[0];
  EXPECT_EQ(a.line, 4);
  EXPECT_EQ(a.group, "loads");
  EXPECT_EQ(a.hardware, "x.yaml");
  EXPECT_TRUE(a.gated);
  EXPECT_EQ(a.tolerance, 0.125);
  EXPECT_EQ(a.note, "n, m");
  EXPECT_EQ(table.rows[1].low, 20);
  EXPECT_EQ(table.rows[1].high, 21);
  EXPECT_EQ(table.rows[1].reason, "only listed");
  EXPECT_EQ(table.rows[1].group, "all");
  EXPECT_EQ(table.rows[2].reason, "host-inclusive");
  EXPECT_FALSE(table.rows[3].gated);
  EXPECT_EQ(table.rows[3].reason, "no tolerance stated");
  ASSERT_EQ(table.limits.size(), 1u);
  EXPECT_EQ(table.limits[0].median, 0.06);
  EXPECT_FALSE(table.limits[0].p90);
  EXPECT_EQ(table.limits[0].worst, 0.205);
}

TEST(Table, a_general_tolerance_gates_rows_without_one) {
  const Table table =
      parse_table("id,case,metric,measured\nA,op add 2 2,cycles,1\n", "t.csv", 0.25);
  EXPECT_TRUE(table.rows[0].gated);
  EXPECT_EQ(table.rows[0].tolerance, 0.25);
  EXPECT_EQ(table.folder, "");
}

TEST(Table, names_file_and_line_of_what_is_wrong) {
  EXPECT_EQ(complaint("id,case,metric,measured\n"), "d/t.csv: no rows; nothing to validate");
  EXPECT_TRUE(complaint("id,cases\n").starts_with("d/t.csv:1: column 'cases' is unknown; use id"));
  EXPECT_EQ(complaint("id,case,metric\n"), "d/t.csv:1: column 'measured' is missing");
  EXPECT_EQ(complaint_of_row(",x,,cycles,1,,"), "d/t.csv:2: the row has no id");
  EXPECT_EQ(complaint_of_row("A,x,,cycles,1x,,"), "d/t.csv:2: measured: '1x' is not a number");
  EXPECT_EQ(complaint_of_row("A,x,,cycles,0,,"),
            "d/t.csv:2: measured: '0' must be positive, and a range must rise");
  EXPECT_EQ(complaint_of_row("A,x,,cycles,3..2,,"),
            "d/t.csv:2: measured: '3..2' must be positive, and a range must rise");
  EXPECT_EQ(complaint_of_row("A,x,,cycles,1,5,"), "d/t.csv:2: '5' is no percentage; write 5%");
  EXPECT_EQ(complaint_of_row("A,x,,cycles,1,-5%,"),
            "d/t.csv:2: '-5%': a tolerance cannot be negative");
  EXPECT_EQ(complaint_of_row("A,,,cycles,1,,"),
            "d/t.csv:2: the row has no case; say in 'gate' what is missing");
  EXPECT_EQ(complaint_of_row("A,x,,cycles,1,,yes"),
            "d/t.csv:2: a gated row needs a tolerance, as 5%");
  EXPECT_EQ(complaint_of_row("A,x,,ref.cycles,1,,no"),
            "d/t.csv:2: the metric reads ref., but 'reference' is empty");
  EXPECT_TRUE(complaint_of_row("A,x,,,1,,no").starts_with("d/t.csv:2: metric: "));
  EXPECT_EQ(complaint_of_row("A,\"x \"\"y\",,cycles,1,,no"),
            "d/t.csv:2: a quote in the command line is not closed");
  EXPECT_EQ(complaint_of_row("A,x,,cycles,1,,no\nA,x,,cycles,1,,no"),
            "d/t.csv:3: id 'A' is there twice");
  EXPECT_EQ(complaint("#gate g worst=1%\nid,case,metric,measured\nA,x,cycles,1\n"),
            "d/t.csv: #gate g: no row is of this group");
  EXPECT_EQ(complaint("#gate g\nid,case,metric,measured\nA,x,cycles,1\n"),
            "d/t.csv:1: write #gate GROUP median=6% p90=10% worst=20%");
  EXPECT_EQ(complaint("#gate all mean=1%\nid,case,metric,measured\nA,x,cycles,1\n"),
            "d/t.csv:1: 'mean=1%': write median=6%, p90=10% or worst=20%");
}

TEST(Table, words_of_a_command_keep_what_quotes_hold) {
  EXPECT_EQ(words_of(" run \"a b.s\" --set  x=\"1 2\" \"\"", "t"),
            (std::vector<std::string>{"run", "a b.s", "--set", "x=1 2", ""}));
}

/// As msprof writes it: shapes in quotes within quotes.
constexpr const char* kSummary =
    "Device_id,Op Name,OP Type,Task Type,Task Duration(us),Block Dim,Input Shapes,Input Data Types,"
    "Input Formats,Output Shapes,Output Data Types,aicore_time(us),aic_mte2_time(us),aiv_time(us)\n"
    "0,mm,MatMulV2,AI_CORE,1970.5,24,\"\"\"16384,4096;4096,512\"\"\",FLOAT16;FLOAT16,ND;ND,"
    "\"\"\"16384,512\"\"\",FLOAT16,1960.1,1400,0\n"
    "0,mt,MatMulV2,AI_CORE,10,24,\"\"\"64,32;128,64\"\"\",DT_BF16;DT_BF16,ND;ND,"
    "\"\"\"32,128\"\"\",DT_BF16,0,0,0\n"
    "0,add,Add,AI_VECTOR_CORE,5.5,48,\"\"\"8,16;16\"\"\",FLOAT;FLOAT,ND;ND,\"\"\"8,16\"\"\","
    "FLOAT,N/A,0,5\n"
    "0,sum,ReduceSum,AI_VECTOR_CORE,5.5,48,\"\"\"8,16,4;1\"\"\",FLOAT;INT64,ND;ND,\"\"\"8,4\"\"\","
    "FLOAT,0,0,5\n"
    "0,ln,LayerNormV4,AI_VECTOR_CORE,5.5,48,\"\"\"8,16;1;16;16\"\"\",FLOAT16;INT64,ND;ND,"
    "\"\"\"8,16\"\"\",FLOAT16,0,0,0\n"
    "0,nz,MatMul,AI_CORE,5,24,\"\"\"4,4,16,16;4,4,16,16\"\"\",FLOAT16;FLOAT16,FRACTAL_NZ;ND,"
    "\"\"\"64,64\"\"\",FLOAT16,0,0,0\n"
    "0,odd,Sort,AI_VECTOR_CORE,7,48,\"\"\"8\"\"\",FLOAT,ND,\"\"\"8\"\"\",FLOAT,0,0,0\n";

TEST(OpSummary, becomes_cases_of_our_operators) {
  const Table table = parse_table(kSummary, "op_summary.csv", 0.1);
  std::map<std::string, const TableRow*> rows;
  for (const TableRow& row : table.rows) rows[row.id] = &row;
  ASSERT_TRUE(rows.contains("2:MatMulV2"));
  EXPECT_EQ(rows["2:MatMulV2"]->command, "op matmul 16384x4096 4096x512 --dtype f16");
  EXPECT_EQ(rows["2:MatMulV2"]->metric.text(), "task_us");
  EXPECT_EQ(rows["2:MatMulV2"]->low, 1970.5);
  EXPECT_TRUE(rows["2:MatMulV2"]->gated);
  EXPECT_EQ(rows["2:MatMulV2.aic_mte2"]->metric.text(), "aic_mte2_us");
  EXPECT_EQ(rows["3:MatMulV2"]->command, "op matmul 64x32 128x64 --dtype bf16 --trans-a --trans-b");
  EXPECT_FALSE(rows.contains("3:MatMulV2.aicore"));
  EXPECT_EQ(rows["4:Add"]->command, "op add 8x16 16 --dtype f32");
  EXPECT_EQ(rows["4:Add.aiv"]->low, 5);
  EXPECT_EQ(rows["5:ReduceSum"]->command,
            "op reduce_sum 8x16x4 --dtype f32 --attr axes=1 --attr keepdims=0");
  EXPECT_EQ(rows["6:LayerNormV4"]->command, "op layer_norm 8x16 16 16 --dtype f16 --attr axis=-1");
  EXPECT_EQ(rows["7:MatMul"]->reason, "format FRACTAL_NZ");
  EXPECT_FALSE(rows["7:MatMul"]->gated);
  EXPECT_EQ(rows["8:Sort"]->reason, "no operator for type Sort");
  EXPECT_EQ(rows["8:Sort"]->command, "");
}

TEST(OpSummary, malformed_numbers_are_named_by_line) {
  const std::string head = "OP Type,Task Duration(us),Input Shapes\n";
  EXPECT_EQ(complaint(head + "Add,x,\"8;8\"\n"), "d/t.csv:2: Task Duration(us): 'x' is no time");
  EXPECT_EQ(complaint(head + "Add,1,\"8,y;8\"\n"), "d/t.csv:2: Input Shapes: 'y' is no size");
}

}  // namespace
}  // namespace dvmsim
