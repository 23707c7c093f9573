#include "compiler/schedule/attention.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <tuple>

#include "compiler/schedule/attention_estimate.h"
#include "vm/base/error.h"
#include "vm/base/rounding.h"

namespace dvmsim {
namespace {

constexpr std::int64_t kFractal = 16, kRow = 32, kColumnRows = 8, kF32 = 4;

/// Blocks of scores ahead of the values: the flags of both ways and the other cores' work on a
/// block pass meanwhile.
constexpr std::int64_t kAhead = 3;

/// Spreads side by side in a row: each takes instructions of its own; an operand rotates over so
/// many.
constexpr std::int64_t kMostWidths = 8, kMostRotated = 7;

std::int64_t fractals(std::int64_t rows, std::int64_t columns, std::int64_t item) {
  return round_up(rows, kFractal) * round_up(columns * item, kRow);
}

/// Hands out bytes one after another.
class Arena {
 public:
  Arena(std::int64_t begin, std::int64_t align) : next_(begin), align_(align) {}
  std::int64_t take(std::int64_t bytes) {
    const std::int64_t at = next_;
    next_ += round_up(bytes, align_);
    return at;
  }
  [[nodiscard]] std::int64_t end() const { return next_; }

 private:
  std::int64_t next_, align_;
};

}  // namespace

AttentionCubeLayout cube_layout(const AttentionSpec& spec, const AttentionSchedule& schedule) {
  const std::int64_t item = size_of(spec.type);
  AttentionCubeLayout at;
  at.q_bytes = fractals(schedule.tile_m, spec.d, item);
  at.k_bytes = fractals(schedule.load_n, spec.d, item);
  at.v_bytes = fractals(schedule.load_n, spec.e, item);
  at.p_bytes = fractals(schedule.tile_m, schedule.load_n, item);
  Arena l1(0, 1);
  at.q = l1.take(2 * at.q_bytes);
  at.k = l1.take(2 * at.k_bytes);
  at.v = l1.take(2 * at.v_bytes);
  at.p = l1.take(2 * at.p_bytes);
  at.l1_end = l1.end();
  at.l0a_q_bytes = at.q_bytes;
  at.l0a_p_bytes = fractals(schedule.tile_m, schedule.part_n, item);
  at.l0a_end = at.l0a_q_bytes + 2 * at.l0a_p_bytes;
  at.l0b_k_bytes = fractals(schedule.part_n, spec.d, item);
  at.l0b_v_bytes = fractals(spec.e, schedule.part_n, item);
  at.l0b_end = 2 * (at.l0b_k_bytes + at.l0b_v_bytes);
  at.out_bytes = schedule.tile_m * round_up(spec.e, kFractal) * kF32;
  at.scores_bytes = schedule.tile_m * schedule.part_n * kF32;
  at.l0c_end = at.out_bytes + 2 * at.scores_bytes;
  return at;
}

std::int64_t spread_of(const Machine& machine) {
  return machine.vector.repeat.count() / kF32;
}

AttentionVectorLayout vector_layout(const AttentionSpec& spec, const AttentionSchedule& schedule,
                                    const Machine& machine, std::int64_t begin) {
  const std::int64_t item = size_of(spec.type), rows = schedule.piece_m;
  const std::int64_t scores = rows * schedule.block_n, ring = schedule.ahead + 1;
  AttentionVectorLayout at;
  at.share = ceil_div(schedule.tile_m, machine.cores.per_group);
  Arena ub(begin, machine.ub.align.count());
  at.scores_bytes = scores * size_of(score_type(spec));
  at.scores = ub.take(2 * at.scores_bytes);
  at.work = score_type(spec) == DType::F32 ? at.scores : ub.take(scores * kF32);
  const std::int64_t added = schedule.one_block ? 0 : schedule.add_m;  // rows of a product
  const std::int64_t padded =
      std::max(round_up(at.share, rows), added == 0 ? 0 : round_up(at.share, added));
  at.probabilities_bytes = std::max(scores, added * spec.e) * item;
  at.probabilities = ub.take(2 * at.probabilities_bytes);
  at.partial_bytes = added * spec.e * kF32;
  at.partial = ub.take(2 * at.partial_bytes);
  if (!schedule.one_block) at.out = ub.take(padded * spec.e * kF32);
  at.spread = ub.take(std::max(rows, added) * spread_of(machine) * kF32);
  if (spec.mask) {
    const std::int64_t of_rows = spec.mask_strides.row != 0 ? rows : 1;
    at.mask_bytes = of_rows * schedule.block_n * size_of(*spec.mask);
    at.mask = ub.take(2 * at.mask_bytes);
    if (*spec.mask != DType::F32) at.mask_f32 = ub.take(of_rows * schedule.block_n * kF32);
  }
  at.column_bytes = padded * kF32;
  if (spec.causal) {
    at.numbers = ub.take(schedule.block_n * kF32);
    at.places = ub.take(at.column_bytes);
    at.places_spread = ub.take(rows * spread_of(machine) * kF32);
    at.difference = ub.take(rows * spread_of(machine) * kF32);
  }
  if (!schedule.one_block) {
    at.greatest = ub.take(at.column_bytes);
    at.sum = ub.take(at.column_bytes);
    at.decay = ub.take(ring * at.column_bytes);
    at.total = ub.take(ring * at.column_bytes);
  }
  at.new_greatest = ub.take(rows * kF32);
  at.scratch = ub.take(rows * kF32);
  at.end = ub.end();
  return at;
}

AttentionSlots slots_of(const AttentionSpec& spec, const AttentionSchedule& schedule) {
  AttentionSlots slots;
  const std::int64_t scores = schedule.tile_m * schedule.block_n;
  slots.scores_bytes = scores * size_of(score_type(spec));
  slots.probabilities_bytes = scores * size_of(spec.type);
  slots.outputs_bytes = schedule.one_block ? 0 : schedule.tile_m * spec.e * kF32;
  slots.probabilities = schedule.ahead * slots.scores_bytes;
  slots.outputs = slots.probabilities + schedule.ahead * slots.probabilities_bytes;
  slots.bytes = slots.outputs + (schedule.ahead + 1) * slots.outputs_bytes;
  return slots;
}

bool has_dense_queries(const AttentionSpec& spec) {
  const std::int64_t row = spec.d * size_of(spec.type);
  return score_type(spec) != DType::F32 && (spec.m == 1 || spec.q.row == row) &&
         (spec.heads == 1 || spec.q.head == spec.m * row) &&
         (spec.batch == 1 || spec.q.batch == spec.heads * spec.m * row);
}

AttentionSchedule specialised(const AttentionSpec& spec, AttentionSchedule schedule,
                              const Machine& machine) {
  const std::int64_t members = machine.cores.per_group;
  schedule.whole_m = spec.m % schedule.tile_m == 0 &&
                     schedule.tile_m % (2 * schedule.piece_m * members) == 0 &&
                     schedule.tile_m % (2 * schedule.add_m * members) == 0;
  schedule.one_block = spec.n <= schedule.block_n;
  schedule.whole_n = spec.n % schedule.block_n == 0 && schedule.block_n % schedule.load_n == 0 &&
                     schedule.load_n % (2 * schedule.part_n) == 0;
  return schedule;
}

bool have_one_program(const AttentionSpec& a, const AttentionSchedule& of_a, const AttentionSpec& b,
                      const AttentionSchedule& of_b) {
  const auto kind = [](const AttentionSpec& spec) {
    return std::tuple(spec.heads, spec.shared, spec.d, spec.e, spec.type, spec.scale, spec.causal,
                      spec.mask, spec.mask && spec.mask_strides.row != 0);
  };
  const auto tiles = [](const AttentionSchedule& s) {
    return std::tuple(s.tile_m, s.block_n, s.load_n, s.part_n, s.piece_m, s.add_m, s.ahead,
                      s.whole_m, s.whole_n, s.one_block, s.scales_queries);
  };
  return kind(a) == kind(b) && tiles(of_a) == tiles(of_b);
}

bool have_same_work(const AttentionSpec& a, const AttentionSpec& b) {
  const auto all = [](const AttentionSpec& s) {
    return std::tie(s.batch, s.heads, s.shared, s.m, s.n, s.d, s.e, s.type, s.scale, s.causal,
                    s.reach, s.mask, s.q, s.k, s.v, s.out, s.mask_strides);
  };
  return all(a) == all(b);
}

std::int64_t items_of(const AttentionSpec& spec, const AttentionSchedule& schedule) {
  return ceil_div(spec.m, schedule.tile_m) * spec.batch * spec.heads;
}

AttentionSpec merged(AttentionSpec spec) {
  const auto even = [&](const AttentionStrides& strides) {
    return spec.m == 1 || strides.head == spec.m * strides.row;
  };
  const bool told_apart =
      (spec.causal && spec.reach + 1 < spec.n) ||
      (spec.mask && (spec.mask_strides.row != 0 || spec.mask_strides.head != 0));
  if (spec.shared == 1 || told_apart || !even(spec.q) || !even(spec.out)) return spec;
  const auto merge = [&](AttentionStrides& strides) {
    if (spec.m == 1) strides.row = strides.head;
    strides.head = spec.shared * (spec.m == 1 ? strides.row : spec.m * strides.row);
  };
  merge(spec.q);
  merge(spec.out);
  spec.causal = false;
  spec.reach = 0;
  spec.m *= spec.shared;
  spec.heads /= spec.shared;
  spec.shared = 1;
  return spec;
}

bool fits(const AttentionSpec& spec, const AttentionSchedule& schedule, const Machine& machine) {
  const AttentionCubeLayout cube = cube_layout(spec, schedule);
  const std::int64_t room = machine.ub_for_tiles(Bytes(kAttentionCode)).count();
  const std::int64_t widest =
      schedule.one_block ? schedule.block_n : std::max(schedule.block_n, spec.e);
  const std::int64_t widths = ceil_div(widest, spread_of(machine));
  // What is hidden from a query is hidden in whole spreads.
  const bool hides = !spec.causal || schedule.block_n <= spread_of(machine) ||
                     schedule.block_n % spread_of(machine) == 0;
  const bool many = widths <= (spec.causal ? kMostRotated : kMostWidths);
  return hides && many && cube.l1_end <= machine.l1.size.count() &&
         cube.l0a_end <= machine.l0a.size.count() && cube.l0b_end <= machine.l0b.size.count() &&
         cube.l0c_end <= machine.l0c.size.count() &&
         vector_layout(spec, schedule, machine, 0).end <= room;
}

std::string attention_problem(const AttentionSpec& spec, const Machine& machine) {
  if (machine.cores.unified || machine.cores.per_group < 1) {
    return "the machine has no vector cores apart from its cube cores";
  }
  if (spec.type != DType::F16 && spec.type != DType::BF16) {
    return fmt::format("it is computed in {}, not in f16 or bf16", name_of(spec.type));
  }
  if (machine.step(spec.type).m == 0) {
    return fmt::format("the cube does not multiply {}", name_of(spec.type));
  }
  if (spec.d % kFractal != 0 || spec.e % kFractal != 0) {
    return fmt::format("the size of a head is no multiple of {}", kFractal);
  }
  if (spread_of(machine) % kFractal != 0) return "a repeat of the vector unit is too short";
  if (machine.xflag.ids < 5 || machine.xflag.max < kAhead + 1) {
    return "the machine has too few flags between its cores";
  }
  AttentionSchedule least;
  least.piece_m = kColumnRows;
  least.ahead = kAhead;
  if (!fits(spec, least, machine)) return "the smallest tile does not fit the machine's buffers";
  return {};
}

namespace {

/// Looks for the schedule of the least total; of equal ones it is the first.
class AttentionSearch {
 public:
  AttentionSearch(const AttentionSpec& spec, const Machine& machine, int cores,
                  const AttentionChoice& choice)
      : spec_(spec),
        machine_(machine),
        cores_(std::min(cores, choice.cores.value_or(cores))),
        choice_(choice),
        estimate_(spec, machine),
        most_m_(round_up(spec.m, kFractal)),
        most_n_(round_up(spec.n, kFractal)) {}

