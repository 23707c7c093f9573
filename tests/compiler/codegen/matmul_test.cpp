#include "compiler/codegen/matmul.h"

#include <gtest/gtest.h>

#include "compiler/schedule/matmul.h"
#include "tests/compiler/codegen/product.h"
#include "vm/isa/verify.h"

namespace dvmsim {
namespace {

MatmulSpec spec_of(std::int64_t m, std::int64_t k, std::int64_t n, DType type = DType::F16) {
  MatmulSpec spec{};
  spec.m = m;
  spec.n = n;
  spec.k = k;
  spec.in = spec.bias_type = type;
  spec.out = type == DType::I8 ? DType::I32 : DType::F32;
  return packed(spec);
}

void expect_product(const MatmulSpec& spec, const MatmulSchedule& schedule, const Machine& machine,
                    std::uint64_t seed) {
  SCOPED_TRACE(to_string(schedule));
  ASSERT_TRUE(fits(spec, schedule, machine));
  Reference device(machine, seed);
  HazardChecker checker(machine);
  device.listen_order(&checker);
  const product::Buffers buffers(spec, device, c_bytes(spec));
  const Program program = matmul_program(spec, schedule, machine);
  for (const isa::Finding& finding : isa::verify(program, machine)) {
    ADD_FAILURE() << isa::print(finding);
  }
  Launch launch{};
  launch.program = &program;
  launch.arguments = matmul_arguments(spec, schedule, buffers.at);
  ASSERT_EQ(launch.arguments.size(), program.arguments.size());
  launch.cube_cores = schedule.cores;
  const LaunchReport report = device.wait(device.submit(launch));
  ASSERT_FALSE(report.fault) << report.fault.text;
  product::expect_clean(checker);

  const auto c = product::download(device, buffers.at.c, c_bytes(spec));
  const std::vector<float> expected = product::plain(spec, buffers.a, buffers.b, buffers.bias);
  std::size_t i = 0;
  for (std::int64_t b0 = 0; b0 < spec.batch0; ++b0) {
    for (std::int64_t b1 = 0; b1 < spec.batch1; ++b1) {
      for (std::int64_t m = 0; m < spec.m; ++m) {
        for (std::int64_t n = 0; n < spec.n; ++n, ++i) {
          const std::int64_t at = b0 * spec.c_batch0 + b1 * spec.c_batch1 + m * spec.c_stride;
          const float got = product::get(
              c, product::at(spec, at, spec.out) + static_cast<std::size_t>(n), spec.out);
          ASSERT_EQ(got, expected[i]) << "batch " << b0 << "," << b1 << " at " << m << "," << n;
        }
      }
    }
  }
}

void expect_product(const MatmulSpec& spec, const MatmulSchedule& schedule,
                    const Machine& machine) {
  for (std::uint64_t seed : {0, 5}) expect_product(spec, schedule, machine, seed);
}

MatmulSchedule tiles(std::int64_t m, std::int64_t n, std::int64_t k, int cores = 3) {
  MatmulSchedule schedule{};
  schedule.tile_m = m;
  schedule.tile_n = n;
  schedule.tile_k = k;
  schedule.cores = cores;
  return schedule;
}

TEST(MatmulCodeTest, AlignedProductsAreExact) {
  expect_product(spec_of(64, 64, 64), tiles(32, 16, 32), default_machine());
}

TEST(MatmulCodeTest, EdgesInEveryDimension) {
  for (std::int64_t k : {1, 31, 32, 33, 70, 96}) {
    expect_product(spec_of(37, k, 45), tiles(16, 32, 32), default_machine());
  }
  expect_product(spec_of(1, 1, 1), tiles(16, 16, 16, 1), default_machine());
}

TEST(MatmulCodeTest, EveryTransposition) {
  for (int which = 0; which < 4; ++which) {
    for (DType type : {DType::F16, DType::BF16, DType::F32, DType::I8}) {
      MatmulSpec spec = spec_of(37, 70, 45, type);
      spec.trans_a = (which & 1) != 0;
      spec.trans_b = (which & 2) != 0;
      expect_product(packed(spec), tiles(16, 32, 32), default_machine());
    }
  }
}

TEST(MatmulCodeTest, BatchesBroadcastEitherOperand) {
  MatmulSpec spec = spec_of(20, 40, 36);
  spec.batch0 = 2;
  spec.batch1 = 3;
  spec = packed(spec);
  expect_product(spec, tiles(16, 16, 32), default_machine());
  spec.b_batch1 = 0;
  spec.a_batch0 = 0;
  expect_product(spec, tiles(32, 16, 32), default_machine());
  spec.batch0 = 1;
  expect_product(spec, tiles(32, 16, 32), default_machine());
}

TEST(MatmulCodeTest, BiasAndReluHappenBeforeTheStore) {
  for (DType type : {DType::F16, DType::F32}) {
    MatmulSpec spec = spec_of(37, 70, 45, type);
    spec.bias = true;
    spec.post = isa::Post::Relu;
    expect_product(spec, tiles(16, 32, 32), default_machine());
  }
}

TEST(MatmulCodeTest, TakesAnF32BiasOnHalfOperands) {
  MatmulSpec spec = spec_of(37, 70, 45);
  spec.bias = true;
  spec.bias_type = DType::F32;
  expect_product(spec, tiles(16, 32, 32), default_machine());
}

TEST(MatmulCodeTest, OrdersOfTilesGiveTheSameValues) {
  for (isa::Swizzle swizzle :
       {isa::Swizzle::Zn, isa::Swizzle::Nz, isa::Swizzle::DiagonalZ, isa::Swizzle::DiagonalN}) {
    for (std::int64_t width : {1, 2, 3, 9}) {
      MatmulSchedule schedule = tiles(16, 16, 32, 5);
      schedule.swizzle = swizzle;
      schedule.width = width;
      expect_product(spec_of(70, 32, 100), schedule, default_machine());
    }
  }
}

TEST(MatmulCodeTest, FullL0cIsHandedOverTileByTile) {
  expect_product(spec_of(200, 40, 300), tiles(128, 256, 64, 2), default_machine());
}

TEST(MatmulCodeTest, ChosenSchedulesRunOnEveryMachine) {
  for (const char* file : {"ascend910b4", "onnxim_tpuv4_4x128", "tiny"}) {
    const Machine machine =
        load_machine(std::string(DVMSIM_SOURCE_DIR) + "/configs/hardware/" + file + ".yaml");
    for (const MatmulSpec& spec : {spec_of(100, 130, 70), spec_of(5, 300, 40)}) {
      expect_product(spec, choose_cost(spec, machine), machine);
      expect_product(spec, choose_dvm(spec, machine), machine);
    }
  }
}

TEST(MatmulCodeTest, AddressesAreTheFirstFourArguments) {
  const MatmulSpec spec = spec_of(16, 16, 16);
  const MatmulSchedule schedule = choose_cost(spec, default_machine());
  MatmulSpec with_bias = spec;
  with_bias.bias = true;
  const auto words = matmul_arguments(with_bias, schedule, {11, 12, 13, 14});
  for (std::size_t i = 0; i < kMatmulAddresses; ++i) {
    EXPECT_EQ(words[i], 11 + i);
  }
  EXPECT_EQ(matmul_program(spec, schedule, default_machine()).arguments[2].kind,
            Argument::Kind::Output);
}

TEST(MatmulCodeTest, MacroCodeDoesNotDependOnTheShape) {
  const Machine machine = default_machine();
  const MatmulSpec small = spec_of(16, 16, 16), large = spec_of(4096, 4096, 4096);
  EXPECT_EQ(matmul_program(small, choose_cost(small, machine), machine).cube,
            matmul_program(large, choose_cost(large, machine), machine).cube);
}

}  // namespace
}  // namespace dvmsim
