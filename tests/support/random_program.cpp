#include "tests/support/random_program.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>

#include "tests/support/random_blocks.h"
#include "vm/base/error.h"
#include "vm/base/half.h"
#include "vm/isa/codec.h"

namespace dvmsim::testing {
namespace {

using namespace isa;

constexpr std::int64_t kInputBytes = 16384, kCubeOwnBytes = 4 * 4096;
constexpr int kInput0 = 0, kOutVector = 3, kOutCube = 4, kCount = 5, kFirstExchange = 6;
constexpr int kInputReg = 8, kOwnReg = 11, kCountReg = 14, kParityReg = 15, kAddressReg = 16;

Lane imm(std::int64_t value) {
  return Lane::imm(static_cast<std::int32_t>(value));
}

enum class Exchange { VectorAll, VectorPair, CubeAll, CubeToVector, VectorToCube };

/// The code of one kind of core while it grows.
struct Side {
  Side(Random& random, const Machine& machine, const RandomOptions& options, bool has_vector,
       bool has_cube)
      : code(random, machine.flag.ids),
        context{random, code, machine, {}, {}, kCountReg, options.device_data} {
    for (int i = 0; i < 3; ++i) context.inputs[i] = {kInputReg + i, kInputBytes};
    if (has_vector) vector.emplace_back(context, 0);
    if (has_cube) cube.emplace_back(context, 32);
  }
  CodeWriter code;
  BlockContext context;
  std::vector<VectorBlocks> vector{};  // one or none
  std::vector<CubeBlocks> cube{};
};

class Composer {
 public:
  Composer(const Machine& machine, std::uint64_t seed, const RandomOptions& options)
      : machine_(machine), options_(options), random_(seed) {
    unified_ = machine.cores.unified;
    use_cube_ = options.cube && machine.cores.cube > 0;
    use_vector_ = options.vector && (unified_ || machine.cores.vector > 0);
    DVMSIM_ASSERT(use_cube_ || use_vector_, "some kind of core takes part");
  }

  RandomProgram compose() {
    choose_cores();
    arguments();
    Side cube(random_, machine_, options_, unified_ && use_vector_, use_cube_);
    Side vector(random_, machine_, options_, true, false);
    Side& vectors = unified_ ? cube : vector;  // where vector blocks go
    open(cube, kOutCube, kCubeOwnBytes);
    open(vector, kOutVector, vector_own_);
    for (int i = 0; i < options_.blocks; ++i) {
      if (use_vector_) block(vectors, true);
      if (use_cube_) block(cube, false);
      if (options_.exchange && chance(random_, 40)) exchange(cube, vectors);
    }
    close(cube, vectors);
    if (unified_ || use_cube_) made_.program.cube = cube.code.finish();
    if (!unified_ && use_vector_) made_.program.vector = vector.code.finish();
    return std::move(made_);
  }

 private:
  void choose_cores() {
    const int ratio = machine_.cores.per_group;
    made_.program.name = "random";
    made_.program.machine = hash_of(machine_);
    if (unified_ || use_cube_) {
      made_.cube_cores = static_cast<int>(pick(random_, 1, std::min(3, machine_.cores.cube)));
    }
    if (unified_ || !use_vector_) return;
    made_.vector_cores =
        use_cube_ && ratio > 0
            ? made_.cube_cores * ratio
            : static_cast<int>(pick(random_, 1, std::min(4, machine_.cores.vector)));
    grouped_ = ratio > 0 && made_.vector_cores % ratio == 0;
  }

  void add(Argument::Kind kind, const std::string& name, std::int64_t bytes, DType type,
           std::uint64_t value = 0) {
    made_.program.arguments.push_back({kind, name, bytes});
    made_.contents.push_back(type);
    made_.scalars.push_back(value);
  }

  void arguments() {
    using Kind = Argument::Kind;
    const std::int64_t area = (machine_.ub.size.count() - machine_.ub.reserved.count()) / 2;
    slot_ = std::min<std::int64_t>(1024, area / 12 / 32 * 32);
    vector_own_ = 4 * slot_;
    add(Kind::Input, "x32", kInputBytes, DType::F32);
    add(Kind::Input, "x16", kInputBytes, DType::F16);
    add(Kind::Input, "xi", kInputBytes, DType::I32);
    add(Kind::Output, "v", vector_own_ * std::max(made_.vector_cores, made_.cube_cores),
        DType::F32);
    add(Kind::Output, "c", kCubeOwnBytes * std::max(made_.cube_cores, 1), DType::F32);
    add(Kind::Scalar, "n", 0, DType::I64, static_cast<std::uint64_t>(pick(random_, 0, 4)));
  }

  void open(Side& side, int out, std::int64_t own_bytes) {
    CodeWriter& code = side.code;
    for (int i = 0; i < 3; ++i) {
      code.scalar(make(Op::ldarg, {{"rd", Lane::r(kInputReg + i)}, {"index", imm(kInput0 + i)}}));
    }
    own(side, kOwnReg, out, own_bytes);
    if (unified_) own(side, kOwnReg + 1, kOutVector, vector_own_);
    code.scalar(make(Op::ldarg, {{"rd", Lane::r(kCountReg)}, {"index", imm(kCount)}}));
    code.scalar(make(Op::sand,
                     {{"rd", Lane::r(kParityReg)}, {"a", Lane::r(kCoreIndexReg)}, {"b", imm(1)}}));
    side.context.own = {kOwnReg, own_bytes};
  }

