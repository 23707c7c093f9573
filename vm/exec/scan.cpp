// Running sums along rows and over rows. Floats are summed in float in ascending order, and each
// sum is rounded to the type once.
#include <algorithm>

#include "vm/exec/vector.h"

namespace dvmsim::exec {
namespace {

using isa::Op;

enum { kType, kDst, kA, kCount, kRows, kDstride, kAstride };

template <class C>
C added(C a, C b) {
  return combine<Op::vadd>(a, b);
}

template <class T>
void along_rows(Frame& frame) {
  using C = Computed<T>;
  const std::int64_t count = frame.at(kCount), rows = frame.at(kRows);
  const auto dst = matrix<T>(frame, kDst, count, rows, frame.at(kDstride));
  const auto a = matrix<T>(frame, kA, count, rows, frame.at(kAstride));
  if (frame.fault) return;
  for (std::int64_t row = 0; row < rows; ++row) {
    C sum{};
    each_chunk(1, count, false, [&](std::int64_t, std::int64_t first, std::int64_t n) {
      C buffer[kChunk], out[kChunk];
      const C* from = computed(buffer, a.row(row) + first, n);
      for (std::int64_t i = 0; i < n; ++i) {
        sum = first + i == 0 ? from[i] : added(sum, from[i]);
        out[i] = sum;
      }
      put(dst.row(row) + first, out, n);
    });
  }
}

template <class T>
void over_rows(Frame& frame) {
  using C = Computed<T>;
  const std::int64_t count = frame.at(kCount), rows = frame.at(kRows);
  const auto dst = matrix<T>(frame, kDst, count, rows, frame.at(kDstride));
  const auto a = matrix<T>(frame, kA, count, rows, frame.at(kAstride));
  if (frame.fault) return;
  each_chunk(1, count, false, [&](std::int64_t, std::int64_t first, std::int64_t n) {
    C sum[kChunk], buffer[kChunk];
    for (std::int64_t row = 0; row < rows; ++row) {
      const C* from = computed(buffer, a.row(row) + first, n);
      for (std::int64_t i = 0; i < n; ++i) sum[i] = row == 0 ? from[i] : added(sum[i], from[i]);
      put(dst.row(row) + first, sum, n);
    }
  });
}

template <class Use>
void with_summable(Frame& frame, Use&& use) {
  if (!frame.any({kCount, kRows})) return;
  constexpr DTypeSet kTypes = types_of(Op::vscanx);
  const bool known = with_element(frame.dtype(), kTypes, [&](auto zero) {
    if constexpr (contains(kTypes, kDTypeOf<decltype(zero)>)) use(zero);
  });
  if (!known) frame.refuse("it does not work on elements of this type");
}

}  // namespace

void vscanx(Frame& frame) {
  with_summable(frame, [&](auto zero) { along_rows<decltype(zero)>(frame); });
}

void vscany(Frame& frame) {
  with_summable(frame, [&](auto zero) { over_rows<decltype(zero)>(frame); });
}

}  // namespace dvmsim::exec
