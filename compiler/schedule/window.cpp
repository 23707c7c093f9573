#include "compiler/schedule/window.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "vm/base/rounding.h"

namespace dvmsim {
namespace {

constexpr std::int64_t kBlock = 32, kRepeat = 256;

double real(std::int64_t value) {
  return static_cast<double>(value);
}

/// Repeats and fixed costs of an instruction over `rows` runs of `bytes` with gaps between: one
/// hardware instruction for each run, or for each repeat of all runs.
double strided_cycles(std::int64_t rows, std::int64_t bytes, double fixed) {
  const double repeats = real(ceil_div(bytes, kRepeat)), runs = real(rows);
  if (rows == 1) return fixed + repeats;
  return std::min(runs * (fixed + repeats), repeats * (fixed + runs));
}

/// Pixels of a row of outputs that one run of an instruction covers: windows must be neighbours,
/// and the factors for all of them not take much of UB.
std::int64_t repeat_of(const WindowTask& task, const WindowSchedule& s, double fixed) {
  constexpr std::int64_t kMost = 24 << 10;
  if (task.kind != WindowTask::Kind::Weighted || task.stride[2] != 1) return 1;
  const std::int64_t pixel = s.pitch * size_of(task.computed());
  const auto cycles = [&](std::int64_t repeat) {
    return strided_cycles(s.columns / repeat, repeat * pixel, fixed);
  };
  std::int64_t best = 1;
  for (std::int64_t repeat = 2; repeat <= s.columns; ++repeat) {
    const bool fits = s.columns % repeat == 0 && task.taps() * repeat * pixel <= kMost;
    if (fits && cycles(repeat) < cycles(best)) best = repeat;
  }
  return best;
}

/// Lays the buffers of a tile out behind one another.
void place(const WindowTask& task, std::int64_t begin, const std::optional<std::int64_t>& repeat,
           double fixed, WindowSchedule& s) {
  const std::int64_t size = size_of(task.type), computed = size_of(task.computed());
  s.pitch = round_up(s.channels, kBlock / size);
  s.map = {task.reach(0, 1), task.reach(1, s.rows), task.reach(2, s.columns)};
  s.repeat = repeat ? *repeat : repeat_of(task, s, fixed);
  const std::int64_t outputs = s.rows * s.columns * s.pitch;
  const bool widens = task.computed() != task.type;
  const bool weighted = task.kind == WindowTask::Kind::Weighted;
  std::int64_t end = round_up(begin, 2 * kRepeat);
  bool odd = false;
  const auto take = [&](std::int64_t bytes, std::int64_t& offset, std::int64_t& taken) {
    offset = end + (odd ? kRepeat : 0);
    taken = bytes;
    if (bytes == 0) return;
    odd = !odd;
    end = round_up(offset + bytes, 2 * kRepeat);
  };
  take(s.pixels() * s.pitch * size, s.loaded, s.loaded_bytes);
  take(widens ? s.pixels() * s.pitch * computed : 0, s.wide, s.wide_bytes);
  take(weighted ? task.taps() * s.pitch * size : 0, s.weights, s.weights_bytes);
  take(weighted ? task.taps() * s.repeat * s.pitch * computed : 0, s.factors, s.factors_bytes);
  take(weighted ? outputs * computed : 0, s.product, s.product_bytes);
  take(outputs * computed, s.sum, s.sum_bytes);
  take(widens ? outputs * size : 0, s.result, s.result_bytes);
  s.end = end;
}

/// Tiles one after another; what a core does in one is not overlapped with the next.
double estimate(const WindowTask& task, const WindowSchedule& s, const Machine& machine) {
  const std::int64_t size = size_of(task.type), computed = size_of(task.computed());
  const double fixed = real(machine.vector.fixed.count());
  const double loaded =
      real(s.loaded_bytes) / machine.mte2.gm_to_ub.per_cycle().value() +
      real(machine.mte2.latency.count() + machine.l2.read_latency.cycles().count());
  const double stored =
      real(s.rows * s.columns * s.channels * size) / machine.mte3.ub_to_gm.per_cycle().value();
  const bool packed = task.stride[2] == 1 && task.kind != WindowTask::Kind::Weighted;
  const double issue = 60;  // of the firmware, per instruction
  const std::int64_t run = (packed ? s.columns : s.repeat) * s.pitch * computed;
  const double each = strided_cycles(packed ? s.rows : s.columns / s.repeat, run, fixed);
  const double step = std::max(issue, each) * real(packed ? 1 : s.rows);
  double vector = real(task.taps()) * step;
  if (task.kind == WindowTask::Kind::Weighted) vector *= 2;
  if (s.wide_bytes > 0) vector += fixed + real(ceil_div(s.wide_bytes, kRepeat));
  if (task.leaves()) vector += fixed + real(ceil_div(s.loaded_bytes, kRepeat));
  return std::ceil(real(s.tiles) / real(s.cores)) * (loaded + vector + stored);
}

std::vector<std::int64_t> parts_of(std::int64_t extent, std::int64_t unit) {
  std::vector<std::int64_t> sizes;
  for (std::int64_t parts = 1; parts <= 4096; parts *= 2) {
    const std::int64_t size = std::min(extent, round_up(ceil_div(extent, parts), unit));
    if (sizes.empty() || size != sizes.back()) sizes.push_back(size);
    if (size <= unit) break;
  }
  return sizes;
}

}  // namespace

bool WindowTask::leaves() const {
  for (std::size_t i = 0; i < 3; ++i) {
    if (pad[i] > 0 || reach(i, out[i]) - pad[i] > in[i]) return true;
  }
  return false;
}

WindowSchedule schedule_window(const WindowTask& task, const Machine& machine, int cores,
                               std::int64_t begin, const WindowChoice& choice) {
  WindowSchedule best;
  best.rows = 0;
  const double start = real(cycles_in(machine.launch.per_core, machine.clock.core).count());
  const auto only = [](const std::optional<std::int64_t>& chosen, std::vector<std::int64_t> sizes) {
    return chosen ? std::vector{*chosen} : std::move(sizes);
  };
  const std::int64_t unit = kRepeat / size_of(task.type);
  for (std::int64_t channels : only(choice.channels, parts_of(task.channels, unit))) {
    for (std::int64_t columns : only(choice.columns, parts_of(task.out[2], 1))) {
      if (columns % choice.repeat.value_or(1) != 0) continue;
      for (std::int64_t rows : only(choice.rows, {1, 2, 3, 4, 6, 8})) {
        if (rows > task.out[1]) break;
        WindowSchedule s;
        s.rows = rows;
        s.columns = columns;
        s.channels = channels;
        place(task, begin, choice.repeat, real(machine.vector.fixed.count()), s);
        if (s.end > machine.ub.size.count()) break;
        s.tiles = task.images * task.out[0] * ceil_div(task.out[1], rows) *
                  ceil_div(task.out[2], columns) * ceil_div(task.channels, channels);
        if (choice.cores.value_or(1) > s.tiles) continue;
        s.cores = choice.cores.value_or(static_cast<int>(std::min<std::int64_t>(cores, s.tiles)));
        s.total = estimate(task, s, machine) + start * s.cores;
        if (best.rows == 0 || s.total < best.total) best = s;
      }
    }
  }
  return best;
}

std::string impossible(const WindowTask& task, int cores, const WindowChoice& choice) {
  const auto beyond = [](const char* key, const std::optional<std::int64_t>& side,
                         std::int64_t all) {
    return side.value_or(1) <= all ? std::string() : fmt::format("{}: {} of {}", key, *side, all);
  };
  for (const std::string& why :
       {beyond("rows", choice.rows, task.out[1]), beyond("columns", choice.columns, task.out[2]),
        beyond("channels", choice.channels, task.channels), beyond("cores", choice.cores, cores)}) {
    if (!why.empty()) return why;
  }
  const std::int64_t repeat = choice.repeat.value_or(1);
  if (repeat > 1 && (task.kind != WindowTask::Kind::Weighted || task.stride[2] != 1)) {
    return fmt::format("repeat: {}, but only weights of neighbouring windows repeat", repeat);
  }
  if (choice.columns.value_or(repeat) % repeat != 0) {
    return fmt::format("repeat: {} does not divide {} columns", repeat, *choice.columns);
  }
  const std::int64_t most = task.images * task.out[0] *
                            ceil_div(task.out[1], choice.rows.value_or(1)) *
                            ceil_div(task.out[2], choice.columns.value_or(1)) *
                            ceil_div(task.channels, choice.channels.value_or(1));
  if (choice.cores.value_or(1) > most) {
    return fmt::format("cores: {}, but there are at most {} tiles", *choice.cores, most);
  }
  return {};
}

std::string to_string(const WindowSchedule& s) {
  return std::to_string(s.rows) + "x" + std::to_string(s.columns) + "x" +
         std::to_string(s.channels) + ", " + std::to_string(s.tiles) + " tiles on " +
         std::to_string(s.cores) + " cores, UB to " + std::to_string(s.end) + "; all " +
         std::to_string(static_cast<std::int64_t>(s.total));
}

}  // namespace dvmsim
