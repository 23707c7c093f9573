// The cube core's part of an attention program.
#include "compiler/codegen/attention_walk.h"
#include "vm/base/rounding.h"

namespace dvmsim {
namespace {

using isa::Op;

// Flag ids, each pair of pipes apart.
constexpr int kQFull = 0, kKFull = 1, kVFull = 2, kPFull = 3;  // mte2 -> mte1, and back: free
constexpr int kScoresReady = 0, kMixReady = 1;                 // mte1 -> cube, and back: free
constexpr int kQTaken = 2;                                     // cube -> mte1
constexpr int kScoresDone = 0, kMixDone = 1;                   // cube -> fix, and back: free

class Cube {
 public:
  Cube(const AttentionSpec& spec, const AttentionSchedule& schedule, const Machine& machine)
      : spec_(spec),
        schedule_(schedule),
        at_(cube_layout(spec, schedule)),
        slots_(slots_of(spec, schedule)),
        frame_(code_, spec, schedule, machine) {}

  void write(Program& program);

 private:
  void tokens(bool give);
  void scores();
  void load_queries();
  void load_rows(Reg base, Val first, Reg stride, Val count, std::int64_t columns, Val to,
                 int flag);
  void scores_of_load(Val all, Val to);
  void mix();
  void store_product();
  void load_probabilities(Reg slot, Val first, Val count);
  void mix_load(Val from, Val all);
  /// `all` keys from `from` on, `step` at a time: body(which, its first key, how many). `straight`:
  /// so many that all steps are equal.
  template <class Body>
  void each(Val all, std::int64_t most, std::int64_t step, bool straight, Body&& body);
  [[nodiscard]] Val rounded(Val rows) { return whole_fractals(code_, rows); }

