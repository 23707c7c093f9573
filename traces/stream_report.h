// The result of a stream of runs through one session: a row per step, sums and percentiles, as JSON
// and CSV that scripts depend on, and as a page for people.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "traces/report.h"

namespace dvmsim {

struct StreamReport {
  static constexpr int kSchema = 1;

  struct Step {
    std::vector<std::pair<std::string, std::int64_t>> dims{};
    double compile_us = 0, encode_us = 0;  // of the host, modelled
    bool cached = false;                   // every module it needed was there
    std::int64_t launches = 0, synchronisations = 0, iterations = 0;
    std::int64_t cycles = 0;                // device, from first dispatch to last end
    double task_us = 0, e2e_us = 0;         // launches; with the host
    std::int64_t memory_bytes = 0;          // of the device, when the step used most
    std::optional<std::uint64_t> digest{};  // of the outputs' bytes; none without values
    std::optional<RunReport::Check> check{};
  };

  std::string model{}, stream{}, strategy{}, hardware{};
  double clock_mhz = 0;
  std::vector<Step> steps{};
  std::vector<std::string> not_modelled{};

  /// All checks that were made.
  [[nodiscard]] bool pass() const;
};

/// Smallest value that at least `share` of all are not above. Of none: 0.
[[nodiscard]] double percentile(std::vector<double> values, double share);

[[nodiscard]] std::string to_json(const StreamReport& report);
/// A line of names, then one per step; dims that a step does not have are empty.
[[nodiscard]] std::string to_csv(const StreamReport& report);
[[nodiscard]] std::string summary(
    const StreamReport& report, const std::vector<std::pair<std::string, std::string>>& files = {});

}  // namespace dvmsim
