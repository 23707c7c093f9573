// The vector cores' part of an attention program.
#include <algorithm>
#include <bit>
#include <limits>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "compiler/codegen/attention_walk.h"
#include "vm/base/rounding.h"

namespace dvmsim {
namespace {

using isa::Op;
using isa::Reduction;

// Flag ids, each pair of pipes apart.
constexpr int kScoresIn = 0, kPartialIn = 1;  // mte2 -> vector, and back: free
constexpr int kResult = 0;                    // vector -> mte3, and back: free

/// Below every score, and finite: a row that has seen nothing has this maximum.
constexpr float kLeast = std::numeric_limits<float>::lowest();
/// What is taken from the score of a key for each place that it is too far for the query.
constexpr float kHidden = 1e30f;

constexpr int kF32 = static_cast<int>(DType::F32), kI32 = static_cast<int>(DType::I32);

std::int32_t bits(float value) {
  return std::bit_cast<std::int32_t>(value);
}

class Vector {
 public:
  Vector(const AttentionSpec& spec, const AttentionSchedule& schedule, const Machine& machine,
         std::int64_t begin)
      : spec_(spec),
        schedule_(schedule),
        at_(vector_layout(spec, schedule, machine, begin)),
        slots_(slots_of(spec, schedule)),
        width_(spread_of(machine)),
        members_(machine.cores.per_group),
        frame_(code_, spec, schedule, machine) {
    if (spec.mask) mask_.emplace(code_, at_.mask, at_.mask_bytes, schedule.whole_m);
  }

  void write(Program& program);

 private:
  /// Rows of a tile that are this core's, and the way through them in pieces.
  struct Share {
    Reg first{};
    Val rows{};
  };
  struct Piece {
    int use = 0;  // of the turn's buffers
    Val rows{};
    Val column{};  // bytes to its first row in a column of the share
    Val row{};     // its first row in the tile
  };

  void tokens(bool give);
  void count_places();
  void scale_queries();
  void scale_piece(Val from, Val to, Val count, Val in, Val out);
  [[nodiscard]] Share share_registers();
  void take_share(const AttentionWalk& walk, const Share& share);
  template <class Body>
  void each_piece(const Share& share, std::int64_t high, Body&& body);
  isa::Inst& vector(Op op, Operands operands);
  isa::Inst& column(Op op, Val to, Val a, Val b, Val rows);
  void spread(Val column, Val to, int dtype, Val rows);
  void softmax();
  void softmax_of(const Piece& piece, Val from, Val to);
  void load_scores(const Piece& piece, Val from);
  void add_mask(const Piece& piece);
  void hide(const Piece& piece);
  void reduce(Reduction how, int dtype, Val to, Val of, std::int64_t row, Val rows);
  void reduce_first(const Piece& piece);
  void weigh(const Piece& piece);
  void addition();
  void add_product(const Piece& piece, Val from);
  /// An operation of every row of a matrix with its own number, which `spread` holds.
  void by_rows(Op op, Val matrix, std::int64_t pitch, std::span<const Val> widths, Val rows);
  /// Where the rows of a share begin in a matrix; those of a piece, from there.
  [[nodiscard]] Reg share_of(Reg matrix, const Share& share, std::int64_t row_bytes) {
    const RegisterScope scope(code_);
    const Reg first = code_.reg();
    code_.assign(first, Op::smul, share.first, row_bytes);
    code_.assign(matrix, Op::sadd, matrix, first);
    return matrix;
  }
  [[nodiscard]] Val piece_of(Val matrix, const Piece& piece, std::int64_t row_bytes) {
    return code_.compute(Op::sadd, matrix, code_.compute(Op::smul, piece.column, row_bytes / 4));
  }
  [[nodiscard]] Val at(std::int64_t base, Val offset) {
    return code_.compute(Op::sadd, offset, base);
  }
  [[nodiscard]] std::int64_t pitch() const { return schedule_.block_n * 4; }
  [[nodiscard]] std::int64_t score_pitch() const {
    return schedule_.block_n * size_of(score_type(spec_));
  }
  /// The piece's scores as F32: where they came in, or where they were widened to.
  [[nodiscard]] Val work(const Piece& piece) const {
    return score_type(spec_) == DType::F32 ? scores_.of(piece.use) : Val(at_.work);
  }

