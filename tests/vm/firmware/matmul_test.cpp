// The matmul macro against three nested loops, for sizes at and around every edge.
#include "vm/firmware/matmul.h"

#include <gtest/gtest.h>

#include <cstring>
#include <ostream>
#include <random>
#include <vector>

#include "vm/base/half.h"
#include "vm/device/hazard.h"
#include "vm/device/reference.h"
#include "vm/isa/codec.h"
#include "vm/isa/text.h"

namespace dvmsim {
namespace {

struct Shape {
  std::int64_t m = 1, n = 1, k = 1;
  std::int64_t tile_m = 32, tile_n = 32, tile_k = 32;
  DType type = DType::F16, out = DType::F32;
  int cores = 2;
  bool trans_a = false, trans_b = false, bias = false, relu = false;
  std::int64_t batch0 = 1, batch1 = 1;
  isa::Swizzle swizzle = isa::Swizzle::Zn;
  std::int64_t width = 2;
  std::int64_t loop = 0;
  bool adds = false;
  friend std::ostream& operator<<(std::ostream& out, const Shape& s) {
    return out << s.m << "x" << s.n << "x" << s.k << " tiles " << s.tile_m << "," << s.tile_n << ","
               << s.tile_k << " " << name_of(s.type) << " to " << name_of(s.out)
               << (s.trans_a ? " At" : "") << (s.trans_b ? " Bt" : "") << (s.bias ? " bias" : "")
               << " batches " << s.batch0 << "," << s.batch1 << " cores " << s.cores << " "
               << isa::name_of(s.swizzle) << s.width << " loop " << s.loop;
  }
};

/// Whole numbers small enough that every sum is exact.
int number(std::int64_t index, int seed) {
  const auto mixed = static_cast<std::uint64_t>(index * 7919 + seed * 104729 + 17) * 2654435761u;
  return static_cast<int>(mixed >> 12 & 7) - 4;
}

void put(std::vector<std::byte>& bytes, std::int64_t index, DType type, int value) {
  std::byte* to = bytes.data() + index * size_of(type);
  const auto store = [&](auto element) { std::memcpy(to, &element, sizeof element); };
  switch (type) {
    case DType::F16:
      return store(to_half(static_cast<float>(value)));
    case DType::BF16:
      return store(to_bfloat(static_cast<float>(value)));
    case DType::F32:
      return store(static_cast<float>(value));
    case DType::I8:
      return store(static_cast<std::int8_t>(value));
    default:
      return store(static_cast<std::int32_t>(value));
  }
}

std::vector<std::byte> matrix(std::int64_t elements, DType type, int seed) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(elements * size_of(type)));
  for (std::int64_t i = 0; i < elements; ++i) put(bytes, i, type, number(i, seed));
  return bytes;
}

/// Row-major C of every batch; A and B as the shape says they are stored.
std::vector<std::byte> expected(const Shape& s) {
  const std::int64_t batches = s.batch0 * s.batch1;
  std::vector<std::byte> c(static_cast<std::size_t>(batches * s.m * s.n * size_of(s.out)));
  for (std::int64_t batch = 0; batch < batches; ++batch) {
    for (std::int64_t i = 0; i < s.m; ++i) {
      for (std::int64_t j = 0; j < s.n; ++j) {
        int sum = s.bias ? number(j, 3) : 0;
        for (std::int64_t p = 0; p < s.k; ++p) {
          const std::int64_t a = s.trans_a ? p * s.m + i : i * s.k + p;
          // B is the same for every inner batch.
          const std::int64_t b = s.trans_b ? j * s.k + p : p * s.n + j;
          sum += number(batch * s.m * s.k + a, 1) * number(batch / s.batch1 * s.n * s.k + b, 2);
        }
        if (s.relu && sum < 0) sum = 0;
        put(c, (batch * s.m + i) * s.n + j, s.out, sum);
      }
    }
  }
  return c;
}

isa::MatmulArguments arguments_of(const Shape& s) {
  isa::MatmulArguments args;
  const std::int64_t item = size_of(s.type), out = size_of(s.out);
  args.m = s.m, args.n = s.n, args.k = s.k;
  args.a_stride = (s.trans_a ? s.m : s.k) * item;
  args.b_stride = (s.trans_b ? s.k : s.n) * item;
  args.c_stride = s.n * out;
  args.batch0 = s.batch0, args.batch1 = s.batch1;
  args.a_batch1 = s.m * s.k * item, args.a_batch0 = args.a_batch1 * s.batch1;
  args.b_batch0 = s.n * s.k * item;
  args.c_batch1 = s.m * s.n * out, args.c_batch0 = args.c_batch1 * s.batch1;
  args.tile_m = s.tile_m, args.tile_n = s.tile_n, args.tile_k = s.tile_k;
  args.swizzle = static_cast<std::int64_t>(s.swizzle), args.width = s.width;
  args.loop = s.loop;
  args.atomic = static_cast<std::int64_t>(s.adds ? isa::Atomic::Add : isa::Atomic::None);
  args.trans_a = s.trans_a ? 1 : 0, args.trans_b = s.trans_b ? 1 : 0;
  args.bias_type = static_cast<std::int64_t>(s.type);
  args.out = static_cast<std::int64_t>(s.out), args.post = s.relu ? 1 : 0;
  return args;
}

