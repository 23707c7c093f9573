// The built command as a script sees it, in a folder of the test's own.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace dvmsim::testing {

struct Outcome {
  int code = -1;
  std::string out{}, err{};
};

class Command : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        std::filesystem::path(::testing::TempDir()) /
        (std::string("command_") + ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    write("small.graph",
          "graph small\ndim n\ninput x: f16[n, 256]\ninput y: f16[n, 256]\n"
          "s = add(x, y)\nr = relu(s)\nz = mul(r, x)\noutput z\n");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string path(const std::string& name) const {
    return (folder_ / name).string();
  }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path(name)) << text;
  }
  static std::string content(const std::string& name) {
    std::ifstream file(name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  /// The words are given to a shell in the test's folder.
  [[nodiscard]] Outcome dvmsim(const std::string& words) const {
    const std::string command = "cd '" + folder_.string() + "' && '" DVMSIM_BINARY "' " + words +
                                " > stdout.txt 2> stderr.txt";
    const int status = std::system(command.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, content(path("stdout.txt")),
            content(path("stderr.txt"))};
  }
  [[nodiscard]] static std::string tiny() {
    return std::string(" --hw ") + DVMSIM_SOURCE_DIR + "/configs/hardware/tiny.yaml ";
  }

  std::filesystem::path folder_{};
};

/// A program of one vector core.
inline constexpr const char* kChain =
    ".program chain\n.launch path=native vector=1\n.arg scalar count 0 value=64\n.vector\n"
    " ldarg rd=r4\n loop count=50\n vmax dtype=f32 dst=0x20000 a=0 b=0x10100 count=r4\n endloop\n"
    " halt\n";

}  // namespace dvmsim::testing
