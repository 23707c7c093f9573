// The conv macro against plain loops over windows, for sizes at and around every edge.
#include "vm/firmware/conv.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <ostream>
#include <vector>

#include "vm/base/half.h"
#include "vm/device/hazard.h"
#include "vm/device/reference.h"
#include "vm/isa/codec.h"
#include "vm/isa/text.h"
#include "vm/isa/window.h"

namespace dvmsim {
namespace {

struct Shape {
  std::int64_t images = 1, groups = 1, channels = 16, outputs = 16;  // of a group
  std::int64_t in_h = 8, in_w = 8;
  isa::Window window{};
  std::int64_t pad = 0;
  std::int64_t tile_m = 32, tile_n = 16, tile_c = 32;
  DType type = DType::F16, out = DType::F32;
  bool bias = false, relu = false, scaled = false, by_row = false, resident = false;
  int fill = 0, cores = 2;

  [[nodiscard]] std::int64_t out_of(std::int64_t in, std::int64_t kernel, std::int64_t stride,
                                    std::int64_t dilation) const {
    return (in + 2 * pad - (kernel - 1) * dilation - 1) / stride + 1;
  }
  [[nodiscard]] std::int64_t out_h() const {
    return out_of(in_h, window.kernel_h, window.stride_h, window.dilation_h);
  }
  [[nodiscard]] std::int64_t out_w() const {
    return out_of(in_w, window.kernel_w, window.stride_w, window.dilation_w);
  }
  [[nodiscard]] std::int64_t taps() const { return window.kernel_h * window.kernel_w; }
  [[nodiscard]] std::int64_t blocks() const {
    const std::int64_t c0 = 32 / size_of(type);
    return (channels + c0 - 1) / c0;
  }
  [[nodiscard]] std::int64_t depth() const { return blocks() * taps() * 32 / size_of(type); }
  friend std::ostream& operator<<(std::ostream& to, const Shape& s) {
    return to << s.images << "x" << s.groups << "x" << s.channels << "x" << s.in_h << "x" << s.in_w
              << " to " << s.outputs << " kernel " << s.window.kernel_h << "x" << s.window.kernel_w
              << " stride " << s.window.stride_h << "x" << s.window.stride_w << " pad " << s.pad
              << " tile " << s.tile_m << "x" << s.tile_n << "x" << s.tile_c << " "
              << name_of(s.type) << " to " << name_of(s.out) << (s.by_row ? " by row" : "")
              << (s.resident ? " resident" : "");
  }
};

/// Whole numbers small enough that every sum is exact.
int number(std::int64_t index, int seed) {
  const auto mixed = static_cast<std::uint64_t>(index * 7919 + seed * 104729 + 17) * 2654435761u;
  return static_cast<int>(mixed >> 12 & 7) - 4;
}

void put(std::byte* to, DType type, float value) {
  const auto store = [&](auto element) { std::memcpy(to, &element, sizeof element); };
  if (type == DType::F16) return store(to_half(value));
  if (type == DType::BF16) return store(to_bfloat(value));
  if (type == DType::F32) return store(value);
  if (type == DType::I8) return store(static_cast<std::int8_t>(value));
  if (type == DType::U8) return store(static_cast<std::uint8_t>(value));
  store(static_cast<std::int32_t>(value));
}

int pixel(const Shape& s, std::int64_t image, std::int64_t y, std::int64_t x, std::int64_t c) {
  if (y < 0 || y >= s.in_h || x < 0 || x >= s.in_w) return s.fill;
  return number(((image * s.in_h + y) * s.in_w + x) * s.groups * s.channels + c, 1);
}
int weight(const Shape& s, std::int64_t output, std::int64_t tap, std::int64_t channel) {
  return number((output * s.taps() + tap) * s.channels + channel, 2);
}
float scale_of(std::int64_t output) {
  return 0.25f + 0.125f * static_cast<float>(output % 5);
}
constexpr int kOffset = 3;

float expected(const Shape& s, std::int64_t image, std::int64_t oy, std::int64_t ox,
               std::int64_t output) {
  int sum = s.bias ? number(output, 3) : 0;
  const std::int64_t group = output / s.outputs;
  for (std::int64_t tap = 0; tap < s.taps(); ++tap) {
    const std::int64_t ky = tap / s.window.kernel_w, kx = tap % s.window.kernel_w;
    const std::int64_t y = oy * s.window.stride_h + ky * s.window.dilation_h - s.pad;
    const std::int64_t x = ox * s.window.stride_w + kx * s.window.dilation_w - s.pad;
    for (std::int64_t c = 0; c < s.channels; ++c) {
      sum += pixel(s, image, y, x, group * s.channels + c) * weight(s, output, tap, c);
    }
  }
  auto value = static_cast<float>(sum);
  if (s.scaled) value *= scale_of(output);
  if (s.relu) value = std::max(value, 0.0f);
  if (!s.scaled || is_float(s.out)) return value;
  const float low = s.out == DType::U8 ? 0 : -128, high = s.out == DType::U8 ? 255 : 127;
  return std::clamp(std::nearbyint(value) + kOffset, low, high);
}

std::vector<std::byte> weights(const Shape& s) {
  const std::int64_t item = size_of(s.type), c0 = 32 / item;
  std::vector<std::byte> bytes(
      static_cast<std::size_t>(s.groups * s.outputs * s.depth() * item));  // filled up with zeros
  for (std::int64_t output = 0; output < s.groups * s.outputs; ++output) {
    for (std::int64_t tap = 0; tap < s.taps(); ++tap) {
      for (std::int64_t c = 0; c < s.channels; ++c) {
        const std::int64_t column = (c / c0 * s.taps() + tap) * c0 + c % c0;
        put(bytes.data() + (output * s.depth() + column) * item, s.type,
            static_cast<float>(weight(s, output, tap, c)));
      }
    }
  }
  return bytes;
}

template <class Number>
std::vector<std::byte> list(std::int64_t count, DType type, Number&& value) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(count * size_of(type)));
  for (std::int64_t i = 0; i < count; ++i) {
    put(bytes.data() + i * size_of(type), type, static_cast<float>(value(i)));
  }
  return bytes;
}

