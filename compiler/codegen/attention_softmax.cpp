// A piece of a block: scores come in, probabilities leave that are not divided by their sum yet.
#include "compiler/codegen/attention_vector.h"

namespace dvmsim {

using isa::Op;
using isa::Reduction;

namespace {

/// Below every score, and finite: a row that has seen nothing has this maximum.
constexpr float kLeast = std::numeric_limits<float>::lowest();
/// What is taken from the score of a key for each place that it is too far for the query.
constexpr float kHidden = 1e30f;

constexpr int kF32 = static_cast<int>(DType::F32), kI32 = static_cast<int>(DType::I32);

}  // namespace

void AttentionVector::load_scores(const Piece& piece, Val from) {
  const RegisterScope scope(code_);
  const bool many = spec_.mask_strides.row != 0;
  if (spec_.mask) {
    const Reg address = code_.reg(), stride = code_.reg();
    const Val row = code_.compute(Op::sadd, taking_.row, piece.row);
    frame_.address(address, kWordMask, kWordStrideMask, taking_.place, 1, many ? row : Val(0));
    code_.add<Op::ldarg>({{"rd", stride}, {"index", kWordStrideMask + 2}});
    const std::int64_t size = size_of(*spec_.mask);
    code_.assign(address, Op::sadd, address, code_.compute(Op::smul, taking_.key, size));
    isa::Inst& mask = code_.add<Op::load>({{"dst", mask_->of(piece.use)},
                                           {"src", address},
                                           {"len", code_.compute(Op::smul, taking_.keys, size)},
                                           {"rows", many ? piece.rows : Val(1)},
                                           {"dstride", many ? schedule_.block_n * size : 0},
                                           {"sstride", many ? Val(stride) : Val(0)}});
    after(mask, Pipe::Vector, kScoresIn);
  }
  const Val bytes = code_.compute(Op::smul, taking_.keys, size_of(score_type(spec_)));
  isa::Inst& load = code_.add<Op::load>({{"dst", scores_.of(piece.use)},
                                         {"src", from},
                                         {"len", bytes},
                                         {"rows", piece.rows},
                                         {"dstride", score_pitch()},
                                         {"sstride", score_pitch()}});
  if (!spec_.mask) after(load, Pipe::Vector, kScoresIn);
  tell(load, Pipe::Vector, kScoresIn);
}

/// Scores that come in leave as probabilities that are not divided by their sum yet.
void AttentionVector::softmax_of(const Piece& piece, Val from, Val to) {
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
  if (schedule_.one_block) {
    divide(piece);
  } else {
    weigh(piece);
  }
  isa::Inst& narrow = vector(Op::vcvt, {{"dtype", kF32},
                                        {"to", type_},
                                        {"dst", result_.of(piece.use)},
                                        {"a", work(piece)},
                                        {"count", taking_.keys},
                                        {"rows", piece.rows},
                                        {"dstride", schedule_.block_n * item_},
                                        {"astride", pitch()}});
  narrow.drain = schedule_.one_block;  // else the sum has waited for its source
  tell(after(narrow, Pipe::MTE3, kResult), Pipe::MTE3, kResult);
  if (!widens || spec_.mask) tell(narrow, Pipe::MTE2, kScoresIn);
  isa::Inst& store = code_.add<Op::store>({{"dst", to},
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

void AttentionVector::add_mask(const Piece& piece) {
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
void AttentionVector::hide(const Piece& piece) {
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

void AttentionVector::reduce(Reduction how, int dtype, Val to, Val of, std::int64_t row, Val rows) {
  vector(Op::vredx, {{"dtype", dtype},
                     {"dst", to},
                     {"a", of},
                     {"count", taking_.keys},
                     {"rows", rows},
                     {"astride", row},
                     {"how", static_cast<int>(how)}});
}

/// The greatest scores before they are widened: fewer bytes are to be looked at.
void AttentionVector::reduce_first(const Piece& piece) {
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

/// e^(score - maximum) in place of the piece's scores.
void AttentionVector::raise(const Piece& piece, Val greatest) {
  spread(greatest, at_.spread, kF32, piece.rows);
  by_rows(Op::vsub, work(piece), pitch(), widths_, piece.rows);
  vector(Op::vexp, {{"dtype", kF32},
                    {"dst", work(piece)},
                    {"a", work(piece)},
                    {"count", taking_.keys},
                    {"rows", piece.rows},
                    {"dstride", pitch()},
                    {"astride", pitch()}});
}

/// The whole softmax in place of the piece's scores.
void AttentionVector::divide(const Piece& piece) {
  const Val rows = piece.rows;
  if (!takes_maximum_first(spec_)) {
    reduce(Reduction::Max, kF32, at_.scratch, work(piece), pitch(), rows);
  }
  raise(piece, at_.scratch);
  reduce(Reduction::Sum, kF32, at_.scratch, work(piece), pitch(), rows);
  column(Op::vrec, at_.scratch, at_.scratch, 0, rows);
  spread(at_.scratch, at_.spread, kF32, rows);
  by_rows(Op::vmul, work(piece), pitch(), widths_, rows);
}

/// The running maximum and sum of the piece's rows, and e^(score - maximum) in place of its scores.
void AttentionVector::weigh(const Piece& piece) {
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
  raise(piece, greatest);
  reduce(Reduction::Sum, kF32, at_.scratch, work(piece), pitch(), rows);
  column(Op::vmul, sum, sum, decay, rows).drain = false;
  column(Op::vadd, sum, sum, at_.scratch, rows);
  const int not_last = taking_.unless_last();
  vector(Op::vcopy,
         {{"dtype", kF32}, {"dst", at(at_.total - at_.decay, decay)}, {"a", sum}, {"count", rows}});
  code_.land(not_last);
}

}  // namespace dvmsim
