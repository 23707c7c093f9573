#include "traces/output.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "vm/base/error.h"

namespace dvmsim {
namespace {

namespace fs = std::filesystem;

class Output : public testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        fs::path(testing::TempDir()) /
        (std::string("output_") + testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  [[nodiscard]] std::string path(const char* name) const { return (folder_ / name).string(); }
  static std::string content(const std::string& name) {
    std::ifstream file(name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  fs::path folder_{};
};

TEST_F(Output, appears_at_commit) {
  OutputFile file(path("a"));
  file.write("hello");
  EXPECT_FALSE(fs::exists(path("a")));
  file.commit();
  EXPECT_EQ(content(path("a")), "hello");
}

TEST_F(Output, leaves_the_old_file_when_not_committed) {
  { std::ofstream(path("a")) << "old"; }
  {
    OutputFile file(path("a"));
    file.write("new");
  }
  EXPECT_EQ(content(path("a")), "old");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1);
}

TEST_F(Output, a_missing_folder_is_an_error_at_once) {
  EXPECT_THROW(OutputFile(path("none/a")), Error);
}

TEST_F(Output, a_folder_is_not_a_file) {
  EXPECT_THROW(OutputFile{folder_.string()}, Error);
}

TEST_F(Output, compressed_bytes_are_the_same_twice) {
  for (const char* name : {"a.gz", "b.gz"}) {
    OutputFile file(path(name));
    file.write(std::string(10000, 'x'));
    file.commit();
  }
  EXPECT_EQ(content(path("a.gz")), content(path("b.gz")));
  EXPECT_LT(content(path("a.gz")).size(), 200u);
}

}  // namespace
}  // namespace dvmsim
