// What the schedule of a vector kernel believes that a tile takes; internal to this folder.
#pragma once

#include <boost/container/small_vector.hpp>
#include <optional>
#include <vector>

#include "compiler/schedule/line_traffic.h"
#include "compiler/schedule/vector.h"
#include "vm/base/rounding.h"

namespace dvmsim {

/// The machine's numbers as the estimate needs them, and the parts of the kernel that no tile
/// changes.
class Estimator {
 public:
  /// `exact`: the number of cores, if it is settled.
  Estimator(const VectorKernel& kernel, const Machine& machine, std::optional<int> exact = {});

  struct Judged {
    VectorEstimate estimate{};
    int cores = 0;
  };
  /// What does not depend on where a tile's values lie, nor on how often.
  struct Moves {
    std::int64_t tiles = 0;               // that the kernel has
    double in = 0, out = 0, fetched = 0;  // bytes: through the ports, and from memory in lines
    double load = 0, store = 0;           // cycles of the ports
  };
  [[nodiscard]] Moves moves_of(VectorTile tile) const;
  /// The tile's parts for the number of cores with which the launch ends first, and that number.
  /// `vector`: cycles of the pipe for a tile; `period` as below, all of copies that matters.
  [[nodiscard]] Judged judge(const Moves& moves, double vector, double period, int cores) const;
  [[nodiscard]] Judged judge(const Moves& moves, BufferDepth depth, VectorPart vector,
                             int cores) const {
    return judge(moves, vector.all, period(moves, depth, vector), cores);
  }
  [[nodiscard]] Judged judge(VectorTile tile, BufferDepth depth, VectorPart vector,
                             int cores) const {
    return judge(moves_of(tile), depth, vector, cores);
  }
  /// The same, kept in the schedule.
  void judge(VectorSchedule& schedule, int cores, VectorPart vector) const;
  void judge(VectorSchedule& schedule, int cores) const {
    const double vector = vector_of(schedule.tile, schedule.pitch, schedule.piece);
    judge(schedule, cores, {vector, vector, vector});
  }
  /// Cycles from one tile to the next on a core that need not wait for memory.
  [[nodiscard]] double period(const Moves& moves, BufferDepth depth, VectorPart vector) const;
  /// Does every core of a number that is settled get one of such tiles?
  [[nodiscard]] bool has_work(VectorTile tile) const {
    return !exact_ || *exact_ <= tiles_of(tile);
  }
  /// Cycles of the vector pipe for a tile, about.
  [[nodiscard]] double vector_of(VectorTile tile, std::int64_t pitch, std::int64_t piece) const;

 private:
  /// A step's: its rate depends on the size of this value.
  struct Work {
    KernelValue value{};
    double weight = 1;
  };
  /// A tensor that is loaded or stored, as far as no tile changes it.
  struct Moved {
    RowLayout layout{};
    bool view = false;
  };
  using AllMoved = boost::container::small_vector<Moved, 8>;
  [[nodiscard]] std::int64_t tiles_of(VectorTile tile) const {
    return outer_ * ceil_div(rows_, tile.rows) * ceil_div(columns_, tile.columns);
  }
  [[nodiscard]] double moved(const AllMoved& tensors, VectorTile tile) const;

  /// From HBM, in lines.
  [[nodiscard]] double fetched(VectorTile tile) const;

  std::int64_t outer_, rows_, columns_;  // of the kernel
  std::optional<int> exact_;
  LineTraffic lines_;
  AllMoved inputs_{}, outputs_{};
  boost::container::small_vector<Work, 32> works_{};
  double load_rate_, store_rate_, gap_, least_request_, fixed_, repeat_, hbm_rate_, write_cost_,
      load_latency_, store_latency_, per_core_, scalar_, l2_read_, l2_write_;
  double written_back_ = 1;  // share of what is stored that L2 does not hold until the end
};

}  // namespace dvmsim
