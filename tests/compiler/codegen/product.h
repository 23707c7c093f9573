// Matrix products for tests: numbers whose sums are exact, the plain loops, and a device to run on.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "compiler/codegen/matmul.h"
#include "vm/base/half.h"
#include "vm/device/hazard.h"
#include "vm/device/reference.h"

namespace dvmsim::product {

inline void put(std::vector<std::byte>& bytes, std::size_t index, DType type, float value) {
  const auto store = [&](auto item) {
    std::memcpy(&bytes[index * sizeof item], &item, sizeof item);
  };
  switch (type) {
    case DType::F16:
      return store(to_half(value).bits);
    case DType::BF16:
      return store(to_bfloat(value).bits);
    case DType::F32:
      return store(value);
    case DType::I32:
      return store(static_cast<std::int32_t>(value));
    default:
      return store(static_cast<std::int8_t>(value));
  }
}

inline float get(const std::vector<std::byte>& bytes, std::size_t index, DType type) {
  const auto load = [&](auto item) {
    std::memcpy(&item, &bytes[index * sizeof item], sizeof item);
    return item;
  };
  switch (type) {
    case DType::F16:
      return to_float(Half{load(std::uint16_t{})});
    case DType::BF16:
      return to_float(Bfloat{load(std::uint16_t{})});
    case DType::F32:
      return load(float{});
    case DType::I32:
      return static_cast<float>(load(std::int32_t{}));
    default:
      return static_cast<float>(load(std::int8_t{}));
  }
}

/// Small multiples of 1/4, so that products and sums are exact; whole numbers for integers.
inline std::vector<std::byte> numbers(std::int64_t bytes, DType type, std::uint32_t seed) {
  std::vector<std::byte> made(static_cast<std::size_t>(bytes));
  std::uint32_t state = seed * 2654435761u + 1;
  for (std::size_t i = 0; i < made.size() / static_cast<std::size_t>(size_of(type)); ++i) {
    state = state * 1664525u + 1013904223u;
    const int value = static_cast<int>(state >> 28) - 8;
    put(made, i, type,
        type == DType::I8 ? static_cast<float>(value) : 0.25f * static_cast<float>(value));
  }
  return made;
}

inline std::size_t at(const MatmulSpec& spec, std::int64_t bytes, DType type) {
  (void)spec;
  return static_cast<std::size_t>(bytes / size_of(type));
}

/// C by plain loops, as float; index (b0, b1, m, n).
inline std::vector<float> plain(const MatmulSpec& s, const std::vector<std::byte>& a,
                                const std::vector<std::byte>& b,
                                const std::vector<std::byte>& bias) {
  std::vector<float> c;
  const std::int64_t size = size_of(s.in);
  for (std::int64_t b0 = 0; b0 < s.batch0; ++b0) {
    for (std::int64_t b1 = 0; b1 < s.batch1; ++b1) {
      for (std::int64_t m = 0; m < s.m; ++m) {
        for (std::int64_t n = 0; n < s.n; ++n) {
          float sum = s.bias ? get(bias, static_cast<std::size_t>(n), s.bias_type) : 0;
          for (std::int64_t k = 0; k < s.k; ++k) {
            const std::int64_t in_a =
                s.trans_a ? k * s.a_stride + m * size : m * s.a_stride + k * size;
            const std::int64_t in_b =
                s.trans_b ? n * s.b_stride + k * size : k * s.b_stride + n * size;
            sum += get(a, at(s, b0 * s.a_batch0 + b1 * s.a_batch1 + in_a, s.in), s.in) *
                   get(b, at(s, b0 * s.b_batch0 + b1 * s.b_batch1 + in_b, s.in), s.in);
          }
          c.push_back(s.post == isa::Post::Relu ? std::max(0.0f, sum) : sum);
        }
      }
    }
  }
  return c;
}

/// Buffers of one product on a device.
struct Buffers {
  std::vector<std::byte> a, b, bias;
  MatmulAddresses at{};

  Buffers(const MatmulSpec& spec, Device& device, std::int64_t c_size)
      : a(numbers(a_bytes(spec), spec.in, 1)),
        b(numbers(b_bytes(spec), spec.in, 2)),
        bias(numbers(spec.n * size_of(spec.bias_type), spec.bias_type, 3)) {
    at.a = upload(device, a);
    at.b = upload(device, b);
    at.bias = upload(device, bias);
    at.c = device.allocate(Bytes(c_size));
  }
  static std::uint64_t upload(Device& device, const std::vector<std::byte>& bytes) {
    const std::uint64_t address = device.allocate(Bytes(static_cast<std::int64_t>(bytes.size())));
    device.write(address, bytes);
    return address;
  }
};

inline std::vector<std::byte> download(Device& device, std::uint64_t address, std::int64_t size) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(size));
  device.read(address, bytes);
  return bytes;
}

inline void expect_clean(const HazardChecker& checker) {
  for (const HazardChecker::Finding& finding : checker.findings()) ADD_FAILURE() << finding.text;
}

}  // namespace dvmsim::product
