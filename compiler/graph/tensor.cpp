#include "compiler/graph/tensor.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "vm/base/error.h"
#include "vm/base/half.h"

namespace dvmsim {
namespace {

/// Calls `visit` with a value of the storage type of `dtype`.
template <class Visit>
void with_storage(DType dtype, const Visit& visit) {
  switch (dtype) {
    case DType::Bool:
    case DType::U8:
      return visit(std::uint8_t{});
    case DType::I8:
      return visit(std::int8_t{});
    case DType::I32:
      return visit(std::int32_t{});
    case DType::I64:
      return visit(std::int64_t{});
    case DType::F16:
      return visit(Half{});
    case DType::BF16:
      return visit(Bfloat{});
    case DType::F32:
      return visit(float{});
  }
}

template <class T>
T load(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

float widen(float value) {
  return value;
}
float widen(Half value) {
  return to_float(value);
}
float widen(Bfloat value) {
  return to_float(value);
}
template <class T>
float widen(T value) {
  return static_cast<float>(value);
}

std::int64_t truncate(double value) {
  if (std::isnan(value)) return 0;
  if (value >= 0x1p63) return std::numeric_limits<std::int64_t>::max();
  if (value <= -0x1p63) return std::numeric_limits<std::int64_t>::min();
  return static_cast<std::int64_t>(value);
}

std::uint64_t mixed(std::uint64_t x) {  // splitmix64
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

void store(std::byte* to, DType dtype, double number) {
  with_storage(dtype, [&](auto kind) {
    using T = decltype(kind);
    T value{};
    if constexpr (std::is_same_v<T, Half>) {
      value = to_half(static_cast<float>(number));
    } else if constexpr (std::is_same_v<T, Bfloat>) {
      value = to_bfloat(static_cast<float>(number));
    } else if constexpr (std::is_same_v<T, float>) {
      value = static_cast<float>(number);
    } else if (dtype == DType::Bool) {
      value = static_cast<T>(number != 0);
    } else {
      value = static_cast<T>(truncate(number));
    }
    std::memcpy(to, &value, sizeof value);
  });
}

}  // namespace

Tensor::Tensor(DType dtype, std::vector<std::int64_t> shape)
    : dtype_(dtype), shape_(std::move(shape)) {
  const auto size = static_cast<std::size_t>(count() * size_of(dtype));
  bytes_ = std::make_shared<std::vector<std::byte>>(size);
}

Tensor::Tensor(DType dtype, std::vector<std::int64_t> shape, std::vector<std::byte> bytes)
    : dtype_(dtype),
      shape_(std::move(shape)),
      bytes_(std::make_shared<std::vector<std::byte>>(std::move(bytes))) {
  DVMSIM_ASSERT(static_cast<std::int64_t>(bytes_->size()) == count() * size_of(dtype),
                "a tensor has as many bytes as its shape says");
}

namespace {
template <class Number>
Tensor rounded(DType dtype, std::vector<std::int64_t> shape, std::span<const Number> values) {
  Tensor result(dtype, std::move(shape));
  DVMSIM_ASSERT(static_cast<std::int64_t>(values.size()) == result.count(),
                "a tensor has as many values as its shape says");
  std::byte* to = result.mutable_bytes().data();
  for (const Number value : values) {
    store(to, dtype, value);
    to += size_of(dtype);
  }
  return result;
}
}  // namespace

Tensor Tensor::of(DType dtype, std::vector<std::int64_t> shape, std::span<const double> values) {
  return rounded(dtype, std::move(shape), values);
}

Tensor Tensor::of_floats(DType dtype, std::vector<std::int64_t> shape,
                         std::span<const float> values) {
  return rounded(dtype, std::move(shape), values);
}

Tensor Tensor::of_ints(DType dtype, std::vector<std::int64_t> shape,
                       std::span<const std::int64_t> values) {
  Tensor result(dtype, std::move(shape));
  DVMSIM_ASSERT(static_cast<std::int64_t>(values.size()) == result.count(),
                "a tensor has as many values as its shape says");
  std::byte* to = result.bytes_->data();
  for (std::size_t i = 0; i < values.size(); ++i, to += size_of(dtype)) {
    if (dtype == DType::I64) {
      std::memcpy(to, &values[i], sizeof values[i]);
    } else if (is_float(dtype) || dtype == DType::Bool) {
      store(to, dtype, static_cast<double>(values[i]));
    } else {  // wraps, as integer arithmetic does
      with_storage(dtype, [&](auto kind) {
        using T = decltype(kind);
        if constexpr (std::is_integral_v<T>) {
          const T value = static_cast<T>(values[i]);
          std::memcpy(to, &value, sizeof value);
        }
      });
    }
  }
  return result;
}

std::int64_t Tensor::count() const {
  return element_count(shape_);
}

std::span<const std::byte> Tensor::bytes() const {
  if (!bytes_) return {};
  return *bytes_;
}

std::span<std::byte> Tensor::mutable_bytes() {
  if (!bytes_) return {};
  if (bytes_.use_count() != 1) bytes_ = std::make_shared<std::vector<std::byte>>(*bytes_);
  return *bytes_;
}

std::vector<float> Tensor::floats() const {
  std::vector<float> result(bytes().size() / static_cast<std::size_t>(size_of(dtype_)));
  const std::byte* from = bytes().data();
  with_storage(dtype_, [&](auto kind) {
    using T = decltype(kind);
    for (std::size_t i = 0; i < result.size(); ++i) {
      result[i] = widen(load<T>(from + i * sizeof(T)));
    }
  });
  return result;
}

std::vector<std::int64_t> Tensor::ints() const {
  std::vector<std::int64_t> result(bytes().size() / static_cast<std::size_t>(size_of(dtype_)));
  const std::byte* from = bytes().data();
  with_storage(dtype_, [&](auto kind) {
    using T = decltype(kind);
    for (std::size_t i = 0; i < result.size(); ++i) {
      const T value = load<T>(from + i * sizeof(T));
      if constexpr (std::is_integral_v<T>) {
        result[i] = value;
      } else {
        result[i] = truncate(widen(value));
      }
    }
  });
  return result;
}

Tensor Tensor::reshaped(std::vector<std::int64_t> shape) const {
  Tensor result = *this;
  result.shape_ = std::move(shape);
  DVMSIM_ASSERT(result.count() == count(), "reshaping keeps the number of elements");
  return result;
}

bool operator==(const Tensor& a, const Tensor& b) {
  if (a.dtype_ != b.dtype_ || a.shape_ != b.shape_) return false;
  if (a.bytes_ == b.bytes_) return true;
  const std::span<const std::byte> x = a.bytes();
  const std::span<const std::byte> y = b.bytes();
  return x.size() == y.size() && (x.empty() || std::memcmp(x.data(), y.data(), x.size()) == 0);
}

std::int64_t element_count(std::span<const std::int64_t> shape) {
  std::int64_t count = 1;
  for (std::int64_t dim : shape) {
    if (dim < 0 || __builtin_mul_overflow(count, dim, &count)) {
      throw Error("a tensor's shape has a negative dimension or more than 2^63 elements");
    }
  }
  return count;
}

Tensor filled(DType dtype, std::vector<std::int64_t> shape, const Fill& fill) {
  std::vector<double> values(static_cast<std::size_t>(element_count(shape)), fill.value);
  if (fill.kind == Fill::Kind::Random) {
    const std::uint64_t base = mixed(static_cast<std::uint64_t>(fill.seed));
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto unit = static_cast<double>(mixed(base + i) >> 11) * 0x1p-53;
      values[i] = (2 * unit - 1) * fill.value;
    }
  }
  return Tensor::of(dtype, std::move(shape), values);
}

}  // namespace dvmsim
