// A pool or a depthwise convolution on a vector core, as plain numbers: a tile of outputs, the part
// of the map under it, and what lies where in UB. Writing the program is codegen/window.h.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "vm/base/dtype.h"
#include "vm/machine/machine.h"

namespace dvmsim {

/// Maps of images x d x h x w x channels; axes 0, 1, 2 are depth, height, width.
struct WindowTask {
  enum class Kind : std::uint8_t { Max, Sum, Weighted };
  using Axes = std::array<std::int64_t, 3>;
  Kind kind = Kind::Max;
  std::int64_t images = 1, channels = 1;
  Axes in = {1, 1, 1}, out = {1, 1, 1}, kernel = {1, 1, 1};
  Axes stride = {1, 1, 1}, dilation = {1, 1, 1}, pad = {0, 0, 0};
  DType type = DType::F16;
  double scale = 1;  // of a sum

  [[nodiscard]] std::int64_t taps() const { return kernel[0] * kernel[1] * kernel[2]; }
  /// Pixels along an axis under so many outputs.
  [[nodiscard]] std::int64_t reach(std::size_t axis, std::int64_t outputs) const {
    return (outputs - 1) * stride[axis] + (kernel[axis] - 1) * dilation[axis] + 1;
  }
  /// Can a window of a full tile leave the map?
  [[nodiscard]] bool leaves() const;
  /// Sums are in f32, and integers as they are.
  [[nodiscard]] DType computed() const {
    return kind != Kind::Max && is_float(type) ? DType::F32 : type;
  }
};

/// A tile is one output deep. Offsets in UB and sizes in bytes.
struct WindowSchedule {
  std::int64_t rows = 1, columns = 1, channels = 1;
  std::int64_t pitch = 1;                       // elements of a pixel in UB
  std::int64_t repeat = 1;                      // neighbouring pixels that factors lie ready for
  WindowTask::Axes map = {1, 1, 1};             // pixels under a full tile
  std::int64_t loaded = 0, loaded_bytes = 0;    // the map as it comes
  std::int64_t wide = 0, wide_bytes = 0;        // the map as it is computed with
  std::int64_t weights = 0, weights_bytes = 0;  // kernel x channels, as they come
  std::int64_t factors = 0, factors_bytes = 0;  // the same for `repeat` pixels, as computed with
  std::int64_t product = 0, product_bytes = 0;
  std::int64_t sum = 0, sum_bytes = 0;
  std::int64_t result = 0, result_bytes = 0;
  std::int64_t end = 0;
  std::int64_t tiles = 0;
  int cores = 1;
  double total = 0;  // cycles, estimated

  [[nodiscard]] std::int64_t pixels() const { return map[0] * map[1] * map[2]; }
};

/// What is settled beforehand about a schedule; the rest is searched.
struct WindowChoice {
  std::optional<std::int64_t> rows{}, columns{}, channels{};  // of a tile
  std::optional<std::int64_t> repeat{};  // neighbouring pixels that factors lie ready for
  std::optional<int> cores{};
  std::optional<std::int64_t> code{};  // bytes of UB that are left to the program
  friend bool operator==(const WindowChoice&, const WindowChoice&) = default;
};

/// The cheapest tile that fits UB from `begin` on. Rows are 0 if none does.
[[nodiscard]] WindowSchedule schedule_window(const WindowTask& task, const Machine& machine,
                                             int cores, std::int64_t begin,
                                             const WindowChoice& choice = {});
/// Empty, or what no tile of it can be, whatever UB holds.
[[nodiscard]] std::string impossible(const WindowTask& task, int cores, const WindowChoice& choice);
[[nodiscard]] std::string to_string(const WindowSchedule& schedule);

}  // namespace dvmsim