std::vector<std::uint64_t> words_of(const isa::MatmulArguments& args) {
  std::vector<std::uint64_t> words(isa::kMatmulWords);
  std::memcpy(words.data(), &args, sizeof args);
  return words;
}

Program program_of(DType type, int times = 1) {
  Program program;
  program.name = "matmul";
  for (int i = 0; i < times; ++i) {
    isa::append(isa::assemble_line("matmul dtype=" + std::string(name_of(type)) + " index=0", ""),
                program.cube);
  }
  isa::append(isa::blank(isa::Op::halt), program.cube);
  return program;
}

struct Buffers {
  std::uint64_t c = 0;
  std::size_t c_bytes = 0;
};
Buffers place(Reference& device, const Shape& s, isa::MatmulArguments& args) {
  const auto upload = [&](const std::vector<std::byte>& bytes) {
    const std::uint64_t at = device.allocate(Bytes(static_cast<std::int64_t>(bytes.size())));
    device.write(at, bytes);
    return at;
  };
  args.a = upload(matrix(s.batch0 * s.batch1 * s.m * s.k, s.type, 1));
  args.b = upload(matrix(s.batch0 * s.n * s.k, s.type, 2));
  if (s.bias) args.bias = upload(matrix(s.n, s.type, 3));
  const std::size_t bytes = expected(s).size();
  args.c = device.allocate(Bytes(static_cast<std::int64_t>(bytes)));
  return {args.c, bytes};
}

void check(const Shape& s, std::uint64_t seed, int times = 1) {
  const Machine machine = default_machine();
  Reference device(machine, seed);
  HazardChecker hazards(machine);
  device.listen_order(&hazards);
  const Program program = program_of(s.type, times);
  isa::MatmulArguments args = arguments_of(s);
  const Buffers buffers = place(device, s, args);
  Launch launch;
  launch.program = &program;
  launch.cube_cores = s.cores;
  launch.arguments = words_of(args);
  const LaunchReport report = device.wait(device.submit(launch));
  ASSERT_FALSE(report.fault) << s << ": " << report.fault.text;
  std::vector<std::byte> c(buffers.c_bytes);
  device.read(buffers.c, c);
  EXPECT_TRUE(c == expected(s)) << s << " seed " << seed;
  ASSERT_TRUE(hazards.findings().empty()) << s << ": " << hazards.findings().front().text;
}

TEST(Matmul, is_right_for_every_size_around_a_tile) {
  for (std::int64_t m : {1, 15, 16, 33, 64}) {
    for (std::int64_t n : {1, 17, 31, 32, 65}) {
      for (std::int64_t k : {1, 16, 31, 33, 100}) {
        Shape s;
        s.m = m, s.n = n, s.k = k;
        check(s, 0);
      }
    }
  }
}

TEST(Matmul, transposes_either_operand) {
  for (bool trans_a : {false, true}) {
    for (bool trans_b : {false, true}) {
      for (DType type : {DType::F16, DType::BF16, DType::F32}) {
        Shape s;
        s.m = 70, s.n = 45, s.k = 83;
        s.tile_m = 48, s.tile_n = 32, s.tile_k = 48;
        s.trans_a = trans_a, s.trans_b = trans_b, s.type = type;
        check(s, 0);
        check(s, 3);
      }
    }
  }
}

TEST(Matmul, multiplies_bytes_into_integers) {
  Shape s;
  s.m = 40, s.n = 70, s.k = 100;
  s.type = DType::I8, s.out = DType::I32;
  check(s, 0);
  s.tile_k = 64;
  check(s, 1);
}

TEST(Matmul, writes_narrow_results_after_a_relu) {
  Shape s;
  s.m = 33, s.n = 20, s.k = 10;
  s.out = DType::F16, s.relu = true;
  check(s, 0);
  s.out = DType::BF16;
  check(s, 0);
}

