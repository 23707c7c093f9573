// What ONNX says about windows: kernel, strides, dilations and pads of convolutions and pools.
// Included by convolution.cpp, pooling.cpp and quantization.cpp only.
#pragma once

#include <string>

#include "compiler/import/lower.h"

namespace dvmsim::onnx_import {

struct WindowAttributes {
  Dims kernel, strides, dilations, pads;  // pads: begins, then ends
  [[nodiscard]] AttributeMap map() const {
    return {{"kernel", kernel}, {"strides", strides}, {"dilations", dilations}, {"pads", pads}};
  }
};

/// An attribute with one number for each axis; fails if it has another count.
[[nodiscard]] Dims list_of(Lower& l, const char* name, std::size_t count, std::int64_t fallback);
/// `size`: of the spatial axes. Follows auto_pad.
[[nodiscard]] WindowAttributes windows_of(Lower& l, const Dims& size, Dims kernel);
/// Checks of an input and weights of a convolution; the attributes of a conv node.
[[nodiscard]] AttributeMap conv_attributes(Lower& l, ValueId x, ValueId w);

}  // namespace dvmsim::onnx_import
