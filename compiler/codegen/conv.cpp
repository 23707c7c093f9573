#include "compiler/codegen/conv.h"

#include <array>
#include <bit>
#include <type_traits>

#include "compiler/codegen/builder.h"
#include "vm/isa/window.h"

namespace dvmsim {

Program conv_program(const ConvTask& task) {
  using Kind = Argument::Kind;
  const isa::ConvArguments& w = task.words;
  const std::int64_t size = size_of(task.type);
  Program program;
  program.name = "conv";
  program.arguments.assign(isa::kConvWords, {Kind::Scalar, "word", 0});
  program.arguments[kConvX] = {Kind::Input, "x", w.images * w.in_h * w.in_w * w.x_pixel};
  const std::int64_t c0 = 32 / size, blocks = (w.channels + c0 - 1) / c0;
  const std::int64_t outputs = w.groups * w.outputs;
  program.arguments[kConvWeights] = {Kind::Input, "w",
                                     outputs * blocks * isa::taps_of(w.kernel) * 32};
  program.arguments[kConvY] = {Kind::Output, "y", w.images * w.out_h * w.out_w * w.y_pixel};
  if (w.bias != 0) program.arguments[kConvBias] = {Kind::Input, "bias", outputs * 4};
  if (w.scale != 0) program.arguments[kConvScale] = {Kind::Input, "scale", outputs * 4};
  Builder code(CoreKind::Cube);
  code.mark(DebugMark::Kind::Operator, "conv");
  code.add<isa::Op::conv>({{"dtype", static_cast<int>(task.type)}, {"index", 0}});
  code.link(program);
  return program;
}

std::vector<std::uint64_t> conv_arguments(const isa::ConvArguments& words) {
  using Words = std::array<std::uint64_t, isa::kConvWords>;
  static_assert(std::is_trivially_copyable_v<isa::ConvArguments>);
  const auto all = std::bit_cast<Words>(words);
  return {all.begin(), all.end()};
}

}  // namespace dvmsim