  AttentionSchedule run() {
    if (choice_ == AttentionChoice{}) guess();
    for (std::int64_t tile = kFractal; tile < 2 * most_m_; tile *= 2) {
      const std::int64_t tile_m = choice_.queries.value_or(std::min(tile, most_m_));
      for (std::int64_t part = kFractal; part < 2 * most_n_; part *= 2) {
        const std::int64_t part_n = choice_.part.value_or(std::min(part, most_n_));
        const std::int64_t all = ceil_div(most_n_, part_n);
        for (std::int64_t next = 1; next < 2 * all; next *= 2) {
          const std::int64_t parts = std::min(next, all);  // of all keys no more than they are
          if (choice_.keys.value_or(part_n * parts) != part_n * parts) continue;
          if (!try_pieces(blocks(tile_m, part_n, parts))) break;
        }
        if (choice_.part) break;
      }
      if (choice_.queries) break;
    }
    DVMSIM_ASSERT(found_ || choice_ != AttentionChoice{}, "the smallest tile fits");
    best_.candidates = found_ ? candidates_ : 0;
    return best_;
  }

 private:
  /// Loads as many parts of a block as L1 holds twice.
  [[nodiscard]] AttentionSchedule blocks(std::int64_t tile_m, std::int64_t part_n,
                                         std::int64_t parts) const {
    AttentionSchedule schedule{.tile_m = tile_m,
                               .block_n = part_n * parts,
                               .load_n = part_n * parts,
                               .part_n = part_n,
                               .piece_m = kColumnRows,
                               .ahead = kAhead,
                               .one_block = spec_.n <= part_n * parts};
    while (cube_layout(spec_, schedule).l1_end > machine_.l1.size.count() && parts > 1) {
      parts /= 2;
      schedule.load_n = part_n * parts;
    }
    schedule.cores = static_cast<int>(std::min<std::int64_t>(cores_, items_of(spec_, schedule)));
    return schedule;
  }

