// The gmatmul macro against a plain loop over groups, for lists with every kind of edge.
#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cstring>
#include <ostream>
#include <random>
#include <vector>

#include "vm/base/half.h"
#include "vm/device/hazard.h"
#include "vm/device/reference.h"
#include "vm/firmware/matmul.h"
#include "vm/isa/codec.h"
#include "vm/isa/matmul.h"
#include "vm/isa/text.h"

namespace dvmsim {
namespace {

using isa::GroupAxis;

struct Case {
  GroupAxis axis = GroupAxis::M;
  std::int64_t m = 1, n = 1, k = 1;
  std::vector<std::int64_t> sizes{};
  bool cumulative = false, wide = false, trans_a = false, trans_b = false, bias = false;
  std::int64_t tile_m = 32, tile_n = 32, tile_k = 32, loop = 0, width = 2;
  isa::Swizzle swizzle = isa::Swizzle::Zn;
  int cores = 3;

  [[nodiscard]] std::int64_t groups() const { return static_cast<std::int64_t>(sizes.size()); }
  friend std::ostream& operator<<(std::ostream& out, const Case& c) {
    out << (c.axis == GroupAxis::M ? "m" : "k") << " " << c.m << "x" << c.n << "x" << c.k
        << (c.trans_a ? " At" : "") << (c.trans_b ? " Bt" : "") << (c.bias ? " bias" : "")
        << (c.cumulative ? " ends" : " sizes") << " cores " << c.cores << " tiles " << c.tile_m
        << "," << c.tile_n << "," << c.tile_k << " loop " << c.loop << " groups";
    for (std::int64_t size : c.sizes) out << " " << size;
    return out;
  }
};

/// Whole numbers small enough that every sum is exact.
int number(std::int64_t index, int seed) {
  const auto mixed = static_cast<std::uint64_t>(index * 7919 + seed * 104729 + 17) * 2654435761u;
  return static_cast<int>(mixed >> 12 & 7) - 4;
}

template <class Element, class Value>
std::vector<std::byte> bytes_of(std::int64_t count, Value value) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(count) * sizeof(Element));
  for (std::int64_t i = 0; i < count; ++i) {
    const Element element = value(i);
    std::memcpy(bytes.data() + static_cast<std::size_t>(i) * sizeof element, &element,
                sizeof element);
  }
  return bytes;
}

std::vector<std::byte> halves(std::int64_t count, int seed) {
  return bytes_of<Half>(
      count, [&](std::int64_t i) { return to_half(static_cast<float>(number(i, seed))); });
}

std::int64_t results_of(const Case& c) {
  return (c.axis == GroupAxis::M ? 1 : c.groups()) * c.m * c.n;
}

std::vector<float> expected(const Case& c) {
  const bool of_rows = c.axis == GroupAxis::M;
  std::vector<float> result(static_cast<std::size_t>(results_of(c)), 0.0f);
  std::int64_t begin = 0;
  for (std::int64_t g = 0; g < c.groups(); ++g) {
    const std::int64_t size = c.sizes[static_cast<std::size_t>(g)];
    const std::int64_t i0 = of_rows ? begin : 0, i1 = of_rows ? begin + size : c.m;
    const std::int64_t p0 = of_rows ? 0 : begin, p1 = of_rows ? c.k : begin + size;
    for (std::int64_t i = i0; i < i1; ++i) {
      for (std::int64_t j = 0; j < c.n; ++j) {
        int sum = c.bias ? number(g * c.n + j, 3) : 0;
        for (std::int64_t p = p0; p < p1; ++p) {
          const std::int64_t a = c.trans_a ? p * c.m + i : i * c.k + p;
          const std::int64_t b = c.trans_b ? j * c.k + p : p * c.n + j;
          sum += number(a, 1) * number((of_rows ? g * c.k * c.n : 0) + b, 2);
        }
        const std::int64_t at = ((of_rows ? 0 : g) * c.m + i) * c.n + j;
        result[static_cast<std::size_t>(at)] = static_cast<float>(sum);
      }
    }
    begin += size;
  }
  return result;
}

