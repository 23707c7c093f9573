#include "compiler/schedule/chain.h"

#include <fmt/format.h>

#include <algorithm>

#include "compiler/schedule/matmul_estimate.h"
#include "compiler/schedule/matmul_legal.h"
#include "vm/base/rounding.h"

namespace dvmsim {
namespace {

/// Columns of the first result: wider ones leave no room in L0C for tiles of many rows.
constexpr std::int64_t kWidest = 256;

double real(std::int64_t value) {
  return static_cast<double>(value);
}
std::int64_t up16(std::int64_t size) {
  return round_up(size, kFractal);
}

/// Judges schedules of one chain.
class Chooser {
 public:
  Chooser(const ChainSpec& spec, const Machine& machine, int cores)
      : spec_(spec),
        machine_(machine),
        cores_(cores),
        first_(spec_.first, machine),
        second_(spec_.second, machine) {}

  std::optional<ChainSchedule> choose(const ChainChoice& choice);

 private:
  void consider(ChainSchedule schedule, const ChainChoice& choice);
  [[nodiscard]] double begins() const;
  [[nodiscard]] double cycles(const ChainSchedule& schedule) const;

  const ChainSpec& spec_;
  const Machine& machine_;
  int cores_;
  MatmulEstimate first_, second_;
  std::optional<ChainSchedule> best_{};
  int candidates_ = 0;
};

std::optional<ChainSchedule> Chooser::choose(const ChainChoice& choice) {
  const std::int64_t rows = up16(spec_.first.m), columns = up16(spec_.second.n);
  constexpr std::int64_t kRows[] = {16, 32, 64, 96, 128, 192, 256};
  constexpr std::int64_t kColumns[] = {64, 128, 256};
  const auto each = [](auto chosen, const auto& ladder, std::int64_t whole, auto&& body) {
    if (chosen) return body(*chosen);
    for (std::int64_t side : ladder) {
      if (side < whole) body(side);
    }
    if (whole <= std::end(ladder)[-1]) body(whole);
  };
  each(choice.m, kRows, rows, [&](std::int64_t m) {
    each(choice.n, kColumns, columns, [&](std::int64_t n) {
      ChainSchedule schedule;
      schedule.tile_m = m;
      schedule.tile_n = n;
      if (m <= 0 || m % kFractal != 0 || n <= 0 || n % kFractal != 0) return;
      const std::int64_t tiles = ceil_div(spec_.second.n, n);
      if (choice.span) {
        schedule.span = std::min(*choice.span, tiles);
        return consider(schedule, choice);
      }
      // All columns by one core, or as many spans as keep the cores busy once or twice.
      const std::int64_t items =
          row_tiles(spec_, schedule) * spec_.first.batch0 * spec_.first.batch1;
      std::int64_t last = 0;
      for (std::int64_t spans : {std::int64_t{1}, cores_ / std::min<std::int64_t>(items, cores_),
                                 2 * cores_ / std::min<std::int64_t>(items, cores_)}) {
        schedule.span = ceil_div(tiles, std::min(spans, tiles));
        if (schedule.span == last) continue;
        last = schedule.span;
        consider(schedule, choice);
      }
    });
  });
  if (best_) best_->candidates = candidates_;
  return best_;
}

/// With the longest blocks along k that fit, whole lines if there are such.
void Chooser::consider(ChainSchedule schedule, const ChainChoice& choice) {
  const std::int64_t whole = up16(spec_.first.k);
  const auto fitting = [&](std::int64_t k) {
    schedule.tile_k = std::min(k, whole);
    for (bool stays : {true, false}) {
      schedule.whole = stays;
      if (choice.whole.value_or(stays) == stays && fits(spec_, schedule, machine_)) return true;
    }
    return false;
  };
  const bool found =
      choice.k ? *choice.k > 0 && *choice.k % kFractal == 0 && fitting(*choice.k)
               : fitting(512) || fitting(256) || fitting(128) || fitting(64) || fitting(16);
  if (!found) return;
  const std::int64_t most =
      std::min<std::int64_t>(choice.cores.value_or(cores_), items_of(spec_, schedule));
  schedule.cores = static_cast<int>(most);
  schedule.cycles = cycles(schedule);
  ++candidates_;
  if (!best_ || schedule.cycles < best_->cycles) best_ = schedule;
}

/// Until the first block is asked for: what the code has before it, counted there, of 3 words and 3
/// operands each.
double Chooser::begins() const {
  constexpr double kInstructions = 70;
  const auto term = [&](DecodeTerm which) { return real(machine_.decode_cost(which).count()); };
  return kInstructions *
         (3 * term(DecodeTerm::fetch) + term(DecodeTerm::dispatch) + 3 * term(DecodeTerm::operand) +
          real(machine_.firmware.scalar_op.count()));
}

/// Turn by turn: the first loads and multiplies blocks, each of the others between them makes tiles
/// of D of the item before, the last only does that.
double Chooser::cycles(const ChainSchedule& schedule) const {
  const std::int64_t r = up16(spec_.first.n), tiles = ceil_div(spec_.second.n, schedule.tile_n);
  const auto of = [&](const MatmulEstimate& estimate, std::int64_t n, std::int64_t k) {
    MatmulSchedule like{.tile_m = schedule.tile_m, .tile_n = n, .tile_k = k};
    like.cores = schedule.cores;
    return estimate.of(like);
  };
  const MatmulTime first = of(first_, r, schedule.tile_k), tile = of(second_, schedule.tile_n, r);
  const double rows = real(schedule.tile_m), columns = real(schedule.tile_n);
  const auto count = [](Cycles cycles) { return real(cycles.count()); };
  // Of what a product loads, the part of its right operand; whole ones come once.
  const double right = first.mte2 * real(r) / (rows + real(r));
  const double tile_c = tile.mte2 * columns / (rows + columns);
  const double once = schedule.whole ? right + tile_c * real(tiles) : 0;
  const double blocks = real(ceil_div(spec_.first.k, schedule.tile_k));
  const double load = (schedule.whole ? first.mte2 - right : first.mte2) / blocks;
  const double hops = 2 * count(machine_.flag.hop);
  const double way = count(machine_.mte2.latency + machine_.l2.read_latency.cycles() +
                           machine_.hbm.latency.cycles()) +
                     hops;
  const double kept = rows * real(r) * 4 / machine_.fix.l0c_to_l1.per_cycle().value();
  // A lone accumulator: the cube waits until it has left.
  const bool alone = chain_layout(spec_, schedule, machine_).outs == 1;
  const double leaves =
      tile.fix + (alone ? std::max(tile.cube, tile.mte1) + count(machine_.fix.tail) + 2 * hops : 0);
  // A block, and `most` tiles behind it. Two blocks are in L1: one is loaded, the other used.
  const auto step = [&](double most) {
    const double mte1 = first.mte1 / blocks + most * tile.mte1;
    const double cube = first.cube / blocks + most * tile.cube;
    const double moved = load + (schedule.whole ? 0 : most * tile_c);
    const double used = std::max(mte1, cube) + hops + count(machine_.cube.head);
    return std::max({moved, (moved + way + used) / kStages, mte1, cube, most * leaves});
  };
  const double store = std::max({leaves, tile.mte1, tile.cube, schedule.whole ? 0.0 : tile_c});
  const double most = std::ceil(real(schedule.span) / blocks);
  const double inside = std::min(real(schedule.span), most * (blocks - 1));
  // Between the last sum of the first result and what comes next the cube has nothing to do.
  const double turn = kept + count(machine_.fix.tail + machine_.cube.tail) + 2 * hops;
  const double each = step(0) + (blocks - 1) * step(blocks > 1 ? inside / (blocks - 1) : 0) +
                      (real(schedule.span) - inside) * store + turn;
  const double turns = real(ceil_div(items_of(spec_, schedule), schedule.cores));
  const double work = blocks * step(0) + turn + each * (turns - 1) + real(schedule.span) * store;
  const double stored = real(spec_.second.batch0 * spec_.second.batch1) * real(spec_.second.m) *
                        real(spec_.second.n) * real(size_of(spec_.second.out)) /
                        machine_.l2.write.per_cycle().value();
  return std::max({work, first.hbm, stored}) + once + way + begins() +
         count(machine_.l2.write_latency.cycles());
}

}  // namespace

std::string chain_problem(const ChainSpec& spec, const Machine& machine) {
  const MatmulSpec &first = spec.first, &second = spec.second;
  if (!machine.can.l0c_to_l1) return "accumulators do not go back to L1 on this machine";
  const DType type = first.in;
  if (type != DType::F16 && type != DType::BF16) return "operands of both are not of 16 bits";
  if (first.out != type || second.in != type) return "the two have operands of different types";
  if (machine.step(type).m == 0) return "the cube does not multiply the type";
  const bool one_grid =
      first.batch0 == second.batch0 && first.batch1 == second.batch1 && first.m == second.m;
  if (!one_grid || second.k != first.n || second.trans_a) {
    return "the first result is not the second's left operand row by row";
  }
  if (first.n > kWidest) return "the first result is wider than a tile";
  if (first.atomic != isa::Atomic::None || second.atomic != isa::Atomic::None) {
    return "results are added to what is there";
  }
  for (const MatmulSpec* each : {&first, &second}) {
    if (each->bias && each->bias_type == DType::BF16) return "the bias table does not take bf16";
  }
  return schedule_chain(spec, machine, 1) ? "" : "not even 16 rows fit the buffers";
}

std::string to_string(const ChainSchedule& schedule) {
  return fmt::format("{} rows, k {}{}, {} x {} columns, {} cores", schedule.tile_m, schedule.tile_k,
                     schedule.whole ? " of whole B and C" : "", schedule.span, schedule.tile_n,
                     schedule.cores);
}

std::int64_t row_tiles(const ChainSpec& spec, const ChainSchedule& schedule) {
  return ceil_div(spec.first.m, schedule.tile_m);
}
std::int64_t spans_of(const ChainSpec& spec, const ChainSchedule& schedule) {
  return ceil_div(ceil_div(spec.second.n, schedule.tile_n), schedule.span);
}
std::int64_t items_of(const ChainSpec& spec, const ChainSchedule& schedule) {
  return spec.first.batch0 * spec.first.batch1 * row_tiles(spec, schedule) *
         spans_of(spec, schedule);
}

ChainLayout chain_layout(const ChainSpec& spec, const ChainSchedule& schedule,
                         const Machine& machine) {
  constexpr std::int64_t kItem = 2, kSum = 4;  // bytes
  const std::int64_t r = up16(spec.first.n), m = schedule.tile_m, n = schedule.tile_n;
  ChainLayout at;
  const auto place = [&](std::int64_t& offset, std::int64_t bytes, int copies) {
    offset = at.l1_end;
    at.l1_end += copies * bytes;
  };
  at.a_bytes = m * schedule.tile_k * kItem;
  at.kept_bytes = m * r * kItem;
  at.b_bytes = (schedule.whole ? up16(spec.first.k) : schedule.tile_k) * r * kItem;
  at.c_bytes = r * (schedule.whole ? up16(spec.second.n) : n) * kItem;
  at.bias_bytes = spec.first.bias || spec.second.bias ? round_up(std::max(r, n) * kSum, 64) : 0;
  place(at.a, at.a_bytes, 2);
  place(at.kept, at.kept_bytes, 2);
  place(at.b, at.b_bytes, schedule.whole ? 1 : 2);
  place(at.c, at.c_bytes, schedule.whole ? 1 : 2);
  place(at.bias, at.bias_bytes, 2);
  at.l0a_half = machine.l0a.size.count() / 2;
  at.l0b_half = machine.l0b.size.count() / 2;
  const auto part = [&](std::int64_t columns, std::int64_t whole) {
    const std::int64_t most = std::min(at.l0a_half / (m * kItem), at.l0b_half / (columns * kItem));
    return std::min(round_down(most, kFractal), whole);
  };
  at.first_part = part(r, schedule.tile_k);
  at.second_part = part(n, r);
  at.sums_bytes = m * r * kSum;
  at.out_bytes = m * n * kSum;
  at.outs = at.sums_bytes + 2 * at.out_bytes <= machine.l0c.size.count() ? 2 : 1;
  at.l0c_end = at.sums_bytes + at.outs * at.out_bytes;
  at.table_half = machine.bt.size.count() / 2;
  return at;
}

bool fits(const ChainSpec& spec, const ChainSchedule& schedule, const Machine& machine) {
  const ChainLayout at = chain_layout(spec, schedule, machine);
  const std::int64_t r = up16(spec.first.n);
  const bool varies = spec.first.b_batch0 != 0 || spec.first.b_batch1 != 0 ||
                      spec.second.b_batch0 != 0 || spec.second.b_batch1 != 0;
  if (schedule.whole && varies && spec.first.batch0 * spec.first.batch1 > 1) return false;
  const bool biases = (!spec.first.bias || r * 4 <= at.table_half) &&
                      (!spec.second.bias || schedule.tile_n * 4 <= at.table_half);
  return biases && at.first_part > 0 && at.second_part > 0 &&
         at.l1_end <= machine.l1.size.count() && at.l0c_end <= machine.l0c.size.count();
}

std::optional<ChainSchedule> schedule_chain(const ChainSpec& spec, const Machine& machine,
                                            int cores, const ChainChoice& choice) {
  return Chooser(spec, machine, cores).choose(choice);
}

ChainGain gain_of(const ChainSpec& spec, const Machine& machine) {
  const auto schedule = schedule_chain(spec, machine, machine.cores.cube);
  if (!schedule) return {};
  const auto alone = [&](const MatmulSpec& product) {
    return MatmulEstimate(product, machine).of(choose_cost(product, machine)).total;
  };
  const Cycles handed_over =
      machine.task.dispatch.cycles() + machine.task.signal.cycles() + machine.task.poll.cycles();
  return {true, schedule->cycles,
          alone(spec.first) + alone(spec.second) + real(handed_over.count())};
}

}  // namespace dvmsim