  [[nodiscard]] std::int64_t share_of(const AttentionSchedule& schedule) const {
    return ceil_div(schedule.tile_m, machine_.cores.per_group);
  }

  /// A total that can be had: of large blocks in large pieces, which run() comes to as well. What
  /// cannot be less than it need not be looked at.
  void guess() {
    constexpr std::int64_t kPart = 128;
    const std::int64_t part_n = std::min(kPart, most_n_);
    const std::int64_t all = ceil_div(most_n_, part_n);
    for (std::int64_t tile = kFractal; tile < 2 * most_m_; tile *= 2) {
      for (std::int64_t next = 1; next <= 4 && next < 2 * all; next *= 2) {
        AttentionSchedule schedule = blocks(std::min(tile, most_m_), part_n, std::min(next, all));
        const AttentionEstimate::Estimate blocks = estimate_.of_blocks(schedule);
        if (blocks.total > limit_) continue;
        for (std::int64_t piece = largest_piece(schedule); piece >= kColumnRows; piece /= 2) {
          schedule.piece_m = schedule.add_m = piece_of(schedule, piece);
          if (!fits(spec_, schedule, machine_)) continue;
          limit_ = std::min(limit_, estimated(schedule, blocks, estimate_.of_pieces(schedule)));
          break;
        }
      }
    }
  }

