// The vector cores' part of an attention program: its turns, and the sums of products.
#include "compiler/codegen/attention_vector.h"

namespace dvmsim {

using isa::Op;
using isa::Reduction;

namespace {

constexpr int kF32 = static_cast<int>(DType::F32), kI32 = static_cast<int>(DType::I32);

}  // namespace

void AttentionVector::write(Program& program) {
  code_.mark(DebugMark::Kind::Operator, program.name);
  if (spec_.causal) count_places();
  if (schedule_.scales_queries) scale_queries();
  tokens(true);
  if (schedule_.one_block) {
    frame_.begin_turns(0);
    softmax();
  } else {
    const Reg turn = code_.reg();
    code_.assign(turn, Op::mov, 0, 0);
    frame_.begin_turns(schedule_.ahead);
    const int no_softmax = code_.jump(Op::jz, code_.compute(Op::slt, turn, frame_.turns));
    softmax();
    code_.land(no_softmax);
    const int no_addition = code_.jump(Op::jnz, code_.compute(Op::slt, turn, schedule_.ahead));
    addition();
    code_.land(no_addition);
    code_.assign(turn, Op::sadd, turn, 1);
  }
  code_.end_loop();
  tokens(false);
  code_.link(program);
}

/// Every buffer is free at first, and again at the end.
void AttentionVector::tokens(bool give) {
  const auto pass = [&](Pipe from, Pipe to, int id) {
    for (int i = 0; i < 2; ++i) {
      if (give) {
        code_.set(from, to, id);
      } else {
        code_.wait(to, from, id);
      }
    }
  };
  pass(Pipe::Vector, Pipe::MTE2, kScoresIn);
  if (!schedule_.one_block) pass(Pipe::Vector, Pipe::MTE2, kPartialIn);
  pass(Pipe::MTE3, Pipe::Vector, kResult);
}

isa::Inst& AttentionVector::vector(Op op, Operands operands) {
  isa::Inst& inst = code_.add(op, operands);
  inst.drain = true;  // it reads what the one before it wrote
  return inst;
}

isa::Inst& AttentionVector::column(Op op, Val to, Val a, Val b, Val rows) {
  if (isa::row_of(op).find("b") < 0) {
    return vector(op, {{"dtype", kF32}, {"dst", to}, {"a", a}, {"count", rows}});
  }
  return vector(op, {{"dtype", kF32}, {"dst", to}, {"a", a}, {"b", b}, {"count", rows}});
}

/// 1, 2, 3, ... along the keys of a block and along the rows of a tile.
void AttentionVector::count_places() {
  for (const auto& [to, count] :
       {std::pair(at_.numbers, schedule_.block_n), std::pair(at_.places, at_.column_bytes / 4)}) {
    vector(Op::vdup, {{"dtype", kI32}, {"dst", to}, {"s", 1}, {"count", count}});
    vector(Op::vscanx, {{"dtype", kI32}, {"dst", to}, {"a", to}, {"count", count}});
  }
}

/// All queries as one row, in pieces over all vector cores. Each cube core reads what other groups
/// have scaled: all have to be done.
void AttentionVector::scale_queries() {
  const RegisterScope scope(code_);
  const std::int64_t piece = schedule_.piece_m * schedule_.block_n;
  const Reg all = code_.reg(), first = code_.reg(), step = code_.reg(), count = code_.reg(),
            from = code_.reg(), to = code_.reg(), left = code_.reg();
  BufferPair in(code_, at_.scores, at_.scores_bytes),
      out(code_, at_.probabilities, at_.probabilities_bytes);
  code_.add<Op::ldarg>({{"rd", all}, {"index", kWordM}});
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
  code_.add<Op::ldarg>({{"rd", from}, {"index", kWordQ}});
  code_.add<Op::ldarg>({{"rd", to}, {"index", kWordScaled}});
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

void AttentionVector::scale_piece(Val from, Val to, Val count, Val in, Val out) {
  const Val bytes = code_.compute(Op::smul, count, item_);
  isa::Inst& load = code_.add<Op::load>({{"dst", in}, {"src", from}, {"len", bytes}});
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
  isa::Inst& store = code_.add<Op::store>({{"dst", to}, {"src", out}, {"len", bytes}});
  tell(after(store, Pipe::Vector, kResult), Pipe::Vector, kResult);
}

/// Rows are divided evenly; the last cores may have fewer, or none.
AttentionVector::Share AttentionVector::share_registers() {
  const Share share{code_.reg(), schedule_.whole_m ? Val(at_.share) : Val(code_.reg())};
  if (schedule_.whole_m) code_.assign(share.first, Op::smul, Reg{isa::kMemberReg}, at_.share);
  return share;
}

void AttentionVector::take_share(const AttentionWalk& walk, const Share& share) {
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
void AttentionVector::each_piece(const Share& share, std::int64_t high, Body&& body) {
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
void AttentionVector::spread(Val column, Val to, int dtype, Val rows) {
  vector(Op::vbrc, {{"dtype", dtype},
                    {"dst", to},
                    {"a", column},
                    {"count", width_},
                    {"rows", rows},
                    {"dstride", width_ * 4}});
}

void AttentionVector::by_rows(Op op, Val matrix, std::int64_t row, std::span<const Val> widths,
                              Val rows) {
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

void AttentionVector::softmax() {
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
  if (!schedule_.one_block) decay_ = taken_slot_.slot(at_.decay, at_.column_bytes);
  each_piece(taken_, schedule_.piece_m, [&](const Piece& piece) {
    softmax_of(piece, piece_of(scores, piece, score_pitch()), piece_of(to, piece, row));
  });
  frame_.signal(Pipe::MTE3, kProbabilitiesThere);
  scores_slot_.turn();
  taken_slot_.turn();
  taking_.end();
}

void AttentionVector::addition() {
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
void AttentionVector::add_product(const Piece& piece, Val from) {
  const RegisterScope scope(code_);
  const Val rows = piece.rows, count = code_.compute(Op::smul, rows, spec_.e);
  const std::int64_t row = spec_.e * 4;
  isa::Inst& load = code_.add<Op::load>({{"dst", partial_.of(piece.use)},
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
  code_.add<Op::ldarg>({{"rd", stride}, {"index", kWordStrideOut + 2}});
  isa::Inst& store = code_.add<Op::store>({{"dst", to},
                                           {"src", result_.of(piece.use)},
                                           {"len", spec_.e * item_},
                                           {"rows", rows},
                                           {"dstride", stride},
                                           {"sstride", spec_.e * item_}});
  tell(after(store, Pipe::Vector, kResult), Pipe::Vector, kResult);
  result_.turn();
  code_.land(not_last);
}

void write_attention_vector(const AttentionSpec& spec, const AttentionSchedule& schedule,
                            const Machine& machine, std::int64_t begin, Program& program) {
  AttentionVector(spec, schedule, machine, begin).write(program);
}

}  // namespace dvmsim
