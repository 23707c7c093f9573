#include "compiler/codegen/mix.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>

#include "compiler/codegen/vector_cycles.h"
#include "compiler/schedule/matmul_shared.h"
#include "compiler/schedule/mix_rows.h"
#include "tests/compiler/codegen/product.h"
#include "vm/base/error.h"
#include "vm/isa/verify.h"

namespace dvmsim {
namespace {

using isa::Op;

/// out = f16((acc + row[n]) * 0.5) * full[m, n] - column[m], where each tensor has batches of its
/// own.
struct Chain {
  MixKernel kernel{};
  std::int64_t full_elements = 0, column_elements = 0;
};

KernelStep step(Op op, DType dtype, int result, int a, int b = -1, float scalar = 0) {
  KernelStep made{};
  made.op = op;
  made.dtype = dtype;
  made.result = result;
  made.source = {a, b, -1};
  made.scalar = std::bit_cast<std::int32_t>(scalar);
  made.label = std::string(isa::row_of(op).mnemonic);
  return made;
}

Chain chain_of(MatmulSpec product) {
  Chain chain;
  chain.kernel.product = product;
  VectorKernel& kernel = chain.kernel.epilogue;
  const std::int64_t m = product.m, n = product.n;
  kernel.name = "chain";
  kernel.dims = {product.batch0, product.batch1, m, n};
  kernel.values = {
      {DType::F32, Extent::Full},   {DType::F32, Extent::Row},  {DType::F16, Extent::Full},
      {DType::F32, Extent::Column}, {DType::F32, Extent::Full}, {DType::F32, Extent::Full},
      {DType::F16, Extent::Full},   {DType::F16, Extent::Full}, {DType::F32, Extent::Full},
      {DType::F32, Extent::Full},   {DType::F32, Extent::Full}, {DType::F16, Extent::Full}};
  kernel.inputs = {{0, {product.batch1 * m * n, m * n, n, 1}, "accumulators"},
                   {1, {0, 0, 0, 1}, "row"},
                   {2, {product.batch1 * m * n, m * n, n, 1}, "full"},
                   {3, {0, m, 1, 0}, "column"}};
  kernel.outputs = {{11, {product.batch1 * m * n, m * n, n, 1}, "out"}};
  kernel.steps = {step(Op::vadd, DType::F32, 4, 0, 1),  step(Op::vmuls, DType::F32, 5, 4, -1, 0.5f),
                  step(Op::vcvt, DType::F32, 6, 5),     step(Op::vmul, DType::F16, 7, 6, 2),
                  step(Op::vcvt, DType::F16, 8, 7),     step(Op::vbrc, DType::F32, 9, 3),
                  step(Op::vsub, DType::F32, 10, 8, 9), step(Op::vcvt, DType::F32, 11, 10)};
  chain.full_elements = product.batch0 * product.batch1 * m * n;
  chain.column_elements = product.batch1 * m;
  return chain;
}

float half(float value) {
  return to_float(to_half(value));
}

MatmulSpec product_of(std::int64_t m, std::int64_t k, std::int64_t n, std::int64_t batch0 = 1,
                      std::int64_t batch1 = 1) {
  MatmulSpec spec{};
  spec.m = m;
  spec.k = k;
  spec.n = n;
  spec.batch0 = batch0;
  spec.batch1 = batch1;
  return packed(spec);
}

/// Cycles of steps where they lie, as the module compiler measures them.
VectorMeasure measure_on(const Machine& machine) {
  return [cost = CostModel(machine)](const VectorKernel& kernel, std::span<const KernelStep> steps,
                                     const VectorSchedule& schedule) {
    return vector_cycles(cost, kernel, steps, schedule);
  };
}

void expect_values(const MatmulSpec& spec, const MatmulSchedule& schedule, const Machine& machine,
                   std::uint64_t seed, const VectorMeasure* packed) {
  const Chain chain = chain_of(spec);
  ASSERT_EQ(mix_problem(chain.kernel, machine), "");
  const Program program = mix_program(chain.kernel, schedule, machine, packed);

  for (const isa::Finding& finding : isa::verify(program, machine)) {
    ADD_FAILURE() << isa::print(finding);
  }

  Reference device(machine, seed);
  HazardChecker checker(machine);
  device.listen_order(&checker);
  const product::Buffers buffers(spec, device, mix_workspace_bytes(schedule));
  const auto row = product::numbers(spec.n * 4, DType::F32, 5);
  const auto full = product::numbers(chain.full_elements * 2, DType::F16, 6);
  const auto column = product::numbers(chain.column_elements * 4, DType::F32, 7);
  const std::uint64_t out = device.allocate(Bytes(chain.full_elements * 2));
  Launch launch{};
  launch.program = &program;
  launch.arguments = mix_arguments(
      chain.kernel, schedule, buffers.at,
      {product::Buffers::upload(device, row), product::Buffers::upload(device, full),
       product::Buffers::upload(device, column), out},
      device.allocate(Bytes(std::max<std::int64_t>(32, shared_workspace_bytes(spec, schedule)))));
  ASSERT_EQ(launch.arguments.size(), program.arguments.size());
  launch.cube_cores = schedule.cores;
  launch.vector_cores = schedule.cores * machine.cores.per_group;
  const LaunchReport report = device.wait(device.submit(launch));
  ASSERT_FALSE(report.fault) << report.fault.text;
  product::expect_clean(checker);

  const auto got = product::download(device, out, chain.full_elements * 2);
  const std::vector<float> c = product::plain(spec, buffers.a, buffers.b, buffers.bias);
  for (std::size_t i = 0; i < c.size(); ++i) {
    const std::size_t n = i % static_cast<std::size_t>(spec.n);
    const std::size_t m = i / static_cast<std::size_t>(spec.n) % static_cast<std::size_t>(spec.m);
    const std::size_t batch1 =
        i / static_cast<std::size_t>(spec.n * spec.m) % static_cast<std::size_t>(spec.batch1);
    const float scaled = half((c[i] + product::get(row, n, DType::F32)) * 0.5f);
    const float multiplied = half(scaled * product::get(full, i, DType::F16));
    const float expected =
        half(multiplied -
             product::get(column, batch1 * static_cast<std::size_t>(spec.m) + m, DType::F32));
    ASSERT_EQ(product::get(got, i, DType::F16), expected) << "element " << i;
  }
}

/// With buffers in order, and in copies that take turns.
void expect_chain(const MatmulSpec& spec, const MatmulSchedule& schedule, const Machine& machine,
                  std::uint64_t seed) {
  SCOPED_TRACE(to_string(schedule));
  expect_values(spec, schedule, machine, seed, nullptr);
  const VectorMeasure measure = measure_on(machine);
  expect_values(spec, schedule, machine, seed, &measure);
}

MatmulSchedule tiles(std::int64_t m, std::int64_t n, std::int64_t k, int cores) {
  MatmulSchedule schedule{};
  schedule.tile_m = m;
  schedule.tile_n = n;
  schedule.tile_k = k;
  schedule.cores = cores;
  return schedule;
}

TEST(MixTest, AlignedTilesAreFinished) {
  for (std::uint64_t seed : {0, 1, 2}) {
    expect_chain(product_of(64, 48, 96), tiles(32, 32, 32, 2), default_machine(), seed);
  }
}

TEST(MixTest, EdgesOfTilesAndOddShares) {
  for (std::uint64_t seed : {0, 9}) {
    for (std::int64_t m : {1, 2, 17, 35, 70}) {
      expect_chain(product_of(m, 33, 45), tiles(32, 32, 32, m > 32 ? 3 : 2), default_machine(),
                   seed);
    }
  }
}

TEST(MixTest, BatchesAndOrders) {
  MatmulSchedule schedule = tiles(16, 16, 32, 4);
  schedule.width = 2;
  expect_chain(product_of(50, 20, 70, 2, 3), schedule, default_machine(), 4);
  schedule.swizzle = isa::Swizzle::Nz;
  expect_chain(product_of(50, 20, 70, 3, 1), schedule, default_machine(), 4);
  expect_chain(product_of(50, 20, 70, 1, 3), schedule, default_machine(), 4);
}

TEST(MixTest, TallTilesGoThroughUbInPieces) {
  expect_chain(product_of(300, 40, 520), tiles(128, 256, 64, 3), default_machine(), 0);
  const Machine tiny = load_machine(std::string(DVMSIM_SOURCE_DIR) + "/configs/hardware/tiny.yaml");
  expect_chain(product_of(70, 40, 70), tiles(32, 32, 32, 1), tiny, 3);
}

TEST(MixTest, TilesSharedAlongKAreFinishedToo) {
  for (std::int64_t m : {1, 17, 70}) {
    for (std::int64_t k : {33, 130}) {
      for (int cores : {4, 7, 24}) {
        const MatmulSpec spec = product_of(m, k, 45, 1, 2);
        MatmulSchedule schedule = tiles(32, 32, 32, cores);
        schedule.shared = left_over(spec, schedule);
        if (schedule.shared == 0) continue;
        expect_chain(spec, schedule, default_machine(), static_cast<std::uint64_t>(m + k));
      }
    }
  }
}

// The longer the work on a piece, the less it matters that loads wait for it: copies are taken
// where they shorten the period, never where they do not fit.
TEST(MixTest, PiecesFitUbAndAreEvenlyCut) {
  const Machine machine = default_machine();
  const VectorMeasure measure = measure_on(machine);
  const std::int64_t begin = 4096, ub = machine.ub.size.count();
  for (std::int64_t columns : {16, 100, 256}) {
    for (std::int64_t share : {1, 8, 33, 64}) {
      SCOPED_TRACE(testing::Message() << share << " x " << columns);
      const Chain chain = chain_of(product_of(2 * share, 64, columns));
      const MixRows rows =
          cut_rows_packed(chain.kernel.epilogue, share, columns, machine, begin, measure);
      ASSERT_GT(rows.unrolled, 0);
      EXPECT_GE(rows.schedule.tile.rows * rows.unrolled, share);
      EXPECT_LT(rows.schedule.tile.rows * (rows.unrolled - 1), share);
      EXPECT_LE(rows.schedule.ub_end, ub);
      const int moved = static_cast<int>(chain.kernel.epilogue.inputs.size());
      EXPECT_LE(moved * std::max(rows.unrolled, rows.schedule.depth.loads), machine.flag.max);
    }
  }
}

TEST(MixTest, RowsThatDoNotFollowOneAnotherInUbAreNotShared) {
  const MatmulSpec spec = product_of(64, 24 * 32, 48);
  MatmulSchedule schedule = tiles(64, 48, 32, 24);
  schedule.shared = left_over(spec, schedule);
  MixKernel kernel = chain_of(spec).kernel;
  EXPECT_TRUE(mix_fits(kernel, schedule, default_machine()));
  kernel.epilogue.values.push_back({DType::I8, Extent::Row});  // rows of 64 elements in UB
  EXPECT_FALSE(mix_fits(kernel, schedule, default_machine()));
  schedule.shared = 0;
  schedule.cores = 1;
  EXPECT_TRUE(mix_fits(kernel, schedule, default_machine()));
}

TEST(MixTest, WhatCannotBeFinishedIsSaid) {
  Chain chain = chain_of(product_of(64, 48, 96));
  chain.kernel.epilogue.dims.pop_back();
  EXPECT_NE(mix_problem(chain.kernel, default_machine()), "");
  chain = chain_of(product_of(64, 48, 96));
  chain.kernel.epilogue.values[0].dtype = DType::F16;
  EXPECT_NE(mix_problem(chain.kernel, default_machine()), "");
  const Machine unified =
      load_machine(std::string(DVMSIM_SOURCE_DIR) + "/configs/hardware/ascend910a.yaml");
  EXPECT_NE(mix_problem(chain_of(product_of(64, 48, 96)).kernel, unified), "");
}

}  // namespace
}  // namespace dvmsim
