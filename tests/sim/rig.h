// What the simulator's tests stand on: programs from text, a recorder of everything a device says,
// and a run in one line.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sim/device/device.h"
#include "vm/machine/machine.h"
#include "vm/observe/span.h"
#include "vm/program/program.h"

namespace dvmsim::testing {

/// A tiny machine on which nothing but the instructions takes time: no launch, no decoding,
/// programs in a memory of their own. `sets` are "section.key=value".
[[nodiscard]] Machine quiet_machine(const std::vector<std::string>& sets = {});

/// The same with a host that takes time; one cycle is one nanosecond.
[[nodiscard]] Machine host_machine(const std::vector<std::string>& sets = {});

/// One instruction that takes a while, a vector program with a loop of them, and a launch of a
/// program on one vector core.
inline constexpr std::string_view kBusyLine = "vdup dtype=f32 dst=0 s=0 count=64 rows=40\n";
[[nodiscard]] Program busy_program(int instructions);
[[nodiscard]] Launch on_one_core(const Program& program);

struct RecordedSpan {
  Cycles begin{}, end{}, visible{};
  Reason reason{};
  std::int64_t pc = -1;  // of a command's work
  friend bool operator==(const RecordedSpan&, const RecordedSpan&) = default;
};

class Recorder : public Probe {
 public:
  void on_span(const Span& span) override;
  void on_traffic(const Traffic& traffic) override;
  void on_flag(const FlagEdge& edge) override { edges.push_back(edge); }
  void on_host(const HostSpan& span) override { host.push_back(span); }

  /// The work of one row, in order.
  [[nodiscard]] std::vector<RecordedSpan> work(RowId row) const;
  /// Cycles of a row spent for a reason.
  [[nodiscard]] std::int64_t cycles(RowId row, Reason reason) const;

  std::map<RowId, std::vector<RecordedSpan>> rows{};
  std::map<Place, std::int64_t> bytes{};
  std::vector<FlagEdge> edges{};
  std::vector<HostSpan> host{};
  isa::Command last{};  // the command that worked last
};

inline constexpr CoreId kVector0{CoreKind::Vector, 0};
inline constexpr CoreId kCube0{CoreKind::Cube, 0};

/// One launch on fresh buffers. Argument word i is the address of a buffer of arguments[i].bytes,
/// or the scalar given for it.
struct Simulated {
  LaunchReport report{};
  Recorder record{};
  std::vector<std::vector<std::byte>> buffers{};  // contents afterwards, functional mode
};
struct Setting {
  SimOptions options{};
  int cube_cores = 0, vector_cores = 0;
  CodePath path = CodePath::Bytecode;
  bool listen = true;
};
[[nodiscard]] Simulated simulate(const Machine& machine, const Program& program,
                                 const Setting& setting);
/// The same from assembly. Runs on every core that has code.
[[nodiscard]] Simulated simulate(const Machine& machine, std::string_view text,
                                 Setting setting = {});

}  // namespace dvmsim::testing
