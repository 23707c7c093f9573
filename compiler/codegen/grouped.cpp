#include "compiler/codegen/grouped.h"

#include <array>
#include <bit>
#include <cstddef>
#include <type_traits>

#include "compiler/codegen/builder.h"
#include "compiler/codegen/matmul.h"
#include "vm/base/error.h"

namespace dvmsim {

Program grouped_program(const GroupedSpec& spec, const MatmulSchedule& schedule,
                        const Machine& machine) {
  DVMSIM_ASSERT(fits(spec.product, schedule, machine), "a schedule fits the machine it is used on");
  using Kind = Argument::Kind;
  const bool of_rows = spec.axis == isa::GroupAxis::M;
  Program program;
  program.name = "grouped matmul";
  describe_addresses(spec.product, program);
  const std::int64_t others = spec.groups - 1;
  program.arguments[of_rows ? 1 : 2].bytes += others * spec.stride;
  if (spec.product.bias) program.arguments[3].bytes += others * spec.bias_stride;
  program.arguments.resize(isa::kGroupedWords, {Kind::Scalar, "word", 0});
  program.arguments[kGroupList] = {Kind::Input, "list", spec.groups * size_of(spec.list)};
  Builder code(CoreKind::Cube);
  code.mark(DebugMark::Kind::Operator, "grouped matmul");
  code.add<isa::Op::gmatmul>({{"dtype", static_cast<int>(spec.product.in)}, {"index", 0}});
  code.link(program);
  return program;
}

std::vector<std::uint64_t> grouped_arguments(const GroupedSpec& spec,
                                             const MatmulSchedule& schedule) {
  using Words = std::array<std::uint64_t, isa::kGroupedWords>;
  static_assert(std::is_trivially_copyable_v<isa::GroupedArguments>);
  static_assert(offsetof(isa::GroupedArguments, list) == 8 * kGroupList);
  isa::GroupedArguments words;
  words.product = matmul_words(spec.product, schedule, {}, {});
  words.groups = spec.groups;
  words.list_type = static_cast<std::int64_t>(spec.list);
  words.axis = static_cast<std::int64_t>(spec.axis);
  words.cumulative = spec.cumulative ? 1 : 0;
  words.stride = spec.stride;
  words.bias_stride = spec.bias_stride;
  const auto all = std::bit_cast<Words>(words);
  return {all.begin(), all.end()};
}

}  // namespace dvmsim