  const AttentionSpec& spec_;
  const AttentionSchedule& schedule_;
  AttentionCubeLayout at_;
  AttentionSlots slots_;
  Builder code_{CoreKind::Cube};
  AttentionFrame frame_;
  AttentionWalk making_{frame_, true}, mixing_{frame_, true};
  BufferPair q_{code_, at_.q, at_.q_bytes}, k_{code_, at_.k, at_.k_bytes},
      v_{code_, at_.v, at_.v_bytes}, p_{code_, at_.p, at_.p_bytes};
  BufferPair l0_k_{code_, 0, at_.l0b_k_bytes, schedule_.whole_n},
      l0_v_{code_, 2 * at_.l0b_k_bytes, at_.l0b_v_bytes, schedule_.whole_n},
      l0_p_{code_, at_.l0a_q_bytes, at_.l0a_p_bytes, schedule_.whole_n},
      l0_scores_{code_, at_.out_bytes, at_.scores_bytes, schedule_.whole_n};
  AttentionRing scores_slot_{code_, schedule_.ahead}, probabilities_slot_{code_, schedule_.ahead},
      outputs_slot_{code_, schedule_.ahead + 1};
  Reg keys_at_ = code_.reg(), values_at_ = code_.reg();
  const int type_ = static_cast<int>(spec_.type);
};

void Cube::write(Program& program) {
  code_.mark(DebugMark::Kind::Operator, program.name);
  const Reg turn = code_.reg();
  code_.assign(turn, Op::mov, 0, 0);
  tokens(true);
  if (schedule_.scales_queries) frame_.await(Pipe::MTE2, kQueriesThere);
  frame_.begin_turns(schedule_.ahead);
  const int no_mix = code_.jump(Op::jnz, code_.compute(Op::slt, turn, schedule_.ahead));
  mix();
  code_.land(no_mix);
  const int no_scores = code_.jump(Op::jz, code_.compute(Op::slt, turn, frame_.turns));
  scores();
  code_.land(no_scores);
  code_.assign(turn, Op::sadd, turn, 1);
  code_.end_loop();
  tokens(false);
  code_.link(program);
}

/// Every buffer is free at first, and again at the end.
void Cube::tokens(bool give) {
  const auto pass = [&](Pipe from, Pipe to, int id, int count) {
    for (int i = 0; i < count; ++i) {
      if (give) {
        code_.set(from, to, id);
      } else {
        code_.wait(to, from, id);
      }
    }
  };
  for (int id : {kQFull, kKFull, kVFull, kPFull}) pass(Pipe::MTE1, Pipe::MTE2, id, 2);
  for (int id : {kScoresReady, kMixReady}) pass(Pipe::Cube, Pipe::MTE1, id, 2);
  pass(Pipe::Fix, Pipe::Cube, kScoresDone, 2);
  pass(Pipe::Fix, Pipe::Cube, kMixDone, 1);
}

template <class Body>
void Cube::each(Val all, std::int64_t most, std::int64_t step, bool straight, Body&& body) {
  if (straight) {
    for (int use = 0; use < most / step; ++use) {
      const RegisterScope scope(code_);
      body(use, Val(use * step), Val(step));
    }
    return;
  }
  if (most == step) return body(0, Val(0), all);
  const RegisterScope scope(code_);
  const Reg first = code_.reg(), left = code_.reg(), count = code_.reg(), steps = code_.reg();
  code_.assign(first, Op::mov, 0, 0);
  code_.assign(left, Op::mov, all, 0);
  code_.assign(steps, Op::sadd, left, step - 1);
  code_.assign(steps, Op::sdiv, steps, step);
  code_.begin_loop(steps);
  code_.assign(count, Op::smin, left, step);
  body(0, Val(first), Val(count));
  code_.assign(first, Op::sadd, first, step);
  code_.assign(left, Op::ssub, left, step);
  code_.end_loop();
}

/// Queries are loaded once per tile, and stay in L0A while its keys pass.
void Cube::load_queries() {
  const Reg from = code_.reg(), stride = code_.reg();
  frame_.address(from, kWordScaled, kWordStrideQ, making_.place, 1, making_.row);
  code_.add<Op::ldarg>({{"rd", stride}, {"index", kWordStrideQ + 2}});
  const Val rows = rounded(making_.rows);
  isa::Inst& load = code_.add<Op::loadnz>({{"dtype", type_},
                                           {"dst", q_.now()},
                                           {"src", from},
                                           {"rows", making_.rows},
                                           {"cols", spec_.d},
                                           {"prows", rows},
                                           {"stride", stride}});
  tell(after(load, Pipe::MTE1, kQFull), Pipe::MTE1, kQFull);
  code_.set(Pipe::Cube, Pipe::MTE1, kQTaken);
  isa::Inst& move = code_.add<Op::l0a>({{"dtype", type_},
                                        {"dst", 0},
                                        {"src", q_.now()},
                                        {"m", making_.rows},
                                        {"k", spec_.d},
                                        {"prows", rows}});
  tell(after(after(move, Pipe::MTE2, kQFull), Pipe::Cube, kQTaken), Pipe::MTE2, kQFull);
  q_.turn();
  frame_.address(keys_at_, kWordK, kWordStrideK, making_.place, spec_.shared, 0);
}

void Cube::scores() {
  const RegisterScope scope(code_);
  code_.mark(DebugMark::Kind::Operator, spec_.name + ".scores");
  making_.begin([&] { load_queries(); });
  const Reg stride = code_.reg();
  code_.add<Op::ldarg>({{"rd", stride}, {"index", kWordStrideK + 2}});
  const Reg slot = scores_slot_.slot(frame_.slots, slots_.scores_bytes);
  each(making_.keys, schedule_.block_n, schedule_.load_n, schedule_.whole_n,
       [&](int, Val first, Val count) {
         load_rows(keys_at_, code_.compute(Op::sadd, making_.key, first), stride, count, spec_.d,
                   k_.now(), kKFull);
         code_.wait(Pipe::MTE1, Pipe::MTE2, kKFull);
         const std::int64_t score = size_of(score_type(spec_));
         scores_of_load(count,
                        code_.compute(Op::sadd, slot, code_.compute(Op::smul, first, score)));
         code_.set(Pipe::MTE1, Pipe::MTE2, kKFull);
         k_.turn();
       });
  frame_.signal(Pipe::Fix, kScoresThere);
  scores_slot_.turn();
  making_.end();
}

/// Rows of keys or values from `first` on go to L1.
void Cube::load_rows(Reg base, Val first, Reg stride, Val count, std::int64_t columns, Val to,
                     int flag) {
  const RegisterScope scope(code_);
  const Reg from = code_.reg();
  code_.assign(from, Op::smul, stride, first);
  code_.assign(from, Op::sadd, from, base);
  isa::Inst& load = code_.add<Op::loadnz>({{"dtype", type_},
                                           {"dst", to},
                                           {"src", from},
                                           {"rows", count},
                                           {"cols", columns},
                                           {"prows", rounded(count)},
                                           {"stride", stride}});
  tell(after(load, Pipe::MTE1, flag), Pipe::MTE1, flag);
}

void Cube::scores_of_load(Val all, Val to) {
  const RegisterScope scope(code_);
  const Val rows = rounded(all);
  const DType type = score_type(spec_);
  each(all, schedule_.load_n, schedule_.part_n, schedule_.whole_n,
       [&](int use, Val first, Val count) {
         isa::Inst& move = code_.add<Op::l0b>({{"dtype", type_},
                                               {"dst", l0_k_.of(use)},
                                               {"src", k_.now()},
                                               {"k", spec_.d},
                                               {"n", count},
                                               {"prows", rows},
                                               {"n0", first},
                                               {"trans", 1}});
         tell(after(move, Pipe::Cube, kScoresReady), Pipe::Cube, kScoresReady);
         isa::Inst& product = code_.add<Op::mmad>({{"dtype", type_},
                                                   {"c", l0_scores_.of(use)},
                                                   {"a", 0},
                                                   {"b", l0_k_.of(use)},
                                                   {"m", making_.rows},
                                                   {"k", spec_.d},
                                                   {"n", count}});
         after(after(product, Pipe::MTE1, kScoresReady), Pipe::Fix, kScoresDone);
         tell(tell(product, Pipe::MTE1, kScoresReady), Pipe::Fix, kScoresDone);
         const Val at = code_.compute(Op::sadd, to, code_.compute(Op::smul, first, size_of(type)));
         isa::Inst& out = code_.add<Op::fix>({{"dtype", static_cast<int>(type)},
                                              {"dst", at},
                                              {"src", l0_scores_.of(use)},
                                              {"m", making_.rows},
                                              {"n", count},
                                              {"stride", schedule_.block_n * size_of(type)}});
         tell(after(out, Pipe::Cube, kScoresDone), Pipe::Cube, kScoresDone);
         l0_k_.turn();
         l0_scores_.turn();
       });
}

void Cube::mix() {
  const RegisterScope scope(code_);
  code_.mark(DebugMark::Kind::Operator, spec_.name + ".mix");
  mixing_.begin(
      [&] { frame_.address(values_at_, kWordV, kWordStrideV, mixing_.place, spec_.shared, 0); });
  const Reg stride = code_.reg();
  code_.add<Op::ldarg>({{"rd", stride}, {"index", kWordStrideV + 2}});
  const Reg slot =
      probabilities_slot_.slot(frame_.slots, slots_.probabilities_bytes, slots_.probabilities);
  code_.wait(Pipe::Cube, Pipe::Fix, kMixDone);
  frame_.await(Pipe::MTE2, kProbabilitiesThere);
  each(mixing_.keys, schedule_.block_n, schedule_.load_n, schedule_.whole_n,
       [&](int, Val first, Val count) {
         load_rows(values_at_, code_.compute(Op::sadd, mixing_.key, first), stride, count, spec_.e,
                   v_.now(), kVFull);
         load_probabilities(slot, first, count);
         for (int id : {kVFull, kPFull}) code_.wait(Pipe::MTE1, Pipe::MTE2, id);
         mix_load(first, count);
         for (int id : {kVFull, kPFull}) code_.set(Pipe::MTE1, Pipe::MTE2, id);
         v_.turn();
         p_.turn();
       });
  code_.set(Pipe::Cube, Pipe::Fix, kMixDone);
  store_product();
  probabilities_slot_.turn();
  mixing_.end();
}

/// To the vector cores, which add it up; the product of all keys is the output.
void Cube::store_product() {
  const auto store = [&](DType type, Val to, Val stride) {
    isa::Inst& out = code_.add<Op::fix>({{"dtype", static_cast<int>(type)},
                                         {"dst", to},
                                         {"src", 0},
                                         {"m", mixing_.rows},
                                         {"n", spec_.e},
                                         {"stride", stride}});
    tell(after(out, Pipe::Cube, kMixDone), Pipe::Cube, kMixDone);
  };
  if (schedule_.one_block) {
    const Reg to = code_.reg(), stride = code_.reg();
    frame_.address(to, kWordOut, kWordStrideOut, mixing_.place, 1, mixing_.row);
    code_.add<Op::ldarg>({{"rd", stride}, {"index", kWordStrideOut + 2}});
    store(spec_.type, to, stride);
    return;
  }
  store(DType::F32, outputs_slot_.slot(frame_.slots, slots_.outputs_bytes, slots_.outputs),
        spec_.e * 4);
  frame_.signal(Pipe::Fix, kProductThere);
  outputs_slot_.turn();
}

void Cube::load_probabilities(Reg slot, Val first, Val count) {
  const RegisterScope scope(code_);
  const std::int64_t item = size_of(spec_.type);
  const Val from = code_.compute(Op::sadd, slot, code_.compute(Op::smul, first, item));
  isa::Inst& load = code_.add<Op::loadnz>({{"dtype", type_},
                                           {"dst", p_.now()},
                                           {"src", from},
                                           {"rows", mixing_.rows},
                                           {"cols", count},
                                           {"prows", rounded(mixing_.rows)},
                                           {"stride", schedule_.block_n * item}});
  tell(after(load, Pipe::MTE1, kPFull), Pipe::MTE1, kPFull);
}

/// What is loaded is multiplied part by part; the first part of a block begins its sums.
void Cube::mix_load(Val from, Val all) {
  const RegisterScope scope(code_);
  const Val values = rounded(all), rows = rounded(mixing_.rows);
  each(all, schedule_.load_n, schedule_.part_n, schedule_.whole_n,
       [&](int use, Val offset, Val count) {
         const Val key = code_.compute(Op::sadd, from, offset);
         isa::Inst& left = code_.add<Op::l0a>({{"dtype", type_},
                                               {"dst", l0_p_.of(use)},
                                               {"src", p_.now()},
                                               {"m", mixing_.rows},
                                               {"k", count},
                                               {"prows", rows},
                                               {"k0", offset}});
         after(left, Pipe::Cube, kMixReady);
         isa::Inst& right = code_.add<Op::l0b>({{"dtype", type_},
                                                {"dst", l0_v_.of(use)},
                                                {"src", v_.now()},
                                                {"k", count},
                                                {"n", spec_.e},
                                                {"prows", values},
                                                {"k0", offset}});
         tell(right, Pipe::Cube, kMixReady);
         const auto product = [&](isa::Init init) -> isa::Inst& {
           return code_.add<Op::mmad>({{"dtype", type_},
                                       {"c", 0},
                                       {"a", l0_p_.of(use)},
                                       {"b", l0_v_.of(use)},
                                       {"m", mixing_.rows},
                                       {"k", count},
                                       {"n", spec_.e},
                                       {"init", static_cast<int>(init)}});
         };
         if (!key.lane.is_register) {
           isa::Inst& only = product(key.is(0) ? isa::Init::Zero : isa::Init::Accumulate);
           tell(after(only, Pipe::MTE1, kMixReady), Pipe::MTE1, kMixReady);
         } else {
           code_.wait(Pipe::Cube, Pipe::MTE1, kMixReady);
           const int not_first = code_.jump(Op::jnz, key);
           product(isa::Init::Zero);
           code_.land(not_first);
           const int first = code_.jump(Op::jz, key);
           product(isa::Init::Accumulate);
           code_.land(first);
           code_.set(Pipe::Cube, Pipe::MTE1, kMixReady);
         }
         l0_p_.turn();
         l0_v_.turn();
       });
}

}  // namespace

void write_attention_cube(const AttentionSpec& spec, const AttentionSchedule& schedule,
                          const Machine& machine, Program& program) {
  Cube(spec, schedule, machine).write(program);
}

}  // namespace dvmsim
