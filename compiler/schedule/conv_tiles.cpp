#include "compiler/schedule/conv_tiles.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "compiler/schedule/matmul_legal.h"
#include "vm/base/error.h"
#include "vm/firmware/conv_layout.h"
#include "vm/isa/window.h"

namespace dvmsim {

namespace {

using isa::ConvArguments;

double real(std::int64_t value) {
  return static_cast<double>(value);
}
double per_cycle(const Rate& rate) {
  return rate.per_cycle().value();
}
double cycles(Cycles value) {
  return real(value.count());
}

/// Cycles of a fractal's windows, on average over where its 16 positions lie.
double fractal_cycles(const ConvArguments& words, std::int64_t row, const Machine& machine) {
  const std::int64_t stride = isa::unpack_window(0, words.steps).stride_w;
  const double bytes = real(machine.cube.fractal_rows * machine.cube.fractal_row.count());
  const double slowest = bytes / per_cycle(machine.mte1.img2col_least);
  const auto over = [&](double parts) {
    return std::min(slowest, bytes * parts / per_cycle(machine.mte1.img2col));
  };
  if (stride != 1 && stride != 2 && stride != 4 && stride != 8) return slowest;
  const double one = stride == 1 ? bytes / per_cycle(machine.mte1.l0a) : over(real(2 * stride));
  if (row % kFractal == 0) return one;
  const double more = row >= kFractal ? 2 : real(kFractal - 1) / real(row) + 1;
  const double several = stride == 1 ? over(more + 2) : over(real(2 * stride) + more);
  const double share = row >= kFractal ? real(kFractal - 1) / real(row) : 1;
  return one + (several - one) * std::min(1.0, share);
}

/// Port time of `bytes` in runs of `run` bytes that become fractals, `row` of them at a time.
double load_cycles(std::int64_t bytes, std::int64_t row, std::int64_t run, int cores,
                   const Machine& machine) {
  const bool aligned = row % machine.mte2.nz_align.count() == 0;
  const double port = per_cycle(machine.mte2.gm_to_l1);
  const double rate = aligned ? port : std::min(port, per_cycle(machine.mte2.nz_unaligned));
  const std::int64_t least = machine.dma.least_request.count();
  const double rounded = real(round_up(run, least)) / real(run);
  return real(bytes) * rounded * std::max(1 / rate, real(cores) / per_cycle(machine.l2.read));
}

struct Grid {
  std::int64_t rows, columns, batches;
};

Grid grid_of(const ConvArguments& words) {
  const bool by_row = words.by_row != 0;
  const std::int64_t positions = by_row ? words.out_w : words.out_h * words.out_w;
  return {ceil_div(positions, words.tile_m), ceil_div(words.outputs, words.tile_n),
          words.images * words.groups * (by_row ? words.out_h : 1)};
}

/// Sides of tiles worth trying: a ladder and the cut of the whole into equal parts.
std::vector<std::int64_t> sides_of(std::int64_t extent, std::int64_t most) {
  std::vector<std::int64_t> sides;
  for (std::int64_t side : {16, 32, 64, 96, 128, 192, 256, 384, 512, 1024}) {
    if (side < extent && side <= most) sides.push_back(side);
  }
  for (std::int64_t parts : {1, 2, 3, 4, 6, 8, 12, 24}) {
    const std::int64_t side = round_up(ceil_div(extent, parts), kFractal);
    if (side <= most && std::find(sides.begin(), sides.end(), side) == sides.end()) {
      sides.push_back(side);
    }
  }
  return sides;
}

/// Blocks of channels in L1 at a time: all, or fewer.
std::vector<std::int64_t> depths_of(std::int64_t channels, std::int64_t c0) {
  std::vector<std::int64_t> depths = {round_up(channels, c0)};
  for (std::int64_t side = 16 * c0; side >= c0; side /= 2) {
    if (side < depths.front()) depths.push_back(side);
  }
  return depths;
}

/// What was chosen alone, else what is worth trying.
template <class Value>
std::vector<Value> only(const std::optional<Value>& chosen, std::vector<Value> worthwhile) {
  return chosen ? std::vector<Value>{*chosen} : std::move(worthwhile);
}

template <class Rank>
void each_candidate(const ConvTask& task, const ConvChoice& choice, const Machine& machine,
                    Rank&& rank) {
  ConvArguments words = task.words;
  const bool by_row = choice.by_row ? *choice.by_row : !fits_whole_rows(task, machine);
  words.by_row = by_row ? 1 : 0;
  words.swizzle = static_cast<std::int64_t>(choice.visit.value_or(isa::Swizzle::Zn));
  words.width = choice.width.value_or(1);
  const std::int64_t positions = by_row ? words.out_w : words.out_h * words.out_w;
  const std::int64_t l0c = machine.l0c.size.count() / 4;
  const std::int64_t c0 = 32 / size_of(task.type);
  for (std::int64_t tile_n : only(choice.n, sides_of(words.outputs, 512))) {
    words.tile_n = tile_n;
    for (std::int64_t tile_m : only(choice.m, sides_of(positions, l0c / tile_n))) {
      words.tile_m = tile_m;
      for (const bool resident : only(choice.resident, {false, true})) {
        words.resident = resident ? 1 : 0;
        int legal = 0;  // fewer channels only split runs further
        for (std::int64_t tile_c : only(choice.c, depths_of(words.channels, c0))) {
          words.tile_c = tile_c;
          if (!conv_problem(machine, words, task.type).empty()) continue;
          rank(words);
          if (++legal == 2) break;
        }
      }
    }
  }
}

/// Nullopt if no candidate gives so many cores a tile, or none fits.
std::optional<ConvSchedule> cheapest(const ConvTask& task, const Machine& machine, int cores,
                                     const ConvChoice& choice) {
  const auto start =
      static_cast<double>(cycles_in(machine.launch.per_core, machine.clock.core).count());
  const int most = std::min<int>(cores, static_cast<int>(machine.cores.cube));
  std::optional<ConvSchedule> best;
  double least = 0;
  const auto rank = [&](const ConvArguments& words, int used) {
    const ConvTime time = estimate_conv(words, task.type, used, machine);
    const double total = time.total + start * used;
    if (best && total >= least) return;
    least = total;
    best = {words, used, time};
  };
  each_candidate(task, choice, machine, [&](const ConvArguments& words) {
    const Grid grid = grid_of(words);
    if (words.width > std::max(grid.rows, grid.columns)) return;
    const std::int64_t tiles = grid.rows * grid.columns * grid.batches;
    if (choice.cores.value_or(1) > tiles) return;
    rank(words, choice.cores.value_or(static_cast<int>(std::min<std::int64_t>(most, tiles))));
  });
  if (!best || choice.cores) return best;
  // Fewer cores for the same tiles, as each costs time to start.
  const ConvSchedule widest = *best;
  for (int used = widest.cores / 2; used >= 1; used /= 2) rank(widest.words, used);
  return best;
}

}  // namespace

bool fits_whole_rows(const ConvTask& task, const Machine& machine) {
  ConvArguments words = task.words;
  words.by_row = 0;
  words.tile_m = words.tile_n = kFractal;
  words.tile_c = 32 / size_of(task.type);
  return conv_problem(machine, words, task.type).empty();
}

ConvTime estimate_conv(const ConvArguments& words, DType type, int cores, const Machine& machine) {
  const ConvLayout l = conv_layout(machine, words, type);
  const CubeStep step = machine.step(type);
  const Grid grid = grid_of(words);
  const std::int64_t size = size_of(type);
  const std::int64_t positions = words.by_row != 0 ? words.out_w : words.out_h * words.out_w;
  const std::int64_t m = std::min(words.tile_m, positions),
                     n = std::min(words.tile_n, words.outputs);
  const std::int64_t blocks = ceil_div(words.channels, words.tile_c);
  const std::int64_t parts = blocks * ceil_div(l.block_depth, l.part);
  const double tiles = real(grid.rows * grid.columns * grid.batches);
  const double waves = std::ceil(tiles / real(cores));
  ConvTime t;
  t.cube = real(ceil_div(m, step.m) * ceil_div(n, step.n) * ceil_div(l.depth, step.k)) +
           real(parts) * cycles(machine.cube.gap);
  const std::int64_t row = words.by_row != 0 ? m : words.out_w;
  t.mte1 = real(ceil_div(m, kFractal) * l.depth / l.c0) * fractal_cycles(words, row, machine) +
           real(round_up(n, kFractal) * l.depth * size) / per_cycle(machine.mte1.l0b) +
           real(2 * parts) * cycles(machine.mte1.fixed);
  const std::int64_t pixel = std::min(words.tile_c, words.channels) * size;
  const std::int64_t run = pixel == words.x_pixel ? l.pixels * pixel : pixel;
  const double map = load_cycles(l.pixels * words.channels * size, pixel, run, cores, machine);
  const std::int64_t column = words.resident != 0 ? l.depth * size : l.block_depth * size;
  const double weights = load_cycles(n * l.depth * size, column, column, cores, machine);
  t.mte2 = map + (words.resident != 0 ? 0 : weights);
  t.fix = real(m * n * 4) / per_cycle(machine.fix.l0c_to_gm) + cycles(machine.fix.issue_gap);
  t.scalar = real(3 * parts + 2 * blocks + 1) * cycles(machine.firmware.macro_command);

  const double latency = cycles(machine.mte2.latency) + cycles(machine.l2.read_latency) +
                         cycles(machine.hbm.latency) + 2 * cycles(machine.flag.hop);
  const double settle =
      2 * cycles(machine.flag.hop) + cycles(machine.mte1.tail) + cycles(machine.cube.head);
  const double chained = (t.cube + t.mte1 + real(parts) * settle) / 2;
  const double work = std::max({t.cube, t.mte1, chained, t.scalar});
  const double staged = (work + t.mte2 + real(blocks) * latency) / 2;
  const double handover = 2 * words.tile_m * words.tile_n * 4 <= machine.l0c.size.count()
                              ? 0
                              : t.fix + cycles(machine.fix.latency) + settle;
  const double tile = std::max({work + handover, t.mte2, t.fix, staged});
  // Weights stay while a core's tiles have the same outputs; each change stops it.
  const bool one_key = grid.columns == 1 && words.groups == 1;
  const double keys = one_key ? 1
                      : real(grid.rows) >= 2.0 * cores
                          ? std::min(waves, real(grid.columns * grid.batches))
                          : waves;
  const double resident = words.resident != 0 ? keys * (weights + latency) : 0;
  const double first = t.mte2 / real(blocks) + latency;
  const double last = t.fix + cycles(machine.fix.latency) + cycles(machine.l2.write_latency);
  t.total = first + resident + waves * tile + last;
  return t;
}

ConvSchedule choose_conv(const ConvTask& task, const Machine& machine, int cores) {
  const auto best = cheapest(task, machine, cores, {});
  if (best) return *best;
  throw Error("convolution: no tile of it fits L1, L0A, L0B and L0C of " + machine.name +
              "; enlarge them");
}

ConvChoice choice_of(const ConvSchedule& schedule) {
  const ConvArguments& words = schedule.words;
  return {words.tile_m,        words.tile_n,      words.tile_c,
          words.resident != 0, words.by_row != 0, static_cast<isa::Swizzle>(words.swizzle),
          words.width,         schedule.cores};
}

namespace {

/// What no schedule of it can be, or what is wrong with the compiler's own if it is changed so.
std::string refusal(const ConvTask& task, const Machine& machine, int cores,
                    const ConvChoice& choice) {
  const int most = std::min<int>(cores, static_cast<int>(machine.cores.cube));
  if (choice.cores.value_or(1) > most) {
    return fmt::format("cores: {} of {} cube cores", *choice.cores, most);
  }
  const ConvChoice own = choice_of(choose_conv(task, machine, cores));
  ConvArguments words = task.words;
  words.tile_m = choice.m.value_or(*own.m);
  words.tile_n = choice.n.value_or(*own.n);
  words.tile_c = choice.c.value_or(*own.c);
  words.resident = choice.resident.value_or(*own.resident) ? 1 : 0;
  words.by_row = choice.by_row.value_or(*own.by_row) ? 1 : 0;
  words.width = choice.width.value_or(1);
  const auto uneven = [](const char* key, std::int64_t side, std::int64_t unit) {
    return side % unit == 0 ? std::string()
                            : fmt::format("{}: {} is no multiple of {}", key, side, unit);
  };
  for (const std::string& why :
       {uneven("m", words.tile_m, kFractal), uneven("n", words.tile_n, kFractal),
        uneven("c", words.tile_c, 32 / size_of(task.type))}) {
    if (!why.empty()) return why;
  }
  if (auto why = conv_problem(machine, words, task.type); !why.empty()) return why;
  const Grid grid = grid_of(words);
  const std::int64_t longer = std::max(grid.rows, grid.columns);
  if (words.width > longer) {
    return fmt::format("width: {}, but the longer side has {} tiles", words.width, longer);
  }
  const std::int64_t tiles = grid.rows * grid.columns * grid.batches;
  if (choice.cores.value_or(1) > tiles) {
    return fmt::format("cores: {}, but there are {} tiles", *choice.cores, tiles);
  }
  return "no tiles are all of that";
}

}  // namespace

std::optional<ConvSchedule> choose_conv(const ConvTask& task, const Machine& machine, int cores,
                                        const ConvChoice& choice, std::string* why) {
  const bool too_many = choice.cores.value_or(1) > std::min<int>(cores, machine.cores.cube);
  auto best = too_many ? std::nullopt : cheapest(task, machine, cores, choice);
  if (!best) *why = refusal(task, machine, cores, choice);
  return best;
}

MatmulSpec product_of(const ConvTask& task, bool by_row) {
  const ConvArguments& words = task.words;
  MatmulSpec spec;
  spec.m = by_row ? words.out_w : words.out_h * words.out_w;
  spec.n = words.outputs;
  spec.k = std::max<std::int64_t>(1, words.channels * isa::taps_of(words.kernel));
  spec.batch0 = words.images;
  spec.batch1 = words.groups * (by_row ? words.out_h : 1);
  spec.in = task.type;
  spec.out = task.type == DType::I8 ? DType::I32 : DType::F32;
  return packed(spec);
}

MatmulSchedule tiles_of(const ConvSchedule& schedule) {
  MatmulSchedule tiles;
  tiles.tile_m = schedule.words.tile_m;
  tiles.tile_n = schedule.words.tile_n;
  tiles.swizzle = static_cast<isa::Swizzle>(schedule.words.swizzle);
  tiles.width = schedule.words.width;
  tiles.cores = schedule.cores;
  return tiles;
}

std::string to_string(const ConvSchedule& schedule) {
  const ConvArguments& words = schedule.words;
  const ConvTime& t = schedule.time;
  const auto whole = [](double value) { return std::to_string(static_cast<std::int64_t>(value)); };
  return std::to_string(words.tile_m) + "x" + std::to_string(words.tile_n) + "x" +
         std::to_string(words.tile_c) + (words.resident != 0 ? " resident" : "") +
         (words.by_row != 0 ? " by row" : "") + ", " + std::to_string(schedule.cores) +
         " cores; cube " + whole(t.cube) + ", mte1 " + whole(t.mte1) + ", mte2 " + whole(t.mte2) +
         ", fix " + whole(t.fix) + ", scalar " + whole(t.scalar) + " of a tile; all " +
         whole(t.total);
}

}  // namespace dvmsim
