#include "tests/agree/chaos.h"

#include <algorithm>
#include <array>
#include <vector>

#include "tests/support/code_writer.h"
#include "tests/support/random_inst.h"
#include "vm/isa/codec.h"

namespace dvmsim::testing {
namespace {

using namespace isa;

constexpr int kBase = 8, kShare = 9, kAddress = 20;  // registers
constexpr int kIds = 3;
constexpr int kAhead = 4;  // sets of one flag before a wait

Lane imm(std::int64_t value) {
  return Lane::imm(static_cast<std::int32_t>(value));
}
template <class Enum>
Lane choice(Enum value) {
  return imm(static_cast<std::int64_t>(value));
}

/// The code of one kind of core.
class Writer {
 public:
  Writer(Random& random, CoreKind kind) : random_(random), kind_(kind) {
    for (Pipe pipe : {Pipe::MTE1, Pipe::MTE2, Pipe::MTE3, Pipe::Cube, Pipe::Vector, Pipe::Fix}) {
      const bool of_vector = pipe == Pipe::MTE3 || pipe == Pipe::Vector;
      const bool of_both = kind == CoreKind::Unified || pipe == Pipe::MTE2;
      if (of_both || of_vector == (kind == CoreKind::Vector)) pipes_.push_back(pipe);
    }
    plain(make(Op::ldarg, {{"rd", Lane::r(kBase)}, {"index", imm(0)}}));
    const Lane share = Lane::r(kShare);
    const std::int64_t step = chance(random, 50) ? 0 : number(0, 20) * 512;
    plain(make(Op::smul, {{"rd", share}, {"a", Lane::r(kCoreIndexReg)}, {"b", imm(step)}}));
    plain(make(Op::sadd, {{"rd", share}, {"a", share}, {"b", Lane::r(kBase)}}));
  }

  void segment() {
    const bool loops = chance(random_, 40);
    if (loops) {
      settle();
      plain(make(Op::loop, {{"count", imm(number(0, 4))}}));
    }
    const std::int64_t commands = number(1, 25);
    for (std::int64_t i = 0; i < commands; ++i) step();
    if (!loops) return;
    settle();
    plain(make(Op::endloop, {}));
  }

  void set_cross(Pipe pipe, int id, CrossMode mode) {
    plain(make(Op::xset, {{"pipe", choice(pipe)}, {"id", imm(id)}, {"mode", choice(mode)}}));
  }
  void wait_cross(Pipe pipe, int id, CrossMode mode) {
    plain(make(Op::xwait, {{"pipe", choice(pipe)}, {"id", imm(id)}, {"mode", choice(mode)}}));
  }
  Pipe any_pipe() {
    return pipes_[static_cast<std::size_t>(
        number(0, static_cast<std::int64_t>(pipes_.size()) - 1))];
  }

  std::vector<std::uint64_t> finish() {
    settle();
    plain(make(Op::halt, {}));
    return std::move(words_);
  }

 private:
  std::int64_t number(std::int64_t low, std::int64_t high) { return pick(random_, low, high); }
  void plain(const Inst& inst) { append(inst, words_); }
  int& ahead(Pipe from, Pipe to, int id) {
    return ahead_[static_cast<std::size_t>(
        (static_cast<int>(from) * kPipes + static_cast<int>(to)) * kIds + id)];
  }

  void step() {
    const std::int64_t what = number(0, 99);
    if (what < 80) {
      command();
    } else if (what < 84) {
      plain(make(Op::drain, {{"pipe", choice(any_pipe())}}));
    } else if (what < 92) {
      const Pipe from = chance(random_, 40) ? Pipe::Scalar : any_pipe();
      const Pipe to = from != Pipe::Scalar && chance(random_, 40) ? Pipe::Scalar : any_pipe();
      const int id = static_cast<int>(number(0, kIds - 1));
      const int times = std::min(static_cast<int>(number(1, 3)), kAhead - ahead(from, to, id));
      if (times <= 0) return;
      ahead(from, to, id) += times;
      plain(make(
          Op::set,
          {{"pipe", choice(from)}, {"other", choice(to)}, {"id", imm(id)}, {"count", imm(times)}}));
    } else if (what < 96) {
      explicit_wait(chance(random_, 50) ? Pipe::Scalar : any_pipe(), false);
    } else {
      const Lane rd = Lane::r(21);
      plain(make(Op::sdiv, {{"rd", rd}, {"a", rd}, {"b", imm(7)}}));
    }
  }

