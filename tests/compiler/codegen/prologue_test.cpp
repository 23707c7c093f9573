#include "compiler/codegen/prologue.h"

#include <gtest/gtest.h>

#include "tests/compiler/codegen/product.h"
#include "vm/base/error.h"
#include "vm/isa/verify.h"

namespace dvmsim {
namespace {

using isa::Op;

KernelStep step(Op op, DType dtype, int result, int a, int b = -1) {
  KernelStep made{};
  made.op = op;
  made.dtype = dtype;
  made.result = result;
  made.source = {a, b, -1};
  made.label = std::string(isa::row_of(op).mnemonic);
  return made;
}

enum class Operand { A, B };

/// The operand = f16(weights) * scale[column] of weights of `type`.
PrologueKernel dequantised(const MatmulSpec& product, DType type, std::int64_t batches = 1,
                           Operand operand = Operand::B) {
  PrologueKernel kernel{product, {}, operand == Operand::A};
  VectorKernel& made = kernel.prologue;
  const std::int64_t other = kernel.of_a ? product.m : product.n;
  const std::int64_t rows = kernel.k_in_row() ? other : product.k,
                     columns = kernel.k_in_row() ? product.k : other;
  made.name = "dequantised";
  made.dims = {product.batch0, product.batch1, rows, columns};
  made.values = {{type, Extent::Full},
                 {DType::F16, Extent::Row},
                 {DType::F16, Extent::Full},
                 {DType::F16, Extent::Full}};
  const std::int64_t batch = batches > 1 ? rows * columns : 0;
  made.inputs = {{0, {product.batch1 * batch, batch, columns, 1}, "weights"},
                 {1, {0, 0, 0, 1}, "scale"}};
  made.outputs = {{3, {0, 0, columns, 1}, "out"}};
  made.steps = {step(Op::vcvt, type, 2, 0), step(Op::vmul, DType::F16, 3, 2, 1)};
  return kernel;
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

MatmulSchedule tiles(std::int64_t m, std::int64_t n, std::int64_t k, int cores) {
  MatmulSchedule schedule{};
  schedule.tile_m = m;
  schedule.tile_n = n;
  schedule.tile_k = k;
  schedule.cores = cores;
  return schedule;
}

/// Runs it in one order of the cores' commands and compares with plain loops.
void expect_product(MatmulSpec spec, const MatmulSchedule& wanted, DType type, std::uint64_t seed,
                    Operand operand) {
  SCOPED_TRACE(to_string(wanted) + (operand == Operand::A ? " of A" : " of B"));
  const Machine& machine = default_machine();
  const std::int64_t batches = spec.batch0 * spec.batch1;
  const PrologueKernel kernel = dequantised(spec, type, batches, operand);
  ASSERT_EQ(prologue_problem(kernel, machine), "");
  const auto schedule = prologue_schedule(kernel, wanted, machine);
  ASSERT_TRUE(schedule.has_value());
  const Program program = prologue_program(kernel, *schedule, machine);
  for (const isa::Finding& finding : isa::verify(program, machine)) {
    ADD_FAILURE() << isa::print(finding);
  }

  Reference device(machine, seed);
  HazardChecker checker(machine);
  device.listen_order(&checker);
  product::Buffers buffers(spec, device, c_bytes(spec));
  const std::int64_t elements = batches * (kernel.of_a ? spec.m : spec.n) * spec.k;
  const auto weights = product::numbers(elements * size_of(type), type, 5);
  const std::int64_t columns = kernel.prologue.columns();
  std::vector<std::byte>& made = kernel.of_a ? buffers.a : buffers.b;
  const auto scale = product::numbers(columns * 2, DType::F16, 6);
  made.resize(static_cast<std::size_t>(elements * 2));
  for (std::int64_t i = 0; i < elements; ++i) {
    const auto at = static_cast<std::size_t>(i);
    product::put(made, at, DType::F16,
                 product::get(weights, at, type) *
                     product::get(scale, static_cast<std::size_t>(i % columns), DType::F16));
  }
  MatmulAddresses at = buffers.at;
  (kernel.of_a ? at.a : at.b) = device.allocate(Bytes(prologue_workspace_bytes(kernel, *schedule)));
  Launch launch{};
  launch.program = &program;
  launch.arguments = prologue_arguments(
      kernel, *schedule, at,
      {product::Buffers::upload(device, weights), product::Buffers::upload(device, scale)});
  ASSERT_EQ(launch.arguments.size(), program.arguments.size());
  launch.cube_cores = schedule->cores;
  launch.vector_cores = schedule->cores * machine.cores.per_group;
  const LaunchReport report = device.wait(device.submit(launch));
  ASSERT_FALSE(report.fault) << report.fault.text;
  product::expect_clean(checker);

  const auto got = product::download(device, at.c, c_bytes(spec));
  const std::vector<float> c = product::plain(spec, buffers.a, buffers.b, buffers.bias);
  for (std::size_t i = 0; i < c.size(); ++i) {
    ASSERT_EQ(product::get(got, i, DType::F16), to_float(to_half(c[i]))) << "element " << i;
  }
}

void expect_product(const MatmulSpec& spec, const MatmulSchedule& wanted, DType type,
                    std::uint64_t seed) {
  expect_product(spec, wanted, type, seed, Operand::A);
  expect_product(spec, wanted, type, seed, Operand::B);
}

TEST(PrologueTest, AlignedBlocks) {
  for (std::uint64_t seed : {0, 1, 2}) {
    expect_product(product_of(16, 128, 96), tiles(16, 32, 32, 3), DType::I8, seed);
  }
}

TEST(PrologueTest, EdgesOfTilesAndOddShares) {
  for (std::uint64_t seed : {0, 9}) {
    for (std::int64_t k : {1, 2, 17, 33, 90}) {
      expect_product(product_of(5, k, 70), tiles(16, 32, 32, 2), DType::I8, seed);
      expect_product(product_of(40, 50, k), tiles(16, 32, 16, 2), DType::F32, seed);
    }
  }
}

TEST(PrologueTest, OtherTypesAndWholeColumns) {
  for (const DType type : {DType::I8, DType::F32, DType::I32}) {
    expect_product(product_of(20, 100, 64), tiles(16, 64, 32, 2), type, 3);
  }
}

TEST(PrologueTest, BatchesOrdersBiasAndTransposed) {
  MatmulSchedule schedule = tiles(16, 16, 32, 4);
  schedule.width = 2;
  expect_product(product_of(50, 70, 20, 2, 3), schedule, DType::I8, 4);
  schedule.swizzle = isa::Swizzle::DiagonalZ;
  schedule.loop = isa::kShuffleK | isa::kKeepOperands | isa::kDrainBlocks;
  MatmulSpec spec = product_of(50, 70, 45);
  spec.bias = true;
  expect_product(packed(spec), schedule, DType::I8, 4);
  spec.trans_a = spec.trans_b = true;
  expect_product(packed(spec), schedule, DType::I8, 5);
}

TEST(PrologueTest, BlocksShrinkUntilTheyFitUb) {
  const PrologueKernel kernel = dequantised(product_of(16, 4096, 512), DType::F32);
  const MatmulSchedule wanted = tiles(16, 256, 256, 2);
  const auto schedule = prologue_schedule(kernel, wanted, default_machine());
  ASSERT_TRUE(schedule.has_value());
  EXPECT_LT(schedule->tile_k, 256);
  expect_product(product_of(16, 1000, 512), wanted, DType::F32, 2);
}

TEST(PrologueTest, WhatCannotBePreparedIsSaid) {
  PrologueKernel kernel = dequantised(product_of(16, 64, 64), DType::I8);
  EXPECT_EQ(prologue_problem(kernel, default_machine()), "");
  const Machine unified =
      load_machine(std::string(DVMSIM_SOURCE_DIR) + "/configs/hardware/ascend910a.yaml");
  EXPECT_NE(prologue_problem(kernel, unified), "");
  kernel.prologue.values[3].extent = Extent::Row;
  EXPECT_NE(prologue_problem(kernel, default_machine()), "");
  kernel = dequantised(product_of(16, 64, 64), DType::I8);
  kernel.prologue.dims.back() = 63;
  EXPECT_NE(prologue_problem(kernel, default_machine()), "");
}

}  // namespace
}  // namespace dvmsim