  /// Of powers of two times the least; 0 if none is less than twice the share.
  [[nodiscard]] std::int64_t largest_piece(const AttentionSchedule& schedule) const {
    std::int64_t piece = 0;
    for (std::int64_t next = kColumnRows; next < 2 * share_of(schedule); next *= 2) piece = next;
    return piece;
  }
  [[nodiscard]] std::int64_t piece_of(const AttentionSchedule& schedule, std::int64_t piece) const {
    return std::min(piece, round_up(share_of(schedule), kColumnRows));
  }

  double estimated(AttentionSchedule& schedule, const AttentionEstimate::Estimate& blocks,
                   const AttentionEstimate::Pieces& pieces) {
    ++candidates_;
    schedule = specialised(spec_, schedule, machine_);
    schedule.estimate = estimate_.of(schedule, blocks, pieces);
    return schedule.estimate.total;
  }

  /// False if none fits.
  bool try_pieces(AttentionSchedule schedule) {
    const AttentionEstimate::Estimate blocks = estimate_.of_blocks(schedule);
    if (blocks.total > limit_) return true;
    const std::int64_t most = largest_piece(schedule);
    bool any = false;
    for (std::int64_t piece = kColumnRows; piece <= most; piece *= 2) {
      schedule.piece_m = piece_of(schedule, piece);
      if (choice_.piece.value_or(schedule.piece_m) != schedule.piece_m) continue;
      for (int times = 1; times <= 2; ++times) {
        if (times == 2 && schedule.one_block && !choice_.add) break;  // nothing is added
        schedule.add_m = times * schedule.piece_m;
        if (choice_.add.value_or(schedule.add_m) != schedule.add_m) continue;
        if (!fits(spec_, schedule, machine_)) continue;
        any = true;
        consider(schedule, blocks);
      }
    }
    return any;
  }

