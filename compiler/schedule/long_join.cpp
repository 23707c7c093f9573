#include "compiler/schedule/long_join.h"

#include <algorithm>
#include <utility>

#include "compiler/schedule/vector_parts.h"
#include "vm/base/rounding.h"

namespace dvmsim {
namespace {

using isa::Op;
using isa::Reduction;

/// Where what every phase keeps ends.
std::int64_t kept_end(const PhasedKernel& phased, const VectorSchedule& schedule) {
  std::int64_t end = 0;
  const auto see = [&](int value) {
    const UbBuffer& buffer = schedule.buffers[static_cast<std::size_t>(value)];
    end = std::max(end, buffer.base + buffer.size);
  };
  for (std::size_t value = 0; value < phased.is_long.size(); ++value) {
    if (!phased.is_long[value]) see(static_cast<int>(value));
  }
  for (const KernelTensor& input : phased.kernel.inputs) see(input.value);
  for (const KernelTensor& output : phased.kernel.outputs) see(output.value);
  return end;
}

}  // namespace

JoinMaker::JoinMaker(const PhasedKernel& phased, const VectorSchedule& schedule, std::int64_t parts)
    : phased_(phased), schedule_(schedule), end_(kept_end(phased, schedule)), parts_(parts) {}

PhaseJoin JoinMaker::make(const Accumulator& one) {
  join_ = {};
  const bool scalar = value(one.value).extent == Extent::Scalar;
  const VectorTile& tile = schedule_.tile;
  const std::int64_t elements = scalar ? 1 : phased_.over_columns ? tile.rows : tile.columns;
  join_.kernel.name = "join";
  join_.kernel.dims = {parts_, elements};
  join_.kernel.whole_rows = true;
  join_.schedule.tile = {parts_, elements};
  dtype_ = one.dtype;
  const int parts = add_parts(one.value), whole = add_whole(one.value);
  if (one.scale >= 0) {
    const int scales = add_parts(one.scale), scale = add_whole(one.scale);
    step(Op::vredy, scale, {scales, -1, -1}, Reduction::Max);
    step(Op::vsub, scales, {scales, scale, -1});
    step(Op::vexp, scales, {scales, -1, -1});
    step(Op::vmul, parts, {parts, scales, -1});
  }
  step(Op::vredy, whole, {parts, -1, -1}, one.how);
  place(elements);
  return std::move(join_);
}

int JoinMaker::add_parts(int accumulated) {
  join_.kernel.values.push_back({value(accumulated).dtype, Extent::Full});
  const int id = static_cast<int>(join_.kernel.values.size()) - 1;
  join_.kernel.inputs.push_back({id, {}, "parts"});
  join_.accumulated.push_back(accumulated);
  join_.schedule.buffers.push_back({});
  return id;
}

int JoinMaker::add_whole(int accumulated) {
  join_.kernel.values.push_back({value(accumulated).dtype, Extent::Row});
  join_.schedule.buffers.push_back(schedule_.buffers[static_cast<std::size_t>(accumulated)]);
  return static_cast<int>(join_.kernel.values.size()) - 1;
}

void JoinMaker::step(Op op, int result, std::array<int, 3> sources, Reduction how) {
  const bool reduces = op == Op::vredy;
  join_.kernel.steps.push_back(
      {op, dtype_, result, sources, 0, reduces ? static_cast<int>(how) : 0, "join"});
}

void JoinMaker::place(std::int64_t elements) {
  join_.schedule.pitch = pitch_of(join_.kernel, elements);
  for (const KernelTensor& input : join_.kernel.inputs) {
    const auto id = static_cast<std::size_t>(input.value);
    const std::int64_t size =
        bytes_of(join_.kernel.values[id], join_.schedule.tile, join_.schedule.pitch);
    end_ = round_up(end_, kBankTurn);
    join_.schedule.buffers[id] = {end_, size};
    end_ += size;
  }
}

}  // namespace dvmsim