isa::GroupedArguments arguments_of(const Case& c) {
  const bool of_rows = c.axis == GroupAxis::M;
  isa::GroupedArguments args;
  isa::MatmulArguments& product = args.product;
  product.m = c.m, product.n = c.n, product.k = c.k;
  product.a_stride = (c.trans_a ? c.m : c.k) * 2;
  product.b_stride = (c.trans_b ? c.k : c.n) * 2;
  product.c_stride = c.n * 4;
  product.tile_m = c.tile_m, product.tile_n = c.tile_n, product.tile_k = c.tile_k;
  product.swizzle = static_cast<std::int64_t>(c.swizzle), product.width = c.width;
  product.trans_a = c.trans_a ? 1 : 0, product.trans_b = c.trans_b ? 1 : 0;
  product.out = static_cast<std::int64_t>(DType::F32);
  product.bias_type = static_cast<std::int64_t>(DType::F16);
  product.loop = c.loop;
  args.groups = c.groups();
  args.list_type = static_cast<std::int64_t>(c.wide ? DType::I64 : DType::I32);
  args.axis = static_cast<std::int64_t>(c.axis);
  args.cumulative = c.cumulative ? 1 : 0;
  args.stride = of_rows ? c.n * c.k * 2 : c.m * c.n * 4;
  args.bias_stride = c.n * 2;
  return args;
}

std::vector<std::byte> list_of(const Case& c) {
  std::vector<std::int64_t> list = c.sizes;
  for (std::size_t g = 1; c.cumulative && g < list.size(); ++g) list[g] += list[g - 1];
  const auto at = [&](std::int64_t i) { return list[static_cast<std::size_t>(i)]; };
  if (c.wide) return bytes_of<std::int64_t>(c.groups(), at);
  return bytes_of<std::int32_t>(c.groups(),
                                [&](std::int64_t i) { return static_cast<std::int32_t>(at(i)); });
}

Program program_of() {
  Program program;
  program.name = "gmatmul";
  isa::append(isa::assemble_line("gmatmul dtype=f16 index=0", ""), program.cube);
  isa::append(isa::blank(isa::Op::halt), program.cube);
  return program;
}

struct Result {
  LaunchReport report{};
  std::vector<float> c{};
};

/// C is filled with NaN before: what is not written shows.
Result run(const Case& c, std::uint64_t seed) {
  const Machine machine = default_machine();
  Reference device(machine, seed);
  HazardChecker hazards(machine);
  device.listen_order(&hazards);
  const auto upload = [&](const std::vector<std::byte>& bytes) {
    const std::uint64_t at = device.allocate(Bytes(static_cast<std::int64_t>(bytes.size())));
    device.write(at, bytes);
    return at;
  };
  const bool of_rows = c.axis == GroupAxis::M;
  isa::GroupedArguments args = arguments_of(c);
  args.product.a = upload(halves(c.m * c.k, 1));
  args.product.b = upload(halves((of_rows ? c.groups() : 1) * c.k * c.n, 2));
  if (c.bias) args.product.bias = upload(halves(c.groups() * c.n, 3));
  args.list = upload(list_of(c));
  const auto nan = [](std::int64_t) { return std::bit_cast<float>(0x7fc00000u); };
  args.product.c = upload(bytes_of<float>(results_of(c), nan));
  const Program program = program_of();
  Launch launch;
  launch.program = &program;
  launch.cube_cores = c.cores;
  const auto words = std::bit_cast<std::array<std::uint64_t, isa::kGroupedWords>>(args);
  launch.arguments.assign(words.begin(), words.end());
  Result result{device.wait(device.submit(launch)), {}};
  result.c.resize(static_cast<std::size_t>(results_of(c)));
  device.read(args.product.c, std::as_writable_bytes(std::span(result.c)));
  EXPECT_TRUE(hazards.findings().empty()) << c << ": " << hazards.findings().front().text;
  return result;
}

void check(const Case& c, std::uint64_t seed) {
  const Result result = run(c, seed);
  ASSERT_FALSE(result.report.fault) << c << ": " << result.report.fault.text;
  EXPECT_TRUE(result.c == expected(c)) << c << " seed " << seed;
}

TEST(Grouped, gives_every_row_the_product_of_its_group) {
  for (const bool cumulative : {false, true}) {
    for (const bool bias : {false, true}) {
      Case c;
      c.m = 150, c.n = 70, c.k = 90;
      c.sizes = {40, 0, 1, 77, 0, 32};
      c.cumulative = cumulative, c.bias = bias, c.wide = bias;
      check(c, 0);
      check(c, 5);
    }
  }
}

TEST(Grouped, writes_zeros_behind_the_last_group) {
  for (const std::vector<std::int64_t>& sizes :
       {std::vector<std::int64_t>{40, 0, 3}, {0, 0}, {0}, {100}}) {
    Case c;
    c.m = 100, c.n = 40, c.k = 50;
    c.sizes = sizes, c.bias = true;
    check(c, 0);
    check(c, 2);
  }
}

TEST(Grouped, gives_every_group_along_k_its_own_result) {
  for (const bool trans_a : {false, true}) {
    for (const bool trans_b : {false, true}) {
      Case c;
      c.axis = GroupAxis::K;
      c.m = 50, c.n = 70, c.k = 330;
      c.sizes = {0, 17, 64, 0, 200, 1, 20};  // ends before k does
      c.trans_a = trans_a, c.trans_b = trans_b;
      check(c, 0);
      check(c, 3);
    }
  }
}

