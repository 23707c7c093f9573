#include "compiler/schedule/vector.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <optional>

#include "compiler/schedule/buffer_place.h"
#include "compiler/schedule/vector_estimate.h"
#include "compiler/schedule/vector_parts.h"
#include "vm/base/error.h"
#include "vm/base/rounding.h"

namespace dvmsim {

std::int64_t pitch_of(const VectorKernel& kernel, std::int64_t columns) {
  std::int64_t smallest = 8;
  for (const KernelValue& value : kernel.values) {
    smallest = std::min<std::int64_t>(smallest, size_of(value.dtype));
  }
  return round_up(columns, kBlock / smallest);
}

std::int64_t bytes_of(const KernelValue& value, VectorTile tile, std::int64_t pitch,
                      std::int64_t piece) {
  const std::int64_t size = size_of(value.dtype);
  if (value.uniform && piece > 0) return piece * size;
  switch (value.extent) {
    case Extent::Full:
      return tile.rows * pitch * size;
    case Extent::Row:
      return pitch * size;
    case Extent::Column:
      return round_up(tile.rows * size, kBlock);
    case Extent::Scalar:
      return kBlock;
  }
  return 0;
}

std::int64_t ub_begin(const Machine& machine, std::size_t steps) {
  const bool in_ub = machine.firmware.memory == ProgramMemory::Ub;
  const std::int64_t code = static_cast<std::int64_t>(steps + 16) * kWordsPerStep * 8;
  return machine.ub.reserved.count() + (in_ub ? round_up(code, 512) : 0);
}

double weight(isa::Op op) {
  switch (op) {
    case isa::Op::vexp:
    case isa::Op::vlog:
    case isa::Op::vsqrt:
    case isa::Op::vdiv:
    case isa::Op::vdivs:
    case isa::Op::vsdiv:
      return 4;
    case isa::Op::vtanh:
    case isa::Op::vsigmoid:
    case isa::Op::vpow:
      return 12;
    case isa::Op::vscanx:
    case isa::Op::vscany:
    case isa::Op::vatan:
    case isa::Op::vlog1p:
    case isa::Op::verf:
    case isa::Op::vsin:
    case isa::Op::vcos:
      return 16;
    case isa::Op::vredx:
    case isa::Op::vredy:
    case isa::Op::vcvt:
      return 2;
    default:
      return 1;
  }
}

namespace {

/// Elements of a row's piece: one repeat of the vector unit, which can then take the same block for
/// every repeat. 0 if rows are not whole pieces or uniform values differ in type.
std::int64_t piece_of(const VectorKernel& kernel, VectorTile tile) {
  if (tile.rows != 1 || tile.columns != kernel.columns()) return 0;
  std::int64_t piece = 0;
  for (const KernelValue& value : kernel.values) {
    if (!value.uniform) continue;
    const std::int64_t own = kBankTurn / size_of(value.dtype);
    if (piece != 0 && piece != own) return 0;
    piece = own;
  }
  return piece != 0 && tile.columns > piece && tile.columns % piece == 0 ? piece : 0;
}

/// First and last step that touches each value, and whether its buffer is its own for the whole
/// loop.
struct Life {
  int first = 1 << 30, last = -1;
  bool whole = false;
};

std::vector<Life> lives_of(const VectorKernel& kernel) {
  std::vector<Life> lives(kernel.values.size());
  const auto touch = [&](int value, int step) {
    if (value < 0) return;
    Life& life = lives[static_cast<std::size_t>(value)];
    life.first = std::min(life.first, step);
    life.last = std::max(life.last, step);
  };
  for (int i = 0; i < static_cast<int>(kernel.steps.size()); ++i) {
    const KernelStep& step = kernel.steps[static_cast<std::size_t>(i)];
    touch(step.result, i);
    for (int source : step.source) touch(source, i);
  }
  for (const auto* list : {&kernel.inputs, &kernel.outputs}) {
    for (const KernelTensor& tensor : *list) {
      lives[static_cast<std::size_t>(tensor.value)].whole = true;
    }
  }
  return lives;
}

/// Places buffers; the parity of the bank turn alternates, so that two sources seldom share bank
/// groups.
class Arena {
 public:
  explicit Arena(std::int64_t begin) : end_(round_up(begin, 2 * kBankTurn)) {}

  UbBuffer take(std::int64_t size) {
    for (auto it = free_.begin(); it != free_.end(); ++it) {
      if (it->size >= size) {
        const UbBuffer found = *it;
        free_.erase(it);
        return found;
      }
    }
    const std::int64_t base = end_ + (odd_ ? kBankTurn : 0);
    odd_ = !odd_;
    end_ = round_up(base + size, 2 * kBankTurn);
    return {base, end_ - base};
  }
  void give(UbBuffer buffer) { free_.push_back(buffer); }
  [[nodiscard]] std::int64_t end() const { return end_; }

