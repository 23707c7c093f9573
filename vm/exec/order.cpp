// Vector instructions that choose elements by number or by size.
#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "vm/exec/vector.h"

namespace dvmsim::exec {
namespace {

using isa::Op;

template <class T>
void run_vgather(Frame& frame) {
  enum { kType, kDst, kA, kIndex, kCount, kRows, kLimit, kDstride, kAstride, kIstride };
  if (!frame.any({kCount, kRows})) return;
  if (!frame.any({kLimit}) && frame.fault) return;
  const std::int64_t count = frame.at(kCount), rows = frame.at(kRows), limit = frame.at(kLimit);
  const auto dst = matrix<T>(frame, kDst, count, rows, frame.at(kDstride));
  const auto a = matrix<T>(frame, kA, limit, rows, frame.at(kAstride));
  const auto index = matrix<std::int32_t>(frame, kIndex, count, rows, frame.at(kIstride));
  if (frame.fault) return;
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int32_t at = index.row(row)[i];
      if (at < 0 || at >= limit) {
        frame.refuse("an index lies outside its table");
        return;
      }
      dst.row(row)[i] = a.row(row)[at];
    }
  }
}

/// Does `a` stand before `b`? NaN is the largest.
bool before(float a, float b) {
  return a > b || (a != a && b == b);
}

template <class T>
void run_vsort(Frame& frame) {
  enum { kType, kDst, kIndex, kA, kCount, kRows, kDstride, kIstride, kAstride };
  if (!frame.any({kCount, kRows})) return;
  const std::int64_t count = frame.at(kCount), rows = frame.at(kRows);
  const auto dst = matrix<T>(frame, kDst, count, rows, frame.at(kDstride));
  const auto index = matrix<std::int32_t>(frame, kIndex, count, rows, frame.at(kIstride));
  const auto a = matrix<T>(frame, kA, count, rows, frame.at(kAstride));
  if (frame.fault) return;
  std::vector<T> row(static_cast<std::size_t>(count));
  std::vector<std::int32_t> order(row.size());
  for (std::int64_t r = 0; r < rows; ++r) {
    std::copy_n(a.row(r), count, row.begin());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](std::int32_t x, std::int32_t y) {
      return before(compute_value(row[static_cast<std::size_t>(x)]),
                    compute_value(row[static_cast<std::size_t>(y)]));
    });
    for (std::size_t i = 0; i < order.size(); ++i) {
      dst.row(r)[i] = row[static_cast<std::size_t>(order[i])];
      index.row(r)[i] = order[i];
    }
  }
}

}  // namespace

void vgather(Frame& frame) {
  const bool known = with_element(frame.dtype(), types_of(Op::vgather),
                                  [&](auto zero) { run_vgather<decltype(zero)>(frame); });
  if (!known) frame.refuse("it does not work on elements of this type");
}

void vsort(Frame& frame) {
  const bool known = with_element(frame.dtype(), types_of(Op::vsort), [&](auto zero) {
    if constexpr (kIsFloat<decltype(zero)>) run_vsort<decltype(zero)>(frame);
  });
  if (!known) frame.refuse("it does not work on elements of this type");
}

}  // namespace dvmsim::exec