  /// reg = argument + core index * bytes.
  void own(Side& side, int reg, int argument, std::int64_t bytes) {
    side.code.scalar(make(Op::ldarg, {{"rd", Lane::r(reg)}, {"index", imm(argument)}}));
    offset(side, reg, Lane::r(kCoreIndexReg), bytes);
  }
  void offset(Side& side, int reg, Lane index, std::int64_t bytes) {
    const Lane temporary = Lane::r(kAddressReg + 7);
    side.code.scalar(make(Op::smul, {{"rd", temporary}, {"a", index}, {"b", imm(bytes)}}));
    side.code.scalar(make(Op::sadd, {{"rd", Lane::r(reg)}, {"a", Lane::r(reg)}, {"b", temporary}}));
  }

  bool is_full(Side& side) const {
    const std::int64_t most = (machine_.ub.size.count() - machine_.ub.reserved.count()) / 3;
    return side.code.words() * 8 > most;
  }

  void block(Side& side, bool is_vector) {
    if (is_full(side)) return;
    side.context.own.reg = unified_ && is_vector ? kOwnReg + 1 : kOwnReg;
    CodeWriter& code = side.code;
    const auto straight = [&] {
      if (is_vector) return side.vector[0].straight(static_cast<int>(pick(random_, 2, 8)));
      side.cube[0].product(nullptr);
    };
    const auto pipeline = [&](bool nested) {
      is_vector ? side.vector[0].pipeline(nested) : side.cube[0].pipeline(nested);
    };
    switch (pick(random_, 0, options_.device_data && is_vector ? 6 : 5)) {
      case 0:
      case 1:
        return straight();
      case 2:
        code.begin_loop(chance(random_, 50) ? Lane::r(kCountReg) : imm(pick(random_, 1, 3)));
        straight();
        return code.end_loop();
      case 3:
        code.begin_arm(Lane::r(kParityReg));
        straight();
        return code.end_arm();
      case 4:
        return pipeline(false);
      case 5:
        return pipeline(true);
      default:
        return side.vector[0].read_data();
    }
  }

  /// A workspace of its own for every exchange: written before the flag, only read after it.
  int workspace(std::int64_t bytes) {
    const int index = kFirstExchange + exchanges_;
    add(Argument::Kind::Workspace, "w" + std::to_string(exchanges_++), bytes, DType::F32);
    return index;
  }
  Lane address(Side& side, int argument, Lane index, std::int64_t bytes) {
    side.code.scalar(make(Op::ldarg, {{"rd", Lane::r(kAddressReg)}, {"index", imm(argument)}}));
    offset(side, kAddressReg, index, bytes);
    return Lane::r(kAddressReg);
  }
  void cross(Side& side, Op op, Pipe pipe, int id, CrossMode mode) {
    side.code.emit_as_is(make(op, {{"pipe", imm(static_cast<int>(pipe))},
                                   {"id", imm(id)},
                                   {"mode", imm(static_cast<int>(mode))}}),
                         pipe, {}, {});
  }

  void exchange(Side& cube, Side& vector) {
    if (exchanges_ >= machine_.xflag.ids || is_full(cube) || is_full(vector)) return;
    const auto kind = static_cast<Exchange>(pick(random_, 0, 4));
    const bool needs_vector = kind != Exchange::CubeAll, needs_cube = kind >= Exchange::CubeAll;
    if ((needs_vector && !use_vector_) || (needs_cube && !use_cube_)) return;
    const bool by_group = kind != Exchange::CubeAll && kind != Exchange::VectorAll;
    if (by_group && !grouped_) return;
    const int id = exchanges_, ratio = machine_.cores.per_group;
    switch (kind) {
      case Exchange::VectorAll:
        return among(vector, true, id, CrossMode::All);
      case Exchange::VectorPair:
        return among(vector, true, id, CrossMode::Pair);
      case Exchange::CubeAll:
        return among(cube, false, id, CrossMode::All);
      case Exchange::CubeToVector: {
        const int w = workspace(4096 * made_.cube_cores);
        const Lane to = address(cube, w, Lane::r(kCoreIndexReg), 4096);
        cube.cube[0].product(&to);
        cross(cube, Op::xset, Pipe::Fix, id, CrossMode::Group);
        cross(vector, Op::xwait, Pipe::MTE2, id, CrossMode::Group);
        return vector.vector[0].get(address(vector, w, Lane::r(kGroupReg), 4096), 4096);
      }
      case Exchange::VectorToCube: {
        const int w = workspace(slot_ * made_.vector_cores);
        vector.vector[0].put(address(vector, w, Lane::r(kCoreIndexReg), slot_), slot_);
        cross(vector, Op::xset, Pipe::MTE3, id, CrossMode::Group);
        cross(cube, Op::xwait, Pipe::MTE2, id, CrossMode::Group);
        return cube.cube[0].get(address(cube, w, Lane::r(kCoreIndexReg), slot_ * ratio), slot_);
      }
    }
  }

