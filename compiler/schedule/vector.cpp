#include "compiler/schedule/vector.h"

#include <fmt/format.h>

#include <algorithm>

#include "vm/base/error.h"

namespace dvmsim {
namespace {

constexpr std::int64_t kBlock = 32;        // bytes; UB addresses and row pitches are multiples
constexpr std::int64_t kBankTurn = 256;    // half of a turn through the 16 bank groups of 32 bytes
constexpr std::int64_t kWordsPerStep = 8;  // generous size of one step's code, for the UB left over

std::int64_t round_up(std::int64_t value, std::int64_t unit) {
  return (value + unit - 1) / unit * unit;
}
std::int64_t ceil_div(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

/// Elements between rows, so that rows of every type in the kernel begin on a block.
std::int64_t pitch_of(const VectorKernel& kernel, std::int64_t columns) {
  std::int64_t smallest = 8;
  for (const KernelValue& value : kernel.values) {
    smallest = std::min<std::int64_t>(smallest, size_of(value.dtype));
  }
  return round_up(columns, kBlock / smallest);
}

std::int64_t bytes_of(const KernelValue& value, VectorTile tile, std::int64_t pitch) {
  const std::int64_t size = size_of(value.dtype);
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

std::int64_t code_bytes(const VectorKernel& kernel) {
  const auto steps = kernel.steps.size() + 2 * (kernel.inputs.size() + kernel.outputs.size());
  return static_cast<std::int64_t>(steps + 16) * kWordsPerStep * 8;
}

std::int64_t ub_begin(const VectorKernel& kernel, const Machine& machine) {
  const bool in_ub = machine.firmware.memory == ProgramMemory::Ub;
  return machine.ub.reserved.count() + (in_ub ? round_up(code_bytes(kernel), 512) : 0);
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

}  // namespace

VectorSchedule place(const VectorKernel& kernel, VectorTile tile, std::int64_t begin) {
  VectorSchedule schedule{tile, pitch_of(kernel, tile.columns), 1, {}, 0, 0, {}};
  schedule.buffers.resize(kernel.values.size());
  const std::vector<Life> lives = lives_of(kernel);
  Arena arena(begin);
  const auto size = [&](std::size_t value) {
    return bytes_of(kernel.values[value], tile, schedule.pitch);
  };
  for (std::size_t value = 0; value < lives.size(); ++value) {
    if (lives[value].whole) schedule.buffers[value] = arena.take(size(value));
  }
  for (int i = 0; i < static_cast<int>(kernel.steps.size()); ++i) {
    const auto result = static_cast<std::size_t>(kernel.steps[static_cast<std::size_t>(i)].result);
    if (!lives[result].whole && lives[result].first == i) {
      schedule.buffers[result] = arena.take(size(result));
    }
    for (std::size_t value = 0; value < lives.size(); ++value) {
      if (!lives[value].whole && lives[value].last == i) arena.give(schedule.buffers[value]);
    }
  }
  schedule.ub_end = arena.end();
  return schedule;
}

VectorEstimate estimate(const VectorKernel& kernel, const VectorSchedule& schedule,
                        const Machine& machine) {
  const VectorTile tile = schedule.tile;
  VectorEstimate result;
  result.tiles = kernel.outer() * ceil_div(kernel.rows(), tile.rows) *
                 ceil_div(kernel.columns(), tile.columns);
  result.per_core = ceil_div(result.tiles, schedule.cores);
  const auto moved = [&](const std::vector<KernelTensor>& tensors) {
    double bytes = 0;
    for (const KernelTensor& tensor : tensors) {
      const KernelValue& value = kernel.values[static_cast<std::size_t>(tensor.value)];
      bytes += static_cast<double>(bytes_of(value, tile, tile.columns));
    }
    return bytes;
  };
  const double in = moved(kernel.inputs), out = moved(kernel.outputs);
  const double gap = static_cast<double>(machine.mte2.issue_gap.count());
  const auto rate = [](Rate r) { return r.per_cycle().value(); };
  const auto inputs = static_cast<double>(kernel.inputs.size());
  const auto outputs = static_cast<double>(kernel.outputs.size());
  result.load = std::max(in / rate(machine.mte2.gm_to_ub), inputs * gap);
  result.store = std::max(out / rate(machine.mte3.ub_to_gm), outputs * gap);
  const double fixed = static_cast<double>((machine.vector.fixed + machine.vector.tail).count());
  double scalar = 0;
  for (const KernelStep& step : kernel.steps) {
    const KernelValue& value = kernel.values[static_cast<std::size_t>(
        step.op == isa::Op::vredx || step.op == isa::Op::vredy ? step.source[0] : step.result)];
    const double bytes = static_cast<double>(bytes_of(value, tile, schedule.pitch));
    result.vector +=
        fixed + bytes / static_cast<double>(machine.vector.repeat.count()) * weight(step.op);
    scalar += static_cast<double>(machine.decode_cost(DecodeTerm::fetch).count() * 5 +
                                  machine.decode_cost(DecodeTerm::dispatch).count() +
                                  machine.decode_cost(DecodeTerm::operand).count() * 9);
  }
  const double share =
      rate(machine.hbm.peak) * machine.hbm.efficiency.value() / static_cast<double>(schedule.cores);
  result.memory = (in + out * machine.hbm.write_cost.value()) / share;
  const double latency = static_cast<double>((machine.mte2.latency + machine.mte3.latency).count() +
                                             machine.l2.read_latency.cycles().count());
  const double slowest =
      std::max({result.load, result.vector, result.store, result.memory, scalar});
  result.total = result.load + result.vector + result.store + latency +
                 slowest * static_cast<double>(result.per_core - 1) +
                 20.0 * static_cast<double>(result.per_core);
  return result;
}

bool fits(const VectorKernel& kernel, const Machine& machine) {
  const VectorTile least{
      kernel.whole_rows ? kernel.rows() : 1,
      kernel.whole_columns ? kernel.columns() : std::min<std::int64_t>(kernel.columns(), kBlock)};
  return place(kernel, least, ub_begin(kernel, machine)).ub_end <= machine.ub.size.count();
}

VectorSchedule schedule_vector(const VectorKernel& kernel, const Machine& machine, int cores) {
  const std::int64_t begin = ub_begin(kernel, machine);
  const auto wide =
      kernel.whole_columns
          ? std::vector<std::int64_t>{kernel.columns()}
          : candidates(kernel.columns(), kBlock, kernel.rows() * kernel.outer() == 1 ? cores : 1);
  const auto high =
      kernel.whole_rows
          ? std::vector<std::int64_t>{kernel.rows()}
          : candidates(kernel.rows(), 1,
                       std::max<std::int64_t>(
                           1, ceil_div(cores, std::max<std::int64_t>(1, kernel.outer()))));
  VectorSchedule best;
  int compared = 0;
  for (std::int64_t columns : wide) {
    for (std::int64_t rows : high) {
      VectorSchedule schedule = place(kernel, {rows, columns}, begin);
      if (schedule.ub_end > machine.ub.size.count()) continue;
      const std::int64_t tiles =
          kernel.outer() * ceil_div(kernel.rows(), rows) * ceil_div(kernel.columns(), columns);
      schedule.cores = static_cast<int>(std::min<std::int64_t>(cores, tiles));
      // Fewest cores with the same number of tiles on the busiest.
      schedule.cores = static_cast<int>(ceil_div(tiles, ceil_div(tiles, schedule.cores)));
      schedule.estimate = estimate(kernel, schedule, machine);
      if (compared == 0 || schedule.estimate.total < best.estimate.total) best = std::move(schedule);
      ++compared;
    }
  }
  DVMSIM_ASSERT(compared > 0, "a kernel that fits has a tile");
  best.candidates = compared;
  return best;
}

std::string to_text(const VectorSchedule& schedule) {
  std::string text = fmt::format(
      "tile {} x {} (pitch {}), {} tiles on {} cores, UB {} bytes\n"
      "  per tile: load {:.0f}, vector {:.0f}, store {:.0f}, memory {:.0f} cycles\n",
      schedule.tile.rows, schedule.tile.columns, schedule.pitch, schedule.estimate.tiles,
      schedule.cores, schedule.ub_end, schedule.estimate.load, schedule.estimate.vector,
      schedule.estimate.store, schedule.estimate.memory);
  for (std::size_t i = 0; i < schedule.buffers.size(); ++i) {
    text += fmt::format("  v{} at {:#x} ({} bytes)\n", i, schedule.buffers[i].base,
                        schedule.buffers[i].size);
  }
  return text;
}

}  // namespace dvmsim
