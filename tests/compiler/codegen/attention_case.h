// Attention for tests: packed tensors of random numbers, its definition in plain loops, and a
// launch of its program.
#pragma once

#include <cmath>
#include <vector>

#include "compiler/codegen/attention.h"
#include "tests/compiler/codegen/product.h"

namespace dvmsim::attention {

inline AttentionStrides packed(std::int64_t heads, std::int64_t rows, std::int64_t row_bytes) {
  return {heads * rows * row_bytes, rows * row_bytes, row_bytes};
}

/// All tensors packed, batch by batch and head by head.
inline AttentionSpec packed(AttentionSpec spec) {
  const std::int64_t item = size_of(spec.type), kv = spec.heads / spec.shared;
  spec.q = packed(spec.heads, spec.m, spec.d * item);
  spec.k = packed(kv, spec.n, spec.d * item);
  spec.v = packed(kv, spec.n, spec.e * item);
  spec.out = packed(spec.heads, spec.m, spec.e * item);
  if (spec.mask) spec.mask_strides = packed(spec.heads, spec.m, spec.n * size_of(*spec.mask));
  spec.name = "attention";
  return spec;
}

inline AttentionSpec sizes(std::int64_t m, std::int64_t n, std::int64_t d, std::int64_t e,
                           std::int64_t heads = 1, std::int64_t batch = 1) {
  AttentionSpec spec;
  spec.m = m;
  spec.n = n;
  spec.d = d;
  spec.e = e;
  spec.heads = heads;
  spec.batch = batch;
  spec.scale = 1 / std::sqrt(static_cast<float>(d));
  return packed(spec);
}

/// Numbers in [-2, 2).
inline std::vector<std::byte> random_numbers(std::int64_t count, DType type, std::uint32_t seed) {
  std::vector<std::byte> made(static_cast<std::size_t>(count * size_of(type)));
  std::uint32_t state = seed * 2654435761u + 1;
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    state = state * 1664525u + 1013904223u;
    product::put(made, i, type, static_cast<float>(state >> 8) * 0x1p-22f - 2);
  }
  return made;
}

struct Tensors {
  std::vector<std::byte> q, k, v, mask;

  explicit Tensors(const AttentionSpec& spec)
      : q(random_numbers(spec.batch * spec.heads * spec.m * spec.d, spec.type, 1)),
        k(random_numbers(spec.batch * spec.heads / spec.shared * spec.n * spec.d, spec.type, 2)),
        v(random_numbers(spec.batch * spec.heads / spec.shared * spec.n * spec.e, spec.type, 3)) {
    if (!spec.mask) return;
    const std::int64_t rows = spec.mask_strides.row == 0 ? 1 : spec.m;
    mask = random_numbers(spec.batch * spec.heads * rows * spec.n, *spec.mask, 4);
  }
};

/// One row of the result, by its definition.
inline std::vector<float> plain_row(const AttentionSpec& spec, const Tensors& in,
                                    std::int64_t batch, std::int64_t head, std::int64_t row) {
  const auto element = [&](const std::vector<std::byte>& from, const AttentionStrides& stride,
                           std::int64_t h, std::int64_t r, std::int64_t i, DType type) {
    const std::int64_t at = batch * stride.batch + h * stride.head + r * stride.row;
    return product::get(from, static_cast<std::size_t>(at / size_of(type) + i), type);
  };
  const std::int64_t kv = head / spec.shared;
  const std::int64_t seen = spec.causal ? std::min(spec.n, row + spec.reach + 1) : spec.n;
  std::vector<double> weight;
  double greatest = -1e300, sum = 0;
  for (std::int64_t key = 0; key < seen; ++key) {
    double score = 0;
    for (std::int64_t i = 0; i < spec.d; ++i) {
      score += static_cast<double>(element(in.q, spec.q, head, row, i, spec.type)) *
               static_cast<double>(element(in.k, spec.k, kv, key, i, spec.type));
    }
    score *= static_cast<double>(spec.scale);
    if (spec.mask) {
      const std::int64_t of_row = spec.mask_strides.row == 0 ? 0 : row;
      score +=
          static_cast<double>(element(in.mask, spec.mask_strides, head, of_row, key, *spec.mask));
    }
    weight.push_back(score);
    greatest = std::max(greatest, score);
  }
  for (double& each : weight) sum += each = std::exp(each - greatest);
  std::vector<float> result;
  for (std::int64_t i = 0; i < spec.e; ++i) {
    double mixed = 0;
    for (std::int64_t key = 0; key < seen; ++key) {
      mixed += weight[static_cast<std::size_t>(key)] *
               static_cast<double>(element(in.v, spec.v, kv, key, i, spec.type));
    }
    result.push_back(static_cast<float>(mixed / sum));
  }
  return result;
}

inline std::int64_t out_bytes(const AttentionSpec& spec) {
  return spec.batch * spec.heads * spec.m * spec.e * size_of(spec.type);
}

/// The launch of a program of the spec on a device, its tensors uploaded; `out` is the last one.
struct Run {
  AttentionAddresses at{};
  LaunchReport report{};

  Run(const AttentionSpec& spec, const AttentionSchedule& schedule, const Machine& machine,
      const Program& program, const Tensors& in, Device& device) {
    at.q = product::Buffers::upload(device, in.q);
    at.k = product::Buffers::upload(device, in.k);
    at.v = product::Buffers::upload(device, in.v);
    if (spec.mask) at.mask = product::Buffers::upload(device, in.mask);
    at.workspace = device.allocate(Bytes(attention_workspace_bytes(spec, schedule)));
    at.scaled = at.workspace + static_cast<std::uint64_t>(scaled_queries(spec, schedule));
    at.out = device.allocate(Bytes(out_bytes(spec)));
    Launch launch{};
    launch.program = &program;
    launch.arguments = attention_arguments(spec, schedule, at);
    launch.cube_cores = schedule.cores;
    launch.vector_cores = schedule.cores * machine.cores.per_group;
    report = device.wait(device.submit(launch));
  }
};

/// Probabilities are rounded to the type of the tensors, and scores of F16 before their softmax: by
/// up to 2^-11 of them.
inline void expect_close(const AttentionSpec& spec, const Tensors& in,
                         const std::vector<std::byte>& got) {
  const float greatest = 4 * static_cast<float>(spec.d) * spec.scale;
  const float tolerance = spec.type == DType::F16 ? 3e-3f + greatest * 0x1p-11f : 3e-2f;
  std::size_t next = 0;
  for (std::int64_t batch = 0; batch < spec.batch; ++batch) {
    for (std::int64_t head = 0; head < spec.heads; ++head) {
      for (std::int64_t row = 0; row < spec.m; ++row) {
        for (float wanted : plain_row(spec, in, batch, head, row)) {
          ASSERT_NEAR(product::get(got, next++, spec.type), wanted, tolerance)
              << "batch " << batch << " head " << head << " row " << row;
        }
      }
    }
  }
}

}  // namespace dvmsim::attention
