// Elementwise instructions of one source.
#include "vm/exec/vector.h"

namespace dvmsim::exec {
namespace {

using isa::Op;

template <class C>
using Kernel = void (*)(C* __restrict, const C*, std::int64_t);

template <Op op, class C>
[[gnu::always_inline]] inline void loop(C* __restrict out, const C* a, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) out[i] = apply<op>(a[i]);
}

/// sin and cos in two passes, so that the first, almost always all there is, has no call in its
/// loop.
template <std::uint64_t quarters>
[[gnu::always_inline]] inline void sine_loop(float* __restrict out, const float* a,
                                             std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    out[i] = canonical(functions::detail::sine_plain(a[i], quarters));
  }
  constexpr float kLimit = functions::detail::kPlainReduction;
  for (std::int64_t i = 0; i < count; ++i) {
    if (!(a[i] >= -kLimit && a[i] <= kLimit)) {
      out[i] = canonical(functions::detail::sine_large(a[i], quarters));
    }
  }
}

template <Op op, class C>
void baseline(C* __restrict out, const C* a, std::int64_t count) {
  if constexpr (op == Op::vsin || op == Op::vcos) {
    sine_loop<op == Op::vcos>(out, a, count);
  } else {
    loop<op>(out, a, count);
  }
}
template <Op op>
DVMSIM_AVX2 void avx2(float* __restrict out, const float* a, std::int64_t count) {
  if constexpr (op == Op::vsin || op == Op::vcos) {
    sine_loop<op == Op::vcos>(out, a, count);
  } else {
    loop<op>(out, a, count);
  }
}

void bool_not(std::uint8_t* __restrict out, const std::uint8_t* a, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) out[i] = a[i] == 0 ? 1 : 0;
}

template <Op op, class T>
Kernel<Computed<T>> kernel() {
  if constexpr (std::is_same_v<T, BoolByte>) {
    static_assert(op == Op::vnot);
    return bool_not;
  } else {
    if constexpr (kIsFloat<T>) {
      if (simd() >= Simd::Avx2) return avx2<op>;
    }
    return baseline<op, Computed<T>>;
  }
}

template <class T>
void run(Frame& frame, Kernel<Computed<T>> compute) {
  enum { kType, kDst, kA, kCount, kRows, kDstride, kAstride };
  if (!frame.any({kCount, kRows})) return;
  const std::int64_t count = frame.at(kCount), rows = frame.at(kRows);
  const auto dst = matrix<T>(frame, kDst, count, rows, frame.at(kDstride));
  const auto a = matrix<T>(frame, kA, count, rows, frame.at(kAstride));
  if (frame.fault) return;
  const bool packed = dst.is_packed(count) && a.is_packed(count);
  each_chunk(rows, count, packed, [&](std::int64_t row, std::int64_t first, std::int64_t n) {
    Computed<T> buffer[kChunk], out[kChunk];
    compute(out, computed(buffer, a.row(row) + first, n), n);
    put(dst.row(row) + first, out, n);
  });
}

}  // namespace

template <Op op>
void unary(Frame& frame) {
  const bool known = with_element(frame.dtype(), types_of(op), [&](auto zero) {
    using T = decltype(zero);
    if constexpr (contains(types_of(op), kDTypeOf<T>)) run<T>(frame, kernel<op, T>());
  });
  if (!known) frame.refuse("it does not work on elements of this type");
}

template void unary<Op::vabs>(Frame&);
template void unary<Op::vneg>(Frame&);
template void unary<Op::vrelu>(Frame&);
template void unary<Op::vexp>(Frame&);
template void unary<Op::vlog>(Frame&);
template void unary<Op::vsqrt>(Frame&);
template void unary<Op::vrsqrt>(Frame&);
template void unary<Op::vrec>(Frame&);
template void unary<Op::vtanh>(Frame&);
template void unary<Op::verf>(Frame&);
template void unary<Op::vsigmoid>(Frame&);
template void unary<Op::vfloor>(Frame&);
template void unary<Op::vceil>(Frame&);
template void unary<Op::vround>(Frame&);
template void unary<Op::vsign>(Frame&);
template void unary<Op::vnot>(Frame&);
template void unary<Op::vsin>(Frame&);
template void unary<Op::vcos>(Frame&);
template void unary<Op::vatan>(Frame&);
template void unary<Op::vlog1p>(Frame&);

}  // namespace dvmsim::exec
