#include "compiler/codegen/chain.h"

#include "compiler/codegen/pipeline.h"
#include "compiler/codegen/tiles.h"
#include "vm/base/error.h"
#include "vm/base/rounding.h"

namespace dvmsim {
namespace {

using isa::Op;

// Flag ids, each pair of pipes apart.
constexpr int kA = 0, kB = 1, kC = 2, kFirstBias = 3, kSecondBias = 4;  // mte2 -> mte1, and back
constexpr int kL0 = 0;                                                  // mte1 -> cube, and back
constexpr int kFirstTable = 1, kSecondTable = 2;                        // cube -> mte1: free
constexpr int kSums = 0, kOut = 1;                                      // cube -> fix, and back
constexpr int kKept = 0;                                                // fix -> mte1, and back

enum : int { kArgA, kArgB, kArgC, kArgOut, kArgFirstBias, kArgSecondBias };

class ChainEmitter {
 public:
  ChainEmitter(const ChainSpec& spec, const ChainSchedule& schedule, const Machine& machine)
      : spec_(spec), schedule_(schedule), at_(chain_layout(spec, schedule, machine)) {}

  void write(Program& program);

 private:
  /// One product of a block in L1: `k` elements along k, in parts that fit L0.
  struct Block {
    const MatmulSpec& product;
    Val a{}, b{};
    Val m{}, n{};
    std::int64_t k = 0, part = 0;
    Val sums{};
    bool opens = false;        // its sums begin here
    int free = -1;             // what the cube waits for then, from FixPipe; -1: it has waited
    int a_id = -1, b_id = -1;  // flags of what is loaded into a buffer; -1: it was there before
    int table = 0;             // free again once the sums have begun
    std::int64_t bias_at = 0;  // in the table
    Val k0 = 0, n0 = 0;        // of the part in B, in L1
    std::int64_t rows_b = 0;   // of B in L1, if it is whole
  };

  void tokens(bool give);
  void load_whole();
  void in_whole(Block& block, std::int64_t at, std::int64_t k, std::int64_t n, Val k0,
                Val n0) const;
  void load_right(const MatmulSpec& product, Val to, Val from, Val k, Val n, int id);
  void locate(Val number);
  void begin_first();
  void first_block(std::int64_t k, bool opens);
  void keep();
  void hand_over();
  void tiles(std::int64_t most);
  void tile();
  void multiply(const Block& block);
  void load_bias(const MatmulSpec& product, Val from, int id, std::int64_t to, Val count);
  [[nodiscard]] Val whole(Val rows) { return whole_fractals(code_, rows); }
  [[nodiscard]] Val height() const { return m_.lane.is_register ? Val(height_) : m_; }
  /// Bytes of C from one column of D to the next.
  [[nodiscard]] std::int64_t step_c() const {
    return spec_.second.trans_b ? spec_.second.b_stride : kItem;
  }

