#include "vm/exec/atomic.h"

#include <cstring>

#include "vm/exec/arithmetic.h"
#include "vm/exec/element.h"

namespace dvmsim::exec {
namespace {

template <class T, isa::Op op>
void update_with(std::byte* to, const std::byte* from, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    const auto offset = i * static_cast<std::int64_t>(sizeof(T));
    T old, value;
    std::memcpy(&old, to + offset, sizeof old);
    std::memcpy(&value, from + offset, sizeof value);
    old = stored_value<T>(combine<op>(compute_value(old), compute_value(value)));
    std::memcpy(to + offset, &old, sizeof old);
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
