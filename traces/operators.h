// What each operator of a run took: launches of one label together, or tasks of one name, their
// cycles, bytes and, pipe by pipe, why. A listener beside Stats, which sums over the whole run and
// core by core.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "traces/stats.h"
#include "traces/units.h"
#include "vm/machine/machine.h"

namespace dvmsim {

struct OperatorSum {
  std::string label{};  // the graph operators that its launches computed
  std::int64_t launches = 0, tasks = 0;
  /// The device takes a launch up, to its last core's end; of tasks, first core's begin to last
  /// core's end, so tasks that run side by side count the same cycles. A launch of tasks keeps what
  /// lies before the first and after the last.
  std::int64_t cycles = 0;
  std::array<std::int64_t, kPlaces> bytes{};  // by Place

  struct Instruction {
    std::int64_t commands = 0;
    std::int64_t cycles = 0;  // of work
  };
  /// A pipe, all cores that took part together. The reasons sum to `total`, which is the launch's
  /// or the task's cycles for every one of them.
  struct Unit {
    UnitId unit{};
    std::int64_t total = 0;
    std::array<std::int64_t, kReasons> reasons{};
    std::map<isa::Op, Instruction> instructions{};
  };
  std::vector<Unit> units{};  // those that were heard of, in order
};

class Operators final : public Probe {
 public:
  explicit Operators(const Machine& machine) : cubes_(machine.cores.cube) {}
  void on_launch_begin(const LaunchMark& mark, const Program& program) override;
  void on_launch_end(const LaunchMark& mark) override;
  void on_span(const Span& span) override;
  void on_traffic(const Traffic& traffic) override;
  void on_task(const TaskMark& mark) override;

  /// In the order of their first launch.
  [[nodiscard]] const std::vector<OperatorSum>& sums() const { return sums_; }

 private:
  /// A pipe of a kind of core during the launch that runs.
  struct Row {
    std::vector<bool> cores{};  // that were heard of
    std::int64_t count = 0;
    std::array<std::int64_t, kReasons> reasons{};
    std::array<OperatorSum::Instruction, 256> instructions{};  // by opcode
    std::vector<isa::Op> met{};
  };
  /// A launch, or a task of it, that runs.
  struct Part {
    std::string_view name{};
    Cycles begin{}, end{};
    std::array<std::array<Row, kPipes>, 3> rows{};  // by CoreKind, Pipe
    std::array<std::int64_t, kPlaces> bytes{};
  };
  OperatorSum& add(Part& part, std::string_view label, std::int64_t cycles);
  static void fold(Row& row, OperatorSum::Unit& unit, std::int64_t cycles);
  /// Where a core is. No part: in a launch of tasks, but in none of them.
  struct Place {
    Part* part = nullptr;
    Cycles since{};  // a queue tells of its waiting before that when it works again
  };
  [[nodiscard]] Place place_of(std::size_t core);
  [[nodiscard]] static std::size_t number_of(const CoreId& core, int cubes);

  int cubes_;
  Part launch_{};                                           // of one without tasks
  std::map<std::uint32_t, std::unique_ptr<Part>> tasks_{};  // of one with, by number
  bool has_tasks_ = false;
  std::vector<Place> at_{};  // by core, cube cores first
  std::vector<OperatorSum> sums_{};
  std::map<std::string, std::size_t, std::less<>> known_{};
};

}  // namespace dvmsim
