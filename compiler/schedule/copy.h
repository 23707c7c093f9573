// Moves as strided views: transpose, slice, concat, split, pad, img2col are all copies of a box of
// elements from one strided place to another. A program is a list of such copies.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "vm/base/dtype.h"
#include "vm/machine/machine.h"

namespace dvmsim {

/// out[offset + sum i*out_stride] = in[offset + sum i*in_stride] for every index of the box.
/// Strides and offsets in elements. With `fill`, the source is that bit pattern and in_* mean
/// nothing.
struct ViewCopy {
  int input = 0, output = 0;  // of the program's lists
  std::vector<std::int64_t> dims{}, in_stride{}, out_stride{};
  std::int64_t in_offset = 0, out_offset = 0;
  std::optional<std::int64_t> fill{};
};

/// Elements per step of each dimension of a dense tensor.
[[nodiscard]] std::vector<std::int64_t> dense_strides(const std::vector<std::int64_t>& shape);

/// A program of copies of one element type.
struct CopyKernel {
  std::string name{};
  DType dtype = DType::F32;
  std::vector<std::string> inputs{}, outputs{};
  std::vector<ViewCopy> copies{};
};

/// Without dimensions of one element, adjacent dimensions merged where both sides allow it; at
/// least one dimension remains.
[[nodiscard]] ViewCopy normalized(const ViewCopy& copy);

/// Between the same elements of one tensor: nothing has to be copied.
[[nodiscard]] bool is_in_place(const ViewCopy& copy);

/// How a normalized copy goes through UB.
struct CopySchedule {
  enum class Way : std::uint8_t {
    Runs,       // runs of contiguous elements on both sides, up to three loops around them
    Transpose,  // contiguous along different dimensions: a tile is turned in the vector unit
    Elements,   // element by element
  };
  Way way = Way::Runs;
  std::vector<std::int64_t> tile{};   // by dimension
  int along = 0;                      // Transpose: the dimension contiguous in the input
  std::int64_t tiles = 0, bytes = 0;  // of UB per buffer
  int turns = 1;                      // buffers that take turns from tile to tile
};

[[nodiscard]] CopySchedule schedule_copy(const ViewCopy& copy, DType dtype, const Machine& machine,
                                         int cores);

/// Cycles of a launch that does this copy alone on at most so many cores, about.
[[nodiscard]] double copy_time(const ViewCopy& copy, DType dtype, const Machine& machine,
                               int cores);
/// Cycles of a launch before its first and after its last command, besides what each core costs.
[[nodiscard]] double launch_time(const Machine& machine);

}  // namespace dvmsim
