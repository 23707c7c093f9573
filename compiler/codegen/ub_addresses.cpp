#include "compiler/codegen/ub_addresses.h"

#include "compiler/schedule/vector_parts.h"

namespace dvmsim {

UbAddresses::UbAddresses(Builder& builder, const VectorSchedule& schedule) {
  for (const UbBuffer& buffer : schedule.buffers) {
    operand_.emplace_back(buffer.base);
    if (buffer.base < 0) continue;
    ranges_.push_back({buffer.base, buffer.size});
    if (buffer.copies == 1) continue;
    const Reg base = builder.reg();
    builder.assign(base, isa::Op::mov, buffer.base, 0);
    const auto step = static_cast<std::uint32_t>(buffer.step() / kBlock);
    operand_.back() = Val(isa::Lane::rotating(base.number, buffer.copies, step));
    ranges_.back().reg = base.number;
  }
}

}  // namespace dvmsim
