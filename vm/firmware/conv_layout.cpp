#include "vm/firmware/conv_layout.h"

#include "vm/base/rounding.h"
#include "vm/isa/matmul.h"
#include "vm/isa/window.h"

namespace dvmsim {
namespace {

using isa::ConvArguments;

constexpr std::int64_t kFractalRows = 16, kFractalRow = 32, kAlign = 256;

std::string size_problem(const ConvArguments& args, DType type) {
  constexpr std::int64_t kMost = std::int64_t{1} << 24;
  for (std::int64_t size : {args.images, args.groups, args.channels, args.outputs, args.in_h,
                            args.in_w, args.out_h, args.out_w}) {
    if (size < 1 || size > kMost) return "a size is not between 1 and 2^24";
  }
  const double outputs = static_cast<double>(args.out_h) * static_cast<double>(args.out_w) *
                         static_cast<double>(args.images) * static_cast<double>(args.groups);
  if (outputs > 0x1p40) return "the result is larger than any memory";
  if (args.kernel < 0 || args.steps < 0 || args.kernel >= std::int64_t{1} << 31 ||
      args.steps >= std::int64_t{1} << 31) {
    return "no such window";
  }
  constexpr std::int64_t kFarthest = std::int64_t{1} << 40;
  for (std::int64_t value : {args.pad_top, args.pad_left, args.x_pixel, args.y_pixel, args.fill,
                             args.offset, args.slots, args.slot_bytes}) {
    if (value > kFarthest || value < -kFarthest) return "an argument is larger than any memory";
  }
  if (args.pad_top < 0 || args.pad_left < 0 || args.slots < 0) return "an argument is negative";
  for (std::int64_t tile : {args.tile_m, args.tile_n}) {
    if (tile < 16 || tile % 16 != 0 || tile > 1 << 16)
      return "a tile is no multiple of 16 that fits";
  }
  if (args.tile_c < 1 || args.tile_c > kMost || args.tile_c % (kFractalRow / size_of(type)) != 0) {
    return "tile_c is not a positive multiple of a block of 32 bytes";
  }
  return {};
}

std::string result_problem(const ConvArguments& args, DType type) {
  if (args.swizzle < 0 || args.swizzle >= isa::kSwizzles || args.width < 1)
    return "no such order of tiles";
  if (args.post < 0 || args.post > 1) return "no such operation after the product";
  if (args.out < 0 || args.out > static_cast<std::int64_t>(DType::F32))
    return "no such result type";
  const auto out = static_cast<DType>(args.out);
  const bool integers = type == DType::I8;
  const bool plain = integers ? out == DType::I32 : contains(isa::kFloats, out);
  const bool scaled = contains(isa::kQuantTypes, out) && out != DType::I32;
  if (!(args.scale != 0 ? scaled : plain)) return "the result's type cannot be written";
  return {};
}

}  // namespace

ConvAxis vertical_axis(const ConvArguments& args) {
  const isa::Window w = isa::unpack_window(args.kernel, args.steps);
  return {args.in_h, w.kernel_h, w.stride_h, w.dilation_h, args.pad_top};
}

ConvAxis horizontal_axis(const ConvArguments& args) {
  const isa::Window w = isa::unpack_window(args.kernel, args.steps);
  return {args.in_w, w.kernel_w, w.stride_w, w.dilation_w, args.pad_left};
}

ConvLayout conv_layout(const Machine& machine, const ConvArguments& args, DType type) {
  const std::int64_t item = size_of(type);
  ConvLayout l;
  l.taps = isa::taps_of(args.kernel);
  l.c0 = kFractalRow / item;
  const std::int64_t channels = round_up(args.channels, l.c0);
  l.depth = channels * l.taps;
  l.block_depth = std::min(channels, args.tile_c) * l.taps;
  const std::int64_t run =
      std::min(args.tile_m, args.by_row != 0 ? args.out_w : args.out_h * args.out_w);
  const std::int64_t lines =
      args.by_row != 0 ? 1 : std::min(args.out_h, ceil_div(run - 1, args.out_w) + 1);
  const std::int64_t wide = args.by_row != 0 ? horizontal_axis(args).most(run) : args.in_w;
  l.pixels = round_up(vertical_axis(args).most(lines) * wide, kFractalRows);
  const std::int64_t of_a = machine.l0a.size.count() / 2 / (args.tile_m * item);
  const std::int64_t of_b = machine.l0b.size.count() / 2 / (args.tile_n * item);
  l.part = std::min(std::min(of_a, of_b) / l.c0 * l.c0, l.block_depth);
  l.map_bytes = round_up(l.pixels * std::min(channels, args.tile_c) / l.c0 * kFractalRow, kAlign);
  const std::int64_t rows = args.tile_n * item;
  l.stage_bytes = l.map_bytes + (args.resident != 0 ? 0 : round_up(rows * l.block_depth, kAlign));
  l.weights = 2 * l.stage_bytes;
  l.bias = l.weights + (args.resident != 0 ? round_up(rows * l.depth, kAlign) : 0);
  l.scale = l.bias + (args.bias != 0 ? round_up(args.tile_n * 4, kAlign) : 0);
  l.end = l.scale + (args.scale != 0 ? round_up(args.tile_n * 4, kAlign) : 0);
  return l;
}

std::string conv_problem(const Machine& machine, const ConvArguments& args, DType type) {
  if (!machine.can.img2col) return "this machine does not gather windows";
  std::string why = size_problem(args, type);
  if (why.empty()) why = result_problem(args, type);
  if (!why.empty()) return why;
  const auto reaches = [](const ConvAxis& axis, std::int64_t outputs) {
    return (outputs - 1) * axis.stride <= axis.size + 2 * axis.pad + (std::int64_t{1} << 24);
  };
  if (!reaches(vertical_axis(args), args.out_h) || !reaches(horizontal_axis(args), args.out_w)) {
    return "the result is larger than its input allows";
  }
  const ConvLayout l = conv_layout(machine, args, type);
  if (l.end > machine.l1.size.count()) return "its blocks do not fit L1";
  if (l.part < 1) return "a part does not fit half of L0A or L0B";
  if (args.tile_m * args.tile_n * 4 > machine.l0c.size.count()) return "a tile does not fit L0C";
  if (args.bias != 0 && args.tile_n * 4 > machine.bt.size.count()) {
    return "a tile's bias does not fit the bias table";
  }
  if (args.scale != 0 && args.tile_n * 4 > machine.fb.size.count()) {
    return "a tile's scales do not fit FixPipe's buffer";
  }
  return {};
}

}  // namespace dvmsim
