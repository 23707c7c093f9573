// The time of a matmul in closed form: what each pipe must do for a tile, how blocks follow one
// another, what L2 and HBM deliver, and how the tiles fill the cores. Sums of machine.def's
// numbers; the simulator has the last word.
#pragma once

#include <array>

#include "compiler/schedule/matmul.h"

namespace dvmsim {

/// Cycles by cause, for one core's share unless said otherwise.
struct MatmulTime {
  double cube = 0, mte1 = 0, mte2 = 0, fix = 0;  // of a full tile
  double hbm = 0;                                // of everything, all cores
  double total = 0;                              // first load to last store
  double least = 0;                              // of the total, whatever the order of visit
};

/// Resolves a machine's rates once; then estimates any number of schedules of one product.
class MatmulEstimate {
 public:
  MatmulEstimate(const MatmulSpec& spec, const Machine& machine);
  [[nodiscard]] MatmulTime of(const MatmulSchedule& schedule) const;
  /// The same for a schedule with its order of visit, where cores meet different tiles at the
  /// edges. Slower: looks at every tile.
  [[nodiscard]] MatmulTime of_order(const MatmulSchedule& schedule) const;
  /// The total is not less: what the cube multiplies and the port moves at best. A fraction of its
  /// price.
  [[nodiscard]] double bound(const MatmulSchedule& schedule) const;
  /// Of no schedule is the total less.
  [[nodiscard]] double bound() const;

 private:
  struct Tile {
    double cube = 0, mte1 = 0, mte2 = 0, fix = 0, total = 0;
  };
  /// Of an operand's loads: the share that goes to HBM, and the share that waits as long.
  struct Misses {
    double share = 0, late = 0;
  };
  /// Rows of an operand as they are read: how long, how far apart, and how far it is to those of
  /// the next tile or block.
  struct Rows {
    std::int64_t bytes = 0, stride = 0, step = 0;
    friend bool operator==(const Rows&, const Rows&) = default;
  };
  /// Requests for a row, those of them that leave no line in L2, and bytes moved.
  struct Cut {
    double requests = 0, partial = 0, bytes = 0;
  };
  [[nodiscard]] double load_time(std::int64_t bytes, Rows rows, Misses misses, int cores) const;
  [[nodiscard]] const Cut& cut_of(Rows rows) const;
  [[nodiscard]] Cut measured(Rows rows) const;
  struct Traffic {
    double a = 0, b = 0;
  };
  [[nodiscard]] Traffic loaded(const MatmulSchedule& schedule) const;
  [[nodiscard]] Traffic from_hbm(const MatmulSchedule& schedule) const;
  /// Totals of a tile by place: bit 0: in the last row of tiles, bit 1: in the last column.
  using ByPlace = std::array<double, 4>;
  [[nodiscard]] MatmulTime estimate(const MatmulSchedule& schedule, bool in_order) const;
  [[nodiscard]] MatmulTime estimate_shared(const MatmulSchedule& schedule) const;
  /// What of the loads goes to HBM: bytes, and as a share.
  struct Missed {
    Traffic hbm{};
    double share_a = 0, share_b = 0;
  };
  [[nodiscard]] Missed missed(const MatmulSchedule& schedule) const;
  [[nodiscard]] double longest_core(const MatmulSchedule& schedule, const ByPlace& total) const;
  [[nodiscard]] Rows a_rows(const MatmulSchedule& schedule, std::int64_t m) const;
  [[nodiscard]] Rows b_rows(const MatmulSchedule& schedule, std::int64_t n) const;
  [[nodiscard]] double byte_bound(Rows rows, bool along_k) const;
  /// What the cube takes for all batches, blocks of rows and columns rounded up.
  [[nodiscard]] double multiplied(std::int64_t rows, std::int64_t columns) const;
  /// m x n of it, along `k`.
  [[nodiscard]] Tile tile(const MatmulSchedule& schedule, std::int64_t m, std::int64_t n,
                          std::int64_t k, std::int64_t part, Misses a, Misses b) const;

  const MatmulSpec& spec_;
  const Machine& machine_;
  CubeStep step_{};
  std::int64_t size_ = 2, out_size_ = 2, unit_ = 16;
  double l0a_ = 1, l0b_ = 1, hit_ = 1, miss_ = 1, unaligned_ = 1, fix_ = 1, l2_read_ = 1,
         hbm_read_ = 1;
  double write_cost_ = 1, hit_latency_ = 0, miss_latency_ = 0;
  double hops_ = 0, release_ = 0;
  double settle_ = 0;  // a part after a cube that waited for it
  /// Candidates share most of their rows: the last cut found at each place.
  struct Known {
    Rows rows{};
    Cut cut{};
  };
  static constexpr int kCutBits = 7;
  mutable std::array<Known, std::size_t{1} << kCutBits> cuts_{};
};

}  // namespace dvmsim
