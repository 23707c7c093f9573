// Vector instructions that move elements without looking at them: by size, not by type.
#include <algorithm>

#include "vm/exec/vector.h"

namespace dvmsim::exec {
namespace {

/// Calls use with a zero of the unsigned type as large as elements of `dtype`.
template <class Use>
void with_bits(Frame& frame, Use&& use) {
  const bool known = with_element(frame.dtype(), isa::kMovable, [&](auto zero) {
    constexpr auto kSize = sizeof zero;
    if constexpr (kSize == 1) use(std::uint8_t{});
    if constexpr (kSize == 2) use(std::uint16_t{});
    if constexpr (kSize == 4) use(std::uint32_t{});
    if constexpr (kSize == 8) use(std::uint64_t{});
  });
  if (!known) frame.refuse("it does not work on elements of this type");
}

template <class U>
void select(U* __restrict out, const std::uint8_t* mask, const U* a, const U* b,
            std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) out[i] = mask[i] != 0 ? a[i] : b[i];
}

template <class U>
void run_vsel(Frame& frame) {
  enum { kType, kDst, kMask, kA, kB, kCount, kRows, kDstride, kMstride, kAstride, kBstride };
  if (!frame.any({kCount, kRows})) return;
  const std::int64_t count = frame.at(kCount), rows = frame.at(kRows);
  const auto dst = matrix<U>(frame, kDst, count, rows, frame.at(kDstride));
  const auto mask = matrix<std::uint8_t>(frame, kMask, count, rows, frame.at(kMstride));
  const auto a = matrix<U>(frame, kA, count, rows, frame.at(kAstride));
  const auto b = matrix<U>(frame, kB, count, rows, frame.at(kBstride));
  if (frame.fault) return;
  const bool packed =
      dst.is_packed(count) && mask.is_packed(count) && a.is_packed(count) && b.is_packed(count);
  each_chunk(rows, count, packed, [&](std::int64_t row, std::int64_t first, std::int64_t n) {
    U out[kChunk];
    select(out, mask.row(row) + first, a.row(row) + first, b.row(row) + first, n);
    std::memcpy(dst.row(row) + first, out, static_cast<std::size_t>(n) * sizeof(U));
  });
}

template <class U>
void run_vcopy(Frame& frame) {
  enum { kType, kDst, kA, kCount, kRows, kDstride, kAstride };
  if (!frame.any({kCount, kRows})) return;
  const std::int64_t count = frame.at(kCount), rows = frame.at(kRows);
  const auto dst = matrix<U>(frame, kDst, count, rows, frame.at(kDstride));
  const auto a = matrix<U>(frame, kA, count, rows, frame.at(kAstride));
  if (frame.fault) return;
  for (std::int64_t row = 0; row < rows; ++row) {
    std::memmove(dst.row(row), a.row(row), static_cast<std::size_t>(count) * sizeof(U));
  }
}

template <class U>
void run_vbrc(Frame& frame) {
  enum { kType, kDst, kA, kCount, kRows, kDstride };
  if (!frame.any({kCount, kRows})) return;
  const std::int64_t count = frame.at(kCount), rows = frame.at(kRows);
  const auto dst = matrix<U>(frame, kDst, count, rows, frame.at(kDstride));
  const auto a = matrix<U>(frame, kA, rows, 1, 0);
  if (frame.fault) return;
  for (std::int64_t row = 0; row < rows; ++row) {
    const U value = a.row(0)[row];
    std::fill_n(dst.row(row), count, value);
  }
}

template <class U>
void run_vtrans(Frame& frame) {
  enum { kType, kDst, kA, kCount, kRows, kDstride, kAstride };
  if (!frame.any({kCount, kRows})) return;
  const std::int64_t count = frame.at(kCount), rows = frame.at(kRows);
  const auto dst = matrix<U>(frame, kDst, rows, count, frame.at(kDstride));
  const auto a = matrix<U>(frame, kA, count, rows, frame.at(kAstride));
  if (frame.fault) return;
  constexpr std::int64_t kBlock = 16;  // of either side, so that both stay in the cache
  for (std::int64_t r0 = 0; r0 < rows; r0 += kBlock) {
    for (std::int64_t c0 = 0; c0 < count; c0 += kBlock) {
      for (std::int64_t c = c0; c < std::min(c0 + kBlock, count); ++c) {
        U* to = dst.row(c);
        for (std::int64_t r = r0; r < std::min(r0 + kBlock, rows); ++r) to[r] = a.row(r)[c];
      }
    }
  }
}

template <class T>
void run_vdup(Frame& frame) {
  enum { kType, kDst, kScalar, kCount, kRows, kDstride };
  if (!frame.any({kCount, kRows})) return;
  const std::int64_t count = frame.at(kCount), rows = frame.at(kRows);
  const auto dst = matrix<T>(frame, kDst, count, rows, frame.at(kDstride));
  if (frame.fault) return;
  const T value = stored_value<T>(scalar_value<T>(frame.at(kScalar)));
  for (std::int64_t row = 0; row < rows; ++row) std::fill_n(dst.row(row), count, value);
}

}  // namespace

void vsel(Frame& frame) {
  with_bits(frame, [&](auto zero) { run_vsel<decltype(zero)>(frame); });
}
void vcopy(Frame& frame) {
  with_bits(frame, [&](auto zero) { run_vcopy<decltype(zero)>(frame); });
}
void vbrc(Frame& frame) {
  with_bits(frame, [&](auto zero) { run_vbrc<decltype(zero)>(frame); });
}
void vtrans(Frame& frame) {
  with_bits(frame, [&](auto zero) { run_vtrans<decltype(zero)>(frame); });
}
void vdup(Frame& frame) {
  const bool known = with_element(frame.dtype(), types_of(isa::Op::vdup),
                                  [&](auto zero) { run_vdup<decltype(zero)>(frame); });
  if (!known) frame.refuse("it does not work on elements of this type");
}

}  // namespace dvmsim::exec
