#include "compiler/schedule/copy.h"

#include <algorithm>

#include "vm/base/rounding.h"

namespace dvmsim {
namespace {

// Of the four loops of loadnd and storend, those whose footprint is exact in any case.
constexpr int kLoops = 3;
constexpr std::int64_t kMostBytes = 32 * 1024;  // a tile; large enough for full DMA rate
constexpr std::int64_t kMostSide = 128;         // elements a side of a turned tile, at most
constexpr int kTurns = 2;                       // buffers of each kind; all of them fit UB

/// Bytes between rows of a tile to be turned.
std::int64_t turned_pitch(std::int64_t row_bytes) {
  return ceil_div(row_bytes, 32) * 32;
}

std::int64_t count_tiles(const std::vector<std::int64_t>& dims,
                         const std::vector<std::int64_t>& tile) {
  std::int64_t tiles = 1;
  for (std::size_t i = 0; i < dims.size(); ++i) tiles *= ceil_div(dims[i], tile[i]);
  return tiles;
}

/// Bytes of a tile that the memory moves: short runs count as the least request.
double moved_bytes(std::int64_t elements, std::int64_t run, std::int64_t size,
                   const Machine& machine) {
  const std::int64_t run_bytes = std::max(run * size, machine.dma.least_request.count());
  return static_cast<double>(ceil_div(elements, run) * run_bytes);
}

}  // namespace

std::vector<std::int64_t> dense_strides(const std::vector<std::int64_t>& shape) {
  std::vector<std::int64_t> strides(shape.size(), 1);
  for (std::size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
  return strides;
}

ViewCopy normalized(const ViewCopy& copy) {
  ViewCopy result = copy;
  result.dims.clear();
  result.in_stride.clear();
  result.out_stride.clear();
  for (std::size_t i = 0; i < copy.dims.size(); ++i) {
    if (copy.dims[i] == 1) continue;
    const bool merges = !result.dims.empty() &&
                        result.out_stride.back() == copy.out_stride[i] * copy.dims[i] &&
                        (copy.fill || result.in_stride.back() == copy.in_stride[i] * copy.dims[i]);
    if (merges) {
      result.dims.back() *= copy.dims[i];
      result.out_stride.back() = copy.out_stride[i];
      result.in_stride.back() = copy.fill ? 1 : copy.in_stride[i];
    } else {
      result.dims.push_back(copy.dims[i]);
      result.out_stride.push_back(copy.out_stride[i]);
      result.in_stride.push_back(copy.fill ? 1 : copy.in_stride[i]);
    }
  }
  if (result.dims.empty()) {
    result.dims = {1};
    result.in_stride = result.out_stride = {1};
  }
  return result;
}

bool is_in_place(const ViewCopy& copy) {
  if (copy.fill || copy.in_offset != copy.out_offset) return false;
  for (std::size_t i = 0; i < copy.dims.size(); ++i) {
    if (copy.dims[i] != 1 && copy.in_stride[i] != copy.out_stride[i]) return false;
  }
  return true;
}

namespace {

/// While one tile is stored the next is loaded, where a core has several. What is filled alone is
/// only stored.
int turns_of(const ViewCopy& copy, const CopySchedule& schedule, const Machine& machine,
             int cores) {
  return !copy.fill && schedule.tiles > cores ? std::min(kTurns, machine.flag.max) : 1;
}

/// A tile that is short along the other side may be longer along this one, while every core still
/// gets two.
void lengthen(const ViewCopy& copy, CopySchedule& schedule, std::size_t side, std::int64_t size,
              std::int64_t room, int cores) {
  const std::size_t last = copy.dims.size() - 1;
  const std::size_t other = side == last ? static_cast<std::size_t>(schedule.along) : last;
  if (schedule.tile[other] < copy.dims[other]) return;
  const std::int64_t fits = room / turned_pitch(schedule.tile[other] * size);
  const std::int64_t tiles = count_tiles(copy.dims, schedule.tile);
  const std::int64_t many = tiles * schedule.tile[side] / (2 * cores);
  const std::int64_t most = std::min({copy.dims[side], fits, many});
  while (2 * schedule.tile[side] <= most) schedule.tile[side] *= 2;
}

/// How it goes, and along what.
CopySchedule way_of(const ViewCopy& copy) {
  using Way = CopySchedule::Way;
  CopySchedule schedule;
  const std::size_t last = copy.dims.size() - 1;
  schedule.way =
      copy.out_stride[last] == 1 && copy.in_stride[last] == 1 ? Way::Runs : Way::Elements;
  if (copy.out_stride[last] != 1 || copy.in_stride[last] == 1) return schedule;
  for (std::size_t i = 0; i < last; ++i) {
    if (copy.in_stride[i] != 1 || copy.dims[i] < 2) continue;
    schedule.way = Way::Transpose;
    schedule.along = static_cast<int>(i);
    break;
  }
  return schedule;
}

/// Dimensions from the innermost on that one instruction reaches; of a transpose, there are two.
std::size_t reach_of(CopySchedule::Way way) {
  return way == CopySchedule::Way::Runs ? kLoops + 1 : kLoops;
}

void choose_turned_tile(const ViewCopy& copy, CopySchedule& schedule, std::int64_t size,
                        std::int64_t room, int cores) {
  const auto along = static_cast<std::size_t>(schedule.along);
  const std::size_t last = copy.dims.size() - 1;
  std::int64_t side = kMostSide;
  while (side > 16 && side * side * size > room) side /= 2;
  schedule.tile[along] = std::min(copy.dims[along], side);
  schedule.tile[last] = std::min(copy.dims[last], side);
  lengthen(copy, schedule, along, size, room, cores);
  lengthen(copy, schedule, last, size, room, cores);
}

void choose_tile(const ViewCopy& copy, CopySchedule& schedule, std::int64_t size, std::int64_t room,
                 int cores) {
  // Grow from the innermost dimension, as far as the loops of one instruction reach.
  std::int64_t bytes = size;
  const std::size_t reach = reach_of(schedule.way);
  for (std::size_t i = copy.dims.size(); i-- > 0 && copy.dims.size() - i <= reach;) {
    schedule.tile[i] = std::min(copy.dims[i], std::max<std::int64_t>(1, room / bytes));
    bytes *= schedule.tile[i];
    if (schedule.tile[i] < copy.dims[i]) break;
  }
  // Smaller tiles while cores would idle and pieces stay worth a transfer.
  while (count_tiles(copy.dims, schedule.tile) < 2 * cores && bytes > 2048) {
    const auto outermost = std::find_if(schedule.tile.begin(), schedule.tile.end(),
                                        [](std::int64_t extent) { return extent > 1; });
    if (outermost == schedule.tile.end()) break;
    bytes = bytes / *outermost * ceil_div(*outermost, 2);
    *outermost = ceil_div(*outermost, 2);
  }
}

std::int64_t buffer_bytes(const CopySchedule& schedule, std::int64_t size) {
  const std::int64_t b = schedule.tile.back();
  if (schedule.way == CopySchedule::Way::Transpose) {
    const std::int64_t a = schedule.tile[static_cast<std::size_t>(schedule.along)];
    return std::max(b * turned_pitch(a * size), a * turned_pitch(b * size));
  }
  std::int64_t bytes = size;
  for (std::int64_t extent : schedule.tile) bytes *= extent;
  return bytes;
}

}  // namespace

CopySchedule schedule_copy(const ViewCopy& copy, DType dtype, const Machine& machine, int cores,
                           const BoxChoice& choice) {
  CopySchedule schedule = way_of(copy);
  const std::int64_t size = size_of(dtype);
  // Both kinds of buffers of kTurns fill half of UB at most; more turns have smaller ones.
  const int parts = std::max(8, 2 * choice.turns.value_or(kTurns) + 2);
  const std::int64_t room = std::min<std::int64_t>(
      kMostBytes, (machine.ub.size.count() - machine.ub.reserved.count()) / parts);
  schedule.tile.assign(copy.dims.size(), 1);
  if (choice.tile) {
    schedule.tile = *choice.tile;
  } else if (schedule.way == CopySchedule::Way::Transpose) {
    choose_turned_tile(copy, schedule, size, room, cores);
  } else {
    choose_tile(copy, schedule, size, room, cores);
  }
  schedule.bytes = buffer_bytes(schedule, size);
  schedule.tiles = count_tiles(copy.dims, schedule.tile);
  schedule.turns = choice.turns ? *choice.turns : turns_of(copy, schedule, machine, cores);
  return schedule;
}

std::int64_t turning_bytes(const CopySchedule& schedule) {
  return round_up(schedule.bytes, 512) * schedule.turns;
}

std::int64_t copies_begin(const Machine& machine, std::size_t copies) {
  const auto code = static_cast<std::int64_t>(copies) * 1024 + 512;
  return round_up(
      machine.ub.reserved.count() + (machine.firmware.memory == ProgramMemory::Ub ? code : 0), 512);
}

CopyPlan schedule_copies(const CopyKernel& kernel, const Machine& machine, int cores,
                         const CopyChoice& choice) {
  CopyPlan plan;
  std::int64_t most = 1;
  for (const ViewCopy& copy : kernel.copies) {
    CopySchedule schedule = schedule_copy(normalized(copy), kernel.dtype, machine, cores,
                                          box_of(choice, plan.boxes.size()));
    const std::int64_t bytes = turning_bytes(schedule);
    const bool turned = schedule.way == CopySchedule::Way::Transpose;
    schedule.end =
        copies_begin(machine, kernel.copies.size()) + (turned ? 2 * bytes + kApart : bytes);
    most = std::max(most, schedule.tiles);
    plan.boxes.push_back(std::move(schedule));
  }
  plan.cores = static_cast<int>(std::min<std::int64_t>(cores, most));
  return plan;
}

CopyLimits limits_of(const ViewCopy& copy, const Machine& machine) {
  const CopySchedule way = way_of(copy);
  const std::size_t rank = copy.dims.size();
  CopyLimits limits{copy.dims, copy.fill ? 1 : most_turns(machine)};
  for (std::size_t i = 0; i < rank; ++i) {
    const bool reached = way.way == CopySchedule::Way::Transpose
                             ? i + 1 == rank || static_cast<int>(i) == way.along
                             : rank - i <= reach_of(way.way);
    if (!reached) limits.tile[i] = 1;
  }
  return limits;
}

double copy_time(const ViewCopy& given, DType dtype, const Machine& machine, int cores) {
  const ViewCopy copy = normalized(given);
  const CopySchedule schedule = schedule_copy(copy, dtype, machine, cores);
  const std::int64_t size = size_of(dtype);
  const bool turns = schedule.way == CopySchedule::Way::Transpose;
  const std::int64_t last = schedule.tile.back();
  const std::int64_t out_run = schedule.way == CopySchedule::Way::Elements ? 1 : last;
  const std::int64_t in_run =
      turns ? schedule.tile[static_cast<std::size_t>(schedule.along)] : out_run;
  std::int64_t elements = 1;
  for (std::int64_t extent : schedule.tile) elements *= extent;
  const double load = moved_bytes(elements, in_run, size, machine) /
                      machine.mte2.gm_to_ub.per_cycle().value(),
               store = moved_bytes(elements, out_run, size, machine) /
                       machine.mte3.ub_to_gm.per_cycle().value();
  const Cycles latency = machine.mte2.latency + machine.l2.read_latency.cycles() +
                         machine.mte3.latency + machine.l2.write_latency.cycles();
  const std::int64_t used = std::min<std::int64_t>(cores, schedule.tiles);
  const double tiles = static_cast<double>(ceil_div(schedule.tiles, used));
  const auto start =
      static_cast<double>(cycles_in(machine.launch.per_core, machine.clock.core).count() * used);
  const double alone = load + store + static_cast<double>(latency.count());
  const double pace = std::max({load, store, alone / schedule.turns});
  return start + alone + (tiles - 1) * pace;
}

double launch_time(const Machine& machine) {
  const auto cycles = [&](machine_types::Time time) {
    return static_cast<double>(cycles_in(time, machine.clock.core).count());
  };
  return cycles(machine.launch.vector) + cycles(machine.launch.entry) + cycles(machine.launch.exit);
}

}  // namespace dvmsim
