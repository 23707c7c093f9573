#include "compiler/schedule/matmul_estimate.h"

#include <algorithm>
#include <cmath>

#include "compiler/schedule/matmul_legal.h"
#include "compiler/schedule/matmul_shared.h"
#include "vm/isa/transfer_cost.h"
#include "vm/machine/derived.h"

namespace dvmsim {

namespace {

double real(std::int64_t value) {
  return static_cast<double>(value);
}
double per_cycle(const Rate& rate) {
  return rate.per_cycle().value();
}
double cycles(Cycles value) {
  return real(value.count());
}

/// Cycles of what takes `own` on its core and `memory` of what all cores share: the longer, and
/// somewhat more where they are alike, because each then waits for the other at times. How much
/// more (1.09 times where they are equal) is a choice, compared with simulated products only.
double pace_of(double own, double memory) {
  const double more = std::max(own, memory), less = std::min(own, memory);
  if (more <= 0) return 0;
  const double square = less / more * (less / more), fourth = square * square;
  return more * std::sqrt(std::sqrt(std::sqrt(1 + fourth * fourth)));
}

/// Sums in another order differ in their last bits: bounds leave them room.
constexpr double kRounding = 1 - 1e-9;

}  // namespace

MatmulEstimate::MatmulEstimate(const MatmulSpec& spec, const Machine& machine)
    : spec_(spec), machine_(machine), step_(machine.step(spec.in)) {
  size_ = size_of(spec.in);
  out_size_ = size_of(spec.out);
  unit_ = k_unit(machine, spec.in);
  l0a_ = per_cycle(machine.mte1.l0a);
  l0b_ = per_cycle(machine.mte1.l0b);
  hit_ = per_cycle(machine.mte2.gm_to_l1);
  miss_ = std::min(hit_, per_cycle(machine.mte2.gm_to_l1_miss));
  fix_ = per_cycle(machine.fix.l0c_to_gm);
  l2_read_ = per_cycle(machine.l2.read);
  hbm_read_ = per_cycle(hbm_read_rate(machine));
  unaligned_ = std::min(miss_, per_cycle(machine.mte2.nz_unaligned));
  write_cost_ = machine.hbm.write_cost.value();
  hit_latency_ = cycles(machine.mte2.latency) + cycles(machine.l2.read_latency);
  miss_latency_ = cycles(machine.hbm.latency);
  hops_ = 2 * cycles(machine.flag.hop);
  release_ = cycles(machine.fix.tail) + hops_;
  settle_ =
      hops_ + cycles(machine.mte1.tail) + cycles(machine.cube.head) + cycles(machine.cube.tail);
}

const MatmulEstimate::Cut& MatmulEstimate::cut_of(Rows rows) const {
  const auto mixed = static_cast<std::uint64_t>(rows.bytes + 3 * rows.step + 7 * rows.stride) *
                     0x9e3779b97f4a7c15u;
  const std::size_t place = mixed >> (64 - kCutBits);
  Known& known = cuts_[place];
  if (known.rows != rows) known = {rows, measured(rows)};
  return known.cut;
}

/// What a row makes of the port, on average over the places where rows begin. Rows that touch one
/// another are read as one.
MatmulEstimate::Cut MatmulEstimate::measured(Rows rows) const {
  const std::int64_t request = machine_.dma.request.count();
  const std::int64_t least = std::min(machine_.dma.least_request.count(), request);
  if (rows.stride == rows.bytes) return {real(rows.bytes) / real(request), 0, real(rows.bytes)};
  constexpr std::int64_t kSamples = 4;
  const std::int64_t steps = rows.step % request == 0 ? 1 : kSamples;
  const std::int64_t lines = rows.stride % request == 0 ? 1 : kSamples;
  Cut sum{};
  for (std::int64_t i = 0; i < steps * lines; ++i) {
    const std::int64_t offset = (i / lines * rows.step + i % lines * rows.stride) % request;
    const auto count = [&](std::int64_t times, std::int64_t from, std::int64_t here) {
      if (times == 0 || here == 0) return;
      const std::int64_t moved = isa::request_bytes(from, here, least, request);
      sum.requests += real(times);
      sum.bytes += real(times * moved);
      sum.partial += moved != here && !machine_.l2.keep_partial ? real(times) : 0;
    };
    // The first, whole ones, and the last.
    const std::int64_t first = std::min(rows.bytes, request - offset), rest = rows.bytes - first;
    count(1, offset, first);
    count(rest / request, 0, request);
    count(1, 0, rest % request);
  }
  const double samples = real(steps * lines);
  return {sum.requests / samples, sum.partial / samples, sum.bytes / samples};
}

/// Port time of `bytes`: the port's rate, what its window of requests lets through, or its share of
/// L2, whichever is slowest.
double MatmulEstimate::load_time(std::int64_t bytes, Rows rows, Misses misses, int cores) const {
  const bool aligned = rows.stride % machine_.mte2.nz_align.count() == 0;
  const Cut& cut = cut_of(rows);
  const double rate = 1 / (misses.share / miss_ + (1 - misses.share) / hit_);
  const double port = cut.bytes / (aligned ? rate : unaligned_);
  const double window = cut.requests * (hit_latency_ + misses.late * miss_latency_) /
                        real(machine_.mte2.outstanding_l1);
  const double shared = cut.bytes * real(cores) / l2_read_;
  return real(bytes) / real(rows.bytes) * std::max({port, window, shared});
}

/// Bytes that the cores load of each operand.
MatmulEstimate::Traffic MatmulEstimate::loaded(const MatmulSchedule& schedule) const {
  const double each = real(spec_.batch0 * spec_.batch1) * real(spec_.k * size_);
  return {each * real(spec_.m * tiles_n(spec_, schedule)),
          each * real(spec_.n * tiles_m(spec_, schedule))};
}

/// What HBM delivers: everything once if one batch stays in L2; else the operand that is walked
/// across once for each group of the other's panels.
MatmulEstimate::Traffic MatmulEstimate::from_hbm(const MatmulSchedule& schedule) const {
  const double l2 = real(machine_.l2.size.count());
  if (l2 == 0) return loaded(schedule);
  const double a = real(spec_.m * spec_.k * size_), b = real(spec_.k * spec_.n * size_);
  const double c = real(spec_.m * spec_.n * out_size_);
  const auto matrices = [&](std::int64_t stride0, std::int64_t stride1) {
    return real((stride0 != 0 ? spec_.batch0 : 1) * (stride1 != 0 ? spec_.batch1 : 1));
  };
  Traffic once{a * matrices(spec_.a_batch0, spec_.a_batch1),
               b * matrices(spec_.b_batch0, spec_.b_batch1)};
  if (a + b + c <= l2) return once;
  const bool zn = spec_.n >= spec_.m;
  const double tile_panel = real(zn ? schedule.tile_n : schedule.tile_m);
  const double tile_other = real(zn ? schedule.tile_m : schedule.tile_n);
  const double panels =
      std::max(1.0, std::floor(std::sqrt(real(schedule.cores) * tile_other / tile_panel)));
  const double groups =
      std::ceil(real(zn ? tiles_n(spec_, schedule) : tiles_m(spec_, schedule)) / panels);
  double& walked = zn ? once.a : once.b;
  const double again = std::max(0.0, (zn ? a : b) - l2 / 2);
  walked += (groups - 1) * again * real(spec_.batch0 * spec_.batch1);
  return once;
}

MatmulEstimate::Tile MatmulEstimate::tile(const MatmulSchedule& schedule, std::int64_t m,
                                          std::int64_t n, std::int64_t k, std::int64_t part,
                                          Misses a, Misses b) const {
  const std::int64_t blocks = ceil_div(k, schedule.tile_k);
  const std::int64_t whole = k / schedule.tile_k, rest = k % schedule.tile_k;
  const std::int64_t parts = whole * ceil_div(schedule.tile_k, part) + ceil_div(rest, part);
  const std::int64_t m16 = round_up(m, kFractal), n16 = round_up(n, kFractal);
  const std::int64_t k_all = round_up(k, unit_);
  Tile t{};
  const double per_block = 1 / real(blocks);
  const bool is_small = m16 * n16 < isa::kSmallProduct * kFractal * kFractal;
  const bool drains = is_small && (schedule.loop & isa::kDrainSmall) != 0;
  t.cube = real(ceil_div(m, step_.m) * ceil_div(n, step_.n) * ceil_div(k_all, step_.k)) +
           real(parts) * (cycles(machine_.cube.gap) + (drains ? cycles(machine_.cube.head) : 0));
  t.mte1 = real(m16 * k_all * size_) / l0a_ + real(n16 * k_all * size_) / l0b_ +
           real(2 * parts) * cycles(machine_.mte1.fixed);
  t.mte2 = load_time(m * k * size_, a_rows(schedule, m), a, schedule.cores) +
           load_time(n * k * size_, b_rows(schedule, n), b, schedule.cores);
  // The rate counts accumulators of 4 bytes.
  const Rows c_rows{n * out_size_, spec_.c_stride, schedule.tile_n * out_size_};
  t.fix = real(m) * cut_of(c_rows).bytes * 4 / (fix_ * real(out_size_)) +
          cycles(machine_.fix.issue_gap);

  // Parts alternate between the halves of L0A and L0B, beginning anew in every block: after an odd
  // number the next one waits. A cube that waits for each starts drained.
  const double chained = (t.cube + t.mte1 + real(parts) * settle_) / 2;
  const bool odd = ceil_div(std::min(schedule.tile_k, k), part) % 2 != 0;
  const double waits = odd ? real(blocks) * (t.mte1 / real(parts) + settle_) : 0;
  const double scalar = real(3 * parts + 2 * blocks) * cycles(machine_.firmware.macro_command);
  const double work = std::max({std::max(t.cube, t.mte1) + waits, chained, scalar});
  // Blocks alternate between the stages of L1; a stage is filled, its latency included, then used.
  const double load = std::max(t.mte2, real(2 * blocks) * cycles(machine_.mte2.issue_gap));
  const double latency =
      real(blocks) * (hit_latency_ + std::max(a.late, b.late) * miss_latency_ + hops_);
  const double staged = (work + load + latency) / real(kStages);
  // A lone accumulator is handed over: the cube waits for it to leave, the loads go on. With unit
  // flags it leaves during the tile's last part and the next one's first.
  const bool one_fits = 2 * schedule.tile_m * schedule.tile_n * 4 > machine_.l0c.size.count();
  const bool two = !one_fits && (schedule.loop & isa::kOneAccumulator) == 0;
  const bool by_units = (schedule.loop & isa::kUnitFlags) != 0;
  const double leaves = t.fix + release_ + cycles(machine_.cube.head);
  const double both_parts = 2 * t.cube / real(parts);
  const double first_part = by_units ? 0 : t.mte1 / real(parts);
  const double handover = two ? 0 : by_units ? std::max(0.0, leaves - both_parts) : leaves;
  const double ahead = real(kStages) * load * per_block;
  t.total = std::max({load, t.fix, work + handover + (two ? 0 : first_part),
                      staged + std::max(0.0, handover - ahead)});
  return t;
}

MatmulEstimate::Rows MatmulEstimate::a_rows(const MatmulSchedule& schedule, std::int64_t m) const {
  if (spec_.trans_a) return {m * size_, spec_.a_stride, schedule.tile_m * size_};
  return {std::min(schedule.tile_k, spec_.k) * size_, spec_.a_stride, schedule.tile_k * size_};
}

MatmulEstimate::Rows MatmulEstimate::b_rows(const MatmulSchedule& schedule, std::int64_t n) const {
  if (!spec_.trans_b) return {n * size_, spec_.b_stride, schedule.tile_n * size_};
  return {std::min(schedule.tile_k, spec_.k) * size_, spec_.b_stride, schedule.tile_k * size_};
}

/// Cores take tiles in turn; the one that takes longest.
double MatmulEstimate::longest_core(const MatmulSchedule& schedule, const ByPlace& total) const {
  const std::int64_t rows = tiles_m(spec_, schedule), columns = tiles_n(spec_, schedule);
  const std::int64_t tiles = tiles_of(spec_, schedule);
  double longest = 0;
  for (std::int64_t core = 0; core < schedule.cores; ++core) {
    double sum = 0;
    for (std::int64_t i = core; i < tiles; i += schedule.cores) {
      const isa::TilePlace at = place_of(spec_, schedule, i % (rows * columns));
      const std::size_t last =
          (at.row + 1 == rows ? 1u : 0u) + (at.column + 1 == columns ? 2u : 0u);
      sum += total[last];
    }
    longest = std::max(longest, sum);
  }
  return longest;
}

double MatmulEstimate::multiplied(std::int64_t rows, std::int64_t columns) const {
  return real(spec_.batch0 * spec_.batch1) * real(rows * columns) *
         real(ceil_div(round_up(spec_.k, unit_), step_.k));
}

/// Port time of a byte of an operand. Rows along k are the same in every tile.
double MatmulEstimate::byte_bound(Rows rows, bool along_k) const {
  const double port = rows.stride % machine_.mte2.nz_align.count() == 0 ? hit_ : unaligned_;
  if (!along_k) return 1 / port;
  const Cut& cut = cut_of(rows);
  const double window = cut.requests * hit_latency_ / real(machine_.mte2.outstanding_l1);
  return std::max(cut.bytes / port, window) / real(rows.bytes);
}

/// Parts of tile(), each over all tiles, at the best rate: the mean tile takes at least the largest
/// of the sums' means, a whole tile at least as much as the mean one.
double MatmulEstimate::bound(const MatmulSchedule& schedule) const {
  const std::int64_t rows = tiles_m(spec_, schedule), columns = tiles_n(spec_, schedule);
  const auto steps = [](std::int64_t whole, std::int64_t tile, std::int64_t step) {
    return whole / tile * ceil_div(tile, step) + ceil_div(whole % tile, step);
  };
  const double batches = real(spec_.batch0 * spec_.batch1), tiles = real(rows * columns) * batches;
  const double cube = multiplied(steps(spec_.m, schedule.tile_m, step_.m),
                                 steps(spec_.n, schedule.tile_n, step_.n)) /
                      tiles;
  const auto port = [&](std::int64_t stride) {
    return stride % machine_.mte2.nz_align.count() == 0 ? hit_ : unaligned_;
  };
  const double load =
      real(spec_.k * size_) * (real(spec_.m) / real(rows) / port(spec_.a_stride) +
                               real(spec_.n) / real(columns) / port(spec_.b_stride));
  const double moved = real(round_up(spec_.k, unit_) * size_) *
                       (real(spec_.m) / real(rows) / l0a_ + real(spec_.n) / real(columns) / l0b_);
  const double blocks = real(ceil_div(spec_.k, schedule.tile_k));
  const double work = std::max({cube, moved, (cube + moved + blocks * settle_) / 2});
  const double staged = (work + load + blocks * (hit_latency_ + hops_)) / real(kStages);
  const double waves = std::ceil(tiles / real(schedule.cores));
  const double first = load / blocks + hit_latency_ + miss_latency_;
  return kRounding * (first + waves * std::max({work, load, staged}));
}

double MatmulEstimate::bound() const {
  const double cube = multiplied(ceil_div(spec_.m, step_.m), ceil_div(spec_.n, step_.n)) /
                      real(machine_.cores.cube);
  const auto matrices = [&](std::int64_t stride0, std::int64_t stride1) {
    return real((stride0 != 0 ? spec_.batch0 : 1) * (stride1 != 0 ? spec_.batch1 : 1));
  };
  const double a = real(spec_.m * spec_.k * size_) * matrices(spec_.a_batch0, spec_.a_batch1);
  const double b = real(spec_.k * spec_.n * size_) * matrices(spec_.b_batch0, spec_.b_batch1);
  const double hbm = machine_.l2.size.count() == 0 ? 0 : (a + b) / hbm_read_;
  return kRounding * (hit_latency_ + miss_latency_ + std::max(cube, hbm));
}

MatmulTime MatmulEstimate::of(const MatmulSchedule& schedule) const {
  return estimate(schedule, false);
}

MatmulTime MatmulEstimate::of_order(const MatmulSchedule& schedule) const {
  return estimate(schedule, true);
}

MatmulEstimate::Missed MatmulEstimate::missed(const MatmulSchedule& schedule) const {
  const Traffic all = loaded(schedule);
  Traffic hbm = from_hbm(schedule);
  // Requests for parts of lines go to HBM every time.
  const Rows rows_a = a_rows(schedule, std::min(schedule.tile_m, spec_.m));
  const Rows rows_b = b_rows(schedule, std::min(schedule.tile_n, spec_.n));
  const Cut cut_a = cut_of(rows_a), cut_b = cut_of(rows_b);
  const double line = real(machine_.l2.line.count());
  hbm.a = std::max(hbm.a, all.a / real(rows_a.bytes) * cut_a.partial * line);
  hbm.b = std::max(hbm.b, all.b / real(rows_b.bytes) * cut_b.partial * line);
  return {hbm, std::min(1.0, hbm.a / all.a), std::min(1.0, hbm.b / all.b)};
}

MatmulTime MatmulEstimate::estimate(const MatmulSchedule& schedule, bool in_order) const {
  if (schedule.shared > 0) return estimate_shared(schedule);
  const std::int64_t part = part_k(spec_, schedule, machine_);
  const std::int64_t rows = tiles_m(spec_, schedule), columns = tiles_n(spec_, schedule);
  const double batches = real(spec_.batch0 * spec_.batch1);
  MatmulTime time{};
  const auto [hbm, share_a, share_b] = missed(schedule);
  // Cores of one wave that read the same rows at the same time all wait for HBM.
  const double wave = real(schedule.cores);
  const double high = std::min(
      real(rows), std::max(1.0, std::sqrt(wave * real(schedule.tile_n) / real(schedule.tile_m))));
  const double broad = std::min(real(columns), std::max(1.0, wave / high));
  const Misses a{share_a, std::min(1.0, share_a * broad)};
  const Misses b{share_b, std::min(1.0, share_b * std::min(real(rows), wave / broad))};

  const std::int64_t m_rest = spec_.m - (rows - 1) * schedule.tile_m;
  const std::int64_t n_rest = spec_.n - (columns - 1) * schedule.tile_n;
  const Tile full = tile(schedule, std::min(schedule.tile_m, spec_.m),
                         std::min(schedule.tile_n, spec_.n), spec_.k, part, a, b);
  double sum = full.total * real((rows - 1) * (columns - 1));
  const bool m_even = m_rest == schedule.tile_m, n_even = n_rest == schedule.tile_n;
  const double bottom =
      m_even ? full.total : tile(schedule, m_rest, schedule.tile_n, spec_.k, part, a, b).total;
  const double right =
      n_even ? full.total : tile(schedule, schedule.tile_m, n_rest, spec_.k, part, a, b).total;
  const double corner = m_even   ? right
                        : n_even ? bottom
                                 : tile(schedule, m_rest, n_rest, spec_.k, part, a, b).total;
  sum += bottom * real(columns - 1) + right * real(rows - 1) + corner;
  const double tiles = real(rows * columns);
  const double waves = std::ceil(tiles * batches / real(schedule.cores));
  const double average = sum / tiles;

  time.cube = full.cube;
  time.mte1 = full.mte1;
  time.mte2 = full.mte2;
  time.fix = full.fix;
  const double first =
      full.mte2 / real(ceil_div(spec_.k, schedule.tile_k)) + hit_latency_ + miss_latency_;
  const double cores_time =
      first + (in_order ? longest_core(schedule, {full.total, bottom, right, corner})
                        : std::max(full.total, corner) + (waves - 1) * average);
  const double written = batches * real(spec_.m * spec_.n * out_size_);
  const double spilled = std::max(0.0, written - real(machine_.l2.size.count()) / 2);
  time.hbm = (hbm.a + hbm.b + spilled * write_cost_) / hbm_read_;
  // Full rounds share HBM; the tiles left over have it to themselves, but no more ports than tiles.
  const std::int64_t all = tiles_of(spec_, schedule), left = all % schedule.cores;
  const double last = left == 0 ? 0 : std::max(average, real(left) / real(all) * time.hbm);
  const double memory = real(all - left) / real(all) * time.hbm + last;
  time.total = first + pace_of(cores_time - first, memory);
  // The longest core takes at least the mean.
  time.least = kRounding * std::max(first + sum * batches / real(schedule.cores), time.hbm + first);
  return time;
}

/// First every core's range of the shared tiles, then whole tiles while the vector cores finish.
MatmulTime MatmulEstimate::estimate_shared(const MatmulSchedule& schedule) const {
  const std::int64_t part = part_k(spec_, schedule, machine_);
  const std::int64_t m = std::min(schedule.tile_m, spec_.m), n = std::min(schedule.tile_n, spec_.n);
  const auto [hbm, share_a, share_b] = missed(schedule);
  const isa::SharedTiles shared = shared_tiles(spec_, schedule);
  const std::int64_t whole = tiles_of(spec_, schedule) - shared.tiles;
  const double rounds = real(ceil_div(whole, schedule.cores));
  const Misses a{share_a, share_a}, b{share_b, share_b};
  const std::int64_t range = std::min(shared.range() * schedule.tile_k, spec_.k);
  const Tile piece = tile(schedule, m, n, range, part, a, b);
  const Tile full = rounds > 0 ? tile(schedule, m, n, spec_.k, part, a, b) : piece;
  MatmulTime time{};
  time.cube = full.cube;
  time.mte1 = full.mte1;
  time.mte2 = full.mte2;
  time.fix = full.fix;
  time.hbm = (hbm.a + hbm.b) / hbm_read_;
  const double first = piece.mte2 / real(shared.range()) + hit_latency_ + miss_latency_;
  const double finish = piece.fix + finish_cycles(spec_, schedule, machine_);
  // Shares of HBM are even too: pieces take theirs of it.
  const double units = real(shared.tiles * shared.blocks);
  const double of_pieces = time.hbm * units / real(tiles_of(spec_, schedule) * shared.blocks);
  const double pieces = first + pace_of(piece.total, of_pieces);
  const double whole_tiles = pace_of(rounds * full.total, time.hbm - of_pieces);
  time.total = pieces + std::max(finish, whole_tiles);
  time.least = time.total;
  return time;
}

}  // namespace dvmsim
