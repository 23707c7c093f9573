// Cycles of the vector pipe: one instruction of the table is a few hardware instructions, each
// handling repeats of 256 bytes, a row at a time. Part of CostModel (cost.h).
#pragma once

#include <array>
#include <cstdint>

#include "vm/base/strong.h"
#include "vm/isa/isa.h"
#include "vm/isa/recipe.h"
#include "vm/machine/machine.h"

namespace dvmsim {

/// A pipe starting the command at s, with h = head if the pipe was drained at s (nothing in flight:
/// s >= the visible time of everything before it, and s > the end of its hold) and 0 otherwise, is
/// held until s + h + busy; the result is visible at s + h + busy + tail. For commands that move
/// data to or from GM, busy is the port's hold if memory answers at full rate and tail the
/// uncontended latency; their contended times come from the memory system.
struct Cost {
  Cycles head{}, busy{}, tail{};
};

namespace isa {

class VectorCost {
 public:
  /// Throws Error if the machine computes a class on no type at all.
  explicit VectorCost(const Machine& machine);
  [[nodiscard]] Cost of(const Recipe& recipe, const Command& command) const;

 private:
  /// Hardware instructions and the repeats they handle together.
  struct Pieces {
    std::int64_t instructions = 0, repeats = 0;
  };
  /// How a class works on a type: at which cost per repeat, as which type, how often.
  struct Lowered {
    Rational per_repeat{};
    DType as{};
    int times = 1;
    std::int64_t fixed = 0;  // held besides the repeats
  };
  /// A conversion: hardware instructions with the width of the wider side and the cost per repeat.
  struct Hop {
    int width = 0;
    Rational per_repeat{};
  };
  struct Route {
    int hops = 0;
    std::array<Hop, 4> hop{};
  };

  /// Has the hardware the class on this very type?
  [[nodiscard]] bool has(VectorClass which, DType type) const;
  [[nodiscard]] Lowered lower(VectorClass which, DType type) const;
  [[nodiscard]] Rational per_repeat(VectorClass which, DType type) const;
  void find_routes();
  [[nodiscard]] const Lowered& lowered(VectorClass which, DType type) const {
    return lowered_[static_cast<std::size_t>(which)][static_cast<std::size_t>(type)];
  }
  [[nodiscard]] const Route& route(DType from, DType to) const {
    return route_[static_cast<std::size_t>(from)][static_cast<std::size_t>(to)];
  }

  [[nodiscard]] Pieces pieces(std::int64_t rows, std::int64_t count, int width, bool joined) const;
  [[nodiscard]] std::int64_t cycles(Pieces pieces, Rational per_repeat, std::int64_t fixed) const;
  [[nodiscard]] std::int64_t fixed(VectorClass which) const;
  [[nodiscard]] std::int64_t hops(DType from, DType to, std::int64_t rows, std::int64_t count,
                                  bool joined) const;
  /// One hardware instruction of a class over rows x count elements, conversions around it
  /// included.
  [[nodiscard]] std::int64_t over(VectorClass which, DType type, std::int64_t rows,
                                  std::int64_t count, bool joined) const;

  [[nodiscard]] std::int64_t steps(const Recipe& recipe, const Command& command) const;
  [[nodiscard]] std::int64_t convert(const Command& command) const;
  [[nodiscard]] std::int64_t broadcast(const Command& command) const;
  [[nodiscard]] std::int64_t transpose(const Command& command) const;
  [[nodiscard]] std::int64_t reduce_row(const Command& command) const;
  [[nodiscard]] std::int64_t reduce_halves(DType type, Reduction how, std::int64_t rows,
                                           std::int64_t count) const;
  [[nodiscard]] std::int64_t reduce_blocks(DType type, Reduction how, std::int64_t rows,
                                           std::int64_t count, bool joined) const;
  [[nodiscard]] std::int64_t reduce_rows(const Command& command) const;
  [[nodiscard]] std::int64_t gather(const Command& command) const;
  [[nodiscard]] std::int64_t scan_row(const Command& command) const;
  [[nodiscard]] std::int64_t scan_rows(const Command& command) const;
  [[nodiscard]] std::int64_t sort(const Command& command) const;
  /// Additions that each need the one before: steps x width elements, and conversions of the whole.
  [[nodiscard]] std::int64_t running(DType type, std::int64_t steps, std::int64_t width) const;
  [[nodiscard]] std::int64_t fold(DType type, Reduction how, std::int64_t rows, std::int64_t count,
                                  bool joined) const;

  /// Cycles of a repeat that bank conflicts alone would take, in fifths.
  [[nodiscard]] std::int64_t bank_fifths(const Command& command) const;

  const Machine* machine_;
  std::int64_t repeat_ = 256;
  std::array<std::array<Lowered, 8>, kVectorClasses> lowered_{};
  std::array<std::array<Route, 8>, 8> route_{};
};

}  // namespace isa
}  // namespace dvmsim