TEST(Matmul, adds_a_bias_to_every_row) {
  for (std::int64_t k : {5, 32, 64, 130}) {  // one part; one block; several of each
    for (DType type : {DType::F16, DType::F32}) {
      Shape s;
      s.m = 100, s.n = 90, s.k = k;
      s.bias = true, s.type = type;
      check(s, 0);
      check(s, 5);
    }
  }
}

TEST(Matmul, walks_batches_with_a_shared_operand) {
  Shape s;
  s.m = 20, s.n = 40, s.k = 48;
  s.batch0 = 3, s.batch1 = 2;
  s.cores = 4;
  check(s, 0);
  check(s, 2);
}

TEST(Matmul, visits_tiles_in_either_order_and_with_more_cores_than_tiles) {
  for (isa::Swizzle swizzle : {isa::Swizzle::Zn, isa::Swizzle::Nz}) {
    for (std::int64_t width : {1, 2, 3, 7}) {
      Shape s;
      s.m = 100, s.n = 150, s.k = 20;
      s.swizzle = swizzle, s.width = width, s.cores = 3;
      check(s, 0);
    }
  }
  Shape s;
  s.m = 20, s.n = 20, s.k = 20, s.cores = 24;
  check(s, 0);
}

TEST(Matmul, uses_large_tiles_that_leave_one_accumulator) {
  Shape s;
  s.m = 300, s.n = 300, s.k = 600;
  s.tile_m = 128, s.tile_n = 256, s.tile_k = 256;
  s.cores = 2;
  check(s, 0);
  check(s, 1);
}

TEST(Matmul, cuts_blocks_in_an_odd_number_of_parts) {
  Shape s;
  s.m = 200, s.n = 130, s.k = 500;
  s.tile_m = 128, s.tile_n = 128, s.tile_k = 384;  // three parts of 128, then one of 116
  s.cores = 1;
  check(s, 0);
  check(s, 7);
}

TEST(Matmul, is_safe_to_repeat_in_one_program) {
  Shape s;
  s.m = 70, s.n = 70, s.k = 70;
  s.bias = true;
  check(s, 0, 2);
  check(s, 1, 3);
}

std::int64_t between(std::mt19937& random, std::int64_t low, std::int64_t high) {
  return std::uniform_int_distribution<std::int64_t>(low, high)(random);
}

Shape random_shape(std::mt19937& random) {
  Shape s;
  s.m = between(random, 1, 130), s.n = between(random, 1, 130), s.k = between(random, 1, 150);
  s.tile_m = 16 * between(random, 1, 4), s.tile_n = 16 * between(random, 1, 4);
  s.tile_k = 32 * between(random, 1, 4);
  s.type = between(random, 0, 1) == 0 ? DType::F16 : DType::F32;
  s.out = between(random, 0, 2) == 0 ? DType::F16 : DType::F32;
  s.cores = static_cast<int>(between(random, 1, 5));
  s.trans_a = between(random, 0, 1) != 0, s.trans_b = between(random, 0, 1) != 0;
  s.bias = between(random, 0, 1) != 0, s.relu = between(random, 0, 3) == 0;
  s.batch0 = between(random, 1, 2), s.batch1 = between(random, 1, 2);
  s.swizzle = static_cast<isa::Swizzle>(between(random, 0, isa::kSwizzles - 1));
  s.width = between(random, 1, 4);
  s.loop = between(random, 0, isa::kMatmulLoops - 1);
  return s;
}

TEST(Matmul, is_right_in_every_order_and_loop) {
  std::mt19937 random(7);
  for (std::uint64_t i = 0; i < 150; ++i) check(random_shape(random), i);
}

TEST(Matmul, keeps_the_operand_that_its_half_of_l1_still_holds) {
  for (bool bias : {false, true}) {
    for (isa::Swizzle swizzle : {isa::Swizzle::Zn, isa::Swizzle::Nz}) {
      Shape s;
      s.m = 16 * 5, s.n = 16 * 7, s.k = 30;
      s.tile_m = s.tile_n = 16, s.width = 1, s.cores = 1;
      s.bias = bias, s.swizzle = swizzle, s.loop = isa::kKeepOperands;
      check(s, 0);
      check(s, 9);
      // One operand is the same in every tile of a group: loaded twice, once for each half.
      const Machine machine = default_machine();
      MatmulMacro macro;
      isa::MatmulArguments args = arguments_of(s);
      args.a = 1 << 20, args.b = 2 << 20, args.bias = bias ? 3 << 20 : 0;
      macro.start(machine, args, {}, s.type, 0, 1, 0);
      std::int64_t loads = 0;
      while (const isa::Command* command = macro.next()) loads += command->op == isa::Op::loadnz;
      EXPECT_EQ(loads, 35 + 2 * (swizzle == isa::Swizzle::Zn ? 7 : 5));
    }
  }
}