  const AttentionSpec& spec_;
  const AttentionSchedule& schedule_;
  AttentionVectorLayout at_;
  AttentionSlots slots_;
  std::int64_t width_, members_;
  Builder code_{CoreKind::Vector};
  AttentionFrame frame_;
  AttentionWalk taking_{frame_, true}, adding_{frame_, false};
  Share taken_ = share_registers(), added_ = schedule_.whole_m ? taken_ : share_registers();
  AttentionPair scores_{code_, at_.scores, at_.scores_bytes, schedule_.whole_m},
      result_{code_, at_.probabilities, at_.probabilities_bytes, schedule_.whole_m},
      partial_{code_, at_.partial, at_.partial_bytes, schedule_.whole_m};
  std::optional<AttentionPair> mask_{};
  AttentionRing scores_slot_{code_, schedule_.ahead}, taken_slot_{code_, schedule_.ahead + 1},
      added_slot_{code_, schedule_.ahead + 1};
  std::vector<Val> widths_{};  // keys of the block in each spread's width
  Reg decay_{};                // of the turn, and from there on
  const int type_ = static_cast<int>(spec_.type);
  const std::int64_t item_ = size_of(spec_.type);
};

void Vector::write(Program& program) {
  code_.mark(DebugMark::Kind::Operator, program.name);
  const Reg turn = code_.reg();
  code_.assign(turn, Op::mov, 0, 0);
  if (spec_.causal) count_places();
  if (schedule_.scales_queries) scale_queries();
  tokens(true);
  frame_.begin_turns();
  const int no_softmax = code_.jump(Op::jz, code_.compute(Op::slt, turn, frame_.turns));
  softmax();
  code_.land(no_softmax);
  const int no_addition = code_.jump(Op::jnz, code_.compute(Op::slt, turn, schedule_.ahead));
  addition();
  code_.land(no_addition);
  code_.assign(turn, Op::sadd, turn, 1);
  code_.end_loop();
  tokens(false);
  code_.link(program);
}

/// Every buffer is free at first, and again at the end.
void Vector::tokens(bool give) {
  const auto pass = [&](Pipe from, Pipe to, int id) {
    for (int i = 0; i < 2; ++i) {
      if (give) {
        code_.set(from, to, id);
      } else {
        code_.wait(to, from, id);
      }
    }
  };
  for (int id : {kScoresIn, kPartialIn}) pass(Pipe::Vector, Pipe::MTE2, id);
  pass(Pipe::MTE3, Pipe::Vector, kResult);
}

isa::Inst& Vector::vector(Op op, Operands operands) {
  isa::Inst& inst = code_.add(op, operands);
  inst.drain = true;  // it reads what the one before it wrote
  return inst;
}

isa::Inst& Vector::column(Op op, Val to, Val a, Val b, Val rows) {
  if (isa::row_of(op).find("b") < 0) {
    return vector(op, {{"dtype", kF32}, {"dst", to}, {"a", a}, {"count", rows}});
  }
  return vector(op, {{"dtype", kF32}, {"dst", to}, {"a", a}, {"b", b}, {"count", rows}});
}

/// 1, 2, 3, ... along the keys of a block and along the rows of a tile.
void Vector::count_places() {
  for (const auto& [to, count] :
       {std::pair(at_.numbers, schedule_.block_n), std::pair(at_.places, at_.column_bytes / 4)}) {
    vector(Op::vdup, {{"dtype", kI32}, {"dst", to}, {"s", 1}, {"count", count}});
    vector(Op::vscanx, {{"dtype", kI32}, {"dst", to}, {"a", to}, {"count", count}});
  }
}

/// All queries as one row, in pieces over all vector cores. Each cube core reads what other groups
/// have scaled: all have to be done.
void Vector::scale_queries() {
  const RegisterScope scope(code_);
  const std::int64_t piece = schedule_.piece_m * schedule_.block_n;
  const Reg all = code_.reg(), first = code_.reg(), step = code_.reg(), count = code_.reg(),
            from = code_.reg(), to = code_.reg(), left = code_.reg();
  AttentionPair in(code_, at_.scores, at_.scores_bytes),
      out(code_, at_.probabilities, at_.probabilities_bytes);
  code_.add(Op::ldarg, {{"rd", all}, {"index", kWordM}});
  code_.assign(all, Op::smul, all, frame_.per_tile);
  code_.assign(all, Op::smul, all, spec_.d);
  code_.assign(first, Op::smul, Reg{isa::kCoreIndexReg}, piece);
  code_.assign(step, Op::smul, Reg{isa::kCoreCountReg}, piece);
  code_.assign(count, Op::ssub, all, first);
  code_.assign(count, Op::sadd, count, step);
  code_.assign(count, Op::ssub, count, 1);
  code_.assign(count, Op::sdiv, count, step);
  code_.assign(count, Op::smax, count, 0);
  tokens(true);
  code_.begin_loop(count);
  code_.assign(left, Op::ssub, all, first);
  code_.assign(left, Op::smin, left, piece);
  const Reg offset = code_.reg();
  code_.assign(offset, Op::smul, first, item_);
  code_.add(Op::ldarg, {{"rd", from}, {"index", kWordQ}});
  code_.add(Op::ldarg, {{"rd", to}, {"index", kWordScaled}});
  code_.assign(from, Op::sadd, from, offset);
  code_.assign(to, Op::sadd, to, offset);
  scale_piece(from, to, left, in.now(), out.now());
  in.turn();
  out.turn();
  code_.assign(first, Op::sadd, first, step);
  code_.end_loop();
  tokens(false);
  frame_.signal(Pipe::MTE3, kQueriesScaled, isa::CrossMode::All);
  frame_.await(Pipe::MTE3, kQueriesScaled, isa::CrossMode::All);
  frame_.signal(Pipe::MTE3, kQueriesThere);
}

void Vector::scale_piece(Val from, Val to, Val count, Val in, Val out) {
  const Val bytes = code_.compute(Op::smul, count, item_);
  isa::Inst& load = code_.add(Op::load, {{"dst", in}, {"src", from}, {"len", bytes}});
  tell(after(load, Pipe::Vector, kScoresIn), Pipe::Vector, kScoresIn);
  isa::Inst& widen = vector(
      Op::vcvt, {{"dtype", type_}, {"to", kF32}, {"dst", at_.work}, {"a", in}, {"count", count}});
  tell(after(widen, Pipe::MTE2, kScoresIn), Pipe::MTE2, kScoresIn);
  vector(Op::vmuls, {{"dtype", kF32},
                     {"dst", at_.work},
                     {"a", at_.work},
                     {"s", bits(spec_.scale)},
                     {"count", count}});
  isa::Inst& narrow = vector(
      Op::vcvt, {{"dtype", kF32}, {"to", type_}, {"dst", out}, {"a", at_.work}, {"count", count}});
  tell(after(narrow, Pipe::MTE3, kResult), Pipe::MTE3, kResult);
  isa::Inst& store = code_.add(Op::store, {{"dst", to}, {"src", out}, {"len", bytes}});
  tell(after(store, Pipe::Vector, kResult), Pipe::Vector, kResult);
}

/// Rows are divided evenly; the last cores may have fewer, or none.
Vector::Share Vector::share_registers() {
  const Share share{code_.reg(), schedule_.whole_m ? Val(at_.share) : Val(code_.reg())};
  if (schedule_.whole_m) code_.assign(share.first, Op::smul, Reg{isa::kMemberReg}, at_.share);
  return share;
}

void Vector::take_share(const AttentionWalk& walk, const Share& share) {
  if (schedule_.whole_m) return;
  const RegisterScope scope(code_);
  const Val padded = code_.compute(Op::sadd, walk.rows, members_ - 1);
  const Val even = code_.compute(Op::sdiv, padded, members_);
  const Reg rows{share.rows.lane.reg};
  code_.assign(share.first, Op::smul, even, Reg{isa::kMemberReg});
  code_.assign(share.first, Op::smin, share.first, walk.rows);
  code_.assign(rows, Op::ssub, walk.rows, share.first);
  code_.assign(rows, Op::smin, rows, even);
}

template <class Body>
void Vector::each_piece(const Share& share, std::int64_t high, Body&& body) {
  const RegisterScope scope(code_);
  if (schedule_.whole_m) {
    for (int use = 0; use < at_.share / high; ++use) {
      const RegisterScope of_piece(code_);
      body(Piece{use, high, use * high * 4, code_.compute(Op::sadd, share.first, use * high)});
    }
    return;
  }
  const Reg left = code_.reg(), row = code_.reg(), column = code_.reg(), rows = code_.reg(),
            count = code_.reg();
  code_.assign(left, Op::mov, share.rows, 0);
  code_.assign(row, Op::mov, share.first, 0);
  code_.assign(column, Op::mov, 0, 0);
  code_.assign(count, Op::sadd, left, high - 1);
  code_.assign(count, Op::sdiv, count, high);
  code_.begin_loop(count);
  code_.assign(rows, Op::smin, left, high);
  body(Piece{0, rows, column, row});
  code_.assign(left, Op::ssub, left, high);
  code_.assign(row, Op::sadd, row, high);
  code_.assign(column, Op::sadd, column, high * 4);
  code_.end_loop();
}

/// The number of each row, as many times as a repeat is wide.
void Vector::spread(Val column, Val to, int dtype, Val rows) {
  vector(Op::vbrc, {{"dtype", dtype},
                    {"dst", to},
                    {"a", column},
                    {"count", width_},
                    {"rows", rows},
                    {"dstride", width_ * 4}});
}

void Vector::by_rows(Op op, Val matrix, std::int64_t row, std::span<const Val> widths, Val rows) {
  const RegisterScope scope(code_);
  Val first = matrix;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    isa::Inst& inst = vector(op, {{"dtype", kF32},
                                  {"dst", first},
                                  {"a", first},
                                  {"b", at_.spread},
                                  {"count", widths[i]},
                                  {"rows", rows},
                                  {"dstride", row},
                                  {"astride", row},
                                  {"bstride", width_ * 4}});
    inst.drain = i == 0;
    if (i + 1 == widths.size()) break;
    if (!matrix.lane.is_register) {
      first = first.value() + width_ * 4;
      continue;
    }
    if (i == 0) first = code_.reg();
    code_.assign(Reg{first.lane.reg}, Op::sadd, i == 0 ? matrix : first, width_ * 4);
  }
}

void Vector::softmax() {
  const RegisterScope scope(code_);
  code_.mark(DebugMark::Kind::Operator, spec_.name + ".softmax");
  taking_.begin([&] { take_share(taking_, taken_); });
  frame_.await(Pipe::MTE2, kScoresThere);
  widths_.clear();
  for (std::int64_t first = 0; first < schedule_.block_n; first += width_) {
    if (schedule_.whole_n) {
      widths_.emplace_back(std::min(width_, schedule_.block_n - first));
      continue;
    }
    const Reg keys = code_.reg();
    code_.assign(keys, Op::ssub, taking_.keys, first);
    code_.assign(keys, Op::smax, keys, 0);
    code_.assign(keys, Op::smin, keys, width_);
    widths_.emplace_back(keys);
  }
  const std::int64_t row = schedule_.block_n * item_;
  const Reg scores =
      share_of(scores_slot_.slot(frame_.slots, slots_.scores_bytes), taken_, score_pitch());
  const Reg to =
      share_of(scores_slot_.slot(frame_.slots, slots_.probabilities_bytes, slots_.probabilities),
               taken_, row);
  decay_ = taken_slot_.slot(at_.decay, at_.column_bytes);
  each_piece(taken_, schedule_.piece_m, [&](const Piece& piece) {
    softmax_of(piece, piece_of(scores, piece, score_pitch()), piece_of(to, piece, row));
  });
  frame_.signal(Pipe::MTE3, kProbabilitiesThere);
  scores_slot_.turn();
  taken_slot_.turn();
  taking_.end();
}

void Vector::load_scores(const Piece& piece, Val from) {
  const RegisterScope scope(code_);
  const bool many = spec_.mask_strides.row != 0;
  if (spec_.mask) {
    const Reg address = code_.reg(), stride = code_.reg();
    const Val row = code_.compute(Op::sadd, taking_.row, piece.row);
    frame_.address(address, kWordMask, kWordStrideMask, taking_.place, 1, many ? row : Val(0));
    code_.add(Op::ldarg, {{"rd", stride}, {"index", kWordStrideMask + 2}});
    const std::int64_t size = size_of(*spec_.mask);
    code_.assign(address, Op::sadd, address, code_.compute(Op::smul, taking_.key, size));
    isa::Inst& mask = code_.add(Op::load, {{"dst", mask_->of(piece.use)},
                                           {"src", address},
                                           {"len", code_.compute(Op::smul, taking_.keys, size)},
                                           {"rows", many ? piece.rows : Val(1)},
                                           {"dstride", many ? schedule_.block_n * size : 0},
                                           {"sstride", many ? Val(stride) : Val(0)}});
    after(mask, Pipe::Vector, kScoresIn);
  }
  const Val bytes = code_.compute(Op::smul, taking_.keys, size_of(score_type(spec_)));
  isa::Inst& load = code_.add(Op::load, {{"dst", scores_.of(piece.use)},
                                         {"src", from},
                                         {"len", bytes},
                                         {"rows", piece.rows},
                                         {"dstride", score_pitch()},
                                         {"sstride", score_pitch()}});
  if (!spec_.mask) after(load, Pipe::Vector, kScoresIn);
  tell(load, Pipe::Vector, kScoresIn);
}

/// Scores that come in leave as probabilities that are not divided by their sum yet.
void Vector::softmax_of(const Piece& piece, Val from, Val to) {
  load_scores(piece, from);
  code_.wait(Pipe::Vector, Pipe::MTE2, kScoresIn);
  if (takes_maximum_first(spec_)) reduce_first(piece);
  const bool widens = score_type(spec_) != DType::F32;
  if (widens) {
    isa::Inst& widen = vector(Op::vcvt, {{"dtype", static_cast<int>(score_type(spec_))},
                                         {"to", kF32},
                                         {"dst", at_.work},
                                         {"a", scores_.of(piece.use)},
                                         {"count", taking_.keys},
                                         {"rows", piece.rows},
                                         {"dstride", pitch()},
                                         {"astride", score_pitch()}});
    widen.drain = false;  // its source came from outside
    if (!spec_.mask) tell(widen, Pipe::MTE2, kScoresIn);
  }
  if (score_scale(spec_, schedule_) != 1) {
    vector(Op::vmuls, {{"dtype", kF32},
                       {"dst", work(piece)},
                       {"a", work(piece)},
                       {"s", bits(spec_.scale)},
                       {"count", taking_.keys},
                       {"rows", piece.rows},
                       {"dstride", pitch()},
                       {"astride", pitch()}});
  }
  if (spec_.mask) add_mask(piece);
  if (spec_.causal) hide(piece);
  weigh(piece);
  isa::Inst& narrow = vector(Op::vcvt, {{"dtype", kF32},
                                        {"to", type_},
                                        {"dst", result_.of(piece.use)},
                                        {"a", work(piece)},
                                        {"count", taking_.keys},
                                        {"rows", piece.rows},
                                        {"dstride", schedule_.block_n * item_},
                                        {"astride", pitch()}});
  narrow.drain = false;  // the sum has waited for its source
  tell(after(narrow, Pipe::MTE3, kResult), Pipe::MTE3, kResult);
  if (!widens || spec_.mask) tell(narrow, Pipe::MTE2, kScoresIn);
  isa::Inst& store = code_.add(Op::store, {{"dst", to},
                                           {"src", result_.of(piece.use)},
                                           {"len", code_.compute(Op::smul, taking_.keys, item_)},
                                           {"rows", piece.rows},
                                           {"dstride", schedule_.block_n * item_},
                                           {"sstride", schedule_.block_n * item_}});
  tell(after(store, Pipe::Vector, kResult), Pipe::Vector, kResult);
  scores_.turn();
  result_.turn();
  if (mask_) mask_->turn();
}

void Vector::add_mask(const Piece& piece) {
  const bool many = spec_.mask_strides.row != 0, wide = *spec_.mask == DType::F32;
  const std::int64_t stride = schedule_.block_n * size_of(*spec_.mask);
  if (!wide) {
    vector(Op::vcvt, {{"dtype", static_cast<int>(*spec_.mask)},
                      {"to", kF32},
                      {"dst", at_.mask_f32},
                      {"a", mask_->of(piece.use)},
                      {"count", taking_.keys},
                      {"rows", many ? piece.rows : Val(1)},
                      {"dstride", many ? pitch() : 0},
                      {"astride", many ? stride : 0}});
  }
  vector(Op::vadd, {{"dtype", kF32},
                    {"dst", work(piece)},
                    {"a", work(piece)},
                    {"b", wide ? mask_->of(piece.use) : Val(at_.mask_f32)},
                    {"count", taking_.keys},
                    {"rows", piece.rows},
                    {"dstride", pitch()},
                    {"astride", pitch()},
                    {"bstride", many ? pitch() : 0}});
}

/// Keys behind the last one that a query sees become very small, the farther the smaller. Only
/// blocks that reach beyond what the tile's first query sees have such keys.
void Vector::hide(const Piece& piece) {
  const RegisterScope scope(code_);
  const Val end = code_.compute(Op::sadd, taking_.key, taking_.keys);
  const Val seen = code_.compute(Op::sadd, code_.argument(kWordReach), taking_.row);
  const int all_seen = code_.jump(Op::jnz, code_.compute(Op::slt, end, at(2, seen)));
  const Val first = code_.compute(Op::sadd, seen, taken_.first);
  const Val shift = code_.compute(Op::ssub, first, taking_.key);
  const Val rows = piece.rows;
  vector(Op::vadds, {{"dtype", kI32},
                     {"dst", at_.scratch},
                     {"a", at(at_.places, piece.column)},
                     {"s", shift},
                     {"count", rows}});
  spread(at_.scratch, at_.places_spread, kI32, rows);
  const std::int64_t row = width_ * 4;
  const Val flat = code_.compute(Op::smul, rows, width_);
  const Reg slice = code_.reg(), numbers = code_.reg();
  code_.assign(slice, Op::mov, work(piece), 0);
  code_.assign(numbers, Op::mov, at_.numbers, 0);
  const auto widths = static_cast<int>(widths_.size());
  const auto along = [&](Reg base) {
    return widths > 1
               ? Val(isa::Lane::rotating(base.number, widths, static_cast<std::uint32_t>(row / 32)))
               : Val(base);
  };
  const auto alone = [&](Op op, int dtype, Val scalar) {
    vector(op, {{"dtype", dtype},
                {"dst", at_.difference},
                {"a", at_.difference},
                {"s", scalar},
                {"count", flat}});
  };
  code_.begin_loop(widths);
  vector(Op::vsub, {{"dtype", kI32},
                    {"dst", at_.difference},
                    {"a", at_.places_spread},
                    {"b", along(numbers)},
                    {"count", width_},
                    {"rows", rows},
                    {"dstride", row},
                    {"astride", row},
                    {"bstride", 0}});
  alone(Op::vmins, kI32, 0);
  vector(Op::vcvt, {{"dtype", kI32},
                    {"to", kF32},
                    {"dst", at_.difference},
                    {"a", at_.difference},
                    {"count", flat}});
  alone(Op::vmuls, kF32, bits(kHidden));
  vector(Op::vadd, {{"dtype", kF32},  // beyond the keys there is nothing of use
                    {"dst", along(slice)},
                    {"a", along(slice)},
                    {"b", at_.difference},
                    {"count", std::min(width_, schedule_.block_n)},
                    {"rows", rows},
                    {"dstride", pitch()},
                    {"astride", pitch()},
                    {"bstride", row}});
  code_.end_loop();
  code_.land(all_seen);
}

void Vector::reduce(Reduction how, int dtype, Val to, Val of, std::int64_t row, Val rows) {
  vector(Op::vredx, {{"dtype", dtype},
                     {"dst", to},
                     {"a", of},
                     {"count", taking_.keys},
                     {"rows", rows},
                     {"astride", row},
                     {"how", static_cast<int>(how)}});
}

/// The greatest scores before they are widened: fewer bytes are to be looked at.
void Vector::reduce_first(const Piece& piece) {
  const int type = static_cast<int>(score_type(spec_));
  const float scale = score_scale(spec_, schedule_);
  reduce(Reduction::Max, type, at_.new_greatest, scores_.of(piece.use), score_pitch(), piece.rows);
  vector(Op::vcvt, {{"dtype", type},
                    {"to", kF32},
                    {"dst", at_.scratch},
                    {"a", at_.new_greatest},
                    {"count", piece.rows}});
  if (scale == 1) return;
  vector(Op::vmuls, {{"dtype", kF32},
                     {"dst", at_.scratch},
                     {"a", at_.scratch},
                     {"s", bits(scale)},
                     {"count", piece.rows}});
}

/// The running maximum and sum of the piece's rows, and e^(score - maximum) in place of its scores.
void Vector::weigh(const Piece& piece) {
  const RegisterScope scope(code_);
  const Val rows = piece.rows;
  const Val greatest = at(at_.greatest, piece.column), sum = at(at_.sum, piece.column);
  const Val decay = code_.compute(Op::sadd, decay_, piece.column);
  const int not_first = taking_.unless_first();
  vector(Op::vdup, {{"dtype", kF32}, {"dst", greatest}, {"s", bits(kLeast)}, {"count", rows}});
  vector(Op::vdup, {{"dtype", kF32}, {"dst", sum}, {"s", 0}, {"count", rows}});
  code_.land(not_first);
  if (!takes_maximum_first(spec_))
    reduce(Reduction::Max, kF32, at_.scratch, work(piece), pitch(), rows);
  column(Op::vmax, at_.new_greatest, greatest, at_.scratch, rows);
  column(Op::vsub, decay, greatest, at_.new_greatest, rows);
  column(Op::vexp, decay, decay, 0, rows);
  column(Op::vmax, greatest, greatest, at_.scratch, rows).drain = false;
  spread(greatest, at_.spread, kF32, rows);
  by_rows(Op::vsub, work(piece), pitch(), widths_, rows);
  vector(Op::vexp, {{"dtype", kF32},
                    {"dst", work(piece)},
                    {"a", work(piece)},
                    {"count", taking_.keys},
                    {"rows", rows},
                    {"dstride", pitch()},
                    {"astride", pitch()}});
  reduce(Reduction::Sum, kF32, at_.scratch, work(piece), pitch(), rows);
  column(Op::vmul, sum, sum, decay, rows).drain = false;
  column(Op::vadd, sum, sum, at_.scratch, rows);
  const int not_last = taking_.unless_last();
  vector(Op::vcopy,
         {{"dtype", kF32}, {"dst", at(at_.total - at_.decay, decay)}, {"a", sum}, {"count", rows}});
  code_.land(not_last);
}

void Vector::addition() {
  const RegisterScope scope(code_);
  code_.mark(DebugMark::Kind::Operator, spec_.name + ".add");
  adding_.begin([&] { take_share(adding_, added_); });
  frame_.await(Pipe::MTE2, kProductThere);
  const std::int64_t row = spec_.e * 4;
  const Reg product =
      share_of(added_slot_.slot(frame_.slots, slots_.outputs_bytes, slots_.outputs), added_, row);
  decay_ = added_slot_.slot(at_.decay, at_.column_bytes);
  each_piece(added_, schedule_.add_m,
             [&](const Piece& piece) { add_product(piece, piece_of(product, piece, row)); });
  added_slot_.turn();
  adding_.end();
}

/// out = out * decay + product; divided by the sum after the last block.
void Vector::add_product(const Piece& piece, Val from) {
  const RegisterScope scope(code_);
  const Val rows = piece.rows, count = code_.compute(Op::smul, rows, spec_.e);
  const std::int64_t row = spec_.e * 4;
  isa::Inst& load = code_.add(Op::load, {{"dst", partial_.of(piece.use)},
                                         {"src", from},
                                         {"len", row},
                                         {"rows", rows},
                                         {"dstride", row},
                                         {"sstride", row}});
  tell(after(load, Pipe::Vector, kPartialIn), Pipe::Vector, kPartialIn);
  const Val decay = code_.compute(Op::sadd, decay_, piece.column);
  const Val out = at(at_.out, code_.compute(Op::smul, piece.column, spec_.e));
  std::vector<Val> widths;
  for (std::int64_t first = 0; first < spec_.e; first += width_) {
    widths.emplace_back(std::min(width_, spec_.e - first));
  }
  const int not_first = adding_.unless_first();
  vector(Op::vdup, {{"dtype", kF32}, {"dst", out}, {"s", 0}, {"count", count}});
  code_.land(not_first);
  spread(decay, at_.spread, kF32, rows);
  by_rows(Op::vmul, out, row, widths, rows);
  isa::Inst& add = vector(
      Op::vadd,
      {{"dtype", kF32}, {"dst", out}, {"a", out}, {"b", partial_.of(piece.use)}, {"count", count}});
  tell(after(add, Pipe::MTE2, kPartialIn), Pipe::MTE2, kPartialIn);
  partial_.turn();

  const int not_last = adding_.unless_last();
  spread(at(at_.total - at_.decay, decay), at_.spread, kF32, rows);
  by_rows(Op::vdiv, out, row, widths, rows);
  isa::Inst& narrow = vector(Op::vcvt, {{"dtype", kF32},
                                        {"to", type_},
                                        {"dst", result_.of(piece.use)},
                                        {"a", out},
                                        {"count", count}});
  tell(after(narrow, Pipe::MTE3, kResult), Pipe::MTE3, kResult);
  const Reg to = code_.reg(), stride = code_.reg();
  frame_.address(to, kWordOut, kWordStrideOut, adding_.place, 1,
                 code_.compute(Op::sadd, adding_.row, piece.row));
  code_.add(Op::ldarg, {{"rd", stride}, {"index", kWordStrideOut + 2}});
  isa::Inst& store = code_.add(Op::store, {{"dst", to},
                                           {"src", result_.of(piece.use)},
                                           {"len", spec_.e * item_},
                                           {"rows", rows},
                                           {"dstride", stride},
                                           {"sstride", spec_.e * item_}});
  tell(after(store, Pipe::Vector, kResult), Pipe::Vector, kResult);
  result_.turn();
  code_.land(not_last);
}

}  // namespace

void write_attention_vector(const AttentionSpec& spec, const AttentionSchedule& schedule,
                            const Machine& machine, std::int64_t begin, Program& program) {
  Vector(spec, schedule, machine, begin).write(program);
}

}  // namespace dvmsim
