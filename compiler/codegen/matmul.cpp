#include "compiler/codegen/matmul.h"

#include <array>
#include <bit>
#include <type_traits>

#include "compiler/codegen/builder.h"
#include "vm/base/error.h"

namespace dvmsim {

namespace {

using isa::Op;

std::int64_t last_byte(std::int64_t rows, std::int64_t columns, std::int64_t stride,
                       std::int64_t size) {
  return (rows - 1) * stride + columns * size;
}

std::int64_t over_batches(const MatmulSpec& spec, std::int64_t one, std::int64_t stride0,
                          std::int64_t stride1) {
  return (spec.batch0 - 1) * stride0 + (spec.batch1 - 1) * stride1 + one;
}

}  // namespace

std::int64_t a_bytes(const MatmulSpec& spec) {
  const std::int64_t rows = spec.trans_a ? spec.k : spec.m,
                     columns = spec.trans_a ? spec.m : spec.k;
  return over_batches(spec, last_byte(rows, columns, spec.a_stride, size_of(spec.in)),
                      spec.a_batch0, spec.a_batch1);
}

std::int64_t b_bytes(const MatmulSpec& spec) {
  const std::int64_t rows = spec.trans_b ? spec.n : spec.k,
                     columns = spec.trans_b ? spec.k : spec.n;
  return over_batches(spec, last_byte(rows, columns, spec.b_stride, size_of(spec.in)),
                      spec.b_batch0, spec.b_batch1);
}

std::int64_t c_bytes(const MatmulSpec& spec) {
  return over_batches(spec, last_byte(spec.m, spec.n, spec.c_stride, size_of(spec.out)),
                      spec.c_batch0, spec.c_batch1);
}

void describe_addresses(const MatmulSpec& spec, Program& program) {
  using Kind = Argument::Kind;
  program.arguments = {{Kind::Input, "a", a_bytes(spec)},
                       {Kind::Input, "b", b_bytes(spec)},
                       {Kind::Output, "c", c_bytes(spec)},
                       {spec.bias ? Kind::Input : Kind::Scalar, "bias",
                        spec.bias ? spec.n * size_of(spec.bias_type) : 0}};
}

isa::MatmulArguments matmul_words(const MatmulSpec& spec, const MatmulSchedule& schedule,
                                  const MatmulAddresses& addresses, const MatmulSlots& slots) {
  isa::MatmulArguments words{};
  words.a = addresses.a;
  words.b = addresses.b;
  words.c = addresses.c;
  words.bias = spec.bias ? addresses.bias : 0;
  words.m = spec.m;
  words.n = spec.n;
  words.k = spec.k;
  words.a_stride = spec.a_stride;
  words.b_stride = spec.b_stride;
  words.c_stride = spec.c_stride;
  words.batch0 = spec.batch0;
  words.batch1 = spec.batch1;
  words.a_batch0 = spec.a_batch0;
  words.a_batch1 = spec.a_batch1;
  words.b_batch0 = spec.b_batch0;
  words.b_batch1 = spec.b_batch1;
  words.c_batch0 = spec.c_batch0;
  words.c_batch1 = spec.c_batch1;
  words.tile_m = schedule.tile_m;
  words.tile_n = schedule.tile_n;
  words.tile_k = schedule.tile_k;
  words.swizzle = static_cast<std::int64_t>(schedule.swizzle);
  words.width = schedule.width;
  words.trans_a = spec.trans_a ? 1 : 0;
  words.trans_b = spec.trans_b ? 1 : 0;
  words.out = static_cast<std::int64_t>(slots.count > 0 ? DType::F32 : spec.out);
  words.post = static_cast<std::int64_t>(spec.post);
  words.bias_type = static_cast<std::int64_t>(spec.bias_type);
  words.atomic = static_cast<std::int64_t>(spec.atomic);
  words.loop = schedule.loop;
  words.slots = slots.count;
  words.slot_bytes = slots.bytes;
  if (schedule.shared == 0) return words;
  words.loop |= isa::kShared;
  words.slot_bytes = schedule.tile_m * schedule.tile_n * 4;
  return words;
}

std::vector<std::uint64_t> matmul_arguments(const MatmulSpec& spec, const MatmulSchedule& schedule,
                                            const MatmulAddresses& addresses) {
  using Words = std::array<std::uint64_t, isa::kMatmulWords>;
  static_assert(std::is_trivially_copyable_v<isa::MatmulArguments>);
  const auto words = std::bit_cast<Words>(matmul_words(spec, schedule, addresses, {}));
  return {words.begin(), words.end()};
}

Program matmul_program(const MatmulSpec& spec, const MatmulSchedule& schedule,
                       const Machine& machine) {
  DVMSIM_ASSERT(fits(spec, schedule, machine), "a schedule fits the machine it is used on");
  Program program;
  program.name = "matmul";
  describe_addresses(spec, program);
  program.arguments.resize(isa::kMatmulWords, {Argument::Kind::Scalar, "word", 0});
  Builder code(CoreKind::Cube);
  code.mark(DebugMark::Kind::Operator, "matmul");
  code.add<Op::matmul>({{"dtype", static_cast<int>(spec.in)}, {"index", 0}});
  code.link(program);
  return program;
}

}  // namespace dvmsim
