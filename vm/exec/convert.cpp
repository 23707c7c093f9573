// vcvt. Float to integer truncates toward zero, saturates, and makes NaN 0; integer to integer
// wraps; integer to half or bf16 goes through float; to Bool is "not equal to zero".
#include <limits>

#include "vm/exec/vector.h"

namespace dvmsim::exec {
namespace {

template <class Int>
Int truncated(float value) {
  // Both limits as floats: the lower is exact, the upper rounds up to one past the largest.
  constexpr auto kLow = static_cast<float>(std::numeric_limits<Int>::min());
  constexpr float kHigh = std::is_signed_v<Int> ? -kLow : 256.0f;
  static_assert(std::is_signed_v<Int> || sizeof(Int) == 1);
  if (value != value) return 0;
  if (value >= kHigh) return std::numeric_limits<Int>::max();
  if (value <= kLow) return std::numeric_limits<Int>::min();
  return static_cast<Int>(value);
}

template <class From, class To>
Computed<To> converted(Computed<From> value) {
  if constexpr (std::is_same_v<To, BoolByte>) {
    return value != 0 ? 1 : 0;
  } else if constexpr (std::is_same_v<From, BoolByte>) {
    return static_cast<Computed<To>>(value != 0 ? 1 : 0);
  } else if constexpr (kIsFloat<From> && !kIsFloat<To>) {
    return truncated<To>(value);
  } else {
    return static_cast<Computed<To>>(value);
  }
}

template <class From, class To>
void run(Frame& frame) {
  enum { kFrom, kTo, kDst, kA, kCount, kRows, kDstride, kAstride };
  if (!frame.any({kCount, kRows})) return;
  const std::int64_t count = frame.at(kCount), rows = frame.at(kRows);
  const auto dst = matrix<To>(frame, kDst, count, rows, frame.at(kDstride));
  const auto a = matrix<From>(frame, kA, count, rows, frame.at(kAstride));
  if (frame.fault) return;
  const bool packed = dst.is_packed(count) && a.is_packed(count);
  each_chunk(rows, count, packed, [&](std::int64_t row, std::int64_t first, std::int64_t n) {
    Computed<From> buffer[kChunk];
    const Computed<From>* in = computed(buffer, a.row(row) + first, n);
    if constexpr (kIsFloat<From> && kIsFloat<To>) {
      put(dst.row(row) + first, in, n);
    } else {
      Computed<To> out[kChunk];
      for (std::int64_t i = 0; i < n; ++i) out[i] = converted<From, To>(in[i]);
      put(dst.row(row) + first, out, n);
    }
  });
}

}  // namespace

void vcvt(Frame& frame) {
  constexpr DTypeSet kTypes = types_of(isa::Op::vcvt);
  bool known = false;
  with_element(frame.dtype(0), kTypes, [&](auto from) {
    known = with_element(frame.dtype(1), kTypes,
                         [&](auto to) { run<decltype(from), decltype(to)>(frame); });
  });
  if (!known) frame.refuse("it does not work on elements of this type");
}

}  // namespace dvmsim::exec
