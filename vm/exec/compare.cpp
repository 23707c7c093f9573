// Comparisons: one byte per element, 0 or 1. A comparison with NaN is false, except not-equal.
#include <algorithm>

#include "vm/exec/vector.h"

namespace dvmsim::exec {
namespace {

using isa::Order;

template <class C>
using Kernel = void (*)(std::uint8_t* __restrict, const C*, const C*, std::int64_t);

template <Order order, class C>
void compare(std::uint8_t* __restrict out, const C* a, const C* b, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    bool holds = false;
    if constexpr (order == Order::Eq) holds = a[i] == b[i];
    if constexpr (order == Order::Ne) holds = a[i] != b[i];
    if constexpr (order == Order::Lt) holds = a[i] < b[i];
    if constexpr (order == Order::Le) holds = a[i] <= b[i];
    if constexpr (order == Order::Gt) holds = a[i] > b[i];
    if constexpr (order == Order::Ge) holds = a[i] >= b[i];
    out[i] = holds ? 1 : 0;
  }
}

template <class C>
Kernel<C> kernel(Order order) {
  switch (order) {
    case Order::Eq:
      return compare<Order::Eq, C>;
    case Order::Ne:
      return compare<Order::Ne, C>;
    case Order::Lt:
      return compare<Order::Lt, C>;
    case Order::Le:
      return compare<Order::Le, C>;
    case Order::Gt:
      return compare<Order::Gt, C>;
    case Order::Ge:
      return compare<Order::Ge, C>;
  }
  return nullptr;
}

template <class T>
void run_vcmp(Frame& frame) {
  enum { kType, kDst, kA, kB, kCount, kRows, kDstride, kAstride, kBstride, kOrder };
  if (!frame.any({kCount, kRows})) return;
  const std::int64_t count = frame.at(kCount), rows = frame.at(kRows);
  const auto dst = matrix<std::uint8_t>(frame, kDst, count, rows, frame.at(kDstride));
  const auto a = matrix<T>(frame, kA, count, rows, frame.at(kAstride));
  const auto b = matrix<T>(frame, kB, count, rows, frame.at(kBstride));
  if (frame.fault) return;
  const auto compute = kernel<Computed<T>>(frame.pick<Order>(kOrder));
  const bool packed = dst.is_packed(count) && a.is_packed(count) && b.is_packed(count);
  each_chunk(rows, count, packed, [&](std::int64_t row, std::int64_t first, std::int64_t n) {
    Computed<T> left[kChunk], right[kChunk];
    std::uint8_t out[kChunk];
    compute(out, computed(left, a.row(row) + first, n), computed(right, b.row(row) + first, n), n);
    put(dst.row(row) + first, out, n);
  });
}

template <class T>
void run_vcmps(Frame& frame) {
  enum { kType, kDst, kA, kScalar, kCount, kRows, kDstride, kAstride, kOrder };
  if (!frame.any({kCount, kRows})) return;
  const std::int64_t count = frame.at(kCount), rows = frame.at(kRows);
  const auto dst = matrix<std::uint8_t>(frame, kDst, count, rows, frame.at(kDstride));
  const auto a = matrix<T>(frame, kA, count, rows, frame.at(kAstride));
  if (frame.fault) return;
  Computed<T> scalar[kChunk];
  std::fill_n(scalar, std::min(count * rows, kChunk), scalar_value<T>(frame.at(kScalar)));
  const auto compute = kernel<Computed<T>>(frame.pick<Order>(kOrder));
  const bool packed = dst.is_packed(count) && a.is_packed(count);
  each_chunk(rows, count, packed, [&](std::int64_t row, std::int64_t first, std::int64_t n) {
    Computed<T> buffer[kChunk];
    std::uint8_t out[kChunk];
    compute(out, computed(buffer, a.row(row) + first, n), scalar, n);
    put(dst.row(row) + first, out, n);
  });
}

}  // namespace

void vcmp(Frame& frame) {
  const bool known = with_element(frame.dtype(), types_of(isa::Op::vcmp),
                                  [&](auto zero) { run_vcmp<decltype(zero)>(frame); });
  if (!known) frame.refuse("it does not work on elements of this type");
}

void vcmps(Frame& frame) {
  const bool known = with_element(frame.dtype(), types_of(isa::Op::vcmps),
                                  [&](auto zero) { run_vcmps<decltype(zero)>(frame); });
  if (!known) frame.refuse("it does not work on elements of this type");
}

}  // namespace dvmsim::exec
