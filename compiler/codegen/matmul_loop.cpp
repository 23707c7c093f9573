// The loop form of a matrix product: tiles, blocks along k, and parts of a block, unrolled. Blocks
// go round the stages of L1, parts alternate between the halves of L0A and L0B. Every flag is a
// count, so n buffers are n tokens, set before the loop and taken back after it.
#include <algorithm>
#include <bit>

#include "compiler/codegen/builder.h"
#include "compiler/codegen/matmul.h"
#include "compiler/codegen/tiles.h"
#include "vm/base/error.h"
#include "vm/base/rounding.h"

namespace dvmsim {

namespace {

using isa::FlagRef;
using isa::Init;
using isa::Inst;
using isa::Op;

// Flag ids, each pair of pipes apart.
constexpr int kA = 0, kB = 1, kBias = 2;  // mte2 <-> mte1: blocks of A and of B, the bias
constexpr int kTable = 2;                 // mte1 <-> cube: the bias table; 0 and 1 are halves of L0
constexpr int kTile = 0;                  // cube <-> fix

void wait(Inst& inst, Pipe pipe, int id) {
  inst.waits[inst.waits[0].valid ? 1 : 0] = {true, pipe, static_cast<std::uint8_t>(id)};
}
void set(Inst& inst, Pipe pipe, int id) {
  inst.sets[inst.sets[0].valid ? 1 : 0] = {true, pipe, static_cast<std::uint8_t>(id)};
}

class Loop {
 public:
  Loop(const MatmulSpec& spec, const MatmulSchedule& schedule, const Machine& machine)
      : spec_(spec), schedule_(schedule) {
    size_ = size_of(spec.in);
    part_ = part_k(spec, schedule, machine);
    stage_ = machine.l1.size.count() / schedule.stages / 512 * 512;
    a_bytes_ = a_block_bytes(spec, schedule);
    bias_at_ = a_bytes_ + b_block_bytes(spec, schedule);
    half_a_ = machine.l0a.size.count() / 2;
    half_b_ = machine.l0b.size.count() / 2;
    tile_bytes_ = schedule.tile_m * schedule.tile_n * 4;
    accumulators_ = 2 * tile_bytes_ <= machine.l0c.size.count() ? 2 : 1;
  }

  void write(Program& program);

 private:
  void flags(bool prime);
  void tile();
  void bias(Val address);
  void blocks();
  void block(std::int64_t k, bool may_open, bool opens);
  void load(std::int64_t k);
  void multiply(std::int64_t part, std::int64_t k, bool last);
  void product(std::int64_t side, std::int64_t k, Init init, bool flagged);
  void open(std::int64_t side, std::int64_t k);
  void next_stage();
  [[nodiscard]] Val accumulator() const;

