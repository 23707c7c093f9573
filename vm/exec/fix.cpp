// Out of the accumulators: NZ blocks of 16 x 16 become rows in global memory, with an optional
// ReLU, one rounding to the output type, and an optional read-modify-write.
#include <algorithm>
#include <cstring>

#include "vm/exec/atomic.h"
#include "vm/exec/meaning.h"
#include "vm/exec/vector.h"

namespace dvmsim::exec {
namespace {

enum { kType, kDst, kSrc, kM, kN, kStride, kPost, kAtomic };

template <class C>
void relu(C* values, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) values[i] = apply<isa::Op::vrelu>(values[i]);
}

template <class T>
void run(Frame& frame) {
  using C = Computed<T>;  // float, or i32 as it is
  static_assert(sizeof(C) == 4);
  constexpr auto kSize = static_cast<std::int64_t>(sizeof(T));
  const std::int64_t m = frame.at(kM), n = frame.at(kN), stride = frame.at(kStride);
  const std::int64_t column = (m + 15) / 16 * 256;  // accumulators in a column of blocks
  std::byte* to = frame.rows(Space::GM, kDst, n * kSize, m, stride);
  if (to == nullptr) return;
  const std::byte* from = frame.storage(Space::L0C, kSrc, Extent::run((n + 15) / 16 * column * 4));
  if (from == nullptr) return;
  const bool positive = frame.pick<isa::Post>(kPost) == isa::Post::Relu;
  const auto atomic = frame.pick<isa::Atomic>(kAtomic);
  for (std::int64_t i = 0; i < m; ++i) {
    for (std::int64_t first = 0; first < n; first += kChunk) {
      const std::int64_t count = std::min(kChunk, n - first);
      C values[kChunk];
      for (std::int64_t j = 0; j < count; j += 16) {
        std::memcpy(values + j, from + ((first + j) / 16 * column + i * 16) * 4, 64);
      }
      if (positive) relu(values, count);
      T out[kChunk];
      put(out, values, count);
      update(to + i * stride + first * kSize, reinterpret_cast<const std::byte*>(out), count,
             frame.dtype(kType), atomic);
    }
  }
}

}  // namespace

void fix(Frame& frame) {
  if (!frame.any({kM, kN})) return;
  constexpr DTypeSet kTypes = types_of(isa::Op::fix);
  const bool known = with_element(frame.dtype(kType), kTypes, [&](auto zero) {
    if constexpr (contains(kTypes, kDTypeOf<decltype(zero)>)) run<decltype(zero)>(frame);
  });
  if (!known) frame.refuse("it does not write elements of this type");
}

}  // namespace dvmsim::exec