isa::ConvArguments arguments_of(const Shape& s) {
  isa::ConvArguments args;
  args.images = s.images, args.groups = s.groups;
  args.channels = s.channels, args.outputs = s.outputs;
  args.in_h = s.in_h, args.in_w = s.in_w, args.out_h = s.out_h(), args.out_w = s.out_w();
  args.kernel = isa::pack_kernel(s.window), args.steps = isa::pack_steps(s.window);
  args.pad_top = args.pad_left = s.pad, args.fill = s.fill;
  args.x_pixel = s.groups * s.channels * size_of(s.type);
  args.y_pixel = s.groups * s.outputs * size_of(s.out);
  args.tile_m = s.tile_m, args.tile_n = s.tile_n, args.tile_c = s.tile_c;
  args.by_row = s.by_row ? 1 : 0, args.resident = s.resident ? 1 : 0;
  args.out = static_cast<std::int64_t>(s.out), args.post = s.relu ? 1 : 0;
  args.offset = s.scaled ? kOffset : 0;
  return args;
}

Program program_of(DType type) {
  Program program;
  program.name = "conv";
  isa::append(isa::assemble_line("conv dtype=" + std::string(name_of(type)) + " index=0", ""),
              program.cube);
  isa::append(isa::blank(isa::Op::halt), program.cube);
  return program;
}

void check(const Shape& s, std::uint64_t seed) {
  SCOPED_TRACE(testing::Message() << s << " seed " << seed);
  const Machine machine = default_machine();
  Reference device(machine, seed);
  HazardChecker hazards(machine);
  device.listen_order(&hazards);
  const auto upload = [&](const std::vector<std::byte>& bytes) {
    const std::uint64_t at = device.allocate(Bytes(static_cast<std::int64_t>(bytes.size())));
    device.write(at, bytes);
    return at;
  };
  isa::ConvArguments args = arguments_of(s);
  const std::int64_t outputs = s.groups * s.outputs, inputs = s.groups * s.channels;
  args.x = upload(list(s.images * s.in_h * s.in_w * inputs, s.type,
                       [](std::int64_t i) { return number(i, 1); }));
  args.w = upload(weights(s));
  const DType sums = s.type == DType::I8 ? DType::I32 : DType::F32;
  if (s.bias) args.bias = upload(list(outputs, sums, [](auto i) { return number(i, 3); }));
  if (s.scaled) args.scale = upload(list(outputs, DType::F32, scale_of));
  const std::int64_t pixels = s.images * s.out_h() * s.out_w();
  std::vector<std::byte> got(static_cast<std::size_t>(pixels * outputs * size_of(s.out)));
  args.y = device.allocate(Bytes(static_cast<std::int64_t>(got.size())));
  const Program program = program_of(s.type);
  Launch launch;
  launch.program = &program;
  launch.cube_cores = s.cores;
  launch.arguments.resize(isa::kConvWords);
  std::memcpy(launch.arguments.data(), &args, sizeof args);
  const LaunchReport report = device.wait(device.submit(launch));
  ASSERT_FALSE(report.fault) << report.fault.text;
  device.read(args.y, got);
  std::vector<std::byte> wanted(got.size());
  for (std::int64_t p = 0; p < pixels; ++p) {
    const std::int64_t image = p / (s.out_h() * s.out_w()), at = p % (s.out_h() * s.out_w());
    for (std::int64_t output = 0; output < outputs; ++output) {
      put(wanted.data() + (p * outputs + output) * size_of(s.out), s.out,
          expected(s, image, at / s.out_w(), at % s.out_w(), output));
    }
  }
  EXPECT_EQ(got, wanted);
  for (const auto& found : hazards.findings()) ADD_FAILURE() << found.text;
}

