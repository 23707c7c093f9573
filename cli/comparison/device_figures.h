// What the device alone does for one set of sizes: launches, bytes and time, without the host; and
// what follows from two of them: how much faster one is, why, and how much faster what it moves,
// computes and launches would let it be. Plain arithmetic; device_measure.h has the measuring.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace dvmsim {

/// Times in us. L2 is empty before the first launch, unless the study says otherwise.
struct DeviceFigures {
  std::int64_t launches = 0;
  std::int64_t hbm_read_bytes = 0, hbm_write_bytes = 0, l2_hit_bytes = 0;
  std::vector<double> head_us{};  // by launch cost: of launches before their cores start
  double body_us = 0;             // and after
  double fixed_us = 0;            // of the bodies: entering and leaving the kernels
  double memory_us = 0;           // the least for what was moved: HBM and L2 at sustained rates
  double ideal_us = 0;            // the least for whatever was asked of the busiest component
  std::string bound{};            // that component: "hbm", "vector.mte2", "cube"
  /// What decoding adds to the bodies at low, nominal and high cost; of bytecode only.
  std::optional<std::array<double, 3>> decode_us{};

  [[nodiscard]] double time_us(std::size_t cost) const { return head_us[cost] + body_us; }
  /// Nothing that moves, computes and launches as much can take less.
  [[nodiscard]] double least_us(std::size_t cost) const { return head_us[cost] + ideal_us; }
  /// Share of the bodies that the bound accounts for.
  [[nodiscard]] double reached() const { return body_us > 0 ? ideal_us / body_us : 0; }
  /// Of the time that the same commands take if decoding is free.
  [[nodiscard]] double decode_share(std::size_t profile) const;
};
/// One run after the other, at least one. The bound is that of the longest.
[[nodiscard]] DeviceFigures sum_of(const std::vector<DeviceFigures>& runs);

/// Where the time between two ways of running the same thing goes; negative: lost. In us.
struct Gain {
  double launches = 0;  // heads, and entering and leaving kernels
  double bytes = 0;     // of the least time for what is moved
  double decode = 0;    // at the machine's own cost of decoding, nominal
  double overlap = 0;   // the rest: how well pipes, cores and memory work at the same time

  [[nodiscard]] double total() const { return launches + bytes + decode + overlap; }
  /// "more launches", "more bytes", "decoding" or "less overlap": the largest loss.
  [[nodiscard]] const char* worst() const;
};
[[nodiscard]] Gain gain_of(const DeviceFigures& from, const DeviceFigures& to, std::size_t cost);

/// How many times faster than `from`, and at most with what `to` moves, computes and launches.
[[nodiscard]] double ratio_of(const DeviceFigures& from, const DeviceFigures& to, std::size_t cost);
[[nodiscard]] double most_of(const DeviceFigures& from, const DeviceFigures& to, std::size_t cost);

}  // namespace dvmsim
