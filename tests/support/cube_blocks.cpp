#include <algorithm>

#include "tests/support/random_blocks.h"
#include "vm/base/error.h"

namespace dvmsim::testing {
namespace {

using namespace isa;

constexpr int kOwnParts = 4;
constexpr std::int64_t kPart = 4096, kRowStride = 128;  // 32 rows of 32 results of 4 bytes
// Resources, after the first.
constexpr int kL1 = 0, kL0a = 4, kL0b = 6, kL0c = 8, kBt = 10, kOwn = 12, kFb = 16;

Lane imm(std::int64_t value) {
  return Lane::imm(static_cast<std::int32_t>(value));
}
Lane imm(DType type) {
  return Lane::imm(static_cast<std::int32_t>(type));
}
Lane pipe_lane(Pipe pipe) {
  return Lane::imm(static_cast<std::int32_t>(pipe));
}
std::int64_t round16(std::int64_t rows) {
  return (rows + 15) / 16 * 16;
}
DType result_type(DType type) {
  return type == DType::I8 ? DType::I32 : DType::F32;
}

std::vector<DType> cube_types(const Machine& machine) {
  std::vector<DType> types;
  for (const DType type : {DType::F16, DType::BF16, DType::F32, DType::I8}) {
    if (machine.step(type).k > 0) types.push_back(type);
  }
  DVMSIM_ASSERT(!types.empty(), "the cube multiplies something");
  return types;
}

}  // namespace

CubeBlocks::CubeBlocks(BlockContext& context, int first_resource)
    : c_(context), first_(first_resource) {
  const Machine& machine = c_.machine;
  const std::int64_t l0 = std::min(machine.l0a.size.count(), machine.l0b.size.count());
  l1_slot_ = kPart;
  l0_slot_ = std::min<std::int64_t>(kPart, l0 / 2 / 1024 * 1024);
  l0c_slot_ = kPart;
  DVMSIM_ASSERT(machine.l1.size.count() >= 4 * l1_slot_ && l0_slot_ > 0 &&
                    machine.l0c.size.count() >= 2 * l0c_slot_ && machine.bt.size.count() >= 512,
                "the cube core's buffers hold two products of 32 x 32");
}

int CubeBlocks::scratch() {
  scratch_ = scratch_ == kLastScratch ? kFirstScratch : scratch_ + 1;
  return scratch_;
}

Lane CubeBlocks::input_at(DType type, std::int64_t bytes) {
  const Buffer& buffer = c_.inputs[type == DType::F32 ? 0 : type == DType::I8 ? 2 : 1];
  const Lane reg = Lane::r(scratch());
  c_.code.scalar(
      make(Op::sadd, {{"rd", reg},
                      {"a", Lane::r(buffer.reg)},
                      {"b", imm(pick(c_.random, 0, (buffer.bytes - bytes) / 32) * 32)}}));
  return reg;
}

CubeBlocks::Shape CubeBlocks::random_shape() {
  const auto types = cube_types(c_.machine);
  Shape shape;
  shape.type = types[static_cast<std::size_t>(
      pick(c_.random, 0, static_cast<std::int64_t>(types.size()) - 1))];
  shape.m = pick(c_.random, 1, 32);
  shape.n = pick(c_.random, 1, 32);
  shape.k =
      pick(c_.random, 1, std::min<std::int64_t>(l0_slot_ / 1024 * 32 / size_of(shape.type), 64));
  shape.trans_a = chance(c_.random, 30);
  shape.trans_b = chance(c_.random, 30);
  shape.bias = chance(c_.random, 30);
  return shape;
}

Inst CubeBlocks::loadnz(int slot, std::int64_t rows, std::int64_t cols, DType type) {
  const std::int64_t stride = cols * size_of(type);
  return make(Op::loadnz, {{"dtype", imm(type)},
                           {"dst", imm(slot * l1_slot_)},
                           {"src", input_at(type, rows * stride)},
                           {"rows", imm(rows)},
                           {"cols", imm(cols)},
                           {"prows", imm(round16(rows))},
                           {"stride", imm(stride)}});
}

namespace {

Inst split_a(DType type, Lane dst, Lane src, std::int64_t m, std::int64_t k, bool trans) {
  return make(Op::l0a, {{"dtype", imm(type)},
                        {"dst", dst},
                        {"src", src},
                        {"m", imm(m)},
                        {"k", imm(k)},
                        {"prows", imm(round16(trans ? k : m))},
                        {"trans", imm(trans ? 1 : 0)}});
}
Inst split_b(DType type, Lane dst, Lane src, std::int64_t k, std::int64_t n, bool trans) {
  return make(Op::l0b, {{"dtype", imm(type)},
                        {"dst", dst},
                        {"src", src},
                        {"k", imm(k)},
                        {"n", imm(n)},
                        {"prows", imm(round16(trans ? n : k))},
                        {"trans", imm(trans ? 1 : 0)}});
}
Inst multiply(DType type, Lane c, Lane a, Lane b, std::int64_t m, std::int64_t k, std::int64_t n,
              Init init) {
  return make(Op::mmad, {{"dtype", imm(type)},
                         {"c", c},
                         {"a", a},
                         {"b", b},
                         {"m", imm(m)},
                         {"k", imm(k)},
                         {"n", imm(n)},
                         {"init", imm(static_cast<std::int64_t>(init))}});
}
Inst write_out(DType type, Lane dst, Lane src, std::int64_t m, std::int64_t n, Post post) {
  return make(Op::fix, {{"dtype", imm(type)},
                        {"dst", dst},
                        {"src", src},
                        {"m", imm(m)},
                        {"n", imm(n)},
                        {"stride", imm(kRowStride)},
                        {"post", imm(static_cast<std::int64_t>(post))}});
}

}  // namespace

/// The left operand as windows of a small map; k becomes what their columns are.
void CubeBlocks::windows(Shape& s, int slot, int half) {
  const std::int64_t c0 = 32 / size_of(s.type), kh = pick(c_.random, 1, 2);
  const std::int64_t kw = pick(c_.random, 1, 2), most = l0_slot_ / 1024;
  const std::int64_t blocks = most / (kh * kw) >= 2 ? pick(c_.random, 1, 2) : 1;
  const std::int64_t h = pick(c_.random, 1, 6), w = pick(c_.random, 1, 8);
  const std::int64_t channels = (blocks - 1) * c0 + pick(c_.random, 1, c0);
  s.k = std::min(blocks * c0 * kh * kw, most * c0);
  const std::int64_t pixel = channels * size_of(s.type);
  const Lane prows = imm(round16(h * w));
  c_.code.emit(make(Op::loadfm, {{"dtype", imm(s.type)},
                                 {"dst", imm(slot * l1_slot_)},
                                 {"src", input_at(s.type, h * w * pixel)},
                                 {"w", imm(w)},
                                 {"cols", imm(channels)},
                                 {"prows", prows},
                                 {"stride", imm(pixel)},
                                 {"h", imm(h)},
                                 {"hstride", imm(w * pixel)}}),
               Pipe::MTE2, {}, {first_ + kL1 + slot});
  c_.code.emit(make(Op::img2col, {{"dtype", imm(s.type)},
                                  {"dst", imm(half * l0_slot_)},
                                  {"src", imm(slot * l1_slot_)},
                                  {"m", imm(s.m)},
                                  {"k", imm(s.k)},
                                  {"prows", prows},
                                  {"m0", imm(pick(c_.random, 0, 9))},
                                  {"h", imm(h)},
                                  {"w", imm(w)},
                                  {"ow", imm(pick(c_.random, 1, 9))},
                                  {"kernel", imm((kh - 1) << 16 | (kw - 1))},
                                  {"steps", imm(pick(c_.random, 0, 2) << 8)},
                                  {"top", imm(pick(c_.random, 0, 1))},
                                  {"left", imm(pick(c_.random, 0, 1))},
                                  {"fill", imm(pick(c_.random, 0, 3))}}),
               Pipe::MTE1, {first_ + kL1 + slot}, {first_ + kL0a + half});
}

/// A result scaled on its way out; the scales are whatever an input holds.
Inst CubeBlocks::scaled(DType result, Lane dst, int slot, int c, const Shape& s) {
  const Lane src = input_at(DType::F32, s.n * 4);
  c_.code.emit(
      make(Op::loadl1, {{"dst", imm(slot * l1_slot_)}, {"src", src}, {"len", imm(s.n * 4)}}),
      Pipe::MTE2, {}, {first_ + kL1 + slot});
  c_.code.emit(
      make(Op::ldfb, {{"dst", imm(c * 256)}, {"src", imm(slot * l1_slot_)}, {"n", imm(s.n)}}),
      Pipe::Fix, {first_ + kL1 + slot}, {first_ + kFb + c});
  constexpr DType kOut[] = {DType::I8, DType::U8, DType::F16, DType::F32};
  return make(Op::fixq, {{"dtype", imm(kOut[pick(c_.random, 0, 3)])},
                         {"dst", dst},
                         {"src", imm(c * l0c_slot_)},
                         {"m", imm(s.m)},
                         {"n", imm(s.n)},
                         {"stride", imm(kRowStride)},
                         {"scale", imm(c * 256)},
                         {"post", imm(pick(c_.random, 0, 1))},
                         {"offset", imm(pick(c_.random, -5, 5))},
                         {"from", imm(result)}});
}

/// The result, back in L1, is the left operand of a product over it.
void CubeBlocks::again(int slot, int c, const Shape& s) {
  CodeWriter& code = c_.code;
  const DType type =
      chance(c_.random, 50) || c_.machine.step(DType::BF16).k == 0 ? DType::F16 : DType::BF16;
  const std::int64_t most = l0_slot_ / 1024 * 16;  // along k
  const std::int64_t n = pick(c_.random, 1, 32), k = std::min(s.n, most);
  const auto part = static_cast<int>(pick(c_.random, 0, kOwnParts - 1));
  const int other = (slot + 1) % 4;
  const Lane prows = imm(round16(s.m) + 16 * pick(c_.random, 0, 1));
  code.emit(make(Op::fixnz, {{"dtype", imm(type)},
                             {"dst", imm(slot * l1_slot_)},
                             {"src", imm(c * l0c_slot_)},
                             {"m", imm(s.m)},
                             {"n", imm(s.n)},
                             {"prows", prows},
                             {"post", imm(pick(c_.random, 0, 1))}}),
            Pipe::Fix, {first_ + kL0c + c}, {first_ + kL1 + slot});
  code.emit(loadnz(other, k, n, type), Pipe::MTE2, {}, {first_ + kL1 + other});
  Inst left = split_a(type, imm(0), imm(slot * l1_slot_), s.m, k, false);
  set_operand(left, "prows", prows);
  code.emit(left, Pipe::MTE1, {first_ + kL1 + slot}, {first_ + kL0a});
  code.emit(split_b(type, imm(0), imm(other * l1_slot_), k, n, false), Pipe::MTE1,
            {first_ + kL1 + other}, {first_ + kL0b});
  code.emit(multiply(type, imm((1 - c) * l0c_slot_), imm(0), imm(0), s.m, k, n, Init::Zero),
            Pipe::Cube, {first_ + kL0a, first_ + kL0b}, {first_ + kL0c + 1 - c});
  const Lane dst = Lane::r(scratch());
  code.scalar(make(Op::sadd, {{"rd", dst}, {"a", Lane::r(c_.own.reg)}, {"b", imm(part * kPart)}}));
  code.emit(write_out(DType::F32, dst, imm((1 - c) * l0c_slot_), s.m, n, Post::None), Pipe::Fix,
            {first_ + kL0c + 1 - c}, {first_ + kOwn + part});
}

void CubeBlocks::product(const Lane* to) {
  Shape s = random_shape();
  const auto la = static_cast<int>(pick(c_.random, 0, 3));
  const int lb = (la + 1) % 4, bias_slot = (la + 2) % 4;
  const auto half = [&] { return static_cast<int>(pick(c_.random, 0, 1)); };
  const int a = half(), b = half(), c = half(), bt = half();
  CodeWriter& code = c_.code;
  const bool gathers = chance(c_.random, 30), scales = chance(c_.random, 25);
  if (gathers) {
    windows(s, la, a);
  } else {
    code.emit(loadnz(la, s.trans_a ? s.k : s.m, s.trans_a ? s.m : s.k, s.type), Pipe::MTE2, {},
              {first_ + kL1 + la});
  }
  code.emit(loadnz(lb, s.trans_b ? s.n : s.k, s.trans_b ? s.k : s.n, s.type), Pipe::MTE2, {},
            {first_ + kL1 + lb});
  const DType result = result_type(s.type);
  if (s.bias) {
    const Lane src = input_at(result == DType::I32 ? DType::I8 : DType::F32, s.n * 4);
    code.emit(
        make(Op::loadl1, {{"dst", imm(bias_slot * l1_slot_)}, {"src", src}, {"len", imm(s.n * 4)}}),
        Pipe::MTE2, {}, {first_ + kL1 + bias_slot});
    code.emit(make(Op::ldbt, {{"dtype", imm(result)},
                              {"dst", imm(bt * 256)},
                              {"src", imm(bias_slot * l1_slot_)},
                              {"n", imm(s.n)}}),
              Pipe::MTE1, {first_ + kL1 + bias_slot}, {first_ + kBt + bt});
  }
  if (!gathers) {
    code.emit(split_a(s.type, imm(a * l0_slot_), imm(la * l1_slot_), s.m, s.k, s.trans_a),
              Pipe::MTE1, {first_ + kL1 + la}, {first_ + kL0a + a});
  }
  code.emit(split_b(s.type, imm(b * l0_slot_), imm(lb * l1_slot_), s.k, s.n, s.trans_b), Pipe::MTE1,
            {first_ + kL1 + lb}, {first_ + kL0b + b});
  Inst first = multiply(s.type, imm(c * l0c_slot_), imm(a * l0_slot_), imm(b * l0_slot_), s.m, s.k,
                        s.n, s.bias ? Init::Bias : Init::Zero);
  std::vector<int> reads = {first_ + kL0a + a, first_ + kL0b + b};
  if (s.bias) {
    set_operand(first, "bias", imm(bt * 256));
    reads.push_back(first_ + kBt + bt);
  }
  code.emit(first, Pipe::Cube, reads, {first_ + kL0c + c});
  if (chance(c_.random, 40)) {
    set_operand(first, "init", imm(static_cast<std::int64_t>(Init::Accumulate)));
    code.emit(first, Pipe::Cube, reads, {first_ + kL0c + c});
  }
  const auto part = static_cast<int>(pick(c_.random, 0, kOwnParts - 1));
  Lane dst{};
  if (to != nullptr) {
    dst = *to;
  } else {
    dst = Lane::r(scratch());
    code.scalar(
        make(Op::sadd, {{"rd", dst}, {"a", Lane::r(c_.own.reg)}, {"b", imm(part * kPart)}}));
  }
  const DType out = result == DType::F32 && chance(c_.random, 40) ? DType::F16 : result;
  std::vector<int> writes;
  if (to == nullptr) writes.push_back(first_ + kOwn + part);
  const Inst plain = write_out(out, dst, imm(c * l0c_slot_), s.m, s.n,
                               chance(c_.random, 30) ? Post::Relu : Post::None);
  std::vector<int> sources = {first_ + kL0c + c};
  if (scales) sources.push_back(first_ + kFb + c);
  code.emit(scales ? scaled(result, dst, (la + 3) % 4, c, s) : plain, Pipe::Fix, sources, writes);
  const bool returns = result == DType::F32 && c_.machine.can.l0c_to_l1;
  if (returns && chance(c_.random, 25)) again((la + 3) % 4, c, s);
}

/// GM of another core as the left operand of a product.
void CubeBlocks::get(Lane from, std::int64_t bytes) {
  const DType type = cube_types(c_.machine)[0];
  const std::int64_t k = std::min<std::int64_t>(bytes / 16, 32) / size_of(type);
  CodeWriter& code = c_.code;
  code.emit(make(Op::loadnz, {{"dtype", imm(type)},
                              {"dst", imm(0)},
                              {"src", from},
                              {"rows", imm(16)},
                              {"cols", imm(k)},
                              {"prows", imm(16)},
                              {"stride", imm(k * size_of(type))}}),
            Pipe::MTE2, {}, {first_ + kL1});
  code.emit(loadnz(1, k, 16, type), Pipe::MTE2, {}, {first_ + kL1 + 1});
  code.emit(split_a(type, imm(0), imm(0), 16, k, false), Pipe::MTE1, {first_ + kL1},
            {first_ + kL0a});
  code.emit(split_b(type, imm(0), imm(l1_slot_), k, 16, false), Pipe::MTE1, {first_ + kL1 + 1},
            {first_ + kL0b});
  code.emit(multiply(type, imm(0), imm(0), imm(0), 16, k, 16, Init::Zero), Pipe::Cube,
            {first_ + kL0a, first_ + kL0b}, {first_ + kL0c});
  code.emit(write_out(result_type(type), Lane::r(c_.own.reg), imm(0), 16, 16, Post::None),
            Pipe::Fix, {first_ + kL0c}, {first_ + kOwn});
}

/// Products one after another, every buffer doubled, flags by hand.
void CubeBlocks::pipeline(bool nested) {
  constexpr Pipe kMte2 = Pipe::MTE2, kMte1 = Pipe::MTE1, kCube = Pipe::Cube, kFix = Pipe::Fix;
  const Shape s = random_shape();
  const auto id = static_cast<std::uint8_t>(pick(c_.random, 0, c_.machine.flag.ids - 2));
  const auto next = static_cast<std::uint8_t>(id + 1);
  CodeWriter& code = c_.code;
  const auto both = [&](Op op, Pipe pipe, Pipe other) {
    for (const std::uint8_t one : {id, next}) {
      code.scalar(
          make(op, {{"pipe", pipe_lane(pipe)}, {"other", pipe_lane(other)}, {"id", imm(one)}}));
    }
  };
  code.drain_all();
  if (nested) code.begin_loop(imm(pick(c_.random, 1, 2)));
  const int base = kLastScratch + 1;
  const auto reg = [&](int i) { return Lane::r(base + i); };
  const std::int64_t starts[] = {0, 2 * l1_slot_, 0, 0};  // L1 of A, of B, both L0, L0C
  for (int i = 0; i < 4; ++i) code.scalar(make(Op::mov, {{"rd", reg(i)}, {"a", imm(starts[i])}}));
  code.scalar(make(Op::mov, {{"rd", reg(4)}, {"a", Lane::r(c_.own.reg)}}));
  both(Op::set, kMte1, kMte2);
  both(Op::set, kCube, kMte1);
  both(Op::set, kFix, kCube);
  const auto turn = [&](int i, std::int64_t bytes) {
    return Lane::rotating(base + i, 2, static_cast<std::uint32_t>(bytes / 32));
  };
  const Lane a1 = turn(0, l1_slot_), b1 = turn(1, l1_slot_), l0 = turn(2, l0_slot_),
             c0 = turn(3, l0c_slot_);
  const Lane count = chance(c_.random, 50) ? Lane::r(c_.count_reg) : imm(pick(c_.random, 1, 4));
  code.begin_bare_loop(count, 1 << id | 1 << next);
  Inst load_a = loadnz(0, s.trans_a ? s.k : s.m, s.trans_a ? s.m : s.k, s.type);
  set_operand(load_a, "dst", a1);
  load_a.waits[0] = {true, kMte1, id};
  code.emit_as_is(load_a, kMte2, {}, {first_, first_ + 1});
  Inst load_b = loadnz(0, s.trans_b ? s.n : s.k, s.trans_b ? s.k : s.n, s.type);
  set_operand(load_b, "dst", b1);
  load_b.sets[0] = {true, kMte1, id};
  code.emit_as_is(load_b, kMte2, {}, {first_ + 2, first_ + 3});
  Inst take_a = split_a(s.type, l0, a1, s.m, s.k, s.trans_a);
  take_a.waits = {FlagRef{true, kMte2, id}, FlagRef{true, kCube, id}};
  code.emit_as_is(take_a, kMte1, {first_, first_ + 1}, {first_ + kL0a, first_ + kL0a + 1});
  Inst take_b = split_b(s.type, l0, b1, s.k, s.n, s.trans_b);
  take_b.sets = {FlagRef{true, kMte2, id}, FlagRef{true, kCube, id}};
  code.emit_as_is(take_b, kMte1, {first_ + 2, first_ + 3}, {first_ + kL0b, first_ + kL0b + 1});
  Inst mmad = multiply(s.type, c0, l0, l0, s.m, s.k, s.n, Init::Zero);
  mmad.waits = {FlagRef{true, kMte1, id}, FlagRef{true, kFix, id}};
  mmad.sets = {FlagRef{true, kMte1, id}, FlagRef{true, kFix, id}};
  code.emit_as_is(mmad, kCube, {first_ + kL0a, first_ + kL0a + 1, first_ + kL0b, first_ + kL0b + 1},
                  {first_ + kL0c, first_ + kL0c + 1});
  Inst out = write_out(result_type(s.type), reg(4), c0, s.m, s.n, Post::None);
  out.waits[0] = out.sets[0] = {true, kCube, id};
  code.emit_as_is(out, kFix, {first_ + kL0c, first_ + kL0c + 1},
                  {first_ + kOwn, first_ + kOwn + 1, first_ + kOwn + 2, first_ + kOwn + 3});
  code.scalar(make(Op::sadd, {{"rd", reg(4)}, {"a", reg(4)}, {"b", imm(kPart)}}));
  code.end_bare_loop();
  both(Op::wait, kMte2, kMte1);
  both(Op::wait, kMte1, kCube);
  both(Op::wait, kCube, kFix);
  if (nested) code.end_loop();
}

}  // namespace dvmsim::testing
