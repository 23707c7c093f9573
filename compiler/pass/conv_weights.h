// The operands of a convolution as conv_last takes them.
#pragma once

#include <string>

#include "compiler/pass/emitter.h"

namespace dvmsim {

/// [outputs, channels, kh, kw] as [outputs, K]: blocks of 32 bytes of channels, kernel, channel.
[[nodiscard]] ValueId window_weights(Emitter& emit, ValueId weights, const std::string& name);
/// [channels, 1, kh, kw] as [kernel, channels].
[[nodiscard]] ValueId depthwise_weights(Emitter& emit, ValueId weights, const std::string& name);
/// A bias in the type of the sums.
[[nodiscard]] ValueId sums_bias(Emitter& emit, ValueId bias, DType operands,
                                const std::string& name);

}  // namespace dvmsim
