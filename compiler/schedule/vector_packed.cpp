// The schedule of a vector kernel with the feature `buffers`: both packings, and copies that take
// turns.
#include <algorithm>
#include <boost/container/small_vector.hpp>
#include <limits>
#include <optional>

#include "compiler/schedule/buffer_place.h"
#include "compiler/schedule/ordered_place.h"
#include "compiler/schedule/steps_once.h"
#include "compiler/schedule/vector_estimate.h"
#include "compiler/schedule/vector_parts.h"
#include "vm/base/error.h"
#include "vm/base/rounding.h"

namespace dvmsim {
namespace {

/// Where the values of a tile lie, with so many copies of what is moved.
struct Place {
  const BufferPlacer& placer;
  BufferDepth depth{};
  std::int64_t begin = 0;
  [[nodiscard]] std::int64_t end_of(VectorTile tile) const {
    return placer.end_of(tile, depth, begin);
  }
  [[nodiscard]] VectorSchedule of(VectorTile tile) const {
    VectorSchedule placed = placer.place_one(tile, depth, begin);
    placed.packing = Packing::BestFit;
    return placed;
  }
};

/// Tries tiles and keeps the best of those that fit.
class Search {
 public:
  Search(const VectorKernel& kernel, const Machine& machine, int cores, const VectorChoice& choice)
      : kernel_(kernel),
        machine_(machine),
        choice_(choice),
        cores_(cores),
        pitch_(kernel),
        widths_(widths_of(kernel, cores, choice)),
        estimator_(kernel, machine, choice.cores) {
    const TileSides heights = heights_of(kernel, cores, choice);
    grid_.reserve(widths_.size() * heights.size());
    for (std::int64_t columns : widths_) {
      double least = std::numeric_limits<double>::max();
      for (std::int64_t rows : heights) {
        if (add({rows, columns})) least = std::min(least, grid_.back().least);
      }
      least_.push_back(least);
    }
  }

  /// The same tiles with their values in order of use.
  void in_order() {
    const OrderedPlacer placer(kernel_);
    const std::int64_t begin = ub_begin(kernel_, machine_), size = machine_.ub.size.count();
    for (Candidate& candidate : grid_) {
      if (found_ && candidate.least >= best_.estimate.total) continue;
      const Estimator::Judged& found = judged({1, 1}, candidate);
      if (found_ && found.estimate.total >= best_.estimate.total) continue;
      if (placer.end_of(candidate.tile, begin, size) > size) continue;
      keep(candidate.tile, found);
    }
    if (found_) keep_placed(placer.place(best_.tile, begin));
  }
  /// Halves of the axes and even shares of the cores. What cannot be better than the best of them
  /// with other copies is not looked at.
  void grid(const Place& place) {
    double limit = std::numeric_limits<double>::max();
    if (likely_ != nullptr && fits_ub(place, likely_->tile)) {
      limit = judged(place.depth, *likely_).estimate.total;
    }
    constexpr double kRounding = 1 + 1e-9;
    for (Candidate& candidate : grid_) {
      if (candidate.least > limit) continue;
      if (found_ && candidate.least > best_.estimate.total * kRounding) {
        ++compared_;  // by its bound
        continue;
      }
      if (consider(place, candidate)) likely_ = &candidate;
    }
  }
  /// The largest tiles there are, and those that give every core as many.
  void fitted(const Place& place) {
    if (!kernel_.whole_rows && kernel_.rows() > 1) {
      if (choice_.rows) return;
      constexpr double kHopeless = 1.25;  // other heights of a width do not gain a quarter
      for (std::size_t i = 0; i < widths_.size(); ++i) {
        if (found_ && least_[i] > kHopeless * best_.estimate.total) continue;
        const std::int64_t columns = widths_[i];
        const auto tile = [&](std::int64_t rows) { return VectorTile{rows, columns}; };
        fit_axis(place, kernel_.rows(), 1, tile);
      }
    } else if (!kernel_.whole_columns && !choice_.columns) {
      const auto tile = [&](std::int64_t columns) { return VectorTile{kernel_.rows(), columns}; };
      fit_axis(place, kernel_.columns(), kBlock, tile);
    }
  }
  /// The best so far is measured; what follows is compared with its like alone.
  void settle(const VectorMeasure& measure, const Place* place = nullptr) {
    if (!found_) return;
    if (place != nullptr) keep_placed(place->of(best_.tile));
    estimator_.judge(best_, cores_, vector_part(measure, kernel_, kernel_.steps, best_));
    if (!settled_ || best_.estimate.total < settled_->estimate.total) settled_ = std::move(best_);
    found_ = false;
  }
  VectorSchedule best() {
    if (!settled_ && choice_ != VectorChoice{}) return {};
    DVMSIM_ASSERT(settled_.has_value(), "a kernel that fits has a tile");
    VectorSchedule best = std::move(*settled_);
    best.candidates = compared_;
    return best;
  }