  /// One set of any flag towards the pipe is taken, or all of them.
  void explicit_wait(Pipe to, bool all) {
    for (Pipe from : kAllPipes) {
      for (int id = 0; id < kIds; ++id) {
        while (ahead(from, to, id) > 0) {
          const int times = static_cast<int>(number(1, ahead(from, to, id)));
          ahead(from, to, id) -= times;
          plain(make(Op::wait, {{"pipe", choice(to)},
                                {"other", choice(from)},
                                {"id", imm(id)},
                                {"count", imm(times)}}));
          if (!all) return;
        }
      }
    }
  }
  void settle() {
    for (Pipe pipe : kAllPipes) explicit_wait(pipe, true);
  }

  void command() {
    const Pipe pipe = any_pipe();
    Inst inst = of_pipe(pipe);
    inst.drain = chance(random_, 15);
    inst.unit = isa::hands_over_units(inst.op) && chance(random_, 50);
    std::size_t waits = 0;
    for (Pipe from : kAllPipes) {
      for (int id = 0; id < kIds && waits < 2; ++id) {
        if (ahead(from, pipe, id) == 0 || !chance(random_, 40)) continue;
        --ahead(from, pipe, id);
        inst.waits[waits++] = {true, from, static_cast<std::uint8_t>(id)};
      }
    }
    for (std::size_t i = 0; i < 2 && chance(random_, 45); ++i) {
      const Pipe to = chance(random_, 15) ? Pipe::Scalar : any_pipe();
      const int id = static_cast<int>(number(0, kIds - 1));
      if (ahead(pipe, to, id) >= kAhead) break;
      ++ahead(pipe, to, id);
      inst.sets[i] = {true, to, static_cast<std::uint8_t>(id)};
    }
    plain(inst);
  }

  Inst of_pipe(Pipe pipe) {
    switch (pipe) {
      case Pipe::MTE1:
        if (chance(random_, 30)) return windows();
        return make(Op::l0a, {{"dtype", choice(DType::F16)},
                              {"m", imm(number(1, 64))},
                              {"k", imm(number(1, 64))},
                              {"prows", imm(64)},
                              {"trans", imm(number(0, 1))}});
      case Pipe::Cube:
        return make(Op::mmad, {{"dtype", choice(DType::F16)},
                               {"m", imm(number(1, 64))},
                               {"k", imm(number(1, 128))},
                               {"n", imm(number(1, 64))},
                               {"init", imm(number(0, 1))}});
      case Pipe::Vector:
        return vector();
      case Pipe::MTE2:
        return kind_ == CoreKind::Cube || (kind_ == CoreKind::Unified && chance(random_, 50))
                   ? to_l1()
                   : to_ub();
      case Pipe::MTE3:
        return from_ub();
      default:
        if (chance(random_, 30)) return scaled();
        if (chance(random_, 20)) return retained();
        return make(Op::fix,
                    {{"dtype", choice(chance(random_, 50) ? DType::F16 : DType::F32)},
                     {"dst", address()},
                     {"m", imm(number(1, 40))},
                     {"n", imm(number(1, 64))},
                     {"stride", imm(number(16, 200) * 4)},
                     {"atomic", choice(chance(random_, 20) ? Atomic::Add : Atomic::None)}});
    }
  }

