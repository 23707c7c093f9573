// The result of a run as plain data, as JSON that scripts depend on, and as a page for people. Owns
// the forms; the numbers come from Stats, the device and the caller.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "traces/busy.h"
#include "traces/critical_path.h"
#include "traces/listing.h"
#include "traces/operators.h"
#include "traces/roofline.h"
#include "traces/stats.h"
#include "traces/timeline.h"

namespace dvmsim {

struct RunReport {
  static constexpr int kSchema = 1;

  std::string model{}, strategy{};
  std::vector<std::string> features{};
  std::string hardware{};
  std::uint64_t machine_hash = 0;  // of every parameter
  /// What else was asked for and is not the default: "memory" "ideal", "cores" "4" ...
  std::vector<std::pair<std::string, std::string>> options{};
  std::vector<std::pair<std::string, std::int64_t>> dims{};

  std::int64_t cycles = 0;  // device, from first dispatch to last end
  double clock_mhz = 0;
  double e2e_us = 0;   // with the host
  double task_us = 0;  // of all launches: taken up by the device to last core end
  double core_us = 0;  // sum over launches of the longest core

  /// As a hardware profiler counts, in us: "aic_us" (a cube core's time, the average),
  /// "aic_max_us", "aic_mte2_us" ... of every kind of core that took part, in this order. See
  /// traces/busy.h.
  std::vector<std::pair<std::string, double>> profiler{};

  struct Host {
    double compile_us = 0, encode_us = 0, launch_us = 0;
    std::int64_t launches = 0, program_bytes = 0;
    /// Values the host waited for and read to know what comes next, and rounds of loops it drove.
    std::int64_t synchronisations = 0, bytes_read = 0, iterations = 0;
    std::vector<std::string> nodes{};  // for whose sake
    /// What a framework that launches each operator by itself dispatched.
    struct Operators {
      std::int64_t written = 0, framework = 0;  // as the model writes them, and as they run
      std::vector<std::pair<std::string, std::int64_t>> rerolled{};  // by kind: written as several
    };
    std::optional<Operators> operators{};
  } host{};

  struct Unit {
    std::string name{};
    std::int64_t total = 0;
    std::array<std::int64_t, kReasons> reasons{};
  };
  std::vector<Unit> units{};
  std::vector<OperatorSum> operators{};  // in the order of their first launch

  struct Memory {
    std::int64_t hbm_read_bytes = 0, hbm_write_bytes = 0, l2_hit_bytes = 0;
  } memory{};

  /// Device memory when the run used most, by what it was used for.
  struct DeviceMemory {
    std::int64_t weights_bytes = 0, inputs_outputs_bytes = 0, intermediates_bytes = 0,
                 programs_bytes = 0;
    [[nodiscard]] std::int64_t peak_bytes() const {
      return weights_bytes + inputs_outputs_bytes + intermediates_bytes + programs_bytes;
    }
  } device_memory{};

  /// Decode under one cost profile of the firmware.
  struct Decode {
    std::int64_t cycles = 0;          // of the run
    std::int64_t decode_cycles = 0;   // summed over cores
    std::int64_t exposed_cycles = 0;  // cycles less those with free firmware
  };
  struct Firmware {
    std::int64_t instructions = 0, commands = 0, decode_cycles = 0;
    std::optional<std::int64_t> exposed_cycles{};       // empty: not measured
    std::array<std::optional<Decode>, 3> by_profile{};  // low, nominal, high
  } firmware{};

  Roofline roofline{};
  std::optional<CriticalPath> critical_path{};  // empty: not asked for

  struct Check {
    double max_abs_err = 0, max_rel_err = 0;
    bool pass = false;
  };
  std::optional<Check> check{};  // empty: not asked for

  std::vector<std::string> not_modelled{};

  // What the HTML report draws and scripts need not carry: left out of the JSON if empty.
  std::optional<TimelineReport> timeline{};
  std::optional<ListingReport> listing{};
};

/// Cycles, units, memory, firmware counts, host times and launches out of closed stats.
void fill(RunReport& report, const Stats& stats, std::int64_t clock_hz);
/// The profiler's times.
void fill(RunReport& report, const Busy& busy, std::int64_t clock_hz);
/// Those of one kind of core.
void add_profiler(RunReport& report, CoreKind kind, const BusySum& sum, std::int64_t clock_hz);

/// Members in a fixed order, two spaces of indent, a final newline. Same report, same bytes.
/// `operators`, in the order of their first launch: {name, launches, cycles (of the launches: taken
/// up by the device to the last core's end), hbm_read_bytes, hbm_write_bytes, l2_hit_bytes, units:
/// [{name ("cube.mte2", "vector" ...), total, reasons: {reason: cycles}, instructions: {mnemonic:
/// {commands, cycles}}}]}. A unit there is all cores that took part together: its reasons sum to
/// `total`, launch cycles times cores; the cycles of its instructions are those of `work`.
[[nodiscard]] std::string to_json(const RunReport& report);

/// One screen. `files` are the names of what else was written, each with what it is ("trace",
/// "a.pftrace").
[[nodiscard]] std::string summary(
    const RunReport& report, const std::vector<std::pair<std::string, std::string>>& files = {});

}  // namespace dvmsim
