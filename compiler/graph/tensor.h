// A dense row-major tensor on the host: type, shape and bytes. Copies share the bytes until one of
// them is written to, so that graphs with large weights are cheap values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "vm/base/dtype.h"

namespace dvmsim {

class Tensor {
 public:
  Tensor() = default;
  /// Zero-filled.
  Tensor(DType dtype, std::vector<std::int64_t> shape);
  Tensor(DType dtype, std::vector<std::int64_t> shape, std::vector<std::byte> bytes);
  /// From numbers, rounded to `dtype`.
  [[nodiscard]] static Tensor of(DType dtype, std::vector<std::int64_t> shape,
                                 std::span<const double> values);
  [[nodiscard]] static Tensor of_floats(DType dtype, std::vector<std::int64_t> shape,
                                        std::span<const float> values);
  /// Integers that do not fit wrap around.
  [[nodiscard]] static Tensor of_ints(DType dtype, std::vector<std::int64_t> shape,
                                      std::span<const std::int64_t> values);

  [[nodiscard]] DType dtype() const { return dtype_; }
  [[nodiscard]] const std::vector<std::int64_t>& shape() const { return shape_; }
  [[nodiscard]] int rank() const { return static_cast<int>(shape_.size()); }
  [[nodiscard]] std::int64_t count() const;
  [[nodiscard]] std::span<const std::byte> bytes() const;
  /// For writing; first makes the bytes this tensor's own.
  [[nodiscard]] std::span<std::byte> mutable_bytes();

  /// All elements, exactly (f16 and bf16 widen). `floats` on integers converts; `ints` on floats
  /// truncates toward zero and saturates.
  [[nodiscard]] std::vector<float> floats() const;
  [[nodiscard]] std::vector<std::int64_t> ints() const;
  /// The same bytes with another shape of equal count.
  [[nodiscard]] Tensor reshaped(std::vector<std::int64_t> shape) const;

  /// Same type, shape and bytes (so NaN equals itself, and 0 differs from -0).
  friend bool operator==(const Tensor& a, const Tensor& b);

 private:
  DType dtype_ = DType::F32;
  std::vector<std::int64_t> shape_;
  std::shared_ptr<std::vector<std::byte>> bytes_;  // shared: weights outlive passes; see above
};

[[nodiscard]] std::int64_t element_count(std::span<const std::int64_t> shape);

/// Weights that need no storage: defined by a rule until someone asks for the bytes.
struct Fill {
  enum class Kind : std::uint8_t { Random, Full };
  Kind kind = Kind::Full;
  std::int64_t seed = 0;  // Random
  double value = 0;       // Random: uniform in [-value, value); Full: every element
  friend bool operator==(const Fill&, const Fill&) = default;
};
/// Random: element i depends on seed and i only, the same on every machine.
[[nodiscard]] Tensor filled(DType dtype, std::vector<std::int64_t> shape, const Fill& fill);

}  // namespace dvmsim
