#include "tests/vm/device/programs.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "vm/base/error.h"
#include "vm/base/half.h"
#include "vm/device/reference.h"
#include "vm/isa/matmul.h"
#include "vm/isa/text.h"

namespace dvmsim::testing {
namespace {

/// Small whole numbers: sums of products of them are exact in f32, in any order.
std::vector<float> numbers(std::size_t count, int spread, int seed) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto mixed = (i * 2654435761u + static_cast<std::size_t>(seed) * 40503u) >> 7;
    values[i] =
        static_cast<float>(static_cast<int>(mixed % static_cast<std::size_t>(spread)) - spread / 2);
  }
  return values;
}
std::vector<Half> halves(const std::vector<float>& values) {
  std::vector<Half> result(values.size());
  std::transform(values.begin(), values.end(), result.begin(), to_half);
  return result;
}
std::vector<std::int32_t> integers(const std::vector<float>& values) {
  return {values.begin(), values.end()};
}

Value scalar(std::int64_t value) {
  return {{}, value};
}
template <class T>
Value buffer(const std::vector<T>& values) {
  return {bytes_of(values), 0};
}
Value space(std::size_t bytes) {
  return {std::vector<std::byte>(bytes), 0};
}

/// c[i, j] = sum over p of a[i, p] * b[p, j], row-major.
std::vector<float> product(const std::vector<float>& a, const std::vector<float>& b, std::size_t m,
                           std::size_t k, std::size_t n) {
  std::vector<float> c(m * n);
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t p = 0; p < k; ++p) {
      for (std::size_t j = 0; j < n; ++j) c[i * n + j] += a[i * k + p] * b[p * n + j];
    }
  }
  return c;
}

Case vector_chain() {
  constexpr std::size_t kTiles = 11, kElements = kTiles * 1024;
  const auto x = numbers(kElements, 64, 1), y = numbers(kElements, 64, 2);
  std::vector<float> out(kElements);
  for (std::size_t i = 0; i < kElements; ++i) out[i] = std::max(0.0f, 1.5f * x[i] + y[i]);
  return {"vector_chain",
          load_golden("vector_chain.s"),
          0,
          4,
          {buffer(x), buffer(y), space(4 * kElements), scalar(kTiles)},
          2,
          bytes_of(out)};
}

Case matmul_loop() {
  constexpr std::size_t kTiles = 5, kM = 64 * kTiles, kK = 64 * 4, kN = 64;
  const auto a = numbers(kM * kK, 8, 3), b = numbers(kK * kN, 8, 4);
  return {"matmul_loop",
          load_golden("matmul_loop.s"),
          2,
          0,
          {buffer(halves(a)), buffer(halves(b)), space(4 * kM * kN), scalar(kTiles), scalar(kK)},
          2,
          bytes_of(product(a, b, kM, kK, kN))};
}

Case matmul_macro() {
  constexpr std::size_t kM = 150, kN = 70, kK = 200;
  const auto a = numbers(kM * kK, 8, 5), b = numbers(kK * kN, 8, 6), bias = numbers(kN, 64, 7);
  auto c = product(a, b, kM, kK, kN);
  for (std::size_t i = 0; i < c.size(); ++i) c[i] += bias[i % kN];
  Case item{"matmul_macro",
            load_golden("matmul_macro.s"),
            3,
            0,
            {buffer(halves(a)), buffer(halves(b)), space(4 * kM * kN), buffer(halves(bias))},
            2,
            bytes_of(c)};
  for (std::int64_t value : {kM,
                             kN,
                             kK,
                             2 * kK,
                             2 * kN,
                             4 * kN,
                             std::size_t{1},
                             std::size_t{1},
                             std::size_t{0},
                             std::size_t{0},
                             std::size_t{0},
                             std::size_t{0},
                             std::size_t{0},
                             std::size_t{0},
                             std::size_t{48},
                             std::size_t{32},
                             std::size_t{64},
                             std::size_t{0},
                             std::size_t{2},
                             std::size_t{0},
                             std::size_t{0}}) {
    item.arguments.push_back(scalar(static_cast<std::int64_t>(value)));
  }
  item.arguments.push_back(scalar(static_cast<std::int64_t>(DType::F32)));
  for (int i = 0; i < 3; ++i) item.arguments.push_back(scalar(0));          // no ReLU, in place
  item.arguments.push_back(scalar(static_cast<std::int64_t>(DType::F16)));  // of the bias
  item.arguments.push_back(scalar(0));                                      // store
  item.arguments.push_back(scalar(isa::kShuffleK | isa::kDrainSmall));
  return item;
}