  void consider(AttentionSchedule schedule, const AttentionEstimate::Estimate& blocks) {
    const AttentionEstimate::Pieces pieces = estimate_.of_pieces(schedule);
    const bool may_scale = spec_.scale != 1 && has_dense_queries(spec_);
    for (bool scales : {false, true}) {
      if (scales && !may_scale) break;
      if (choice_.scale_queries.value_or(scales) != scales) continue;
      schedule.scales_queries = scales;
      const double total = estimated(schedule, blocks, pieces);
      limit_ = std::min(limit_, total);
      if (found_ && total >= best_.estimate.total) continue;
      best_ = schedule;
      found_ = true;
    }
  }

  const AttentionSpec& spec_;
  const Machine& machine_;
  int cores_;
  const AttentionChoice& choice_;
  AttentionEstimate estimate_;
  std::int64_t most_m_, most_n_;
  double limit_ = std::numeric_limits<double>::max();
  bool found_ = false;
  int candidates_ = 0;
  AttentionSchedule best_{};
};

}  // namespace

AttentionSchedule schedule_attention(const AttentionSpec& spec, const Machine& machine, int cores,
                                     const AttentionChoice& choice) {
  return AttentionSearch(spec, machine, cores, choice).run();
}

std::string impossible(const AttentionSpec& spec, int cores, const AttentionChoice& choice) {
  const auto multiple = [](const char* key, const std::optional<std::int64_t>& value,
                           std::int64_t unit, std::int64_t most) -> std::string {
    if (!value || (*value % unit == 0 && *value <= round_up(most, unit))) return {};
    return fmt::format("{}: {} is no multiple of {} up to {}", key, *value, unit,
                       round_up(most, unit));
  };
  for (const std::string& why : {multiple("queries", choice.queries, kFractal, spec.m),
                                 multiple("part", choice.part, kFractal, spec.n),
                                 multiple("keys", choice.keys, kFractal, 2 * spec.n),
                                 multiple("piece", choice.piece, kColumnRows, spec.m),
                                 multiple("add", choice.add, kColumnRows, 2 * spec.m)}) {
    if (!why.empty()) return why;
  }
  if (choice.cores.value_or(1) > cores) {
    return fmt::format("cores: {} of {} cube cores", *choice.cores, cores);
  }
  if (choice.scale_queries.value_or(false) && (spec.scale == 1 || !has_dense_queries(spec))) {
    return "scale_queries: there is no scale, or queries do not follow one another";
  }
  return {};
}

std::string to_text(const AttentionSpec& spec, const AttentionSchedule& schedule) {
  const AttentionSchedule::Estimate& cost = schedule.estimate;
  std::string text = fmt::format(
      "attention {} x {} heads ({} share keys), {} queries of {}, {} keys, values of {}, {}{}{}\n",
      spec.batch, spec.heads, spec.shared, spec.m, spec.d, spec.n, spec.e, name_of(spec.type),
      spec.causal ? fmt::format(", causal from key {}", spec.reach) : "",
      spec.mask ? fmt::format(", mask {}", name_of(*spec.mask)) : "");
  text += fmt::format(
      "tile {} x {} (loads of {}, parts of {}, pieces of {} and {} rows){}{}{}{}, {} blocks ahead, "
      "{} "
      "items on {} cores\n",
      schedule.tile_m, schedule.block_n, schedule.load_n, schedule.part_n, schedule.piece_m,
      schedule.add_m, schedule.whole_m ? ", whole tiles" : "",
      schedule.whole_n ? ", whole blocks" : "", schedule.one_block ? ", one block" : "",
      schedule.scales_queries ? ", queries scaled first" : "", schedule.ahead,
      items_of(spec, schedule), schedule.cores);
  text += fmt::format(
      "  per block: cube {:.0f}, mte1 {:.0f}, mte2 {:.0f}, fix {:.0f}; vector {:.0f}, mte2 {:.0f}, "
      "mte3 {:.0f}; scalar {:.0f} and {:.0f}; l2 read {:.0f}, write {:.0f}; in all {:.0f} cycles\n",
      cost.cube, cost.mte1, cost.mte2, cost.fix, cost.vector, cost.vector_mte2, cost.mte3,
      cost.cube_scalar, cost.vector_scalar, cost.l2_read, cost.l2_write, cost.total);
  return text;
}

}  // namespace dvmsim
