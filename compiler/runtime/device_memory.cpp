#include "compiler/runtime/device_memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "vm/base/error.h"

namespace dvmsim {
namespace {

std::string size_text(std::int64_t bytes) {
  constexpr double kKib = 1024, kMib = kKib * 1024, kGib = kMib * 1024;
  const auto size = static_cast<double>(bytes);
  if (size >= kGib) return fmt::format("{:.2f} GiB", size / kGib);
  if (size >= kMib) return fmt::format("{:.2f} MiB", size / kMib);
  return bytes < 1024 ? fmt::format("{} B", bytes) : fmt::format("{:.2f} KiB", size / kKib);
}

}  // namespace

void check_room(const MemoryUse& all, const Machine& machine) {
  const std::int64_t size = machine.hbm.size.count();
  if (all.total() <= size) return;
  throw Error(fmt::format(
      "the model needs {} of device memory (weights {}, inputs and outputs {}, intermediates {}, "
      "programs {}), and {} has {}; use smaller dimensions or a narrower type, or raise hbm.size",
      size_text(all.total()), size_text(all.weights), size_text(all.inputs_outputs),
      size_text(all.intermediates), size_text(all.programs), machine.name, size_text(size)));
}

DeviceRange DeviceMemory::allocate(MemoryKind kind, std::int64_t bytes) {
  const std::int64_t size = rounded(bytes);
  const std::uint64_t address = device_.allocate(Bytes(std::max<std::int64_t>(bytes, 1)));
  used_.of(kind) += size;
  note_peak();
  return {new std::uint64_t(address), [this, kind, size](const std::uint64_t* range) {
            device_.release(*range);
            used_.of(kind) -= size;
            delete range;
          }};
}

void DeviceMemory::count_programs(std::int64_t bytes) {
  used_.programs += bytes;
  note_peak();
}

void DeviceMemory::note_peak() {
  if (used_.total() > peak_.total()) peak_ = used_;
}

}  // namespace dvmsim
