// The schedule of a vector kernel with the feature `buffers`: both packings, and copies that take
// turns.
#include <algorithm>
#include <optional>

#include "compiler/schedule/buffer_place.h"
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
  [[nodiscard]] VectorSchedule of(VectorTile tile) const {
    VectorSchedule placed = placer.place(tile, depth, begin).front();
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
        estimator_(kernel, machine, choice.cores) {}

  /// The best of tiles that were compared elsewhere.
  void take(VectorSchedule schedule) {
    if (schedule.candidates == 0) return;
    compared_ += schedule.candidates;
    best_ = std::move(schedule);
    found_ = true;
  }
  /// Halves of the axes and even shares of the cores.
  void grid(const Place& place) {
    for (std::int64_t columns : widths_of(kernel_, cores_, choice_)) {
      for (std::int64_t rows : heights_of(kernel_, cores_, choice_))
        consider(place, {rows, columns});
    }
  }
  /// The largest tiles there are, and those that give every core as many.
  void fitted(const Place& place) {
    if (!kernel_.whole_rows && kernel_.rows() > 1) {
      if (choice_.rows) return;
      for (std::int64_t columns : widths_of(kernel_, cores_, choice_)) {
        const auto tile = [&](std::int64_t rows) { return VectorTile{rows, columns}; };
        fit_axis(place, kernel_.rows(), 1, tile);
      }
    } else if (!kernel_.whole_columns && !choice_.columns) {
      const auto tile = [&](std::int64_t columns) { return VectorTile{kernel_.rows(), columns}; };
      fit_axis(place, kernel_.columns(), kBlock, tile);
    }
  }
  /// The best so far is measured; what follows is compared with its like alone.
  void settle(const VectorMeasure& measure) {
    if (!found_) return;
    estimator_.judge(best_, cores_, vector_part(measure, kernel_, kernel_.steps, best_));
    if (!settled_ || best_.estimate.total < settled_->estimate.total) settled_ = std::move(best_);
    found_ = false;
  }
  VectorSchedule best() {
    VectorSchedule best = settled_ ? std::move(*settled_) : std::move(best_);
    if (compared_ == 0 && choice_ != VectorChoice{}) return {};
    DVMSIM_ASSERT(compared_ > 0, "a kernel that fits has a tile");
    best.candidates = compared_;
    return best;
  }

 private:
  [[nodiscard]] bool fits_ub(const VectorSchedule& schedule) const {
    return schedule.ub_end <= machine_.ub.size.count();
  }
  /// Only what would be the best so far is placed.
  void consider(const Place& place, VectorTile tile) {
    if (!estimator_.has_work(tile)) return;
    const double vector =
        estimator_.vector_of(tile, pitch_of(kernel_, tile.columns), piece_of(kernel_, tile));
    const Estimator::Judged judged =
        estimator_.judge(tile, place.depth, {vector, vector, vector}, cores_);
    ++compared_;
    if (found_ && judged.estimate.total >= best_.estimate.total) return;
    VectorSchedule schedule = place.of(tile);
    if (!fits_ub(schedule)) return;
    schedule.estimate = judged.estimate;
    schedule.cores = judged.cores;
    best_ = std::move(schedule);
    found_ = true;
  }
  template <class Tile>
  void fit_axis(const Place& place, std::int64_t size, std::int64_t unit, const Tile& tile) {
    std::int64_t low = 0, most = ceil_div(size, unit);
    while (low < most) {
      const std::int64_t middle = ceil_div(low + most, 2);
      if (fits_ub(place.of(tile(middle * unit)))) {
        low = middle;
      } else {
        most = middle - 1;
      }
    }
    if (low == 0) return;
    const std::int64_t longest = std::min(size, low * unit);
    consider(place, tile(longest));
    const std::int64_t others = kernel_.outer();
    const std::int64_t waves = ceil_div(ceil_div(size, longest) * others, cores_);
    for (std::int64_t extra = 0; extra < 2; ++extra) {
      const std::int64_t tiles = std::max<std::int64_t>(1, (waves + extra) * cores_ / others);
      consider(place, tile(std::min(longest, round_up(ceil_div(size, tiles), unit))));
    }
  }

  const VectorKernel& kernel_;
  const Machine& machine_;
  const VectorChoice& choice_;
  int cores_;
  Estimator estimator_;
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
  const auto among = [](const std::vector<KernelTensor>& tensors, int value) {
    return std::any_of(tensors.begin(), tensors.end(),
                       [&](const KernelTensor& tensor) { return tensor.value == value; });
  };
  std::size_t read = 0, written = steps.size();
  for (std::size_t i = 0; i < steps.size(); ++i) {
    for (int source : steps[i].source) {
      if (among(kernel.inputs, source)) read = i + 1;
    }
    if (written == steps.size() && among(kernel.outputs, steps[i].result)) written = i;
  }
  return {measure(kernel, steps, schedule), measure(kernel, steps.first(read), schedule),
          measure(kernel, steps.subspan(written), schedule)};
}

VectorSchedule schedule_packed(const VectorKernel& kernel, const Machine& machine, int cores,
                               const VectorMeasure& measure, const VectorChoice& choice) {
  Search search(kernel, machine, cores, choice);
  const bool single = choice.loads.value_or(1) == 1 && choice.stores.value_or(1) == 1;
  const bool in_order = single && choice.packing != Packing::BestFit;
  if (in_order && fits(kernel, machine)) {
    search.take(schedule_vector(kernel, machine, cores, choice));
  }
  search.settle(measure);
  if (choice.packing == Packing::InOrder) return search.best();
  const BufferPlacer placer(kernel);
  for (const BufferDepth depth : depths_of(kernel, machine, choice)) {
    const Place place{placer, depth, ub_begin(kernel, machine)};
    search.grid(place);
    search.fitted(place);
    search.settle(measure);
  }
  return search.best();
}

}  // namespace dvmsim