 private:
  [[nodiscard]] bool fits_ub(const Place& place, VectorTile tile) const {
    return place.end_of(tile) <= machine_.ub.size.count();
  }
  /// A tile, what the vector pipe takes for it, and its total if no buffer were waited for.
  struct Candidate {
    VectorTile tile{};
    Estimator::Moves moves{};
    double vector = 0, least = 0;
    double period = -1;  // for which it was judged last; other copies seldom change it
    Estimator::Judged judged{};
  };
  [[nodiscard]] Candidate candidate_of(VectorTile tile) const {
    return {tile, estimator_.moves_of(tile),
            estimator_.vector_of(tile, pitch_.of(tile.columns), pitch_.piece(tile))};
  }
  bool add(VectorTile tile) {
    if (!estimator_.has_work(tile)) return false;
    constexpr int kEndless = 1 << 30;
    Candidate& candidate = grid_.emplace_back(candidate_of(tile));
    candidate.least = judge({kEndless, kEndless}, candidate).estimate.total;
    return true;
  }
  const Estimator::Judged& judge(BufferDepth depth, Candidate& candidate) const {
    const double vector = candidate.vector;
    const double period = estimator_.period(candidate.moves, depth, {vector, vector, vector});
    if (period != candidate.period) {
      candidate.judged = estimator_.judge(candidate.moves, vector, period, cores_);
      candidate.period = period;
    }
    return candidate.judged;
  }
  const Estimator::Judged& judged(BufferDepth depth, Candidate& candidate) {
    ++compared_;
    return judge(depth, candidate);
  }
  /// Is it the best so far? Whether it fits is asked last.
  bool consider(const Place& place, Candidate& candidate) {
    const Estimator::Judged& found = judged(place.depth, candidate);
    if (found_ && found.estimate.total >= best_.estimate.total) return false;
    if (!fits_ub(place, candidate.tile)) return false;
    keep(candidate.tile, found);
    return true;
  }
  /// It is the best so far, yet without its buffers.
  void keep(VectorTile tile, const Estimator::Judged& found) {
    best_.tile = tile;
    best_.estimate = found.estimate;
    best_.cores = found.cores;
    found_ = true;
  }
  void keep_placed(VectorSchedule placed) {
    placed.estimate = best_.estimate;
    placed.cores = best_.cores;
    best_ = std::move(placed);
  }
  void consider(const Place& place, VectorTile tile) {
    if (!estimator_.has_work(tile)) return;
    Candidate candidate = candidate_of(tile);
    (void)consider(place, candidate);
  }
  template <class Tile>
  void fit_axis(const Place& place, std::int64_t size, std::int64_t unit, const Tile& tile) {
    const std::int64_t units =
        most_that_fit(ceil_div(size, unit), machine_.ub.size.count(),
                      [&](std::int64_t count) { return place.end_of(tile(count * unit)); });
    if (units == 0) return;
    const std::int64_t longest = std::min(size, units * unit);
    consider(place, tile(longest));
    std::int64_t before = longest;
    const std::int64_t others = kernel_.outer();
    const std::int64_t waves = ceil_div(ceil_div(size, longest) * others, cores_);
    for (std::int64_t extra = 0; extra < 2; ++extra) {
      const std::int64_t tiles = std::max<std::int64_t>(1, (waves + extra) * cores_ / others);
      const std::int64_t side = std::min(longest, round_up(ceil_div(size, tiles), unit));
      if (side == before) {  // no better than it was
        compared_ += estimator_.has_work(tile(side)) ? 1 : 0;
      } else {
        consider(place, tile(side));
      }
      before = side;
    }
  }