  static constexpr std::int64_t kItem = 2;
  const ChainSpec& spec_;
  const ChainSchedule& schedule_;
  ChainLayout at_;
  Builder code_{CoreKind::Cube};
  BufferPair a_{code_, at_.a, at_.a_bytes}, b_{code_, at_.b, at_.b_bytes},
      c_{code_, at_.c, at_.c_bytes}, kept_{code_, at_.kept, at_.kept_bytes},
      l0a_{code_, 0, at_.l0a_half}, l0b_{code_, 0, at_.l0b_half},
      out_{code_, at_.sums_bytes, at_.outs == 2 ? at_.out_bytes : 0};
  Val argument_[kChainAddresses]{};
  // Of the item whose first result is made: its rows, and where its blocks and its part of C and D
  // begin.
  TileRegisters batch_{};
  Val m0_{}, m_{}, n0_{};
  Reg from_a_ = code_.reg(), from_b_ = code_.reg();
  // Of the item before, whose tiles of D are made: its rows, where they are kept, how many tiles
  // are left, and of the next of them its first column, its C, its place in D and its bias.
  Reg height_ = code_.reg(), from_kept_ = code_.reg(), left_ = code_.reg(), column_ = code_.reg(),
      from_c_ = code_.reg(), to_ = code_.reg(), bias_ = code_.reg();
  const int type_ = static_cast<int>(spec_.first.in);
};

/// Turn i makes the first result of the core's item i and meanwhile the tiles of D of item i - 1:
/// what is loaded is mostly for the one, what is stored for the other.
void ChainEmitter::write(Program& program) {
  for (int i = kArgA; i <= kArgOut; ++i) argument_[i] = code_.argument(i);
  if (spec_.first.bias) argument_[kArgFirstBias] = code_.argument(kArgFirstBias);
  if (spec_.second.bias) argument_[kArgSecondBias] = code_.argument(kArgSecondBias);
  const Reg core{isa::kCoreIndexReg}, cores{isa::kCoreCountReg};
  const Reg number = code_.reg(), turn = code_.reg(), items = code_.reg(), more = code_.reg();
  code_.assign(items, Op::mov, tiles_of_core(code_, items_of(spec_, schedule_), core, cores), 0);
  code_.assign(number, Op::mov, core, 0);
  code_.assign(turn, Op::mov, 0, 0);
  code_.assign(left_, Op::mov, 0, 0);
  tokens(true);
  if (schedule_.whole) load_whole();
  code_.begin_loop(code_.compute(Op::sadd, items, 1));
  code_.assign(more, Op::slt, turn, items);
  // Flags that one turn gives and another takes are outside of branches: each turn has them once.
  const auto if_more = [&](auto&& body) {
    const int jump = code_.jump(Op::jz, more);
    body();
    code_.land(jump);
  };
  const RegisterScope scope(code_);
  const std::int64_t blocks = spec_.first.k / schedule_.tile_k,
                     rest = spec_.first.k % schedule_.tile_k;
  code_.wait(Pipe::Cube, Pipe::Fix, kSums);
  if_more([&] {
    locate(number);
    begin_first();
    first_block(blocks > 0 ? schedule_.tile_k : rest, true);
  });
  code_.wait(Pipe::MTE1, Pipe::Fix, kKept);
  if (blocks > 1) {
    code_.begin_loop(blocks - 1);
    if_more([&] { first_block(schedule_.tile_k, false); });
    tiles(ceil_div(schedule_.span, blocks));
    code_.end_loop();
  }
  if (blocks > 0 && rest > 0) if_more([&] { first_block(rest, false); });
  tiles(schedule_.span);
  code_.set(Pipe::MTE1, Pipe::Fix, kKept);
  code_.wait(Pipe::Fix, Pipe::MTE1, kKept);
  if_more([&] {
    keep();
    hand_over();
  });
  code_.set(Pipe::Fix, Pipe::Cube, kSums);
  code_.set(Pipe::Fix, Pipe::MTE1, kKept);
  code_.assign(number, Op::sadd, number, cores);
  code_.assign(turn, Op::sadd, turn, 1);
  code_.end_loop();
  tokens(false);
  code_.link(program);
}

/// Every buffer is free at first, and again at the end.
void ChainEmitter::tokens(bool give) {
  const auto pass = [&](Pipe from, Pipe to, int id, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) {
      if (give) {
        code_.set(from, to, id);
      } else {
        code_.wait(to, from, id);
      }
    }
  };
  for (int id : {kA, kB, kC}) pass(Pipe::MTE1, Pipe::MTE2, id, 2);
  pass(Pipe::Cube, Pipe::MTE1, kL0, 2);
  pass(Pipe::Fix, Pipe::Cube, kSums, 1);
  pass(Pipe::Fix, Pipe::MTE1, kKept, 1);
  pass(Pipe::Fix, Pipe::Cube, kOut, at_.outs);
  pass(Pipe::MTE1, Pipe::Fix, kKept, 1);
  if (spec_.first.bias) {
    pass(Pipe::MTE1, Pipe::MTE2, kFirstBias, 1);
    pass(Pipe::Cube, Pipe::MTE1, kFirstTable, 1);
  }
  if (spec_.second.bias) {
    pass(Pipe::MTE1, Pipe::MTE2, kSecondBias, 1);
    pass(Pipe::Cube, Pipe::MTE1, kSecondTable, 1);
  }
}

/// `k` rows and `n` columns of a right operand, as it is stored, into L1.
void ChainEmitter::load_right(const MatmulSpec& product, Val to, Val from, Val k, Val n, int id) {
  const Val rows = product.trans_b ? n : k;
  isa::Inst& load = code_.add<Op::loadnz>({{"dtype", type_},
                                           {"dst", to},
                                           {"src", from},
                                           {"rows", rows},
                                           {"cols", product.trans_b ? k : n},
                                           {"prows", whole(rows)},
                                           {"stride", product.b_stride}});
  tell(after(load, Pipe::MTE1, id), Pipe::MTE1, id);
}

/// B and C, which stay.
void ChainEmitter::load_whole() {
  const auto load = [&](const MatmulSpec& product, std::int64_t to, Val from, int id) {
    load_right(product, to, from, product.k, product.n, id);
    code_.wait(Pipe::MTE1, Pipe::MTE2, id);
    code_.set(Pipe::MTE1, Pipe::MTE2, id);
  };
  load(spec_.first, at_.b, argument_[kArgB], kB);
  load(spec_.second, at_.c, argument_[kArgC], kC);
}

/// The block's right operand is part of one that is whole in L1, if they are.
void ChainEmitter::in_whole(Block& block, std::int64_t at, std::int64_t k, std::int64_t n, Val k0,
                            Val n0) const {
  if (!schedule_.whole) return;
  block.b = at;
  block.b_id = -1;
  block.k0 = k0;
  block.n0 = n0;
  block.rows_b = round_up(block.product.trans_b ? n : k, 16);
}

/// Spans of the same rows are neighbours.
void ChainEmitter::locate(Val number) {
  const std::int64_t rows = row_tiles(spec_, schedule_), spans = spans_of(spec_, schedule_);
  const std::int64_t outer = spec_.first.batch0, inner = spec_.first.batch1;
  Val index = number;
  if (outer * inner > 1) {
    const Val batch = code_.compute(Op::sdiv, number, rows * spans);
    index = code_.compute(Op::smod, number, rows * spans);
    batch_.batch0 = outer > 1 ? code_.compute(Op::sdiv, batch, inner) : Val(0);
    batch_.batch1 = outer > 1 ? code_.compute(Op::smod, batch, inner) : batch;
  }
  const Val row = spans > 1 ? code_.compute(Op::sdiv, index, spans) : index;
  const Val span = spans > 1 ? code_.compute(Op::smod, index, spans) : Val(0);
  m0_ = rows > 1 ? code_.compute(Op::smul, row, schedule_.tile_m) : Val(0);
  m_ = rows == 1 ? Val(spec_.first.m) : Val(schedule_.tile_m);
  if (rows > 1 && spec_.first.m % schedule_.tile_m != 0) {
    m_ = code_.compute(Op::smin, code_.compute(Op::ssub, spec_.first.m, m0_), schedule_.tile_m);
  }
  const Val tile = code_.compute(Op::smul, span, schedule_.span);
  n0_ = code_.compute(Op::smul, tile, schedule_.tile_n);
}

/// A bias goes to the table by way of L1, each its own half of both.
void ChainEmitter::load_bias(const MatmulSpec& product, Val from, int id, std::int64_t to,
                             Val count) {
  const std::int64_t item = size_of(product.bias_type);
  const bool is_first = id == kFirstBias;
  isa::Inst& load = code_.add<Op::loadl1>(
      {{"dst", to}, {"src", from}, {"len", code_.compute(Op::smul, count, item)}});
  tell(after(load, Pipe::MTE1, id), Pipe::MTE1, id);
  isa::Inst& table = code_.add<Op::ldbt>({{"dtype", static_cast<int>(product.bias_type)},
                                          {"dst", is_first ? std::int64_t{0} : at_.table_half},
                                          {"src", to},
                                          {"n", count}});
  after(after(table, Pipe::MTE2, id), Pipe::Cube, is_first ? kFirstTable : kSecondTable);
  tell(table, Pipe::MTE2, id);
}

/// Where its blocks begin; its bias.
void ChainEmitter::begin_first() {
  const MatmulSpec& product = spec_.first;
  if (product.bias) {
    load_bias(product, argument_[kArgFirstBias], kFirstBias, at_.bias, product.n);
  }
  const std::int64_t row = product.trans_a ? kItem : product.a_stride;
  const Val a = batch_address(code_, argument_[kArgA], batch_, product.a_batch0, product.a_batch1);
  const Val b = batch_address(code_, argument_[kArgB], batch_, product.b_batch0, product.b_batch1);
  code_.assign(from_a_, Op::mov, offset_by(code_, a, m0_, row), 0);
  code_.assign(from_b_, Op::mov, schedule_.whole ? Val(0) : b, 0);
}

void ChainEmitter::first_block(std::int64_t k, bool opens) {
  const MatmulSpec& product = spec_.first;
  const RegisterScope scope(code_);
  code_.mark(DebugMark::Kind::Operator, "first");
  const Val rows = product.trans_a ? Val(k) : m_, columns = product.trans_a ? m_ : Val(k);
  isa::Inst& left = code_.add<Op::loadnz>({{"dtype", type_},
                                           {"dst", a_.now()},
                                           {"src", from_a_},
                                           {"rows", rows},
                                           {"cols", columns},
                                           {"prows", whole(rows)},
                                           {"stride", product.a_stride}});
  tell(after(left, Pipe::MTE1, kA), Pipe::MTE1, kA);
  if (!schedule_.whole) load_right(product, b_.now(), from_b_, k, product.n, kB);
  Block block{product, a_.now(), b_.now(), m_, product.n, k, at_.first_part};
  block.opens = opens;
  block.a_id = kA;
  block.b_id = kB;
  block.table = kFirstTable;
  in_whole(block, at_.b, product.k, product.n, from_b_, 0);
  multiply(block);
  a_.turn();
  if (schedule_.whole) {
    code_.assign(from_b_, Op::sadd, from_b_, k);
  } else {
    b_.turn();
    code_.assign(from_b_, Op::sadd, from_b_, k * (product.trans_b ? kItem : product.b_stride));
  }
  code_.assign(from_a_, Op::sadd, from_a_, k * (product.trans_a ? product.a_stride : kItem));
}

/// The sums become fractals in L1, in the buffer that the next turn reads.
void ChainEmitter::keep() {
  const RegisterScope scope(code_);
  code_.set(Pipe::Cube, Pipe::Fix, kSums);
  isa::Inst& kept = code_.add<Op::fixnz>({{"dtype", type_},
                                          {"dst", kept_.now()},
                                          {"src", 0},
                                          {"m", m_},
                                          {"n", spec_.first.n},
                                          {"prows", whole(m_)},
                                          {"post", static_cast<int>(spec_.first.post)}});
  after(kept, Pipe::Cube, kSums);
}

/// The item is the one before, from now on.
void ChainEmitter::hand_over() {
  const RegisterScope scope(code_);
  const MatmulSpec& product = spec_.second;
  const std::int64_t size = size_of(product.out), all = ceil_div(product.n, schedule_.tile_n);
  const Val c = batch_address(code_, argument_[kArgC], batch_, product.b_batch0, product.b_batch1);
  const Val d =
      batch_address(code_, argument_[kArgOut], batch_, product.c_batch0, product.c_batch1);
  const Val here = offset_by(code_, d, m0_, product.c_stride);
  code_.assign(height_, Op::mov, m_, 0);
  code_.assign(from_kept_, Op::mov, kept_.now(), 0);
  kept_.turn();
  code_.assign(column_, Op::mov, n0_, 0);
  code_.assign(from_c_, Op::mov, offset_by(code_, c, n0_, step_c()), 0);
  code_.assign(to_, Op::mov, offset_by(code_, here, n0_, size), 0);
  if (product.bias) {
    const std::int64_t item = size_of(product.bias_type);
    code_.assign(bias_, Op::mov, offset_by(code_, argument_[kArgSecondBias], n0_, item), 0);
  }
  const Val before = code_.compute(Op::sdiv, n0_, schedule_.tile_n);
  const Val after = code_.compute(Op::ssub, all, before);
  code_.assign(left_, Op::mov, code_.compute(Op::smin, after, schedule_.span), 0);
}

/// The next tiles of D, as far as there are such.
void ChainEmitter::tiles(std::int64_t most) {
  const RegisterScope scope(code_);
  const Val count = code_.compute(Op::smin, left_, most);
  code_.assign(left_, Op::ssub, left_, count);
  code_.begin_loop(count);
  tile();
  code_.end_loop();
}

void ChainEmitter::tile() {
  const MatmulSpec& product = spec_.second;
  const std::int64_t size = size_of(product.out), width = schedule_.tile_n;
  code_.mark(DebugMark::Kind::Operator, "second");
  Val n = width;
  if (product.n % width != 0) {
    n = code_.compute(Op::smin, code_.compute(Op::ssub, product.n, column_), width);
  }
  if (product.bias) {
    load_bias(product, bias_, kSecondBias, at_.bias + at_.bias_bytes, n);
    code_.assign(bias_, Op::sadd, bias_, width * size_of(product.bias_type));
  }
  if (!schedule_.whole) load_right(product, c_.now(), from_c_, product.k, n, kC);
  Block block{product, from_kept_, c_.now(), height(), n, product.k, at_.second_part, out_.now()};
  block.opens = true;
  block.free = kOut;
  block.b_id = kC;
  block.table = kSecondTable;
  block.bias_at = at_.table_half;
  in_whole(block, at_.c, product.k, product.n, 0, column_);
  multiply(block);
  code_.set(Pipe::Cube, Pipe::Fix, kOut);
  isa::Inst& out = code_.add<Op::fix>({{"dtype", static_cast<int>(product.out)},
                                       {"dst", to_},
                                       {"src", out_.now()},
                                       {"m", height()},
                                       {"n", n},
                                       {"stride", product.c_stride},
                                       {"post", static_cast<int>(product.post)}});
  tell(after(out, Pipe::Cube, kOut), Pipe::Cube, kOut);
  if (!schedule_.whole) c_.turn();
  if (at_.outs == 2) out_.turn();
  code_.assign(column_, Op::sadd, column_, width);
  if (!schedule_.whole) code_.assign(from_c_, Op::sadd, from_c_, width * step_c());
  code_.assign(to_, Op::sadd, to_, width * size);
}

void ChainEmitter::multiply(const Block& block) {
  const MatmulSpec& product = block.product;
  const bool turned = product.trans_a && block.a_id >= 0;
  const std::int64_t k16 = round_up(block.k, 16);
  const Val rows_a = turned ? Val(k16) : whole(block.m);
  const Val rows_b = block.rows_b > 0  ? Val(block.rows_b)
                     : product.trans_b ? whole(block.n)
                                       : Val(k16);
  for (std::int64_t k0 = 0; k0 < block.k; k0 += block.part) {
    const std::int64_t k = std::min(block.part, block.k - k0);
    const bool first = k0 == 0, last = k0 + k == block.k, opens = block.opens && first;
    isa::Inst& left = code_.add<Op::l0a>({{"dtype", type_},
                                          {"dst", l0a_.now()},
                                          {"src", block.a},
                                          {"m", block.m},
                                          {"k", k},
                                          {"prows", rows_a},
                                          {"k0", k0},
                                          {"trans", turned ? 1 : 0}});
    after(left, Pipe::Cube, kL0);
    if (first && block.a_id >= 0) after(left, Pipe::MTE2, block.a_id);
    if (last && block.a_id >= 0) tell(left, Pipe::MTE2, block.a_id);
    const Val k_of_b = code_.compute(Op::sadd, block.k0, k0);
    isa::Inst& right = code_.add<Op::l0b>({{"dtype", type_},
                                           {"dst", l0b_.now()},
                                           {"src", block.b},
                                           {"k", k},
                                           {"n", block.n},
                                           {"prows", rows_b},
                                           {"k0", k_of_b},
                                           {"n0", block.n0},
                                           {"trans", product.trans_b ? 1 : 0}});
    if (first && block.b_id >= 0) after(right, Pipe::MTE2, block.b_id);
    tell(right, Pipe::Cube, kL0);
    if (last && block.b_id >= 0) tell(right, Pipe::MTE2, block.b_id);
    const isa::Init init = !opens         ? isa::Init::Accumulate
                           : product.bias ? isa::Init::Bias
                                          : isa::Init::Zero;
    isa::Inst& sum = code_.add<Op::mmad>({{"dtype", type_},
                                          {"c", block.sums},
                                          {"a", l0a_.now()},
                                          {"b", l0b_.now()},
                                          {"m", block.m},
                                          {"k", k},
                                          {"n", block.n},
                                          {"init", static_cast<int>(init)},
                                          {"bias", block.bias_at}});
    after(sum, Pipe::MTE1, kL0);
    if (opens && block.free >= 0) after(sum, Pipe::Fix, block.free);
    tell(sum, Pipe::MTE1, kL0);
    if (opens && product.bias) tell(sum, Pipe::MTE1, block.table);
    l0a_.turn();
    l0b_.turn();
  }
}

}  // namespace

Program chain_program(const ChainSpec& spec, const ChainSchedule& schedule,
                      const Machine& machine) {
  DVMSIM_ASSERT(fits(spec, schedule, machine), "a schedule fits the machine it is used on");
  Program program;
  program.name = "chain";
  using Kind = Argument::Kind;
  for (const char* name : {"a", "b", "c"}) program.arguments.push_back({Kind::Input, name, 0});
  program.arguments.push_back({Kind::Output, "d", 0});
  program.arguments.push_back({Kind::Input, "first_bias", 0});
  program.arguments.push_back({Kind::Input, "second_bias", 0});
  ChainEmitter(spec, schedule, machine).write(program);
  return program;
}

}  // namespace dvmsim
