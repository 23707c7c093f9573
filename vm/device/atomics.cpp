#include "vm/device/atomics.h"

#include <algorithm>
#include <cstring>

#include "vm/base/error.h"
#include "vm/exec/atomic.h"
#include "vm/exec/exec.h"

namespace dvmsim {
namespace {

using isa::Command;
using isa::Op;

/// Lanes of a row that may update, looked up once.
struct Lanes {
  int type = 0, to = 0, length = 0, rows = 0, stride = 0, atomic = 0;
};
Lanes lanes_of(Op op) {
  const isa::Row& row = isa::row_of(op);
  const bool is_fix = op == Op::fix;
  return {row.find("dtype"),
          row.find("dst"),
          row.find(is_fix ? "n" : "len"),
          row.find(is_fix ? "m" : "rows"),
          row.find(is_fix ? "stride" : "dstride"),
          row.find("atomic")};
}
const Lanes& lanes(Op op) {
  static const Lanes kFix = lanes_of(Op::fix), kStore = lanes_of(Op::store);
  return op == Op::fix ? kFix : kStore;
}

bool is_kept_back(const Command& command) {
  if (command.op != Op::fix && command.op != Op::store) return false;
  const Lanes& at = lanes(command.op);
  return command.at(at.atomic) != static_cast<std::int64_t>(isa::Atomic::None) &&
         is_float(command.dtype(at.type));
}

}  // namespace

Fault Atomics::execute(const Command& command, CoreMemory& core, GlobalMemory& global,
                       std::uint64_t order) {
  if (is_kept_back(command)) return keep(command, core, global, order);
  if (!updates_.empty()) settle(command, global);
  return dvmsim::execute(command, core, global);
}

Fault Atomics::read(const Command& command, CoreMemory& core, GlobalMemory& global,
                    std::int64_t& value) {
  if (!updates_.empty()) settle(command, global);
  return read_scalar(command, core, global, value);
}

/// Performs the command on a memory of its own, without updating, and remembers what it wrote.
Fault Atomics::keep(const Command& command, CoreMemory& core, GlobalMemory& global,
                    std::uint64_t order) {
  const Lanes& at = lanes(command.op);
  const DType type = command.dtype(at.type);
  const std::int64_t rows = command.at(at.rows), stride = command.at(at.stride);
  const std::int64_t length = command.at(at.length) * (command.op == Op::fix ? size_of(type) : 1);
  const isa::Regions regions = isa::regions(command);
  for (int i = 0; i < regions.count; ++i) {
    const isa::Region& region = regions.region[i];
    if (region.space != Space::GM || region.rows == 0) continue;
    const auto first = static_cast<std::uint64_t>(region.first());
    // Whatever is wrong with it, the command itself says.
    if (global.at(first, region.last() - region.first()) == nullptr) {
      return dvmsim::execute(command, core, global);
    }
  }
  const bool uneven = command.at(at.to) % size_of(type) != 0 || stride % size_of(type) != 0;
  if (rows <= 0 || length <= 0 || uneven) return dvmsim::execute(command, core, global);
  GlobalMemory aside(Bytes(rows * length + 4096));
  Command copy = command;
  const std::uint64_t base = aside.allocate(Bytes(rows * length), true);
  copy.operand[static_cast<std::size_t>(at.to)] = static_cast<std::int64_t>(base);
  copy.operand[static_cast<std::size_t>(at.stride)] = length;
  copy.operand[static_cast<std::size_t>(at.atomic)] = static_cast<std::int64_t>(isa::Atomic::None);
  if (Fault fault = dvmsim::execute(copy, core, aside)) return fault;
  if (updates_.empty()) first_ = last_ = command.at(at.to);
  const std::byte* from = aside.at(base, rows * length);
  for (std::int64_t row = 0; row < rows; ++row) {
    const std::int64_t address = command.at(at.to) + row * stride;
    updates_.push_back({address, length, data_.size() + static_cast<std::size_t>(row * length),
                        order, type, static_cast<isa::Atomic>(command.at(at.atomic))});
    first_ = std::min(first_, address);
    last_ = std::max(last_, address + length);
  }
  data_.insert(data_.end(), from, from + rows * length);
  return {};
}

void Atomics::settle(const Command& command, GlobalMemory& global) {
  const isa::Regions regions = isa::regions(command);
  for (int i = 0; i < regions.count; ++i) {
    const isa::Region& region = regions.region[i];
    if (region.space != Space::GM || region.rows == 0) continue;
    if (region.first() < last_ && region.last() > first_) settle(region, global);
  }
}

void Atomics::settle(const isa::Region& region, GlobalMemory& global) {
  std::vector<Run> runs;
  for (std::int64_t i = 0; i < region.outer[0]; ++i) {
    for (std::int64_t j = 0; j < region.outer[1]; ++j) {
      for (std::int64_t row = 0; row < region.rows; ++row) {
        const std::int64_t begin = region.base + i * region.outer_stride[0] +
                                   j * region.outer_stride[1] + row * region.stride;
        runs.push_back({begin, begin + region.length});
      }
    }
  }
  std::sort(runs.begin(), runs.end(), [](const Run& a, const Run& b) { return a.begin < b.begin; });
  std::vector<Run> merged;
  for (const Run& run : runs) {
    if (merged.empty() || run.begin > merged.back().end) merged.push_back(run);
    merged.back().end = std::max(merged.back().end, run.end);
  }
  // Cut every update into what the runs touch, in whole elements, and what they leave.
  std::vector<Update> touched, left;
  for (const Update& update : updates_) {
    const std::int64_t size = size_of(update.type), end = update.address + update.bytes;
    std::int64_t done = update.address;
    const auto cut = [&](std::vector<Update>& to, std::int64_t until) {
      if (until <= done) return;
      Update piece = update;
      piece.data += static_cast<std::size_t>(done - update.address);
      piece.address = done;
      piece.bytes = until - done;
      to.push_back(piece);
      done = until;
    };
    auto run = std::upper_bound(merged.begin(), merged.end(), update.address,
                                [](std::int64_t value, const Run& r) { return value < r.end; });
    for (; run != merged.end() && run->begin < end; ++run) {
      const auto whole = [&](std::int64_t at, bool up) {
        const std::int64_t inside = std::clamp(at, update.address, end) - update.address;
        return update.address + (up ? (inside + size - 1) / size : inside / size) * size;
      };
      cut(left, whole(run->begin, false));
      cut(touched, whole(run->end, true));
    }
    cut(left, end);
  }
  updates_ = std::move(left);
  apply(touched, global);
  if (updates_.empty()) data_.clear();
}

void Atomics::finish(GlobalMemory& global) {
  apply(updates_, global);
  updates_.clear();
  data_.clear();
}

void Atomics::apply(std::vector<Update>& updates, GlobalMemory& global) {
  // Stable: rows of one command that meet keep their order.
  std::stable_sort(updates.begin(), updates.end(),
                   [](const Update& a, const Update& b) { return a.order < b.order; });
  for (const Update& update : updates) {
    std::byte* to = global.at(static_cast<std::uint64_t>(update.address), update.bytes);
    DVMSIM_ASSERT(to != nullptr, "an update was checked when it was kept back");
    exec::update(to, data_.data() + update.data, update.bytes / size_of(update.type), update.type,
                 update.atomic);
  }
}

}  // namespace dvmsim