  const MatmulSpec& spec_;
  const MatmulSchedule& schedule_;
  std::int64_t size_ = 2, part_ = 16, stage_ = 0, a_bytes_ = 0, bias_at_ = 0;
  std::int64_t half_a_ = 0, half_b_ = 0, tile_bytes_ = 0, accumulators_ = 1;
  int depth_ = 0;  // loops between here and the tile loop
  Builder code_{CoreKind::Cube};
  Val a_{}, b_{}, c_{}, bias_{};  // GM addresses of the arguments
  Reg number_{}, a_from_{}, b_from_{}, a_to_{}, b_to_{}, begun_{}, first_accumulator_{};
  TileRegisters tile_{};
};

/// Tokens for every empty buffer; taken back in the same order at the end.
void Loop::flags(bool prime) {
  const auto tokens = [&](Pipe from, Pipe to, int id, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) {
      if (prime) code_.set(from, to, id);
      if (!prime) code_.wait(to, from, id);
    }
  };
  tokens(Pipe::MTE1, Pipe::MTE2, kA, schedule_.stages);
  tokens(Pipe::MTE1, Pipe::MTE2, kB, schedule_.stages);
  tokens(Pipe::Cube, Pipe::MTE1, 0, 1);
  tokens(Pipe::Cube, Pipe::MTE1, 1, 1);
  tokens(Pipe::Fix, Pipe::Cube, kTile, accumulators_);
  if (!spec_.bias) return;
  tokens(Pipe::MTE1, Pipe::MTE2, kBias, 1);
  tokens(Pipe::Cube, Pipe::MTE1, kTable, 1);
}

Val Loop::accumulator() const {
  if (accumulators_ == 1) return 0;
  return Val(isa::Lane::rotating(first_accumulator_.number, 2,
                                 static_cast<std::uint32_t>(tile_bytes_ / 32), depth_));
}

void Loop::write(Program& program) {
  a_ = code_.argument(0);
  b_ = code_.argument(1);
  c_ = code_.argument(2);
  if (spec_.bias) bias_ = code_.argument(3);
  for (Reg* reg : {&number_, &a_from_, &b_from_, &a_to_, &b_to_, &begun_, &first_accumulator_}) {
    *reg = code_.reg();
  }
  code_.assign(number_, Op::mov, Reg{isa::kCoreIndexReg}, 0);
  code_.assign(a_to_, Op::mov, 0, 0);
  code_.assign(first_accumulator_, Op::mov, 0, 0);
  const Val count = tiles_of_core(code_, tiles_of(spec_, schedule_), Reg{isa::kCoreIndexReg},
                                  Reg{isa::kCoreCountReg});
  flags(true);
  code_.mark(DebugMark::Kind::Tile, "matmul");
  code_.begin_loop(count);
  tile();
  code_.assign(number_, Op::sadd, number_, Reg{isa::kCoreCountReg});
  code_.end_loop();
  flags(false);
  code_.link(program);
}

void Loop::tile() {
  tile_ = locate_tile(code_, spec_, schedule_, number_);
  const Val a = batch_address(code_, a_, tile_, spec_.a_batch0, spec_.a_batch1);
  const Val b = batch_address(code_, b_, tile_, spec_.b_batch0, spec_.b_batch1);
  const Val c = batch_address(code_, c_, tile_, spec_.c_batch0, spec_.c_batch1);
  const std::int64_t a_step = spec_.trans_a ? size_ : spec_.a_stride;
  const std::int64_t b_step = spec_.trans_b ? spec_.b_stride : size_;
  code_.assign(a_from_, Op::mov, offset_by(code_, a, tile_.m0, a_step), 0);
  code_.assign(b_from_, Op::mov, offset_by(code_, b, tile_.n0, b_step), 0);
  if (spec_.bias) bias(offset_by(code_, bias_, tile_.n0, size_of(spec_.bias_type)));
  code_.wait(Pipe::Cube, Pipe::Fix, kTile);
  blocks();
  code_.set(Pipe::Cube, Pipe::Fix, kTile);
  if (spec_.bias) code_.set(Pipe::Cube, Pipe::MTE1, kTable);

  const Val row = offset_by(code_, c, tile_.m0, spec_.c_stride);
  const Val to = offset_by(code_, row, tile_.n0, size_of(spec_.out));
  Inst& out = code_.add(Op::fix, {{"dtype", static_cast<int>(spec_.out)},
                                  {"dst", to},
                                  {"src", accumulator()},
                                  {"m", tile_.m},
                                  {"n", tile_.n},
                                  {"stride", spec_.c_stride},
                                  {"post", static_cast<int>(spec_.post)}});
  wait(out, Pipe::Cube, kTile);
  set(out, Pipe::Cube, kTile);
}

/// The tile's part of the bias: to L1, behind the blocks of the first stage, and to the table.
void Loop::bias(Val address) {
  const Val bytes = code_.compute(Op::smul, tile_.n, size_of(spec_.bias_type));
  Inst& loaded = code_.add(Op::loadl1, {{"dst", bias_at_}, {"src", address}, {"len", bytes}});
  wait(loaded, Pipe::MTE1, kBias);
  set(loaded, Pipe::MTE1, kBias);
  Inst& moved = code_.add(Op::ldbt, {{"dtype", static_cast<int>(spec_.bias_type)},
                                     {"dst", 0},
                                     {"src", bias_at_},
                                     {"n", tile_.n}});
  wait(moved, Pipe::MTE2, kBias);
  wait(moved, Pipe::Cube, kTable);
  set(moved, Pipe::MTE2, kBias);
  set(moved, Pipe::Cube, kTable);
  code_.wait(Pipe::Cube, Pipe::MTE1, kTable);
}

/// Whole blocks in a loop, then the rest of k.
void Loop::blocks() {
  const std::int64_t whole = spec_.k / schedule_.tile_k, rest = spec_.k % schedule_.tile_k;
  if (whole == 1) block(schedule_.tile_k, true, true);
  if (whole > 1) {
    code_.assign(begun_, Op::mov, 0, 0);
    code_.begin_loop(whole);
    ++depth_;
    block(schedule_.tile_k, true, false);
    code_.assign(begun_, Op::mov, 1, 0);
    --depth_;
    code_.end_loop();
  }
  if (rest > 0) block(rest, whole == 0, whole == 0);
}

/// `may_open`: it can be the tile's first block; `opens`: it is.
void Loop::block(std::int64_t k, bool may_open, bool opens) {
  load(k);
  const std::int64_t parts = ceil_div(k, part_);
  for (std::int64_t part = 0; part < parts; ++part) {
    const std::int64_t side = part % 2, length = std::min(part_, k - part * part_);
    multiply(part, length, part + 1 == parts);
    const bool first = part == 0 && may_open;
    if (!first) product(side, length, Init::Accumulate, true);
    if (first && opens) product(side, length, spec_.bias ? Init::Bias : Init::Zero, true);
    if (first && !opens) open(side, length);
  }
  next_stage();
}

void Loop::load(std::int64_t k) {
  code_.assign(b_to_, Op::sadd, a_to_, a_bytes_);
  const int type = static_cast<int>(spec_.in);
  const auto move = [&](Reg to, Reg from, Val rows, Val columns, std::int64_t pitch,
                        std::int64_t stride, int id) {
    Inst& inst = code_.add(Op::loadnz, {{"dtype", type},
                                        {"dst", to},
                                        {"src", from},
                                        {"rows", rows},
                                        {"cols", columns},
                                        {"prows", pitch},
                                        {"stride", stride}});
    wait(inst, Pipe::MTE1, id);
    set(inst, Pipe::MTE1, id);
  };
  const std::int64_t tm = schedule_.tile_m, tn = schedule_.tile_n, tk = schedule_.tile_k;
  move(a_to_, a_from_, spec_.trans_a ? Val(k) : tile_.m, spec_.trans_a ? tile_.m : Val(k),
       spec_.trans_a ? tk : tm, spec_.a_stride, kA);
  move(b_to_, b_from_, spec_.trans_b ? tile_.n : Val(k), spec_.trans_b ? Val(k) : tile_.n,
       spec_.trans_b ? tn : tk, spec_.b_stride, kB);
  code_.assign(a_from_, Op::sadd, a_from_, spec_.trans_a ? k * spec_.a_stride : k * size_);
  code_.assign(b_from_, Op::sadd, b_from_, spec_.trans_b ? k * size_ : k * spec_.b_stride);
}

/// One part of the block in L1 to its half of L0A and L0B.
void Loop::multiply(std::int64_t part, std::int64_t k, bool last) {
  const std::int64_t side = part % 2;
  const int type = static_cast<int>(spec_.in);
  Inst& a = code_.add(Op::l0a, {{"dtype", type},
                                {"dst", side * half_a_},
                                {"src", a_to_},
                                {"m", tile_.m},
                                {"k", k},
                                {"prows", spec_.trans_a ? schedule_.tile_k : schedule_.tile_m},
                                {"k0", part * part_},
                                {"trans", spec_.trans_a ? 1 : 0}});
  if (part == 0) wait(a, Pipe::MTE2, kA);
  wait(a, Pipe::Cube, static_cast<int>(side));
  if (last) set(a, Pipe::MTE2, kA);
  Inst& b = code_.add(Op::l0b, {{"dtype", type},
                                {"dst", side * half_b_},
                                {"src", b_to_},
                                {"k", k},
                                {"n", tile_.n},
                                {"prows", spec_.trans_b ? schedule_.tile_n : schedule_.tile_k},
                                {"k0", part * part_},
                                {"trans", spec_.trans_b ? 1 : 0}});
  if (part == 0) wait(b, Pipe::MTE2, kB);
  set(b, Pipe::Cube, static_cast<int>(side));
  if (last) set(b, Pipe::MTE2, kB);
}

void Loop::product(std::int64_t side, std::int64_t k, Init init, bool flagged) {
  Inst& inst = code_.add(Op::mmad, {{"dtype", static_cast<int>(spec_.in)},
                                    {"c", accumulator()},
                                    {"a", side * half_a_},
                                    {"b", side * half_b_},
                                    {"m", tile_.m},
                                    {"k", k},
                                    {"n", tile_.n},
                                    {"init", static_cast<int>(init)}});
  if (!flagged) return;
  wait(inst, Pipe::MTE1, static_cast<int>(side));
  set(inst, Pipe::MTE1, static_cast<int>(side));
}

/// The first product of a block of which only the first of the tile opens the sum. Flags stand
/// outside the two arms: an arm keeps no count of them.
void Loop::open(std::int64_t side, std::int64_t k) {
  code_.wait(Pipe::Cube, Pipe::MTE1, static_cast<int>(side));
  const int opened = code_.jump(Op::jnz, begun_);
  product(side, k, spec_.bias ? Init::Bias : Init::Zero, false);
  code_.land(opened);
  const int fresh = code_.jump(Op::jz, begun_);
  product(side, k, Init::Accumulate, false);
  code_.land(fresh);
  code_.set(Pipe::Cube, Pipe::MTE1, static_cast<int>(side));
}

void Loop::next_stage() {
  const std::int64_t end = schedule_.stages * stage_;
  code_.assign(a_to_, Op::sadd, a_to_, stage_);
  if (std::has_single_bit(static_cast<std::uint64_t>(end))) {
    code_.assign(a_to_, Op::sand, a_to_, end - 1);
    return;
  }
  const Reg inside = b_to_;  // written again before it is used
  code_.assign(inside, Op::slt, a_to_, end);
  code_.assign(a_to_, Op::smul, a_to_, inside);
}

}  // namespace

Program matmul_loop_program(const MatmulSpec& spec, const MatmulSchedule& schedule,
                            const Machine& machine) {
  DVMSIM_ASSERT(fits(spec, schedule, machine), "a schedule fits the machine it is used on");
  Program program;
  program.name = "matmul";
  describe_addresses(spec, program);
  Loop(spec, schedule, machine).write(program);
  return program;
}

}  // namespace dvmsim
