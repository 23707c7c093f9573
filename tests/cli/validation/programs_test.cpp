// The programs of the project's table that pass data from pipe to pipe, at a small size: right
// values, and no access that no flag orders. The others repeat one instruction.
#include "tests/vm/device/programs.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "vm/base/half.h"
#include "vm/isa/text.h"

namespace dvmsim::testing {
namespace {

/// With some texts replaced: constants, to make it small.
Program program_of(const std::string& name,
                   const std::vector<std::pair<std::string, std::string>>& changes = {}) {
  std::ifstream file(DVMSIM_SOURCE_DIR "/configs/validation/" + name);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  for (const auto& [from, to] : changes) {
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << name << ": " << from;
    text.replace(at, from.size(), to);
  }
  return isa::assemble(text, name);
}

/// Small whole numbers, different everywhere.
std::vector<float> numbers(std::size_t count, std::size_t seed) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) {
    values[i] = static_cast<float>(static_cast<int>((i * 7 + i / 5 + seed) % 9) - 4);
  }
  return values;
}
Value halves(const std::vector<float>& values) {
  std::vector<Half> result;
  for (const float value : values) result.push_back(to_half(value));
  return {bytes_of(result), 0};
}
Value space(std::size_t bytes) {
  return {std::vector<std::byte>(bytes), 0};
}
Value scalar(std::int64_t value) {
  return {{}, value};
}

void expect_right(const Case& item) {
  const Machine machine = default_machine();
  for (const std::uint64_t seed : {0, 1, 2}) {
    const Outcome outcome = run(item, machine, seed);
    ASSERT_FALSE(outcome.fault) << outcome.fault.text;
    EXPECT_EQ(outcome.result, item.expected) << "seed " << seed;
    for (const auto& finding : outcome.findings) ADD_FAILURE() << finding.text;
  }
}

TEST(ValidationPrograms, add_8k_adds) {
  constexpr std::size_t kTiles = 5, kCount = kTiles * 4096;
  Case item{"add_8k", program_of("add_8k.s", {{"TILES 16384", "TILES 5"}}), 0, 2};
  const auto x = numbers(kCount, 1), y = numbers(kCount, 4);
  std::vector<float> z(kCount);
  for (std::size_t i = 0; i < kCount; ++i) z[i] = x[i] + y[i];
  item.arguments = {halves(x), halves(y), space(2 * kCount)};
  item.output = 2;
  item.expected = halves(z).bytes;
  expect_right(item);
}

TEST(ValidationPrograms, copy_ub_copies) {
  constexpr std::size_t kBytes = 3 * 64 * 1024;
  Case item{"copy_ub", program_of("copy_ub.s"), 0, 1};
  item.arguments = {halves(numbers(kBytes / 2, 3)), space(kBytes), scalar(3)};
  item.output = 1;
  item.expected = item.arguments[0].bytes;
  expect_right(item);
}

/// c[m, n] = a[m, k] * b[k, n]; trans_b: b[n, k].
std::vector<float> product(const std::vector<float>& a, const std::vector<float>& b, std::size_t m,
                           std::size_t k, std::size_t n, bool trans_b) {
  std::vector<float> c(m * n);
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      for (std::size_t p = 0; p < k; ++p) {
        c[i * n + j] += a[i * k + p] * (trans_b ? b[j * k + p] : b[p * n + j]);
      }
    }
  }
  return c;
}

TEST(ValidationPrograms, tile_loop_multiplies) {
  Case item{"tile_loop", program_of("tile_loop.s"), 1, 0};
  const auto a = numbers(128 * 128, 1), b = numbers(128 * 128, 2);
  item.arguments = {halves(a), halves(b), space(128 * 128 * 4), scalar(3)};
  item.output = 2;
  item.expected = bytes_of(product(a, b, 128, 128, 128, false));
  expect_right(item);
}

TEST(ValidationPrograms, handoff_adds_what_was_multiplied) {
  Case item{"handoff", program_of("handoff.s"), 1, 2};
  const auto a = numbers(128 * 128, 1), b = numbers(128 * 128, 2);
  item.arguments = {halves(a), halves(b), space(128 * 128 * 4), space(1024), scalar(2)};
  item.output = 3;
  // The first 512 B of the product, taken for f16 as the measured kernel does, twice.
  const auto c = bytes_of(product(a, b, 128, 128, 128, false));
  std::vector<Half> bits(256), sums;
  std::memcpy(bits.data(), c.data(), 512);
  for (int core = 0; core < 2; ++core) {
    for (const Half value : bits) sums.push_back(to_half(to_float(value) + to_float(value)));
  }
  item.expected = bytes_of(sums);
  expect_right(item);
}

/// One core makes 128 rows and 300 columns of C = A * B^T with k = 512, in a matrix 512 wide.
Case matmul(const std::string& name, std::vector<std::pair<std::string, std::string>> changes,
            std::vector<Value> scalars) {
  constexpr std::size_t kSize = 512, kRows = 128, kColumns = 300;
  changes.emplace_back(".let SIZE 8192", ".let SIZE 512");
  Case item{name, program_of(name, changes), 1, 0};
  const auto a = numbers(kRows * kSize, 1), b = numbers(kColumns * kSize, 2);
  const auto c = product(a, b, kRows, kSize, kColumns, true);
  std::vector<float> wide(kRows * kSize);
  for (std::size_t i = 0; i < kRows; ++i) {
    std::copy_n(c.begin() + static_cast<std::ptrdiff_t>(i * kColumns), kColumns,
                wide.begin() + static_cast<std::ptrdiff_t>(i * kSize));
  }
  item.arguments = {halves(a), halves(b), space(kRows * kSize * 2)};
  item.arguments.insert(item.arguments.end(), scalars.begin(), scalars.end());
  item.output = 2;
  item.expected = halves(wide).bytes;
  return item;
}

TEST(ValidationPrograms, matmul_8192_multiplies) {
  for (const int packet : {64, 256}) {
    expect_right(matmul("matmul_8192.s", {}, {scalar(packet), scalar(1), scalar(300)}));
  }
}

TEST(ValidationPrograms, matmul_norm_multiplies) {
  expect_right(matmul("matmul_norm.s", {{"loop count=128", "loop count=8"}},
                      {scalar(64), scalar(256), scalar(1), scalar(300), scalar(2)}));
}

}  // namespace
}  // namespace dvmsim::testing