 private:
  std::int64_t end_;
  bool odd_ = false;
  std::vector<UbBuffer> free_{};
};

std::int64_t ub_begin(const VectorKernel& kernel, const Machine& machine) {
  return ub_begin(machine,
                  kernel.steps.size() + 2 * (kernel.inputs.size() + kernel.outputs.size()));
}

std::vector<std::int64_t> candidates(std::int64_t total, std::int64_t unit, std::int64_t spread) {
  std::vector<std::int64_t> found;
  for (std::int64_t size = total; size > unit; size = ceil_div(size, 2)) found.push_back(size);
  for (std::int64_t waves = 1; waves <= 8; ++waves) {
    found.push_back(std::min(total, round_up(ceil_div(total, spread * waves), unit)));
  }
  found.push_back(std::min(total, unit));
  std::sort(found.begin(), found.end(), std::greater<>());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

/// Lays out tiles of one kernel; what does not depend on the tile is found once.
class Placer {
 public:
  explicit Placer(const VectorKernel& kernel) : kernel_(kernel), lives_(lives_of(kernel)) {}

  [[nodiscard]] VectorSchedule place(VectorTile tile, std::int64_t begin) const {
    VectorSchedule schedule;
    schedule.tile = tile;
    schedule.pitch = pitch_of(kernel_, tile.columns);
    schedule.piece = piece_of(kernel_, tile);
    schedule.buffers.resize(kernel_.values.size());
    Arena arena(begin);
    const auto size = [&](std::size_t value) {
      return bytes_of(kernel_.values[value], tile, schedule.pitch, schedule.piece);
    };
    for (std::size_t value = 0; value < lives_.size(); ++value) {
      if (lives_[value].whole) schedule.buffers[value] = arena.take(size(value));
    }
    for (int i = 0; i < static_cast<int>(kernel_.steps.size()); ++i) {
      const KernelStep& step = kernel_.steps[static_cast<std::size_t>(i)];
      const auto result = static_cast<std::size_t>(step.result);
      const auto give = [&](int value) {
        if (value < 0) return;
        const Life& life = lives_[static_cast<std::size_t>(value)];
        UbBuffer& buffer = schedule.buffers[static_cast<std::size_t>(value)];
        if (!life.whole && life.last == i) arena.give(buffer);
      };
      if (!lives_[result].whole && lives_[result].first == i) {
        schedule.buffers[result] = arena.take(size(result));
      }
      give(step.result);
      for (std::size_t s = 0; s < step.source.size(); ++s) {
        const auto before = step.source.begin() + static_cast<std::ptrdiff_t>(s);
        const bool again = std::find(step.source.begin(), before, step.source[s]) != before;
        if (!again && step.source[s] != step.result) give(step.source[s]);
      }
    }
    schedule.ub_end = arena.end();
    return schedule;
  }

 private:
  const VectorKernel& kernel_;
  std::vector<Life> lives_;
};

using Place = std::function<VectorSchedule(VectorTile, std::int64_t begin)>;

/// Tries tiles and keeps the best of those that fit.
class Search {
 public:
  Search(const VectorKernel& kernel, const Machine& machine, int cores)
      : kernel_(kernel),
        machine_(machine),
        cores_(cores),
        begin_(ub_begin(kernel, machine)),
        estimator_(kernel, machine) {}

  /// Halves of the axes and even shares of the cores.
  void grid(const Place& place) {
    for (std::int64_t columns : wide()) {
      for (std::int64_t rows : high()) consider(place, {rows, columns});
    }
  }
  /// The largest tiles there are, and those that give every core as many.
  void fitted(const Place& place) {
    if (!kernel_.whole_rows && kernel_.rows() > 1) {
      for (std::int64_t columns : wide()) {
        const auto tile = [&](std::int64_t rows) { return VectorTile{rows, columns}; };
        fit_axis(place, kernel_.rows(), 1, tile);
      }
    } else if (!kernel_.whole_columns) {
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
    DVMSIM_ASSERT(compared_ > 0, "a kernel that fits has a tile");
    best.candidates = compared_;
    return best;
  }

 private:
  [[nodiscard]] std::vector<std::int64_t> wide() const {
    if (kernel_.whole_columns) return {kernel_.columns()};
    const bool one_row = kernel_.rows() * kernel_.outer() == 1;
    return candidates(kernel_.columns(), kBlock, one_row ? cores_ : 1);
  }
  [[nodiscard]] std::vector<std::int64_t> high() const {
    if (kernel_.whole_rows) return {kernel_.rows()};
    const std::int64_t share = ceil_div(cores_, std::max<std::int64_t>(1, kernel_.outer()));
    return candidates(kernel_.rows(), 1, std::max<std::int64_t>(1, share));
  }
  [[nodiscard]] bool fits_ub(const VectorSchedule& schedule) const {
    return schedule.ub_end <= machine_.ub.size.count();
  }
  void consider(const Place& place, VectorTile tile) {
    VectorSchedule schedule = place(tile, begin_);
    if (!fits_ub(schedule)) return;
    estimator_.judge(schedule, cores_);
    if (!found_ || schedule.estimate.total < best_.estimate.total) best_ = std::move(schedule);
    found_ = true;
    ++compared_;
  }
  template <class Tile>
  void fit_axis(const Place& place, std::int64_t size, std::int64_t unit, const Tile& tile) {
    std::int64_t low = 0, most = ceil_div(size, unit);
    while (low < most) {
      const std::int64_t middle = ceil_div(low + most, 2);
      if (fits_ub(place(tile(middle * unit), begin_))) {
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
  int cores_;
  std::int64_t begin_;
  Estimator estimator_;
  VectorSchedule best_{};
  bool found_ = false;  // is there a best one?
  std::optional<VectorSchedule> settled_{};
  int compared_ = 0;
};

/// As many copies as flags can count and registers can address.
std::vector<BufferDepth> depths_of(const VectorKernel& kernel, const Machine& machine) {
  constexpr std::size_t kMostMoved = 8;  // each copied buffer takes a register
  constexpr BufferDepth kDepths[] = {{1, 1}, {2, 1}, {2, 2}, {3, 2}};
  std::vector<BufferDepth> depths;
  for (const BufferDepth depth : kDepths) {
    const bool many = kernel.inputs.size() + kernel.outputs.size() > kMostMoved;
    const auto counted = [&](int copies, std::size_t tensors) {
      return copies == 1 || (!many && copies * static_cast<int>(tensors) <= machine.flag.max);
    };
    if (counted(depth.loads, kernel.inputs.size()) &&
        counted(depth.stores, kernel.outputs.size())) {
      depths.push_back(depth);
    }
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

bool is_invariant(const VectorKernel& kernel, const KernelTensor& tensor, VectorTile tile) {
  const Extent extent = kernel.values[static_cast<std::size_t>(tensor.value)].extent;
  if (extent == Extent::Full || extent == Extent::Column) return false;
  const std::size_t columns = kernel.dims.size() - 1;
  for (std::size_t i = 0; i < columns; ++i) {
    if (tensor.stride[i] != 0) return false;
  }
  return tensor.stride[columns] == 0 || tile.columns >= kernel.columns();
}

VectorSchedule place(const VectorKernel& kernel, VectorTile tile, std::int64_t begin) {
  return Placer(kernel).place(tile, begin);
}

bool fits(const VectorKernel& kernel, const Machine& machine, Packing packing) {
  const VectorTile least{
      kernel.whole_rows ? kernel.rows() : 1,
      kernel.whole_columns ? kernel.columns() : std::min<std::int64_t>(kernel.columns(), kBlock)};
  const auto in_ub = [&](const VectorSchedule& schedule) {
    return schedule.ub_end <= machine.ub.size.count();
  };
  const std::int64_t begin = ub_begin(kernel, machine);
  if (in_ub(place(kernel, least, begin))) return true;
  return packing == Packing::BestFit && in_ub(BufferPlacer(kernel).place(least, {}, begin).front());
}

VectorSchedule schedule_vector(const VectorKernel& kernel, const Machine& machine, int cores) {
  Search search(kernel, machine, cores);
  const Placer placer(kernel);
  search.grid([&](VectorTile tile, std::int64_t begin) { return placer.place(tile, begin); });
  return search.best();
}

VectorSchedule schedule_packed(const VectorKernel& kernel, const Machine& machine, int cores,
                               const VectorMeasure& measure) {
  Search search(kernel, machine, cores);
  const Placer in_order(kernel);
  search.grid([&](VectorTile tile, std::int64_t begin) { return in_order.place(tile, begin); });
  search.settle(measure);
  const BufferPlacer placer(kernel);
  for (const BufferDepth depth : depths_of(kernel, machine)) {
    const auto place = [&](VectorTile tile, std::int64_t begin) {
      return placer.place(tile, depth, begin).front();
    };
    search.grid(place);
    search.fitted(place);
    search.settle(measure);
  }
  return search.best();
}

std::string to_text(const VectorSchedule& schedule) {
  std::string text = fmt::format(
      "tile {} x {} (pitch {}), {} tiles on {} cores, UB {} bytes\n"
      "  per tile: load {:.0f}, vector {:.0f}, store {:.0f}, memory {:.0f} cycles\n",
      schedule.tile.rows, schedule.tile.columns, schedule.pitch, schedule.estimate.tiles,
      schedule.cores, schedule.ub_end, schedule.estimate.load, schedule.estimate.vector,
      schedule.estimate.store, schedule.estimate.memory);
  for (std::size_t i = 0; i < schedule.buffers.size(); ++i) {
    const UbBuffer& buffer = schedule.buffers[i];
    text += fmt::format("  v{} at {:#x} ({} bytes)", i, buffer.base, buffer.size);
    text += buffer.copies > 1 ? fmt::format(", {} copies\n", buffer.copies) : "\n";
  }
  return text;
}

}  // namespace dvmsim