  Inst windows() {
    return make(Op::img2col, {{"dtype", choice(DType::F16)},
                              {"m", imm(number(1, 64))},
                              {"k", imm(number(1, 64))},
                              {"prows", imm(64)},
                              {"m0", imm(number(0, 40))},
                              {"h", imm(number(1, 8))},
                              {"w", imm(number(1, 8))},
                              {"ow", imm(number(1, 40))},
                              {"kernel", imm(number(0, 2) << 16 | number(0, 2))},
                              {"steps", imm(number(0, 4) << 8)},
                              {"top", imm(number(0, 2))},
                              {"left", imm(number(0, 2))}});
  }

  Inst scaled() {
    if (chance(random_, 40)) return make(Op::ldfb, {{"n", imm(number(1, 64))}});
    return make(Op::fixq, {{"dtype", choice(chance(random_, 50) ? DType::I8 : DType::F16)},
                           {"dst", address()},
                           {"m", imm(number(1, 40))},
                           {"n", imm(number(1, 64))},
                           {"stride", imm(number(16, 200) * 4)},
                           {"from", choice(DType::F32)}});
  }

  Inst retained() {
    return make(Op::fixnz, {{"dtype", choice(chance(random_, 50) ? DType::F16 : DType::BF16)},
                            {"m", imm(number(1, 64))},
                            {"n", imm(number(1, 64))},
                            {"prows", imm(number(2, 5) * 16)}});
  }

  Inst vector() {
    const Op op = chance(random_, 60) ? Op::vadd : Op::vredx;
    Inst inst = make(op, {{"dtype", choice(DType::F32)},
                          {"dst", imm(0)},
                          {"a", imm(number(0, 8) * 32)},
                          {"count", imm(number(1, 300))},
                          {"rows", imm(number(1, 6))},
                          {"astride", imm(1024)}});
    if (op == Op::vadd) set_operand(inst, "b", imm(number(0, 8) * 2048));
    if (op == Op::vadd) set_operand(inst, "dstride", imm(1024));
    return inst;
  }

  Inst to_l1() {
    const std::int64_t cols = number(1, 300);
    if (chance(random_, 50)) {
      return make(Op::loadl1, {{"dst", imm(0)}, {"src", address()}, {"len", imm(number(1, 9000))}});
    }
    if (chance(random_, 40)) {
      return make(Op::loadfm, {{"dtype", choice(DType::F16)},
                               {"dst", imm(0)},
                               {"src", address()},
                               {"w", imm(number(1, 8))},
                               {"cols", imm(chance(random_, 50) ? 128 : cols)},
                               {"prows", imm(48)},
                               {"stride", imm(number(0, 400) * 4)},
                               {"h", imm(number(1, 6))},
                               {"hstride", imm(number(0, 2000) * 4)}});
    }
    return make(Op::loadnz, {{"dtype", choice(DType::F16)},
                             {"dst", imm(0)},
                             {"src", address()},
                             {"rows", imm(number(1, 40))},
                             {"cols", imm(chance(random_, 50) ? 128 : cols)},
                             {"prows", imm(48)},
                             {"stride", imm(number(0, 400) * 4)}});
  }

  Inst to_ub() {
    if (chance(random_, 50)) {
      return make(Op::load, {{"dst", imm(0)},
                             {"src", address()},
                             {"len", imm(number(1, 3000))},
                             {"rows", imm(number(1, 6))},
                             {"dstride", imm(3008)},
                             {"sstride", imm(number(0, 5000))}});
    }
    return nd(Op::loadnd, "src", "dst");
  }

  Inst from_ub() {
    if (chance(random_, 50)) {
      return make(Op::store,
                  {{"dtype", choice(DType::F32)},
                   {"dst", address()},
                   {"src", imm(0)},
                   {"len", imm(number(1, 700) * 4)},
                   {"rows", imm(number(1, 6))},
                   {"dstride", imm(number(0, 1200) * 4)},
                   {"sstride", imm(3008)},
                   {"atomic", choice(chance(random_, 20) ? Atomic::Add : Atomic::None)}});
    }
    return nd(Op::storend, "dst", "src");
  }

