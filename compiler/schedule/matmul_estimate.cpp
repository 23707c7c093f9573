#include "compiler/schedule/matmul_estimate.h"

#include <algorithm>
#include <cmath>

#include "compiler/schedule/matmul_legal.h"
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

}  // namespace

MatmulEstimate::MatmulEstimate(const MatmulSpec& spec, const Machine& machine)
    : spec_(spec), machine_(machine), step_(machine.step(spec.in)) {
  size_ = size_of(spec.in);
  out_size_ = size_of(spec.out);
  unit_ = k_unit(machine, spec.in);
  l0a_ = per_cycle(machine.mte1.l0a);
  l0b_ = per_cycle(machine.mte1.l0b);
  port_ = per_cycle(machine.mte2.gm_to_l1);
  fix_ = per_cycle(machine.fix.l0c_to_gm);
  l2_read_ = per_cycle(machine.l2.read);
  hbm_read_ = per_cycle(hbm_read_rate(machine));
  unaligned_ = std::min(port_, per_cycle(machine.mte2.nz_unaligned));
  write_cost_ = machine.hbm.write_cost.value();
  hit_latency_ = cycles(machine.mte2.latency) + cycles(machine.l2.read_latency);
  miss_latency_ = cycles(machine.hbm.latency);
  hops_ = 2 * cycles(machine.flag.hop);
  store_latency_ = cycles(machine.fix.latency) + cycles(machine.l2.write_latency) + hops_;
}

/// Requests that a row makes: rows that touch one another are read as one.
double MatmulEstimate::pieces_of(Rows rows) const {
  const std::int64_t request = machine_.dma.request.count();
  if (rows.stride == rows.bytes) return real(rows.bytes) / real(request);
  const bool inside = rows.bytes <= request && request % rows.stride == 0;
  if (rows.stride % request == 0 || inside) return real(ceil_div(rows.bytes, request));
  return real(rows.bytes) / real(request) + 1;
}

/// Port time of `bytes`: the port's rate, what its window of requests lets through, or its share of
/// L2, whichever is slowest.
double MatmulEstimate::load_time(std::int64_t bytes, Rows rows, Misses misses, int cores) const {
  const bool aligned = rows.stride % machine_.mte2.nz_align.count() == 0;
  const double port = 1 / (aligned ? port_ : unaligned_);
  const double piece = real(rows.bytes) / pieces_of(rows);
  const double rounded = std::max(1.0, real(machine_.dma.least_request.count()) / piece);
  const double window =
      (hit_latency_ + misses.late * miss_latency_) / (piece * real(machine_.mte2.outstanding_l1));
  return real(bytes) * std::max({port * rounded, window, real(cores) / l2_read_ * rounded});
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
                                          std::int64_t n, std::int64_t part, Misses a,
                                          Misses b) const {
  const std::int64_t blocks = ceil_div(spec_.k, schedule.tile_k);
  const std::int64_t parts = ceil_div(spec_.k, part);
  const std::int64_t m16 = round_up(m, kFractal), n16 = round_up(n, kFractal);
  const std::int64_t k_all = round_up(spec_.k, unit_);
  Tile t{};
  const double per_block = 1 / real(blocks);
  t.cube = real(ceil_div(m, step_.m) * ceil_div(n, step_.n) * ceil_div(k_all, step_.k)) +
           real(parts) * cycles(machine_.cube.gap);
  t.mte1 = real(m16 * k_all * size_) / l0a_ + real(n16 * k_all * size_) / l0b_ +
           real(2 * parts) * cycles(machine_.mte1.fixed);
  const std::int64_t k_row = std::min(schedule.tile_k, spec_.k) * size_;
  const Rows a_rows{spec_.trans_a ? m * size_ : k_row, spec_.a_stride};
  const Rows b_rows{spec_.trans_b ? k_row : n * size_, spec_.b_stride};
  t.mte2 = load_time(m * spec_.k * size_, a_rows, a, schedule.cores) +
           load_time(n * spec_.k * size_, b_rows, b, schedule.cores);
  t.fix = real(m * n * 4) / fix_ + cycles(machine_.fix.issue_gap);

  // Parts alternate between the halves of L0A and L0B, beginning anew in every block: after an odd
  // number the next one waits. A cube that waits for each starts drained.
  const double settle = 2 * cycles(machine_.flag.hop) + cycles(machine_.mte1.tail) +
                        cycles(machine_.cube.head) + cycles(machine_.cube.tail);
  const double chained = (t.cube + t.mte1 + real(parts) * settle) / 2;
  const bool odd = ceil_div(std::min(schedule.tile_k, spec_.k), part) % 2 != 0;
  const double waits = odd ? real(blocks) * (t.mte1 / real(parts) + settle) : 0;
  const double scalar = real(3 * parts + 2 * blocks) * cycles(machine_.firmware.macro_command);
  const double work = std::max({std::max(t.cube, t.mte1) + waits, chained, scalar});
  // Blocks alternate between the stages of L1; a stage is filled, its latency included, then used.
  const double load = std::max(t.mte2, real(2 * blocks) * cycles(machine_.mte2.issue_gap));
  const double latency =
      real(blocks) * (hit_latency_ + std::max(a.late, b.late) * miss_latency_ + hops_);
  const double staged = (work + load + latency) / real(schedule.stages);
  // A lone accumulator is handed over whole: the cube waits for it to leave, the loads go on.
  const bool two = 2 * schedule.tile_m * schedule.tile_n * 4 <= machine_.l0c.size.count();
  const double first_part = t.mte1 / real(parts);
  const double handover = two ? 0 : t.fix + store_latency_ + cycles(machine_.cube.head);
  const double ahead = real(schedule.stages) * load * per_block;
  t.total = std::max({load, t.fix, work + handover + (two ? 0 : first_part),
                      staged + std::max(0.0, handover - ahead)});
  return t;
}

MatmulTime MatmulEstimate::of(const MatmulSchedule& schedule) const {
  const std::int64_t part = part_k(spec_, schedule, machine_);
  const std::int64_t rows = tiles_m(spec_, schedule), columns = tiles_n(spec_, schedule);
  const double batches = real(spec_.batch0 * spec_.batch1);
  MatmulTime time{};
  const Traffic all = loaded(schedule), hbm = from_hbm(schedule);
  const double share_a = std::min(1.0, hbm.a / all.a), share_b = std::min(1.0, hbm.b / all.b);
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
                         std::min(schedule.tile_n, spec_.n), part, a, b);
  double sum = full.total * real((rows - 1) * (columns - 1));
  const bool m_even = m_rest == schedule.tile_m, n_even = n_rest == schedule.tile_n;
  const double bottom =
      m_even ? full.total : tile(schedule, m_rest, schedule.tile_n, part, a, b).total;
  const double right =
      n_even ? full.total : tile(schedule, schedule.tile_m, n_rest, part, a, b).total;
  const double corner = m_even   ? right
                        : n_even ? bottom
                                 : tile(schedule, m_rest, n_rest, part, a, b).total;
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
  const double cores_time = std::max(full.total, corner) + (waves - 1) * average + first;
  const double written = batches * real(spec_.m * spec_.n * out_size_);
  const double spilled = std::max(0.0, written - real(machine_.l2.size.count()) / 2);
  time.hbm = (hbm.a + hbm.b + spilled * write_cost_) / hbm_read_;
  time.total = std::max(cores_time, time.hbm + first);
  return time;
}

}  // namespace dvmsim
