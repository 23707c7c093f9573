#include "compiler/runtime/device_memory.h"

#include <algorithm>

namespace dvmsim {

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
