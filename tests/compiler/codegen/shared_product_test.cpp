// Products whose last tiles the cores share along k: right for every tail, in any legal
// interleaving, without a race, and the same bytes every time.
#include "compiler/codegen/shared_product.h"

#include <gtest/gtest.h>

#include "compiler/schedule/matmul_shared.h"
#include "tests/compiler/codegen/product.h"
#include "vm/isa/verify.h"

namespace dvmsim {
namespace {

MatmulSpec product_of(std::int64_t m, std::int64_t k, std::int64_t n, std::int64_t batch1 = 1) {
  MatmulSpec spec{};
  spec.m = m;
  spec.k = k;
  spec.n = n;
  spec.batch1 = batch1;
  return packed(spec);
}

MatmulSchedule shared(const MatmulSpec& spec, std::int64_t m, std::int64_t n, std::int64_t k,
                      int cores) {
  MatmulSchedule schedule{};
  schedule.tile_m = m;
  schedule.tile_n = n;
  schedule.tile_k = k;
  schedule.cores = cores;
  schedule.loop = isa::kKeepOperands | isa::kUnitFlags | isa::kDrainSmall | isa::kEvenParts;
  schedule.shared = left_over(spec, schedule);
  return schedule;
}

void expect_product(const MatmulSpec& spec, const MatmulSchedule& schedule, std::uint64_t seed) {
  SCOPED_TRACE(to_string(schedule) + " of " + std::to_string(spec.m) + "x" +
               std::to_string(spec.k) + "x" + std::to_string(spec.n));
  const Machine machine = default_machine();
  ASSERT_TRUE(shares(spec, schedule, machine));
  const Program program = shared_program(spec, schedule, machine);
  for (const isa::Finding& finding : isa::verify(program, machine)) {
    ADD_FAILURE() << isa::print(finding);
  }
  Reference device(machine, seed);
  HazardChecker checker(machine);
  device.listen_order(&checker);
  const product::Buffers buffers(spec, device, c_bytes(spec));
  Launch launch{};
  launch.program = &program;
  launch.arguments = shared_arguments(
      spec, schedule, buffers.at, device.allocate(Bytes(shared_workspace_bytes(spec, schedule))));
  ASSERT_EQ(launch.arguments.size(), program.arguments.size());
  launch.cube_cores = schedule.cores;
  launch.vector_cores = finishing_cores(spec, schedule, machine);
  const LaunchReport report = device.wait(device.submit(launch));
  ASSERT_FALSE(report.fault) << report.fault.text;
  product::expect_clean(checker);

  const auto got = product::download(device, buffers.at.c, c_bytes(spec));
  const std::vector<float> c = product::plain(spec, buffers.a, buffers.b, buffers.bias);
  std::vector<std::byte> expected(got.size());
  for (std::size_t i = 0; i < c.size(); ++i) product::put(expected, i, spec.out, c[i]);
  for (std::size_t i = 0; i < c.size(); ++i) {
    ASSERT_EQ(product::get(got, i, spec.out), product::get(expected, i, spec.out))
        << "element " << i;
  }
}

TEST(SharedProduct, every_tail_of_rows_columns_and_blocks_is_right) {
  for (std::int64_t m : {1, 16, 33, 70}) {
    for (std::int64_t n : {1, 17, 32, 95}) {
      for (std::int64_t k : {65, 100, 160}) {
        const MatmulSpec spec = product_of(m, k, n);
        // As many cores as leave tiles over: none has a whole one, or some have.
        for (int cores : {4, 7}) {
          const MatmulSchedule schedule = shared(spec, 32, 32, 32, cores);
          if (schedule.shared > 0) expect_product(spec, schedule, 0);
        }
      }
    }
  }
}

TEST(SharedProduct, any_legal_interleaving_gives_the_same) {
  for (std::uint64_t seed : {1, 2, 3, 4, 5}) {
    const MatmulSpec spec = product_of(70, 200, 95);
    expect_product(spec, shared(spec, 32, 32, 32, 5), seed);
    expect_product(spec, shared(spec, 32, 32, 32, 24), seed);
  }
}

TEST(SharedProduct, a_bias_is_added_once_and_a_relu_comes_last) {
  for (DType out : {DType::F32, DType::F16, DType::BF16}) {
    MatmulSpec spec = product_of(40, 170, 90);
    spec.out = out;
    spec.bias = true;
    spec.post = isa::Post::Relu;
    spec = packed(spec);
    for (int cores : {4, 5, 13}) expect_product(spec, shared(spec, 32, 32, 32, cores), 7);
  }
}

TEST(SharedProduct, operands_may_be_turned_and_batched) {
  for (bool trans_a : {false, true}) {
    for (bool trans_b : {false, true}) {
      MatmulSpec spec = product_of(50, 130, 70, 3);
      spec.trans_a = trans_a;
      spec.trans_b = trans_b;
      spec.in = trans_a ? DType::F32 : DType::BF16;
      spec.out = DType::F32;
      spec = packed(spec);
      expect_product(spec, shared(spec, 32, 48, 32, 8), 2);
    }
  }
}

TEST(SharedProduct, cores_without_a_block_let_the_others_go_on) {
  const MatmulSpec spec = product_of(16, 64, 16);
  expect_product(spec, shared(spec, 16, 16, 32, 6), 3);  // two blocks for six cores
}

TEST(SharedProduct, long_rows_go_through_ub_some_at_a_time) {
  const MatmulSpec spec = product_of(128, 24 * 16, 512);
  const MatmulSchedule schedule = shared(spec, 64, 512, 16, 24);
  const SharedFinish finish = finish_of(spec, schedule, default_machine());
  EXPECT_LT(finish.rows, (128 + finish.members - 1) / finish.members);
  expect_product(spec, schedule, 0);
}

}  // namespace
}  // namespace dvmsim