Case mix() {
  constexpr std::size_t kTiles = 5, kM = 64 * kTiles, kK = 64, kN = 64;
  const auto a = numbers(kM * kK, 8, 8), b = numbers(kK * kN, 8, 9), bias = numbers(kN, 64, 10);
  auto c = product(a, b, kM, kK, kN);
  for (std::size_t i = 0; i < c.size(); ++i) c[i] = std::max(0.0f, c[i] + bias[i % kN]);
  return {"mix",
          load_golden("mix.s"),
          2,
          4,
          {buffer(halves(a)), buffer(halves(b)), buffer(bias), space(4 * kM * kN),
           space(2 * 0x8000), scalar(kTiles)},
          3,
          bytes_of(c)};
}

Case reduce() {
  constexpr std::size_t kCores = 6;
  const auto x = numbers(kCores * 1024, 16, 11);
  float sum = 0;
  for (float value : x) sum += value;
  std::vector<float> out = {sum, 0, 0, 0, 0, 0, 0, 0};
  return {"reduce",
          load_golden("reduce.s"),
          0,
          kCores,
          {buffer(x), space(32), space(32 * kCores)},
          1,
          bytes_of(out)};
}

Case branch() {
  constexpr std::size_t kCores = 4;
  const auto x = integers(numbers(kCores * 256, 1000, 12));
  std::vector<std::int32_t> out(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) out[i] = i / 256 % 2 == 0 ? 2 * x[i] : -x[i];
  return {"branch",     load_golden("branch.s"), 0, kCores, {buffer(x), space(out.size() * 4)}, 1,
          bytes_of(out)};
}

Case scalar_loop() {
  const std::vector<std::int32_t> lengths = {3, 64, 0, 17, 1, 40, 0};
  const auto x = integers(numbers(lengths.size() * 64, 100, 13));
  std::vector<std::int32_t> out(lengths.size() * 8);
  for (std::size_t g = 0; g < lengths.size(); ++g) {
    std::int32_t sum = 0;
    for (std::int32_t i = 0; i < lengths[g]; ++i) sum += x[g * 64 + static_cast<std::size_t>(i)];
    std::fill_n(out.begin() + static_cast<std::ptrdiff_t>(g * 8), 8, sum * lengths[g]);
  }
  return {"scalar_loop",
          load_golden("scalar_loop.s"),
          0,
          2,
          {buffer(lengths), buffer(x), space(out.size() * 4),
           scalar(static_cast<std::int64_t>(lengths.size()))},
          2,
          bytes_of(out)};
}

}  // namespace

Program load_golden(const std::string& file) {
  const std::string path = DVMSIM_SOURCE_DIR "/tests/golden/programs/" + file;
  std::ifstream in(path);
  if (!in) throw Error(path + ": cannot be read");
  std::ostringstream text;
  text << in.rdbuf();
  return isa::assemble(text.str(), file);
}

std::vector<Case> golden_cases() {
  return {vector_chain(), matmul_loop(), matmul_macro(), mix(), reduce(), branch(), scalar_loop()};
}

Outcome run(const Case& item, const Machine& machine, std::uint64_t seed) {
  Reference device(machine, seed);
  HazardChecker hazards(machine);
  device.listen_order(&hazards);
  Launch launch;
  launch.program = &item.program;
  launch.cube_cores = item.cube_cores;
  launch.vector_cores = item.vector_cores;
  for (const Value& value : item.arguments) {
    launch.arguments.push_back(static_cast<std::uint64_t>(value.scalar));
    if (value.bytes.empty()) continue;
    launch.arguments.back() = device.allocate(Bytes(static_cast<std::int64_t>(value.bytes.size())));
    device.write(launch.arguments.back(), value.bytes);
  }
  Outcome outcome;
  outcome.fault = device.wait(device.submit(launch)).fault;
  for (std::size_t i = 0; i < item.arguments.size(); ++i) {
    std::vector<std::byte> bytes(item.arguments[i].bytes.size());
    if (bytes.empty()) continue;
    device.read(launch.arguments[i], bytes);
    outcome.bytes.insert(outcome.bytes.end(), bytes.begin(), bytes.end());
    if (static_cast<int>(i) == item.output) outcome.result = bytes;
  }
  outcome.findings = hazards.findings();
  return outcome;
}

}  // namespace dvmsim::testing
