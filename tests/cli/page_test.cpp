// Reports as HTML pages, as a script sees the command: what is refused, and that data stays data.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/support/command.h"

namespace dvmsim {
namespace {

namespace fs = std::filesystem;
using testing::Outcome;

class Page : public testing::Command {
 protected:
  void SetUp() override {
    Command::SetUp();
    const Outcome made = dvmsim("op add 64x64 64x64 --json a.json --html a.html" + tiny());
    ASSERT_EQ(made.code, 0) << made.err;
  }
  /// The error, after checking that nothing was written.
  [[nodiscard]] std::string refused(const std::string& words) const {
    const Outcome outcome = dvmsim(words);
    EXPECT_EQ(outcome.code, 2) << words;
    EXPECT_FALSE(fs::exists(path("out.html")) || fs::exists(path("out.html.partial"))) << words;
    return outcome.err;
  }
};

TEST_F(Page, is_one_file_that_holds_the_report) {
  const std::string page = content(path("a.html"));
  EXPECT_TRUE(page.starts_with("<!doctype html>"));
  EXPECT_NE(page.find("</html>"), std::string::npos);
  const std::string opening = "<script type=\"application/json\" id=\"data\">";
  const std::size_t begin = page.find(opening) + opening.size();
  const auto data =
      nlohmann::json::parse(page.substr(begin, page.find("</script>", begin) - begin));
  const auto report = nlohmann::json::parse(content(path("a.json")));
  for (const auto& [name, value] : report.items()) EXPECT_EQ(data[name], value) << name;
  EXPECT_TRUE(data.contains("timeline") && data.contains("listing"));
  EXPECT_FALSE(report.contains("timeline") || report.contains("listing"));
}

TEST_F(Page, shows_a_comparison_of_the_commands_own) {
  write("s.yaml",
        "study: small\nworkloads:\n  - {op: softmax, shapes: [nx256], dims: {n: 64}}\n"
        "strategies: [eager, dvm]\nlaunch_cost: [5us]\n");
  const Outcome made = dvmsim("compare s.yaml --html out.html");
  ASSERT_EQ(made.code, 0) << made.err;
  EXPECT_NE(content(path("out.html")).find("softmax"), std::string::npos);
}

TEST_F(Page, names_that_look_like_markup_stay_names) {
  auto report = nlohmann::json::parse(content(path("a.json")));
  report["model"] = "</script><script>alert(1)</script><!--";
  write("evil.json", report.dump());
  ASSERT_EQ(dvmsim("report evil.json --html out.html").code, 0);
  const std::string page = content(path("out.html"));
  EXPECT_EQ(page.find("alert(1)</script>"), std::string::npos);
  EXPECT_NE(page.find("\\u003c/script>\\u003cscript>alert(1)"), std::string::npos);
}

TEST_F(Page, refuses_what_is_no_report) {
  write("bad.json", "{\n  \"schema\": 1,\n  broken\n}\n");
  EXPECT_NE(refused("report bad.json --html out.html").find("bad.json:3: not JSON"),
            std::string::npos);
  write("list.json", "[1, 2]");
  EXPECT_NE(refused("report list.json --html out.html").find("list.json: not a report"),
            std::string::npos);
  write("kind.json", "{\"schema\": 1, \"kind\": \"recipe\"}");
  EXPECT_NE(refused("report kind.json --html out.html").find("kind.json: not a report"),
            std::string::npos);
  auto report = nlohmann::json::parse(content(path("a.json")));
  report["schema"] = 99;
  write("new.json", report.dump());
  EXPECT_NE(refused("report new.json --html out.html").find("new.json: a report of schema 99"),
            std::string::npos);
  EXPECT_NE(refused("report none.json --html out.html").find("none.json"), std::string::npos);
}

TEST_F(Page, refuses_options_that_do_not_go_together) {
  write("s.stream", "n=4\n");
  EXPECT_NE(refused("run small.graph --stream s.stream --detail --json a.json").find("--stream"),
            std::string::npos);
  EXPECT_NE(refused("op add 64x64 64x64 --detail").find("--detail"), std::string::npos);
  EXPECT_NE(refused("op add 64x64 64x64 --html none/out.html").find("none/out.html"),
            std::string::npos);
}

}  // namespace
}  // namespace dvmsim