  /// Every core writes its part, and reads its neighbour's when all (of its group) have.
  void among(Side& side, bool is_vector, int id, CrossMode mode) {
    side.context.own.reg = unified_ && is_vector ? kOwnReg + 1 : kOwnReg;
    const std::int64_t bytes = is_vector ? slot_ : 4096;
    const int cores = is_vector && !unified_ ? made_.vector_cores : made_.cube_cores;
    const int w = workspace(bytes * cores);
    const Lane to = address(side, w, Lane::r(kCoreIndexReg), bytes);
    is_vector ? side.vector[0].put(to, bytes) : side.cube[0].product(&to);
    cross(side, Op::xset, is_vector ? Pipe::MTE3 : Pipe::Fix, id, mode);
    cross(side, Op::xwait, Pipe::MTE2, id, mode);
    const Lane next = Lane::r(kAddressReg + 1), ratio = imm(machine_.cores.per_group);
    const bool is_pair = mode == CrossMode::Pair;
    const Lane mine = Lane::r(is_pair ? kMemberReg : kCoreIndexReg);
    side.code.scalar(make(Op::sadd, {{"rd", next}, {"a", mine}, {"b", imm(1)}}));
    side.code.scalar(make(
        Op::smod, {{"rd", next}, {"a", next}, {"b", is_pair ? ratio : Lane::r(kCoreCountReg)}}));
    if (is_pair) {
      const Lane first = Lane::r(kAddressReg + 2);
      side.code.scalar(make(Op::smul, {{"rd", first}, {"a", Lane::r(kGroupReg)}, {"b", ratio}}));
      side.code.scalar(make(Op::sadd, {{"rd", next}, {"a", next}, {"b", first}}));
    }
    const Lane from = address(side, w, next, bytes);
    is_vector ? side.vector[0].get(from, bytes) : side.cube[0].get(from, bytes);
  }

  /// What was computed last becomes visible in the output.
  void close(Side& cube, Side& vector) {
    vector.context.own.reg = unified_ ? kOwnReg + 1 : kOwnReg;
    if (use_vector_) {
      vector.code.drain_all();
      vector.vector[0].put(Lane::r(vector.context.own.reg), slot_);
    }
    cube.context.own.reg = kOwnReg;
    if (use_cube_) cube.cube[0].product(nullptr);
  }

  const Machine& machine_;
  const RandomOptions& options_;
  Random random_;
  RandomProgram made_{};
  bool unified_ = false, use_cube_ = false, use_vector_ = false, grouped_ = false;
  std::int64_t slot_ = 0, vector_own_ = 0;
  int exchanges_ = 0;
};

}  // namespace

RandomProgram random_program(const Machine& machine, std::uint64_t seed,
                             const RandomOptions& options) {
  return Composer(machine, seed, options).compose();
}

std::vector<std::byte> input_bytes(const RandomProgram& program, std::size_t argument) {
  const DType type = program.contents[argument];
  const auto size = static_cast<std::size_t>(size_of(type));
  std::vector<std::byte> bytes(static_cast<std::size_t>(program.program.arguments[argument].bytes));
  Random random(argument + 1);
  for (std::size_t i = 0; i + size <= bytes.size(); i += size) {
    const auto number = static_cast<float>(pick(random, -400, 400)) / 64;
    std::uint32_t bits = std::bit_cast<std::uint32_t>(number);
    if (type == DType::F16) bits = to_half(number).bits;
    if (type == DType::I32) bits = static_cast<std::uint32_t>(pick(random, -1000, 1000));
    std::memcpy(bytes.data() + i, &bits, size);
  }
  return bytes;
}

Launch prepare(const RandomProgram& program, Device& device) {
  Launch launch;
  launch.program = &program.program;
  launch.arguments = program.scalars;
  launch.cube_cores = program.cube_cores;
  launch.vector_cores = program.vector_cores;
  launch.label = program.program.name;
  for (std::size_t i = 0; i < launch.arguments.size(); ++i) {
    const Argument& argument = program.program.arguments[i];
    if (argument.kind == Argument::Kind::Scalar) continue;
    launch.arguments[i] = device.allocate(Bytes(argument.bytes));
    if (argument.kind == Argument::Kind::Input) {
      device.write(launch.arguments[i], input_bytes(program, i));
    }
  }
  return launch;
}

std::vector<std::byte> contents(const RandomProgram& program, Device& device,
                                const Launch& launch) {
  std::vector<std::byte> all;
  for (std::size_t i = 0; i < launch.arguments.size(); ++i) {
    const Argument& argument = program.program.arguments[i];
    if (argument.kind == Argument::Kind::Scalar) continue;
    const std::size_t begin = all.size();
    all.resize(begin + static_cast<std::size_t>(argument.bytes));
    device.read(launch.arguments[i], std::span(all).subspan(begin));
  }
  return all;
}

}  // namespace dvmsim::testing
