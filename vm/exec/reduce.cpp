// Reductions along rows and over rows; their order is documented in vector.h.
#include <limits>

#include "vm/exec/vector.h"

namespace dvmsim::exec {
namespace {

using isa::Op;
using isa::Reduction;

constexpr int kLanes = 16;

constexpr Op operation(Reduction how) {
  switch (how) {
    case Reduction::Max:
      return Op::vmax;
    case Reduction::Min:
      return Op::vmin;
    case Reduction::Prod:
      return Op::vmul;
    default:
      return Op::vadd;
  }
}

template <class C>
C neutral(Reduction how) {
  using Limits = std::numeric_limits<C>;
  switch (how) {
    case Reduction::Max:
      return Limits::has_infinity ? -Limits::infinity() : Limits::lowest();
    case Reduction::Min:
      return Limits::has_infinity ? Limits::infinity() : Limits::max();
    case Reduction::Prod:
      return C{1};
    default:
      return C{0};
  }
}

/// One step; NaN is made canonical only at the end.
template <Op op, class C>
[[gnu::always_inline]] inline C step(C a, C b) {
  if constexpr (!std::is_same_v<C, float>) {
    return combine<op>(a, b);
  } else if constexpr (op == Op::vadd) {
    return a + b;
  } else if constexpr (op == Op::vmul) {
    return a * b;
  } else if constexpr (op == Op::vmax) {
    return ((a >= b) | (a != a)) ? a : b;
  } else {
    return ((a <= b) | (a != a)) ? a : b;
  }
}

template <class C>
struct Kernels {
  /// Element i goes to lane i mod 16.
  void (*lanes)(C* lane, const C* from, std::int64_t count);
  /// into[i] takes from[i].
  void (*columns)(C* __restrict into, const C* __restrict from, std::int64_t count);
  C (*step)(C, C);
};

template <Op op, class C>
[[gnu::always_inline]] inline void lanes_loop(C* lane, const C* from, std::int64_t count) {
  C sum[kLanes];
  std::memcpy(sum, lane, sizeof sum);
  std::int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (int j = 0; j < kLanes; ++j) sum[j] = step<op>(sum[j], from[i + j]);
  }
  for (int j = 0; i < count; ++i, ++j) sum[j] = step<op>(sum[j], from[i]);
  std::memcpy(lane, sum, sizeof sum);
}
template <Op op, class C>
[[gnu::always_inline]] inline void columns_loop(C* __restrict into, const C* __restrict from,
                                                std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) into[i] = step<op>(into[i], from[i]);
}

template <Op op, class C>
void lanes_baseline(C* lane, const C* from, std::int64_t count) {
  lanes_loop<op>(lane, from, count);
}
template <Op op, class C>
void columns_baseline(C* __restrict into, const C* __restrict from, std::int64_t count) {
  columns_loop<op>(into, from, count);
}
template <Op op>
DVMSIM_AVX2 void lanes_avx2(float* lane, const float* from, std::int64_t count) {
  lanes_loop<op>(lane, from, count);
}
template <Op op>
DVMSIM_AVX2 void columns_avx2(float* __restrict into, const float* __restrict from,
                              std::int64_t count) {
  columns_loop<op>(into, from, count);
}
template <Op op, class C>
C one_step(C a, C b) {
  return step<op>(a, b);
}

template <Reduction how, class C>
Kernels<C> kernels_of() {
  constexpr Op kOp = operation(how);
  if constexpr (std::is_same_v<C, float>) {
    if (simd() >= Simd::Avx2) return {lanes_avx2<kOp>, columns_avx2<kOp>, one_step<kOp, C>};
  }
  return {lanes_baseline<kOp, C>, columns_baseline<kOp, C>, one_step<kOp, C>};
}

template <class C>
Kernels<C> kernels(Reduction how) {
  switch (how) {
    case Reduction::Max:
      return kernels_of<Reduction::Max, C>();
    case Reduction::Min:
      return kernels_of<Reduction::Min, C>();
    case Reduction::Prod:
      return kernels_of<Reduction::Prod, C>();
    default:
      return kernels_of<Reduction::Sum, C>();
  }
}

template <class C>
C finished(C value) {
  if constexpr (std::is_same_v<C, float>) return canonical(value);
  return value;
}

enum { kType, kDst, kA, kCount, kRows, kAstride, kHow };

template <class T>
void along_rows(Frame& frame) {
  using C = Computed<T>;
  const std::int64_t count = frame.at(kCount), rows = frame.at(kRows);
  const auto dst = matrix<T>(frame, kDst, rows, 1, 0);
  const auto a = matrix<T>(frame, kA, count, rows, frame.at(kAstride));
  if (frame.fault) return;
  const auto how = frame.pick<Reduction>(kHow);
  const Kernels<C> kernel = kernels<C>(how);
  for (std::int64_t row = 0; row < rows; ++row) {
    C lane[kLanes];
    std::fill_n(lane, kLanes, neutral<C>(how));
    for (std::int64_t first = 0; first < count; first += kChunk) {
      const std::int64_t n = count - first < kChunk ? count - first : kChunk;
      C buffer[kChunk];
      kernel.lanes(lane, computed(buffer, a.row(row) + first, n), n);
    }
    for (int half = kLanes / 2; half > 0; half /= 2) {
      for (int j = 0; j < half; ++j) lane[j] = kernel.step(lane[j], lane[j + half]);
    }
    dst.row(0)[row] = stored_value<T>(finished(lane[0]));
  }
}

template <class T>
void over_rows(Frame& frame) {
  using C = Computed<T>;
  const std::int64_t count = frame.at(kCount), rows = frame.at(kRows);
  const auto dst = matrix<T>(frame, kDst, count, 1, 0);
  const auto a = matrix<T>(frame, kA, count, rows, frame.at(kAstride));
  if (frame.fault) return;
  const auto how = frame.pick<Reduction>(kHow);
  const Kernels<C> kernel = kernels<C>(how);
  each_chunk(1, count, false, [&](std::int64_t, std::int64_t first, std::int64_t n) {
    C sum[kChunk], buffer[kChunk];
    std::fill_n(sum, n, neutral<C>(how));
    for (std::int64_t row = 0; row < rows; ++row) {
      kernel.columns(sum, computed(buffer, a.row(row) + first, n), n);
    }
    for (std::int64_t i = 0; i < n; ++i) sum[i] = finished(sum[i]);
    put(dst.row(0) + first, sum, n);
  });
}

template <class Use>
void with_reducible(Frame& frame, Use&& use) {
  constexpr DTypeSet kTypes = types_of(Op::vredx);
  const bool known = with_element(frame.dtype(), kTypes, [&](auto zero) {
    if constexpr (contains(kTypes, kDTypeOf<decltype(zero)>)) use(zero);
  });
  if (!known) frame.refuse("it does not work on elements of this type");
}

}  // namespace

void vredx(Frame& frame) {
  if (!frame.any({kRows})) return;
  if (!frame.any({kCount}) && frame.fault) return;  // no columns: the neutral element
  with_reducible(frame, [&](auto zero) { along_rows<decltype(zero)>(frame); });
}

void vredy(Frame& frame) {
  if (!frame.any({kCount})) return;
  if (!frame.any({kRows}) && frame.fault) return;  // no rows: the neutral element
  with_reducible(frame, [&](auto zero) { over_rows<decltype(zero)>(frame); });
}

}  // namespace dvmsim::exec