TEST(Grouped, walks_hundreds_of_groups) {
  for (const std::int64_t groups : {255, 256, 1024}) {
    Case c;
    c.m = 2048, c.n = 16, c.k = 16;
    c.sizes.assign(static_cast<std::size_t>(groups), 2048 / groups);
    c.cores = 24;
    check(c, 0);
  }
}

TEST(Grouped, is_right_for_random_lists_tiles_and_ways) {
  std::mt19937 random(11);
  const auto upto = [&](std::uint32_t most) { return static_cast<std::int64_t>(random() % most); };
  for (int round = 0; round < 150; ++round) {
    Case c;
    c.axis = upto(2) == 0 ? GroupAxis::M : GroupAxis::K;
    c.m = 1 + upto(90), c.n = 1 + upto(90), c.k = 1 + upto(200);
    std::int64_t left = c.axis == GroupAxis::M ? c.m : c.k;
    for (std::int64_t groups = 1 + upto(9); groups > 0; --groups) {
      c.sizes.push_back(upto(3) == 0 ? 0 : upto(static_cast<std::uint32_t>(left + 1)));
      left -= c.sizes.back();
    }
    c.cumulative = upto(2) == 0, c.wide = upto(2) == 0;
    c.trans_a = upto(2) == 0, c.trans_b = upto(2) == 0;
    c.bias = c.axis == GroupAxis::M && upto(2) == 0;
    c.tile_m = 16 * (1 + upto(4)), c.tile_n = 16 * (1 + upto(4)), c.tile_k = 16 * (1 + upto(20));
    c.swizzle = static_cast<isa::Swizzle>(upto(isa::kSwizzles)), c.width = 1 + upto(8);
    c.loop = upto(isa::kMatmulLoops) & ~isa::kContiguous;
    if (!default_machine().cube.unit_flag) c.loop &= ~isa::kUnitFlags;
    c.cores = static_cast<int>(1 + upto(6));
    check(c, static_cast<std::uint64_t>(upto(4)));
    if (HasFailure()) return;
  }
}

TEST(Grouped, faults_on_lists_that_do_not_fit) {
  Case c;
  c.m = 100, c.n = 20, c.k = 20;
  c.sizes = {60, 50};
  EXPECT_EQ(run(c, 0).report.fault.kind, FaultKind::OutOfBounds);
  EXPECT_NE(run(c, 0).report.fault.text.find("group 1 of the list has 50 elements, 40 are left"),
            std::string::npos);
  c.sizes = {60, -1};
  EXPECT_NE(run(c, 0).report.fault.text.find("has -1 elements"), std::string::npos);
  c.cumulative = true;
  EXPECT_NE(run(c, 0).report.fault.text.find("group 1 of the list ends at 59, before its begin"),
            std::string::npos);
}

TEST(Grouped, refuses_arguments_that_make_no_sense) {
  const Machine machine = default_machine();
  Case c;
  c.m = 100, c.n = 20, c.k = 20, c.sizes = {100};
  const auto problem = [&](auto change) {
    isa::GroupedArguments args = arguments_of(c);
    change(args);
    return MatmulMacro::problem(machine, args, DType::F16);
  };
  EXPECT_EQ(problem([](auto&) {}), "");
  EXPECT_EQ(problem([](auto& a) { a.groups = 0; }), "the list has no groups");
  EXPECT_EQ(problem([](auto& a) { a.axis = 2; }), "no such axis of groups");
  EXPECT_EQ(problem([](auto& a) { a.list_type = 0; }), "the list is of i32 or i64");
  EXPECT_EQ(problem([](auto& a) { a.stride = std::int64_t{1} << 50; }),
            "an argument is larger than any memory");
  EXPECT_EQ(problem([](auto& a) { a.product.batch1 = 2; }), "groups have no batches");
  EXPECT_EQ(problem([](auto& a) { a.product.slots = 2; }), "groups do not go through slots");
  EXPECT_EQ(problem([](auto& a) { a.product.loop = isa::kContiguous; }),
            "tiles of groups go round the cores");
  EXPECT_EQ(problem([](auto& a) { a.product.loop = isa::kShared; }),
            "tiles of groups are not shared");
  EXPECT_EQ(problem([](auto& a) { a.axis = 1, a.product.bias = 64; }),
            "groups along k have no bias");
  EXPECT_EQ(problem([](auto& a) { a.product.tile_m = 0; }),
            "a tile is not a positive multiple of 16");
}

}  // namespace
}  // namespace dvmsim
