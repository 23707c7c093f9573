#include "cli/validation/csv.h"

#include <gtest/gtest.h>

#include "vm/base/error.h"

namespace dvmsim {
namespace {

std::string complaint(const std::string& text) {
  try {
    (void)parse_csv(text, "t.csv");
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Csv, reads_quotes_line_ends_marks_and_comments) {
  const Csv csv = parse_csv(
      "\xef\xbb\xbf#first\r\na,\"b \"\"c\"\"\"\r\n1,\"x,\ny\"\r\n\r\n#last, with comma\n2,",
      "t.csv");
  ASSERT_EQ(csv.header.fields, (std::vector<std::string>{"a", "b \"c\""}));
  ASSERT_EQ(csv.records.size(), 2u);
  EXPECT_EQ(csv.records[0].fields, (std::vector<std::string>{"1", "x,\ny"}));
  EXPECT_EQ(csv.records[0].line, 3);
  EXPECT_EQ(csv.records[1].fields, (std::vector<std::string>{"2", ""}));
  EXPECT_EQ(csv.records[1].line, 7);
  ASSERT_EQ(csv.comments.size(), 2u);
  EXPECT_EQ(csv.comments[0].fields[0], "first");
  EXPECT_EQ(csv.comments[1].line, 6);
  EXPECT_EQ(csv.column("b \"c\""), 1u);
  EXPECT_FALSE(csv.column("c"));
  EXPECT_EQ(csv.field(csv.records[0], "a"), "1");
  EXPECT_EQ(csv.field(csv.records[0], "c"), "");
}

TEST(Csv, names_file_and_line_of_what_is_wrong) {
  EXPECT_EQ(complaint(""), "t.csv:1: no header; write the names of the columns first");
  EXPECT_EQ(complaint("a,b\n1\n"),
            "t.csv:2: 1 fields where the header has 2; put fields with commas into quotes");
  EXPECT_EQ(complaint("a,a\n"), "t.csv:1: column 'a' is there twice; rename one");
  EXPECT_EQ(complaint("a\n\"x\n"), "t.csv:2: a quote is not closed; end the field with \"");
  EXPECT_EQ(complaint("a\n\"x\"y\n"),
            "t.csv:2: text after a closing quote; write \"\" for a quote inside a field");
  EXPECT_EQ(complaint("a\nx\"y\n"), "t.csv:2: a quote inside a field; put the field into quotes");
  EXPECT_EQ(complaint(std::string("a\nx\0y\n", 6)), "t.csv:2: a zero byte; this is no text");
}

}  // namespace
}  // namespace dvmsim
