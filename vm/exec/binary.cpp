// Elementwise instructions of two sources, or of one and a scalar.
#include <algorithm>

#include "vm/exec/vector.h"

namespace dvmsim::exec {
namespace {

using isa::Op;

template <class C>
using Kernel = void (*)(C* __restrict, const C*, const C*, std::int64_t);

template <Op op, class C>
[[gnu::always_inline]] inline void loop(C* __restrict out, const C* a, const C* b,
                                        std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) out[i] = combine<op>(a[i], b[i]);
}
template <Op op, class C>
void baseline(C* __restrict out, const C* a, const C* b, std::int64_t count) {
  loop<op>(out, a, b, count);
}
template <Op op>
DVMSIM_AVX2 void avx2(float* __restrict out, const float* a, const float* b, std::int64_t count) {
  loop<op>(out, a, b, count);
}

template <Op op, class C>
Kernel<C> kernel() {
  if constexpr (std::is_same_v<C, float>) {
    if (simd() >= Simd::Avx2) return avx2<op>;
  }
  return baseline<op, C>;
}

template <class T>
void run_binary(Frame& frame, Kernel<Computed<T>> compute) {
  enum { kType, kDst, kA, kB, kCount, kRows, kDstride, kAstride, kBstride };
  if (!frame.any({kCount, kRows})) return;
  const std::int64_t count = frame.at(kCount), rows = frame.at(kRows);
  const auto dst = matrix<T>(frame, kDst, count, rows, frame.at(kDstride));
  const auto a = matrix<T>(frame, kA, count, rows, frame.at(kAstride));
  const auto b = matrix<T>(frame, kB, count, rows, frame.at(kBstride));
  if (frame.fault) return;
  const bool packed = dst.is_packed(count) && a.is_packed(count) && b.is_packed(count);
  each_chunk(rows, count, packed, [&](std::int64_t row, std::int64_t first, std::int64_t n) {
    Computed<T> left[kChunk], right[kChunk], out[kChunk];
    compute(out, computed(left, a.row(row) + first, n), computed(right, b.row(row) + first, n), n);
    put(dst.row(row) + first, out, n);
  });
}

template <class T>
void run_with_scalar(Frame& frame, Kernel<Computed<T>> compute, bool scalar_first) {
  enum { kType, kDst, kA, kScalar, kCount, kRows, kDstride, kAstride };
  if (!frame.any({kCount, kRows})) return;
  const std::int64_t count = frame.at(kCount), rows = frame.at(kRows);
  const auto dst = matrix<T>(frame, kDst, count, rows, frame.at(kDstride));
  const auto a = matrix<T>(frame, kA, count, rows, frame.at(kAstride));
  if (frame.fault) return;
  Computed<T> scalar[kChunk];
  std::fill_n(scalar, std::min(count * rows, kChunk), scalar_value<T>(frame.at(kScalar)));
  const bool packed = dst.is_packed(count) && a.is_packed(count);
  each_chunk(rows, count, packed, [&](std::int64_t row, std::int64_t first, std::int64_t n) {
    Computed<T> buffer[kChunk], out[kChunk];
    const auto* values = computed(buffer, a.row(row) + first, n);
    compute(out, scalar_first ? scalar : values, scalar_first ? values : scalar, n);
    put(dst.row(row) + first, out, n);
  });
}

/// The two-source operation behind an instruction with a scalar.
constexpr Op operation(Op op) {
  switch (op) {
    case Op::vadds:
      return Op::vadd;
    case Op::vmuls:
      return Op::vmul;
    case Op::vmaxs:
      return Op::vmax;
    case Op::vmins:
      return Op::vmin;
    case Op::vdivs:
    case Op::vsdiv:
      return Op::vdiv;
    case Op::vssub:
      return Op::vsub;
    default:
      return op;
  }
}

}  // namespace

template <Op op>
void binary(Frame& frame) {
  const bool known = with_element(frame.dtype(), types_of(op), [&](auto zero) {
    using T = decltype(zero);
    if constexpr (contains(types_of(op), kDTypeOf<T>)) {
      run_binary<T>(frame, kernel<op, Computed<T>>());
    }
  });
  if (!known) frame.refuse("it does not work on elements of this type");
}

template <Op op>
void with_scalar(Frame& frame) {
  const bool known = with_element(frame.dtype(), types_of(op), [&](auto zero) {
    using T = decltype(zero);
    if constexpr (contains(types_of(op), kDTypeOf<T>)) {
      run_with_scalar<T>(frame, kernel<operation(op), Computed<T>>(),
                         op == Op::vsdiv || op == Op::vssub);
    }
  });
  if (!known) frame.refuse("it does not work on elements of this type");
}

template void binary<Op::vadd>(Frame&);
template void binary<Op::vsub>(Frame&);
template void binary<Op::vmul>(Frame&);
template void binary<Op::vdiv>(Frame&);
template void binary<Op::vmax>(Frame&);
template void binary<Op::vmin>(Frame&);
template void binary<Op::vpow>(Frame&);
template void binary<Op::vmod>(Frame&);
template void binary<Op::vand>(Frame&);
template void binary<Op::vor>(Frame&);
template void binary<Op::vxor>(Frame&);
template void binary<Op::vshl>(Frame&);
template void binary<Op::vshr>(Frame&);
template void with_scalar<Op::vadds>(Frame&);
template void with_scalar<Op::vmuls>(Frame&);
template void with_scalar<Op::vmaxs>(Frame&);
template void with_scalar<Op::vmins>(Frame&);
template void with_scalar<Op::vdivs>(Frame&);
template void with_scalar<Op::vsdiv>(Frame&);
template void with_scalar<Op::vssub>(Frame&);

}  // namespace dvmsim::exec