  /// Strides of GM may be negative, 0, or smaller than what they step over.
  Inst nd(Op op, const char* global, const char* local) {
    const std::int64_t width = std::int64_t{1} << number(0, 9);
    return make(op, {{global, address()},
                     {local, imm(0)},
                     {"width", imm(width)},
                     {"n0", imm(number(1, 8))},
                     {"s0", imm(chance(random_, 30) ? width : number(-600, 1500))},
                     {"n1", imm(number(1, 4))},
                     {"s1", imm(number(-2000, 6000))},
                     {"d1", imm(4096)},
                     {"n2", imm(number(1, 3))},
                     {"s2", imm(number(-4000, 9000))},
                     {"d2", imm(8192)},
                     {"n3", imm(number(1, 2))},
                     {"s3", imm(number(0, 9000))},
                     {"d3", imm(16384)}});
  }

  /// Somewhere in the buffer, often the same few places on all cores.
  Lane address() {
    const std::int64_t offset =
        65536 + (chance(random_, 50) ? number(0, 15) * 4096 : number(0, 100'000) * 4);
    const Lane from = Lane::r(chance(random_, 50) ? kBase : kShare);
    plain(make(Op::sadd, {{"rd", Lane::r(kAddress)}, {"a", from}, {"b", imm(offset)}}));
    return Lane::r(kAddress);
  }

  Random& random_;
  CoreKind kind_;
  std::vector<Pipe> pipes_{};
  std::vector<std::uint64_t> words_{};
  std::array<int, kPipes * kPipes * kIds> ahead_{};
};

/// An exchange between cores: who sets and who waits, each on one pipe, with an id of its own.
struct Exchange {
  CrossMode mode{};
  Writer* from = nullptr;
  Writer* to = nullptr;
  Pipe set_on{}, wait_on{};
  int id = 0;
};

}  // namespace

ChaosProgram chaos_program(const Machine& machine, std::uint64_t seed) {
  Random random(seed * 7919 + 1);
  ChaosProgram made;
  made.program.name = "chaos";
  made.program.arguments = {{Argument::Kind::Workspace, "gm", kChaosBytes}};
  const bool unified = machine.cores.unified;
  const bool cubes = unified || chance(random, 70),
             vectors = !unified && (!cubes || chance(random, 80));
  const int count = static_cast<int>(pick(random, 1, machine.cores.cube));
  if (cubes) made.cube_cores = count;
  if (vectors) made.vector_cores = count * machine.cores.per_group;
  Writer cube(random, unified ? CoreKind::Unified : CoreKind::Cube);
  Writer vector(random, CoreKind::Vector);

  std::vector<Exchange> exchanges;
  const auto add = [&](CrossMode mode, Writer& from, Writer& to) {
    const auto pipe_of = [&](Writer& writer) {
      return chance(random, 25) ? Pipe::Scalar : writer.any_pipe();
    };
    const int id = static_cast<int>(exchanges.size());
    exchanges.push_back({mode, &from, &to, pipe_of(from), pipe_of(to), id});
  };
  if (cubes) add(CrossMode::All, cube, cube);
  if (vectors) add(CrossMode::All, vector, vector);
  if (vectors) add(CrossMode::Pair, vector, vector);
  if (cubes && vectors) add(CrossMode::Group, cube, vector);
  if (cubes && vectors) add(CrossMode::Group, vector, cube);

  for (std::int64_t i = pick(random, 1, 6); i > 0; --i) {
    if (cubes) cube.segment();
    if (vectors) vector.segment();
    if (!chance(random, 60)) continue;
    const Exchange& one = exchanges[static_cast<std::size_t>(
        pick(random, 0, static_cast<std::int64_t>(exchanges.size()) - 1))];
    one.from->set_cross(one.set_on, one.id, one.mode);
    if (chance(random, 50)) one.from->segment();
    one.to->wait_cross(one.wait_on, one.id, one.mode);
  }
  if (cubes) made.program.cube = cube.finish();
  if (vectors) made.program.vector = vector.finish();
  return made;
}

}  // namespace dvmsim::testing
