// The project's own table: well-formed, and every program beside it is one that some row runs.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "cli/validation/table.h"
#include "vm/isa/text.h"
#include "vm/isa/verify.h"

namespace dvmsim {
namespace {

namespace fs = std::filesystem;

const std::string kFolder = DVMSIM_SOURCE_DIR "/configs/validation";

std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
Table published() {
  return parse_table(content(kFolder + "/published.csv"), kFolder + "/published.csv");
}

TEST(Published, every_row_has_a_source_and_a_case_or_a_reason) {
  for (const TableRow& row : published().rows) {
    EXPECT_NE(row.source, "") << row.id;
    EXPECT_NE(row.note, "") << row.id;
    EXPECT_EQ(row.gated, row.reason.empty()) << row.id;
    if (!row.command.empty()) {
      EXPECT_TRUE(fs::exists(kFolder + "/" + row.hardware)) << row.id;
    }
    const bool model = row.id.starts_with("VM-");
    EXPECT_FALSE(model && row.gated) << row.id;
  }
}

TEST(Published, its_programs_are_legal_and_run_by_a_row) {
  std::set<std::string> used, there;
  for (const TableRow& row : published().rows) {
    for (const std::string& command : {row.command, row.reference}) {
      const auto words = words_of(command, row.id);
      if (!words.empty() && words[0] == "run") used.insert(words[1]);
    }
  }
  for (const auto& entry : fs::directory_iterator(kFolder)) {
    if (entry.path().extension() != ".s") continue;
    const std::string name = entry.path().filename().string();
    there.insert(name);
    const Program program = isa::assemble(content(entry.path().string()), name);
    EXPECT_TRUE(program.launch) << name;
    for (const isa::Finding& finding : isa::verify(program, default_machine())) {
      ADD_FAILURE() << name << ": " << isa::print(finding);
    }
  }
  EXPECT_EQ(used, there);
}

}  // namespace
}  // namespace dvmsim
