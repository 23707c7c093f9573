// Where the elements of a resized axis come from: numbers of input elements and their weights. ONNX
// Resize in one dimension; everything here depends on sizes and attributes alone.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compiler/graph/graph.h"

namespace dvmsim {

/// Output element i is the sum over t of weight[t][i] times input element index[t][i], or the
/// extrapolation value where it lies outside.
struct AxisTaps {
  std::vector<std::vector<std::int64_t>> index{};
  std::vector<std::vector<double>> weight{};  // empty: 1
  std::vector<bool> outside{};                // empty: nowhere
  /// How often each of the `from` elements repeats, in order; 0 if it is anything else.
  [[nodiscard]] std::int64_t repeats(std::int64_t from) const;
};

/// Is axis `axis`, whose size does not change, copied as it is?
[[nodiscard]] bool is_kept(const Node& resize, std::size_t axis);
/// Of a resize node's axis from `from` to `to` elements.
[[nodiscard]] AxisTaps axis_taps(const Node& resize, std::size_t axis, std::size_t rank,
                                 std::int64_t from, std::int64_t to);
/// Does each element of the axis repeat so often when it is resized to so many times its size,
/// whatever that is?
[[nodiscard]] bool repeats_alike(const Node& resize, std::size_t axis, std::size_t rank,
                                 std::int64_t repeats);
/// The scale given for the axis, or what the sizes make it.
[[nodiscard]] double axis_scale(const Node& resize, std::size_t axis, std::int64_t from,
                                std::int64_t to);

}  // namespace dvmsim
