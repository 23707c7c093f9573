// Moves as strided views: transpose, slice, concat, split, pad, img2col are all copies of a box of
// elements from one strided place to another. A program is a list of such copies.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
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
  std::int64_t end = 0;               // how far they reach in UB, in a program
};

/// What is settled beforehand about a program of moves; the rest is chosen. Tiles and turns are one
/// for all boxes, or one for each.
struct CopyChoice {
  std::optional<std::vector<std::vector<std::int64_t>>> tile{};
  std::optional<std::vector<int>> turns{};
  std::optional<int> cores{};
  friend bool operator==(const CopyChoice&, const CopyChoice&) = default;
};
/// The same of one box.
struct BoxChoice {
  std::optional<std::vector<std::int64_t>> tile{};
  std::optional<int> turns{};
};
[[nodiscard]] BoxChoice box_of(const CopyChoice& choice, std::size_t box);

[[nodiscard]] CopySchedule schedule_copy(const ViewCopy& copy, DType dtype, const Machine& machine,
                                         int cores, const BoxChoice& choice = {});

/// The schedules of a program's boxes, in their order, and how many cores get a tile.
struct CopyPlan {
  std::vector<CopySchedule> boxes{};
  int cores = 1;
};
/// The choice does not exceed the limits of the copies.
[[nodiscard]] CopyPlan schedule_copies(const CopyKernel& kernel, const Machine& machine, int cores,
                                       const CopyChoice& choice = {});
/// All of the plan: what all boxes have in common once.
[[nodiscard]] CopyChoice choice_of(const CopyPlan& plan);

/// How long the sides of a box's tile may be, and how many buffers take turns.
struct CopyLimits {
  std::vector<std::int64_t> tile{};
  int turns = 1;
};
/// Of a normalized copy.
[[nodiscard]] CopyLimits limits_of(const ViewCopy& copy, const Machine& machine);
/// The most buffers that may take turns.
[[nodiscard]] int most_turns(const Machine& machine);
/// Empty, or what no program of boxes within these limits can be.
[[nodiscard]] std::string impossible(std::span<const CopyLimits> boxes, int cores,
                                     const CopyChoice& choice);
/// Empty, or why the plan, which is what was chosen, cannot be launched.
[[nodiscard]] std::string misfit(const CopyPlan& plan, const Machine& machine,
                                 const CopyChoice& choice);

/// Bytes of a schedule's buffers of one kind, those that take turns behind one another. What a
/// transpose has turned lies kApart bytes behind what it has loaded.
[[nodiscard]] std::int64_t turning_bytes(const CopySchedule& schedule);
inline constexpr std::int64_t kApart = 256;
/// Where tiles of a program of so many copies begin in UB.
[[nodiscard]] std::int64_t copies_begin(const Machine& machine, std::size_t copies);

/// Cycles of a launch that does this copy alone on at most so many cores, about.
[[nodiscard]] double copy_time(const ViewCopy& copy, DType dtype, const Machine& machine,
                               int cores);
/// Cycles of a launch before its first and after its last command, besides what each core costs.
[[nodiscard]] double launch_time(const Machine& machine);

}  // namespace dvmsim