TEST(Matmul, adds_to_what_c_holds) {
  Shape s;
  s.m = 40, s.n = 50, s.k = 60, s.adds = true;
  const Machine machine = default_machine();
  Reference device(machine, 3);
  const Program program = program_of(s.type);
  isa::MatmulArguments args = arguments_of(s);
  const Buffers buffers = place(device, s, args);
  device.write(buffers.c, std::vector<std::byte>(buffers.c_bytes));
  Launch launch;
  launch.program = &program;
  launch.cube_cores = 2;
  launch.arguments = words_of(args);
  for (int i = 0; i < 2; ++i) {
    ASSERT_FALSE(device.wait(device.submit(launch)).fault);
  }
  std::vector<std::byte> c(buffers.c_bytes);
  device.read(buffers.c, c);
  const std::vector<std::byte> once = expected(s);
  for (std::size_t i = 0; i < c.size(); i += 4) {
    float got = 0, want = 0;
    std::memcpy(&got, &c[i], 4);
    std::memcpy(&want, &once[i], 4);
    ASSERT_EQ(got, 2 * want) << i;
  }
}

TEST(Matmul, refuses_arguments_that_do_not_fit) {
  const Machine machine = default_machine();
  Shape s;
  s.m = s.n = s.k = 1000;
  const auto problem = [&] { return MatmulMacro::problem(machine, arguments_of(s), s.type); };
  EXPECT_EQ(problem(), "");
  s.tile_m = 24;
  EXPECT_NE(problem(), "");
  s.tile_m = 256, s.tile_n = 256;
  EXPECT_NE(problem().find("L0C"), std::string::npos);
  s.tile_m = 128, s.tile_k = 512;
  EXPECT_NE(problem().find("L1"), std::string::npos);
  s.tile_k = 256, s.loop = isa::kMatmulLoops;
  EXPECT_NE(problem(), "");
  s.loop = 0, s.k = 0;
  EXPECT_NE(problem(), "");
}

/// Tiles in slots of a workspace, taken back one by one: what a mix program's cube cores do.
TEST(Matmul, hands_every_tile_over_in_a_slot) {
  Shape s;
  s.m = 150, s.n = 20, s.k = 40;
  const Machine machine = default_machine();
  const std::int64_t tiles = 5, slot_bytes = 32 * 32 * 4;
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    Reference device(machine, seed);
    HazardChecker hazards(machine);
    device.listen_order(&hazards);
    Program program = program_of(s.type);
    // One group; its first vector core copies the tiles (32 rows of 80 bytes, 128 apart) to out.
    program.vector = isa::assemble(R"(.vector
  ldarg rd=r10 index=32
  ldarg rd=r11 index=2
  mov rd=r12 a=5
  loop count=r12
  xwait pipe=mte2 id=0 mode=group
  jnz a=r3 skip=@other
  load dst=0 src=r11 len=4096 set=mte3.0
  wait pipe=mte3 other=mte2 id=0
  store dst=r10 src=0 len=4096 dtype=f32 set=mte2.0
  wait pipe=mte2 other=mte3 id=0
other:
  xset pipe=mte2 id=1 mode=group
  sadd rd=r10 a=r10 b=4096
  jnz a=r30 skip=@second
  sadd rd=r11 a=r11 b=8192
second:
  sadd rd=r11 a=r11 b=-4096
  sxor rd=r30 a=r30 b=1
  endloop
  halt
)",
                                   "copier")
                         .vector;
    isa::MatmulArguments args = arguments_of(s);
    place(device, s, args);
    args.slots = 2, args.slot_bytes = slot_bytes;
    args.c = device.allocate(Bytes(2 * slot_bytes));
    Launch launch;
    launch.program = &program;
    launch.cube_cores = 1, launch.vector_cores = 2;
    launch.arguments = words_of(args);
    launch.arguments.resize(33);
    const std::uint64_t out = device.allocate(Bytes(tiles * slot_bytes));
    launch.arguments[32] = out;
    const LaunchReport report = device.wait(device.submit(launch));
    ASSERT_FALSE(report.fault) << report.fault.text;
    std::vector<std::byte> padded(static_cast<std::size_t>(tiles * slot_bytes));
    device.read(out, padded);
    const std::vector<std::byte> want = expected(s);
    for (std::int64_t row = 0; row < s.m; ++row) {
      EXPECT_EQ(std::memcmp(padded.data() + row * 128, want.data() + row * 80, 80), 0) << row;
    }
    EXPECT_TRUE(hazards.findings().empty()) << hazards.findings().front().text;
  }
}

}  // namespace
}  // namespace dvmsim
