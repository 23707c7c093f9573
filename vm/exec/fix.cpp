// Out of the accumulators: NZ blocks of 16 x 16 become rows in global memory, with an optional
// ReLU, one rounding to the output type, and an optional read-modify-write; fixq scales each column
// on the way, fixnz leaves them as NZ blocks in L1.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

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

/// Operands of fixq.
namespace quant {
enum { kType, kDst, kSrc, kM, kN, kStride, kScale, kPost, kOffset, kFrom };
}

/// Half to even without the mode of the FPU: sums beyond 2^23 have no fraction.
float rounded(float value) {
  constexpr float kWhole = 8388608.0f;
  if (!(std::fabs(value) < kWhole)) return value;
  const float shifted = std::fabs(value) + kWhole - kWhole;
  return std::copysign(shifted, value);
}

template <class T>
T quantised(float value, std::int64_t offset) {
  if constexpr (kIsFloat<T>) {
    return stored_value<T>(value);
  } else {
    if (value != value) return 0;
    constexpr std::int64_t kLow = std::numeric_limits<T>::min(),
                           kHigh = std::numeric_limits<T>::max();
    const float limited = std::clamp(rounded(value), -4294967296.0f, 4294967296.0f);
    return static_cast<T>(std::clamp(static_cast<std::int64_t>(limited) + offset, kLow, kHigh));
  }
}

/// C: float or std::int32_t, the accumulators.
template <class T, class C>
void run_scaled(Frame& frame) {
  using namespace quant;
  constexpr auto kSize = static_cast<std::int64_t>(sizeof(T));
  const std::int64_t m = frame.at(quant::kM), n = frame.at(quant::kN);
  const std::int64_t stride = frame.at(quant::kStride), column = (m + 15) / 16 * 256;
  std::byte* to = frame.rows(Space::GM, quant::kDst, n * kSize, m, stride);
  if (to == nullptr) return;
  const std::byte* from =
      frame.storage(Space::L0C, quant::kSrc, Extent::run((n + 15) / 16 * column * 4));
  if (from == nullptr) return;
  const std::byte* scales = frame.rows(Space::FB, kScale, n * 4, 1, 0, 4);
  if (scales == nullptr) return;
  const bool positive = frame.pick<isa::Post>(quant::kPost) == isa::Post::Relu;
  const std::int64_t offset = frame.at(kOffset);
  for (std::int64_t j = 0; j < n; ++j) {
    float scale;
    std::memcpy(&scale, scales + j * 4, 4);
    for (std::int64_t i = 0; i < m; ++i) {
      C sum;
      std::memcpy(&sum, from + (j / 16 * column + i * 16 + j % 16) * 4, 4);
      float value = canonical(static_cast<float>(sum) * scale);
      if (positive) relu(&value, 1);
      const T out = quantised<T>(value, offset);
      std::memcpy(to + i * stride + j * kSize, &out, sizeof out);
    }
  }
}

/// Operands of fixnz.
namespace retain {
enum { kType, kDst, kSrc, kM, kN, kProws, kPost };
}

/// Blocks of L0C are 16 columns of 4 bytes, those of L1 16 columns of 2.
template <class T>
void run_retained(Frame& frame) {
  static_assert(sizeof(T) == 2);
  const std::int64_t m = frame.at(retain::kM), n = frame.at(retain::kN);
  const std::int64_t prows = frame.at(retain::kProws), columns = (n + 15) / 16;
  if (prows % 16 != 0 || m > prows) {
    return frame.refuse("prows must be a multiple of 16 and at least m");
  }
  std::byte* to = frame.storage(Space::L1, retain::kDst, Extent::run(columns * prows * 32));
  if (to == nullptr) return;
  const std::int64_t column = (m + 15) / 16 * 256;  // accumulators in a column of blocks
  const std::byte* from =
      frame.storage(Space::L0C, retain::kSrc, Extent::run(columns * column * 4));
  if (from == nullptr) return;
  std::memset(to, 0, static_cast<std::size_t>(columns * prows * 32));
  const bool positive = frame.pick<isa::Post>(retain::kPost) == isa::Post::Relu;
  for (std::int64_t block = 0; block < columns; ++block) {
    const std::int64_t count = std::min<std::int64_t>(16, n - 16 * block);
    for (std::int64_t i = 0; i < m; ++i) {
      float values[16];
      std::memcpy(values, from + (block * column + i * 16) * 4, sizeof values);
      if (positive) relu(values, count);
      T out[16];
      put(out, values, count);
      std::memcpy(to + (block * prows + i) * 32, out, static_cast<std::size_t>(2 * count));
    }
  }
}

}  // namespace

void ldfb(Frame& frame) {
  enum { kDst, kSrc, kN };
  if (!frame.any({kN})) return;
  const std::int64_t bytes = frame.at(kN) * 4;
  std::byte* to = frame.rows(Space::FB, kDst, bytes, 1, 0, 4);
  if (to == nullptr) return;
  const std::byte* from = frame.rows(Space::L1, kSrc, bytes, 1, 0, 4);
  if (from != nullptr) std::memcpy(to, from, static_cast<std::size_t>(bytes));
}

void fixq(Frame& frame) {
  if (!frame.any({quant::kM, quant::kN})) return;
  constexpr DTypeSet kOut = isa::kFloats | dtype_set(DType::I8, DType::U8);
  constexpr std::int64_t kMost = std::int64_t{1} << 40;
  if (std::abs(frame.at(quant::kOffset)) > kMost) return frame.refuse("its offset is too large");
  const DType sums = frame.dtype(quant::kFrom);
  const bool known = with_element(frame.dtype(quant::kType), kOut, [&](auto zero) {
    using T = decltype(zero);
    if constexpr (contains(kOut, kDTypeOf<T>)) {
      if (sums == DType::F32) return run_scaled<T, float>(frame);
      if (sums == DType::I32) return run_scaled<T, std::int32_t>(frame);
      frame.refuse("accumulators are f32 or i32");
    }
  });
  if (!known) frame.refuse("it does not write elements of this type");
}

void fixnz(Frame& frame) {
  if (!frame.any({retain::kM, retain::kN})) return;
  constexpr DTypeSet kOut = types_of(isa::Op::fixnz);
  const bool known = with_element(frame.dtype(retain::kType), kOut, [&](auto zero) {
    if constexpr (contains(kOut, kDTypeOf<decltype(zero)>)) run_retained<decltype(zero)>(frame);
  });
  if (!known) frame.refuse("it does not write elements of this type");
}

void fix(Frame& frame) {
  if (!frame.any({kM, kN})) return;
  constexpr DTypeSet kTypes = types_of(isa::Op::fix);
  const bool known = with_element(frame.dtype(kType), kTypes, [&](auto zero) {
    if constexpr (contains(kTypes, kDTypeOf<decltype(zero)>)) run<decltype(zero)>(frame);
  });
  if (!known) frame.refuse("it does not write elements of this type");
}

}  // namespace dvmsim::exec