void check(const Shape& s) {
  for (std::uint64_t seed : {0, 1, 2}) check(s, seed);
}

Shape three_by_three() {
  Shape s;
  s.window.kernel_h = s.window.kernel_w = 3;
  s.pad = 1;
  return s;
}

TEST(ConvMacro, IsTheConvolutionForEveryType) {
  for (auto [type, out] : {std::pair(DType::F16, DType::F32), std::pair(DType::F16, DType::F16),
                           std::pair(DType::BF16, DType::BF16), std::pair(DType::F32, DType::F32),
                           std::pair(DType::I8, DType::I32)}) {
    Shape s = three_by_three();
    s.type = type;
    s.out = out;
    s.channels = 40;
    s.outputs = 20;
    s.tile_c = 32;
    check(s);
    s.bias = s.relu = s.resident = true;
    s.tile_c = 64;
    check(s);
  }
}

TEST(ConvMacro, TilesEndAtEveryEdge) {
  Shape s = three_by_three();
  s.images = 2;
  s.in_h = 7;
  s.in_w = 13;
  s.outputs = 37;
  s.cores = 3;
  for (bool by_row : {false, true}) {
    for (bool resident : {false, true}) {
      for (std::int64_t tile_m : {16, 48, 128}) {
        s.by_row = by_row;
        s.resident = resident;
        s.tile_m = tile_m;
        s.bias = tile_m == 48;
        check(s, static_cast<std::uint64_t>(tile_m));
      }
    }
  }
}

TEST(ConvMacro, StridesDilationsAndOneDimension) {
  Shape s;
  s.window = {3, 2, 2, 3, 1, 2};
  s.pad = 2;
  s.in_h = 11;
  s.in_w = 17;
  s.channels = 5;
  check(s);
  s.by_row = true;
  check(s);
  s = Shape();
  s.in_h = 1;
  s.in_w = 100;
  s.window.kernel_w = 5;
  s.window.stride_w = 2;
  for (bool by_row : {false, true}) {
    s.by_row = by_row;
    check(s);
  }
}

TEST(ConvMacro, GroupsKeepApart) {
  Shape s = three_by_three();
  s.groups = 3;
  s.channels = 8;
  s.outputs = 24;
  s.bias = true;
  for (bool resident : {false, true}) {
    s.resident = resident;
    check(s);
  }
}

TEST(ConvMacro, WindowsOutsideTheMapHoldTheFill) {
  Shape s = three_by_three();
  s.type = DType::I8;
  s.out = DType::I32;
  s.fill = -3;
  s.pad = 4;  // some windows lie outside altogether
  check(s);
  s.by_row = true;
  check(s);
}

TEST(ConvMacro, ScalesSumsIntoBytes) {
  Shape s = three_by_three();
  s.type = DType::I8;
  s.scaled = s.bias = true;
  s.outputs = 40;
  for (DType out : {DType::I8, DType::U8, DType::F16, DType::F32}) {
    s.out = out;
    s.relu = out == DType::U8;
    s.resident = !s.resident;
    check(s);
  }
}

TEST(ConvMacro, RefusesWhatDoesNotFit) {
  const Machine machine = default_machine();
  Shape s = three_by_three();
  EXPECT_EQ(ConvMacro::problem(machine, arguments_of(s), s.type), "");
  s.tile_c = 8;
  EXPECT_NE(ConvMacro::problem(machine, arguments_of(s), s.type), "");
  s = three_by_three();
  s.in_w = 1 << 20;
  EXPECT_NE(ConvMacro::problem(machine, arguments_of(s), s.type), "");
  s.by_row = true;
  EXPECT_EQ(ConvMacro::problem(machine, arguments_of(s), s.type), "");
  s.tile_m = s.tile_n = 256;
  EXPECT_NE(ConvMacro::problem(machine, arguments_of(s), s.type), "");
}

}  // namespace
}  // namespace dvmsim
