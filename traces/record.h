// The figures of a report (report.h) as runs are compared by them: read from its JSON, or from the
// shorter form that baselines are kept in. Owns both readings; what moved between two is diff.h.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dvmsim {

struct Record {
  /// What was run: "model", "dims", "strategy", "features", "hardware", "machine_hash", "options".
  std::vector<std::pair<std::string, std::string>> subject{};

  /// As in the JSON: "cycles", "host.launches", "memory.hbm_read_bytes". The end of the name tells
  /// the unit: _us, _bytes, cycles, or a count.
  struct Figure {
    std::string name{};
    double value = 0;
  };
  std::vector<Figure> figures{};

  struct Instruction {
    std::int64_t commands = 0, cycles = 0;
  };
  /// A pipe: cycles of all cores of a kind together. Idle is left out: it is what remains.
  struct Unit {
    std::string name{};
    std::map<std::string, std::int64_t> reasons{};
    std::map<std::string, Instruction> instructions{};  // of operators only
  };
  std::vector<Unit> units{};

  struct Operator {
    std::string name{};
    std::vector<Figure> figures{};  // "cycles", "launches", "hbm_read_bytes" ...
    std::vector<Unit> units{};
  };
  std::vector<Operator> operators{};

  /// The critical path: "cube.mte2", "flag", "launch" ... and its cycles.
  std::vector<std::pair<std::string, std::int64_t>> path{};
};

/// Of a report of `run --json` or `op --json`. Throws Error, beginning with `where`, for anything
/// else and for another schema.
[[nodiscard]] Record parse_record(std::string_view json, const std::string& where);

/// Several under their names, as baselines are kept: a line for every operator, so that a change
/// shows in few lines. Every record is itself what parse_record takes.
using Records = std::map<std::string, Record>;
[[nodiscard]] Records parse_records(std::string_view json, const std::string& where);
[[nodiscard]] std::string to_json(const Records& records);

/// "encoder.graph seq=100  (dvm on ascend910b1)".
[[nodiscard]] std::string title_of(const Record& record);

}  // namespace dvmsim