  const VectorKernel& kernel_;
  const Machine& machine_;
  const VectorChoice& choice_;
  int cores_;
  RowPitch pitch_;
  TileSides widths_;
  boost::container::small_vector<double, 40> least_{};  // by width: of the grid's, bounds
  Estimator estimator_;
  boost::container::small_vector<Candidate, 96> grid_{};
  Candidate* likely_ = nullptr;  // the best of the grid with the copies before
  VectorSchedule best_{};
  bool found_ = false;  // is there a best one?
  std::optional<VectorSchedule> settled_{};
  int compared_ = 0;
};

/// As many copies as flags can count and registers can address; those that were chosen.
std::vector<BufferDepth> depths_of(const VectorKernel& kernel, const Machine& machine,
                                   const VectorChoice& choice) {
  constexpr std::size_t kMostMoved = 8;  // each copied buffer takes a register
  constexpr BufferDepth kDepths[] = {{1, 1}, {2, 1}, {2, 2}, {3, 2}};
  std::vector<BufferDepth> depths;
  const auto consider = [&](BufferDepth depth) {
    const bool many = kernel.inputs.size() + kernel.outputs.size() > kMostMoved;
    const auto counted = [&](int copies, std::size_t tensors) {
      return copies == 1 || (!many && copies * static_cast<int>(tensors) <= machine.flag.max);
    };
    if (counted(depth.loads, kernel.inputs.size()) &&
        counted(depth.stores, kernel.outputs.size())) {
      depths.push_back(depth);
    }
  };
  if (choice.loads && choice.stores) {
    consider({*choice.loads, *choice.stores});
    return depths;
  }
  for (const BufferDepth depth : kDepths) {
    const bool chosen = choice.loads.value_or(depth.loads) == depth.loads &&
                        choice.stores.value_or(depth.stores) == depth.stores;
    if (chosen) consider(depth);
  }
  return depths;
}

}  // namespace

VectorPart vector_part(const VectorMeasure& measure, const VectorKernel& kernel,
                       std::span<const KernelStep> steps, const VectorSchedule& schedule) {
  boost::container::small_vector<bool, 32> loaded(kernel.values.size(), false),
      stored(kernel.values.size(), false);
  for (const KernelTensor& in : kernel.inputs) loaded[static_cast<std::size_t>(in.value)] = true;
  for (const KernelTensor& out : kernel.outputs) stored[static_cast<std::size_t>(out.value)] = true;
  std::size_t read = 0, written = steps.size();
  for (std::size_t i = 0; i < steps.size(); ++i) {
    for (int source : steps[i].source) {
      if (source >= 0 && loaded[static_cast<std::size_t>(source)]) read = i + 1;
    }
    const bool first = written == steps.size();
    if (first && stored[static_cast<std::size_t>(steps[i].result)]) written = i;
  }
  // What steps take is a sum over them, so each is measured once.
  const auto cycles_of = [&](std::size_t begin, std::size_t end) {
    return begin < end ? measure(kernel, steps.subspan(begin, end - begin), schedule) : 0.0;
  };
  const std::size_t low = std::min(read, written), high = std::max(read, written);
  const double before = cycles_of(0, low), between = cycles_of(low, high),
               behind = cycles_of(high, steps.size());
  const bool overlap = written < read;
  return {before + between + behind, overlap ? before + between : before,
          overlap ? between + behind : behind};
}

VectorSchedule schedule_packed(const VectorKernel& kernel, const Machine& machine, int cores,
                               const VectorMeasure& measure, const VectorChoice& choice) {
  Search search(kernel, machine, cores, choice);
  const bool single = choice.loads.value_or(1) == 1 && choice.stores.value_or(1) == 1;
  const bool in_order = single && choice.packing != Packing::BestFit;
  if (in_order) search.in_order();
  search.settle(measure);
  if (choice.packing == Packing::InOrder) return search.best();
  const BufferPlacer placer(kernel);
  for (const BufferDepth depth : depths_of(kernel, machine, choice)) {
    const Place place{placer, depth, ub_begin(kernel, machine)};
    search.grid(place);
    search.fitted(place);
    search.settle(measure, &place);
  }
  return with_steps_once(search.best(), kernel, machine, cores, measure, choice);
}

}  // namespace dvmsim
