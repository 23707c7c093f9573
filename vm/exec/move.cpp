// Plain transfers: runs of bytes between global memory and a core's buffers.
#include <cstring>

#include "vm/exec/atomic.h"
#include "vm/exec/meaning.h"

namespace dvmsim::exec {
namespace {

void copy_rows(std::byte* to, const std::byte* from, std::int64_t length, std::int64_t rows,
               std::int64_t to_stride, std::int64_t from_stride) {
  if (to_stride == length && from_stride == length) {
    length *= rows;
    rows = 1;
  }
  for (std::int64_t row = 0; row < rows; ++row) {
    std::memcpy(to + row * to_stride, from + row * from_stride, static_cast<std::size_t>(length));
  }
}

/// Where loadnd and storend have their operands.
enum Nd { kDst, kSrc, kWidth, kN0, kS0, kN1, kS1, kD1, kN2, kS2, kD2, kN3, kS3, kD3 };

template <int width>
void copy_elements(std::byte* to, const std::byte* from, std::int64_t count, std::int64_t to_step,
                   std::int64_t from_step) {
  for (std::int64_t i = 0; i < count; ++i) {
    std::memcpy(to + i * to_step, from + i * from_step, static_cast<std::size_t>(width));
  }
}

/// `count` elements of `width` bytes, the way between them given on each side.
void copy_inner(std::byte* to, const std::byte* from, std::int64_t width, std::int64_t count,
                std::int64_t to_step, std::int64_t from_step) {
  if (to_step == width && from_step == width) {
    std::memcpy(to, from, static_cast<std::size_t>(width * count));
    return;
  }
  switch (width) {
    case 1:
      return copy_elements<1>(to, from, count, to_step, from_step);
    case 2:
      return copy_elements<2>(to, from, count, to_step, from_step);
    case 4:
      return copy_elements<4>(to, from, count, to_step, from_step);
    case 8:
      return copy_elements<8>(to, from, count, to_step, from_step);
    default:
      break;
  }
  for (std::int64_t i = 0; i < count; ++i) {
    std::memcpy(to + i * to_step, from + i * from_step, static_cast<std::size_t>(width));
  }
}

/// Both nd transfers: one side is strided global memory, the other packed UB.
void transfer_nd(Frame& frame, bool to_global) {
  if (!frame.any({kWidth, kN0, kN1, kN2, kN3})) return;
  const auto at = [&](int operand) { return frame.at(operand); };
  const std::int64_t width = at(kWidth);
  const Extent global = Extent::run(width)
                            .times(at(kN0), at(kS0))
                            .times(at(kN1), at(kS1))
                            .times(at(kN2), at(kS2))
                            .times(at(kN3), at(kS3));
  const Extent local = Extent::run(width)
                           .times(at(kN0), width)
                           .times(at(kN1), at(kD1))
                           .times(at(kN2), at(kD2))
                           .times(at(kN3), at(kD3));
  std::byte* dst =
      frame.storage(to_global ? Space::GM : Space::UB, kDst, to_global ? global : local);
  if (dst == nullptr) return;
  std::byte* src =
      frame.storage(to_global ? Space::UB : Space::GM, kSrc, to_global ? local : global);
  if (src == nullptr) return;
  for (std::int64_t i3 = 0; i3 < at(kN3); ++i3) {
    for (std::int64_t i2 = 0; i2 < at(kN2); ++i2) {
      for (std::int64_t i1 = 0; i1 < at(kN1); ++i1) {
        const std::int64_t strided = i3 * at(kS3) + i2 * at(kS2) + i1 * at(kS1);
        const std::int64_t packed = i3 * at(kD3) + i2 * at(kD2) + i1 * at(kD1);
        if (to_global) {
          copy_inner(dst + strided, src + packed, width, at(kN0), at(kS0), width);
        } else {
          copy_inner(dst + packed, src + strided, width, at(kN0), width, at(kS0));
        }
      }
    }
  }
}

}  // namespace

void load(Frame& frame) {
  enum { kTo, kFrom, kLength, kRows, kToStride, kFromStride };
  if (!frame.any({kLength, kRows})) return;
  const std::int64_t length = frame.at(kLength), rows = frame.at(kRows);
  std::byte* to = frame.rows(Space::UB, kTo, length, rows, frame.at(kToStride));
  if (to == nullptr) return;
  const std::byte* from = frame.rows(Space::GM, kFrom, length, rows, frame.at(kFromStride));
  if (from == nullptr) return;
  copy_rows(to, from, length, rows, frame.at(kToStride), frame.at(kFromStride));
}

void loadl1(Frame& frame) {
  enum { kTo, kFrom, kLength };
  if (!frame.any({kLength})) return;
  const std::int64_t length = frame.at(kLength);
  std::byte* to = frame.rows(Space::L1, kTo, length, 1, 0);
  if (to == nullptr) return;
  const std::byte* from = frame.rows(Space::GM, kFrom, length, 1, 0);
  if (from == nullptr) return;
  std::memcpy(to, from, static_cast<std::size_t>(length));
}

void store(Frame& frame) {
  enum { kTo, kFrom, kLength, kRows, kToStride, kFromStride, kAtomic, kType };
  if (!frame.any({kLength, kRows})) return;
  const std::int64_t length = frame.at(kLength), rows = frame.at(kRows);
  const auto atomic = frame.pick<isa::Atomic>(kAtomic);
  const DType dtype = frame.dtype(kType);
  if (atomic != isa::Atomic::None && length % size_of(dtype) != 0) {
    return frame.refuse("an atomic store's length is whole elements");
  }
  std::byte* to = frame.rows(Space::GM, kTo, length, rows, frame.at(kToStride));
  if (to == nullptr) return;
  const std::byte* from = frame.rows(Space::UB, kFrom, length, rows, frame.at(kFromStride));
  if (from == nullptr) return;
  if (atomic == isa::Atomic::None) {
    return copy_rows(to, from, length, rows, frame.at(kToStride), frame.at(kFromStride));
  }
  for (std::int64_t row = 0; row < rows; ++row) {
    update(to + row * frame.at(kToStride), from + row * frame.at(kFromStride),
           length / size_of(dtype), dtype, atomic);
  }
}

void loadnd(Frame& frame) {
  transfer_nd(frame, false);
}
void storend(Frame& frame) {
  transfer_nd(frame, true);
}

}  // namespace dvmsim::exec
