// A product's schedule with what a user has chosen in it, or what is wrong with that.
#include <fmt/format.h>

#include <algorithm>

#include "compiler/schedule/matmul.h"
#include "compiler/schedule/matmul_legal.h"
#include "compiler/schedule/matmul_shared.h"

namespace dvmsim {
namespace {

/// Empty, or why no buffer layout has this tile, and which would.
std::string tile_refusal(const MatmulSpec& spec, const MatmulSchedule& tile,
                         const Machine& machine) {
  const std::int64_t unit = k_unit(machine, spec.in);
  if (tile.tile_m < 1 || tile.tile_m % kFractal != 0 || tile.tile_n < 1 ||
      tile.tile_n % kFractal != 0) {
    return fmt::format("m and n of a tile are multiples of {}, not {} and {}", kFractal,
                       tile.tile_m, tile.tile_n);
  }
  const std::int64_t sums = tile.tile_m * tile.tile_n * 4, l0c = machine.l0c.size.count();
  if (sums > l0c) {
    return fmt::format("{} x {} sums take {} of L0C's {} bytes; {} x {} fits", tile.tile_m,
                       tile.tile_n, sums, l0c, tile.tile_m,
                       round_down(l0c / 4 / tile.tile_m, kFractal));
  }
  if (spec.bias && tile.tile_n * 4 > machine.bt.size.count()) {
    return fmt::format("a bias of {} columns takes {} of BT's {} bytes; n: {} fits", tile.tile_n,
                       tile.tile_n * 4, machine.bt.size.count(),
                       round_down(machine.bt.size.count() / 4, kFractal));
  }
  if (spec.whole_rows && tile.tile_n < spec.n) {
    return fmt::format("vector cores reduce whole rows of a tile, so n is at least {}, not {}",
                       round_up(spec.n, kFractal), tile.tile_n);
  }
  if (tile.tile_k < 1 || tile.tile_k % unit != 0) {
    return fmt::format("k of a tile is a multiple of {}, not {}", unit, tile.tile_k);
  }
  if (fits(spec, tile, machine)) return {};
  const std::int64_t bias = spec.bias ? machine.bt.size.count() : 0;
  const std::int64_t blocks =
      kStages * (a_block_bytes(spec, tile) + b_block_bytes(spec, tile) + bias);
  if (blocks > machine.l1.size.count()) {
    MatmulSchedule other = tile;
    other.tile_k = widest_tile_k(spec, tile, machine);
    const bool any = other.tile_k >= unit && fits(spec, other, machine);
    return fmt::format("{} stages of its blocks take {} of L1's {} bytes; {}", kStages, blocks,
                       machine.l1.size.count(),
                       any ? fmt::format("k: {} fits", other.tile_k) : "take smaller m and n");
  }
  return fmt::format(
      "{} columns of k do not fit half of L0A ({} bytes) and of L0B ({}); take smaller "
      "m and n",
      unit, machine.l0a.size.count(), machine.l0b.size.count());
}

}  // namespace

std::optional<MatmulSchedule> with_choice(const MatmulSpec& spec, MatmulSchedule schedule,
                                          const MatmulChoice& choice, const Machine& machine,
                                          int cores, std::string* why) {
  const auto refuse = [&](std::string text) {
    *why = std::move(text);
    return std::nullopt;
  };
  const MatmulSchedule before = schedule;
  schedule.tile_m = choice.m.value_or(schedule.tile_m);
  schedule.tile_n = choice.n.value_or(schedule.tile_n);
  schedule.tile_k = choice.k.value_or(schedule.tile_k);
  schedule.loop = choice.loop.value_or(schedule.loop);
  if (!choice.k && (choice.m || choice.n) && !fits(spec, schedule, machine)) {
    schedule.tile_k = std::max(widest_tile_k(spec, schedule, machine), k_unit(machine, spec.in));
  }
  if (auto text = tile_refusal(spec, schedule, machine); !text.empty()) {
    return refuse(std::move(text));
  }
  const bool resized = schedule.tile_m != before.tile_m || schedule.tile_n != before.tile_n;
  if (resized && !(choice.visit && choice.width)) choose_order(spec, machine, schedule);
  schedule.swizzle = choice.visit.value_or(schedule.swizzle);
  schedule.width = choice.width.value_or(schedule.width);
  const std::int64_t most_width = std::max(tiles_m(spec, schedule), tiles_n(spec, schedule));
  const bool own_width = schedule.width == before.width;
  if (!own_width && (schedule.width < 1 || schedule.width > most_width)) {
    return refuse(
        fmt::format("a width of {}, but the longer side has {} tiles", schedule.width, most_width));
  }
  const std::int64_t tiles = tiles_of(spec, schedule);
  schedule.shared = choice.shared.value_or(resized ? 0 : schedule.shared);
  const std::int64_t pieces =
      schedule.shared > 0 ? tiles * ceil_div(spec.k, schedule.tile_k) : tiles;
  const std::int64_t most = std::min<std::int64_t>(pieces, cores);
  // Where tiles are shared, cores may have no piece: the search takes all of them, too.
  const std::int64_t limit = schedule.shared > 0 ? cores : most;
  if (choice.cores && (*choice.cores < 1 || *choice.cores > limit)) {
    return refuse(
        fmt::format("{} cores, but {} tiles go to at most {}", *choice.cores, tiles, limit));
  }
  const bool other = resized || schedule.shared != before.shared;
  if (other) schedule.cores = static_cast<int>(most);
  schedule.cores = choice.cores.value_or(schedule.cores);
  if (schedule.shared == 0) return schedule;
  const std::int64_t most_shared = std::min<std::int64_t>(tiles, schedule.cores);
  if (schedule.shared < 0 || schedule.shared > most_shared) {
    return refuse(fmt::format("{} tiles shared, but {} cores share at most {} of {}",
                              schedule.shared, schedule.cores, most_shared, tiles));
  }
  if (!shares(spec, schedule, machine)) {
    return refuse(fmt::format("shared: {} shares no tiles of {} of this product; say 0",
                              machine.name, to_string(schedule)));
  }
  return schedule;
}

}  // namespace dvmsim
