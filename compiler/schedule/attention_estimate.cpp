#include "compiler/schedule/attention_estimate.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>

#include "vm/base/rounding.h"
#include "vm/isa/rows.h"
#include "vm/machine/derived.h"

namespace dvmsim {
namespace {

using isa::Command;
using isa::Op;

/// An operand of an instruction, its place found when this is compiled.
template <Op op>
struct Operand {
  struct Name {
    consteval Name(const char* name) : lane(isa::lane_of(op, name)) {  // NOLINT: reads as a name.
      if (lane < 0) throw "the row has no operand of that name";
    }
    int lane = 0;
  };
  Name name;
  std::int64_t value = 0;
};

template <Op op>
Command blank_command() {
  const isa::Row& row = isa::row_of(op);
  Command command;
  command.op = op;
  command.pipe = row.pipe;
  for (int i = 0; i < row.operands; ++i) {
    command.operand[static_cast<std::size_t>(i)] =
        row.operand[static_cast<std::size_t>(i)].fallback;
  }
  return command;
}

template <Op op>
double busy(const CostModel& cost, std::initializer_list<Operand<op>> operands) {
  static const Command kBlank = blank_command<op>();
  Command command = kBlank;
  for (const Operand<op>& operand : operands) {
    command.operand[static_cast<std::size_t>(operand.name.lane)] = operand.value;
  }
  return static_cast<double>(cost.of(command).busy.count());
}

double real(std::int64_t value) {
  return static_cast<double>(value);
}

/// Of pipes that pass blocks on: the slowest's, and more where others are nearly as slow.
double pace_of(std::initializer_list<double> pipes) {
  double sum = 0;
  for (const double pipe : pipes) {
    const double square = pipe * pipe, fourth = square * square;
    sum += fourth * fourth;
  }
  return std::sqrt(std::sqrt(std::sqrt(sum)));
}

/// What `one` says for each width of a row and for the rest of it. A width is half a turn through
/// the banks, so that every second one costs the same.
template <class One>
double over_widths(std::int64_t count, std::int64_t width, const One& one) {
  const std::int64_t whole = count / width, rest = count % width;
  double sum = 0;
  if (whole > 0) sum += real((whole + 1) / 2) * one(0, width);
  if (whole > 1) sum += real(whole / 2) * one(width, width);
  if (rest > 0) sum += one(whole * width, rest);
  return sum;
}

}  // namespace

AttentionEstimate::Block AttentionEstimate::block_of(const AttentionSchedule& schedule) const {
  Block block;
  block.m = std::min(schedule.tile_m, spec_.m);
  block.n = std::min(schedule.block_n, spec_.n);
  block.parts = ceil_div(block.n, schedule.part_n);
  block.share = ceil_div(block.m, machine_.cores.per_group);
  block.piece = std::min(schedule.piece_m, block.share);
  block.pieces = ceil_div(block.share, block.piece);
  block.added = std::min(schedule.add_m, block.share);
  block.additions = schedule.one_block ? 0 : ceil_div(block.share, block.added);
  return block;
}

double AttentionEstimate::blocks_of_item(const AttentionSchedule& schedule) const {
  // Chosen by three sizes between 200 and 330 keys on a 910B1, beside those of total_of().
  constexpr double kOfKeys = 0.6;  // of a block's cycles go with its keys, the rest is of any block
  const std::int64_t all = ceil_div(spec_.n, schedule.block_n);
  if (!spec_.causal) {
    const double absent = real(all * schedule.block_n - spec_.n) / real(schedule.block_n);
    return all == 1 ? 1 : real(all) - kOfKeys * absent;
  }
  const std::int64_t tiles = ceil_div(spec_.m, schedule.tile_m);
  std::int64_t sum = 0;
  for (std::int64_t tile = 0; tile < tiles; ++tile) {
    const std::int64_t end = std::min((tile + 1) * schedule.tile_m, spec_.m) + spec_.reach;
    sum += ceil_div(std::min(spec_.n, end), schedule.block_n);
  }
  return real(sum) / real(tiles);
}

void AttentionEstimate::cube_core(const AttentionSchedule& schedule, const Block& block,
                                  Estimate& sum) const {
  const auto type = static_cast<std::int64_t>(spec_.type);
  const std::int64_t item = size_of(spec_.type), part = std::min(schedule.part_n, block.n);
  const std::int64_t row = schedule.block_n;
  const double parts = real(block.parts);
  sum.cube =
      parts *
      (busy<Op::mmad>(cost_, {{"dtype", type}, {"m", block.m}, {"k", spec_.d}, {"n", part}}) +
       busy<Op::mmad>(cost_, {{"dtype", type}, {"m", block.m}, {"k", part}, {"n", spec_.e}}));
  sum.mte1 =
      parts *
      (busy<Op::l0b>(cost_, {{"dtype", type}, {"k", spec_.d}, {"n", part}, {"prows", block.n}}) +
       busy<Op::l0b>(cost_, {{"dtype", type}, {"k", part}, {"n", spec_.e}, {"prows", block.n}}) +
       busy<Op::l0a>(cost_, {{"dtype", type}, {"m", block.m}, {"k", part}, {"prows", block.m}}));
  const auto load = [&](std::int64_t rows, std::int64_t columns, std::int64_t stride) {
    return busy<Op::loadnz>(
        cost_, {{"dtype", type}, {"rows", rows}, {"cols", columns}, {"stride", stride}});
  };
  sum.mte2 = load(block.n, spec_.d, spec_.k.row) + load(block.n, spec_.e, spec_.v.row) +
             load(block.m, block.n, row * item);
  const auto fix = [&](DType to, std::int64_t columns, std::int64_t stride) {
    return busy<Op::fix>(cost_, {{"dtype", static_cast<std::int64_t>(to)},
                                 {"m", block.m},
                                 {"n", columns},
                                 {"stride", stride}}) +
           real(machine_.fix.tail.count());
  };
  sum.fix = parts * fix(score_type(spec_), part, row * size_of(score_type(spec_))) +
            (schedule.one_block ? fix(spec_.type, spec_.e, spec_.out.row)
                                : fix(DType::F32, spec_.e, spec_.e * 4));
}

/// Widening of what comes in, and the greatest and the sum of each row.
double AttentionEstimate::reductions(const AttentionSchedule& schedule, const Block& block) const {
  const auto f32 = static_cast<std::int64_t>(DType::F32);
  const std::int64_t n = block.n, rows = block.piece, pitch = schedule.block_n * 4;
  double sum = 0;
  const auto reduce = [&](DType type, isa::Reduction how) {
    return busy<Op::vredx>(cost_, {{"dtype", static_cast<std::int64_t>(type)},
                                   {"count", n},
                                   {"rows", rows},
                                   {"astride", schedule.block_n * size_of(type)},
                                   {"how", static_cast<std::int64_t>(how)}});
  };
  const DType incoming = score_type(spec_);
  if (incoming != DType::F32) {
    sum += busy<Op::vcvt>(cost_, {{"dtype", static_cast<std::int64_t>(incoming)},
                                  {"to", f32},
                                  {"count", n},
                                  {"rows", rows},
                                  {"dstride", pitch},
                                  {"astride", schedule.block_n * size_of(incoming)}});
  }
  if (takes_maximum_first(spec_)) {
    sum += busy<Op::vcvt>(
        cost_, {{"dtype", static_cast<std::int64_t>(incoming)}, {"to", f32}, {"count", rows}});
    sum += reduce(incoming, isa::Reduction::Max);
  } else {
    sum += reduce(DType::F32, isa::Reduction::Max);
  }
  sum += reduce(DType::F32, isa::Reduction::Sum);
  return sum;
}

double AttentionEstimate::softmax(const AttentionSchedule& schedule, const Block& block) const {
  const AttentionVectorLayout at = vector_layout(spec_, schedule, machine_, 0);
  const auto f32 = static_cast<std::int64_t>(DType::F32);
  const std::int64_t n = block.n, rows = block.piece, width = spread_of(machine_);
  const std::int64_t pitch = schedule.block_n * 4, spread = width * 4;
  const auto scores = [&]<Op op>() {
    return busy<op>(cost_, {{"dtype", f32},
                            {"dst", at.work},
                            {"a", at.work},
                            {"count", n},
                            {"rows", rows},
                            {"dstride", pitch},
                            {"astride", pitch}});
  };
  const auto column = [&]<Op op>() { return busy<op>(cost_, {{"dtype", f32}, {"count", rows}}); };
  double sum = 0;
  if (spec_.mask) {
    const std::int64_t mask_rows = spec_.mask_strides.row != 0 ? rows : 1;
    if (*spec_.mask != DType::F32) {
      sum += busy<Op::vcvt>(cost_, {{"dtype", static_cast<std::int64_t>(*spec_.mask)},
                                    {"to", f32},
                                    {"count", n},
                                    {"rows", mask_rows}});
    }
    sum += scores.operator()<Op::vadd>();
  }
  sum += reductions(schedule, block);
  // A difference and, of one block, a quotient of each row and its own number.
  const auto by_rows = [&](std::int64_t first, std::int64_t count) {
    return busy<Op::vsub>(cost_, {{"dtype", f32},
                                  {"dst", at.work + first * 4},
                                  {"a", at.work + first * 4},
                                  {"b", at.spread},
                                  {"count", count},
                                  {"rows", rows},
                                  {"dstride", pitch},
                                  {"astride", pitch},
                                  {"bstride", spread}});
  };
  const double own =
      busy<Op::vbrc>(cost_,
                     {{"dtype", f32}, {"count", width}, {"rows", rows}, {"dstride", spread}}) +
      over_widths(n, width, by_rows);
  if (schedule.one_block) {
    sum += 2 * own + column.operator()<Op::vrec>();
  } else {
    sum += own + 2 * column.operator()<Op::vmax>() + column.operator()<Op::vsub>() +
           column.operator()<Op::vexp>() + column.operator()<Op::vmul>() +
           column.operator()<Op::vadd>();
  }
  sum += scores.operator()<Op::vexp>();
  sum += busy<Op::vcvt>(cost_, {{"dtype", f32},
                                {"to", static_cast<std::int64_t>(spec_.type)},
                                {"count", n},
                                {"rows", rows},
                                {"dstride", schedule.block_n * size_of(spec_.type)},
                                {"astride", pitch}});
  return sum;
}

double AttentionEstimate::multiplication(const AttentionSchedule& schedule,
                                         const Block& block) const {
  const AttentionVectorLayout at = vector_layout(spec_, schedule, machine_, 0);
  const auto f32 = static_cast<std::int64_t>(DType::F32);
  const std::int64_t pitch = schedule.block_n * 4;
  double sum = busy<Op::vmuls>(cost_, {{"dtype", f32},
                                       {"dst", at.work},
                                       {"a", at.work},
                                       {"count", block.n},
                                       {"rows", block.piece},
                                       {"dstride", pitch},
                                       {"astride", pitch}});
  if (takes_maximum_first(spec_)) {
    sum += busy<Op::vmuls>(cost_, {{"dtype", f32}, {"count", block.piece}});
  }
  return sum;
}

double AttentionEstimate::addition(const AttentionSchedule& schedule, const Block& block) const {
  const AttentionVectorLayout at = vector_layout(spec_, schedule, machine_, 0);
  const auto f32 = static_cast<std::int64_t>(DType::F32);
  const std::int64_t rows = block.added, width = spread_of(machine_), pitch = spec_.e * 4;
  double sum = busy<Op::vbrc>(
      cost_, {{"dtype", f32}, {"count", width}, {"rows", rows}, {"dstride", width * 4}});
  const auto scale = [&](std::int64_t first, std::int64_t count) {
    return busy<Op::vmul>(cost_, {{"dtype", f32},
                                  {"dst", at.out + first * 4},
                                  {"a", at.out + first * 4},
                                  {"b", at.spread},
                                  {"count", count},
                                  {"rows", rows},
                                  {"dstride", pitch},
                                  {"astride", pitch},
                                  {"bstride", width * 4}});
  };
  sum += over_widths(spec_.e, width, scale);
  return sum + busy<Op::vadd>(cost_, {{"dtype", f32},
                                      {"dst", at.out},
                                      {"a", at.out},
                                      {"b", at.partial},
                                      {"count", rows * spec_.e}});
}

void AttentionEstimate::vector_core(const AttentionSchedule& schedule, const Block& block,
                                    Pieces& sum) const {
  const double pieces = real(block.pieces);
  const double additions = real(block.additions);
  sum.vector = pieces * softmax(schedule, block) + additions * addition(schedule, block);
  sum.scaling = spec_.scale != 1 ? pieces * multiplication(schedule, block) : 0;
  const std::int64_t item = size_of(spec_.type), rows = block.piece;
  const auto load = [&](std::int64_t bytes, std::int64_t stride, std::int64_t count) {
    return busy<Op::load>(
        cost_, {{"len", bytes}, {"rows", count}, {"sstride", stride}, {"dstride", stride}});
  };
  const std::int64_t score = size_of(score_type(spec_));
  sum.mte2 = load(block.n * score, schedule.block_n * score, rows);
  if (spec_.mask) {
    const bool many = spec_.mask_strides.row != 0;
    sum.mte2 += load(block.n * size_of(*spec_.mask), spec_.mask_strides.row, many ? rows : 1);
  }
  sum.mte2 *= pieces;
  sum.mte2 += additions * load(spec_.e * 4, spec_.e * 4, block.added);
  sum.mte3 = pieces * busy<Op::store>(cost_, {{"len", block.n * item},
                                              {"rows", rows},
                                              {"dstride", schedule.block_n * item},
                                              {"sstride", schedule.block_n * item}});
}

double AttentionEstimate::scaling(const AttentionSchedule& schedule) const {
  if (!schedule.scales_queries) return 0;
  const std::int64_t all = spec_.batch * spec_.heads * spec_.m * spec_.d;
  const std::int64_t piece = schedule.piece_m * schedule.block_n;
  const std::int64_t cores = schedule.cores * machine_.cores.per_group;
  const auto type = static_cast<std::int64_t>(spec_.type);
  const auto f32 = static_cast<std::int64_t>(DType::F32);
  const double vector = busy<Op::vcvt>(cost_, {{"dtype", type}, {"to", f32}, {"count", piece}}) +
                        busy<Op::vmuls>(cost_, {{"dtype", f32}, {"count", piece}}) +
                        busy<Op::vcvt>(cost_, {{"dtype", f32}, {"to", type}, {"count", piece}});
  const double load =
      real(piece * size_of(spec_.type)) / machine_.mte2.gm_to_ub_miss.per_cycle().value();
  // Two flags between cores, and the way of the first piece in and of the last one out.
  const double way = 2 * real(machine_.xflag.latency.cycles().count()) + load + vector;
  return real(ceil_div(ceil_div(all, piece), cores)) * std::max(vector, load) + way;
}

/// Decoding: commands of about 5 words and 8 operands, arithmetic of 3 and 3. How many of each
/// there are is counted in the code.
void AttentionEstimate::firmware(const AttentionSchedule& schedule, const Block& block,
                                 Estimate& sum) const {
  const auto term = [&](DecodeTerm which) { return real(machine_.decode_cost(which).count()); };
  const auto decode = [&](int words, int operands) {
    return words * term(DecodeTerm::fetch) + term(DecodeTerm::dispatch) +
           operands * term(DecodeTerm::operand);
  };
  const double command = decode(5, 8) + term(DecodeTerm::issue);
  const double arithmetic = decode(3, 3) + real(machine_.firmware.scalar_op.count());
  const double of_part = schedule.whole_n ? 1 : 14, of_piece = schedule.whole_m ? 5 : 15;
  sum.cube_scalar = real(block.parts) * (6 * command + of_part * arithmetic) + 55 * arithmetic;
  const std::int64_t width = spread_of(machine_);
  const double mask = spec_.mask ? 3 : 0;
  const auto vector = [&](std::int64_t commands, std::int64_t columns) {
    return real(commands + ceil_div(columns, width)) * command + of_piece * arithmetic;
  };
  sum.vector_scalar = real(block.pieces) * (vector(18, schedule.block_n) + mask * command) +
                      real(block.additions) * vector(4, spec_.e) + 45 * arithmetic;
}

/// All cores' bytes at what L2 gives and takes, one after the other; keys and values too large for
/// L2, at HBM's rate.
void AttentionEstimate::traffic(const AttentionSchedule& schedule, const Block& block,
                                Estimate& sum) const {
  const std::int64_t item = size_of(spec_.type), score = size_of(score_type(spec_));
  const std::int64_t keys = block.n * (spec_.d + spec_.e) * item;
  const std::int64_t scores = block.m * block.n;
  const std::int64_t outputs = schedule.one_block ? 0 : block.m * spec_.e;
  const double cores = schedule.cores;
  sum.l2_read = cores * real(keys + scores * (item + score) + outputs * 4) /
                machine_.l2.read.per_cycle().value();
  sum.l2_write =
      cores * real(scores * (item + score) + outputs * 4) / machine_.l2.write.per_cycle().value();
  const std::int64_t heads = spec_.batch * spec_.heads / spec_.shared;
  const double all = real(heads) * real(spec_.n * (spec_.d + spec_.e) * item);
  const double once = all / hbm_read_rate(machine_).per_cycle().value();
  sum.total = std::max(sum.total, once);
}

AttentionEstimate::Estimate AttentionEstimate::of_blocks(const AttentionSchedule& schedule) const {
  const Block block = block_of(schedule);
  Estimate sum;
  cube_core(schedule, block, sum);
  traffic(schedule, block, sum);
  sum.total = std::max(sum.total, total_of(schedule, sum));
  return sum;
}

AttentionEstimate::Pieces AttentionEstimate::of_pieces(const AttentionSchedule& schedule) const {
  Pieces sum;
  vector_core(schedule, block_of(schedule), sum);
  return sum;
}

AttentionEstimate::Estimate AttentionEstimate::of(const AttentionSchedule& schedule,
                                                  const Estimate& blocks,
                                                  const Pieces& pieces) const {
  const Block block = block_of(schedule);
  Estimate sum = blocks;
  sum.vector = pieces.vector + (score_scale(spec_, schedule) != 1 ? pieces.scaling : 0);
  sum.vector_mte2 = pieces.mte2;
  sum.mte3 = pieces.mte3;
  firmware(schedule, block, sum);
  sum.total = 0;
  traffic(schedule, block, sum);
  sum.total = total_of(schedule, sum);
  return sum;
}

/// So far `sum.total` is what HBM takes. The numbers were fitted to 540 schedules of 20 sizes,
/// simulated on a 910B1 as bytecode that is kept and as a library's; how well they choose is what
/// tests/compiler/schedule/attention_regret_test.cpp says.
double AttentionEstimate::total_of(const AttentionSchedule& schedule, const Estimate& sum) const {
  constexpr double kOfL2 = 1.2;                     // it is never busy all the time
  constexpr double kDecoding = 0.25;                // most of it is kept, or hides behind the pipes
  constexpr double kOfBlock = 300, kOfPiece = 300;  // cycles in which pipes wait for one another
  constexpr double kScaled = 1.05;                  // simulated to be slower than its pipes say
  constexpr double kFirst = 1.3;  // a block that nothing overlaps waits for memory at each pipe
  const Block block = block_of(schedule);
  const double waits = kOfPiece * real(block.pieces + block.additions);
  const double vector = sum.vector > 0 ? sum.vector + waits : 0;  // 0: pieces are not chosen yet
  double pace = kOfBlock + pace_of({sum.cube, sum.mte1, sum.mte2, sum.fix, vector, sum.vector_mte2,
                                    sum.mte3, kOfL2 * (sum.l2_read + sum.l2_write),
                                    kDecoding * sum.cube_scalar, kDecoding * sum.vector_scalar});
  if (schedule.scales_queries) pace *= kScaled;
  const std::int64_t items = items_of(spec_, schedule);
  const double turns = real(ceil_div(items, schedule.cores)) * blocks_of_item(schedule);
  // One block through everything: scores, their softmax, the product with the values, its addition.
  const double hop = real(machine_.xflag.latency.cycles().count());
  const double way = kFirst * (sum.mte2 + sum.cube + sum.fix + sum.vector + sum.vector_mte2 / 2) +
                     (schedule.one_block ? 2 : 3) * hop;
  const auto start = cycles_in(machine_.launch.per_core, machine_.clock.core).count();
  const int cores = schedule.cores * (1 + machine_.cores.per_group);
  return std::max(sum.total, (turns - 1) * pace + way) + scaling(schedule) + real(start * cores);
}

}  // namespace dvmsim
