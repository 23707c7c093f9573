// The program of a convolution: one `conv` macro, whose argument block says everything.
#pragma once

#include <cstdint>
#include <vector>

#include "compiler/schedule/conv_tiles.h"
#include "vm/program/program.h"

namespace dvmsim {

/// Words of the argument block that are addresses.
inline constexpr std::size_t kConvX = 0, kConvWeights = 1, kConvY = 2, kConvBias = 3,
                             kConvScale = 4;

[[nodiscard]] Program conv_program(const ConvTask& task);
/// The words; bias and scale stay what they are if there are none.
[[nodiscard]] std::vector<std::uint64_t> conv_arguments(const isa::ConvArguments& words);

}  // namespace dvmsim
