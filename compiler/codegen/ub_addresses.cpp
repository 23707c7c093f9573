#include "compiler/codegen/ub_addresses.h"

#include "compiler/schedule/vector_parts.h"

namespace dvmsim {

std::vector<UbRange> ranges_of(const VectorSchedule& schedule) {
  std::vector<UbRange> ranges;
  ranges.reserve(schedule.buffers.size());
  for (const UbBuffer& buffer : schedule.buffers) {
    if (buffer.base >= 0) ranges.push_back({buffer.base, buffer.size});
  }
  return ranges;
}

UbAddresses::UbAddresses(Builder& builder, const VectorSchedule& schedule) {
  operand_.reserve(schedule.buffers.size());
  for (const UbBuffer& buffer : schedule.buffers) {
    operand_.emplace_back(buffer.base);
    if (buffer.base < 0) continue;
    ranges_.push_back({buffer.base, buffer.size});
    if (buffer.copies > 1) {
      const Reg base = builder.reg();
      builder.assign(base, isa::Op::mov, buffer.base, 0);
      const auto step = static_cast<std::uint32_t>(buffer.step() / kBlock);
      operand_.back() = Val(isa::Lane::rotating(base.number, buffer.copies, step));
      ranges_.back().reg = base.number;
    }
  }
}

UbAddresses::UbAddresses(const VectorSchedule& schedule, int turn) {
  operand_.reserve(schedule.buffers.size());
  for (const UbBuffer& buffer : schedule.buffers) {
    if (buffer.base < 0) {
      operand_.emplace_back(buffer.base);
      continue;
    }
    const std::int64_t base = buffer.base + turn % buffer.copies * buffer.step();
    operand_.emplace_back(base);
    ranges_.push_back({base, buffer.step()});
  }
}

}  // namespace dvmsim
