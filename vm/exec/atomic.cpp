#include "vm/exec/atomic.h"

#include <algorithm>
#include <cstring>

#include "vm/exec/vector.h"

namespace dvmsim::exec {
namespace {

/// In chunks copied to aligned buffers: global memory promises no alignment.
template <class T, isa::Op op>
void update_with(std::byte* to, const std::byte* from, std::int64_t count) {
  for (std::int64_t first = 0; first < count; first += kChunk) {
    const std::int64_t n = std::min(kChunk, count - first);
    const auto size = static_cast<std::size_t>(n) * sizeof(T);
    const std::int64_t offset = first * static_cast<std::int64_t>(sizeof(T));
    T old[kChunk], added[kChunk];
    std::memcpy(old, to + offset, size);
    std::memcpy(added, from + offset, size);
    Computed<T> left[kChunk], right[kChunk], out[kChunk];
    const auto* a = computed(left, old, n);
    const auto* b = computed(right, added, n);
    for (std::int64_t i = 0; i < n; ++i) out[i] = combine<op>(a[i], b[i]);
    put(old, out, n);
    std::memcpy(to + offset, old, size);
  }
}

}  // namespace

void update(std::byte* to, const std::byte* from, std::int64_t count, DType dtype,
            isa::Atomic atomic) {
  with_element(dtype, isa::kMovable, [&](auto zero) {
    using T = decltype(zero);
    switch (atomic) {
      case isa::Atomic::None:
        std::memcpy(to, from, static_cast<std::size_t>(count) * sizeof(T));
        break;
      case isa::Atomic::Add:
        update_with<T, isa::Op::vadd>(to, from, count);
        break;
      case isa::Atomic::Max:
        update_with<T, isa::Op::vmax>(to, from, count);
        break;
      case isa::Atomic::Min:
        update_with<T, isa::Op::vmin>(to, from, count);
        break;
    }
  });
}

}  // namespace dvmsim::exec
