// A run as a Perfetto trace (.pftrace): a listener that writes while the device runs. One
// nanosecond of the trace is one cycle. A process per core with a track per pipe, on it operator >
// tile > instruction and why the pipe waited; a process for the host with a track per thread; a
// process for the device with its launches and bandwidths. Arrows run from flag set to wait and
// from launch to first work.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "traces/code_map.h"
#include "traces/critical_path.h"
#include "traces/output.h"
#include "traces/packets.h"
#include "traces/series.h"
#include "vm/observe/span.h"

namespace dvmsim {

enum class TraceLevel : std::uint8_t { Op, Tile, Instruction };

struct PerfettoOptions {
  std::string path{};  // compressed if it ends in .gz
  TraceLevel level = TraceLevel::Instruction;
  /// Only what touches [from, to) is drawn.
  Cycles from{}, to{std::numeric_limits<std::int64_t>::max()};
  /// Slices at most. Beyond 80 % instructions are left out, beyond 95 % tiles: the viewer takes
  /// about 0.4 KB for each.
  std::int64_t budget = 2'000'000;
  std::int64_t clock_hz = 1'000'000'000;
  std::string machine{};
  TraceLane lane{};
};

class Perfetto final : public Probe {
 public:
  /// Opens the file. Throws Error if it cannot be written.
  explicit Perfetto(PerfettoOptions options);
  /// Writes into a file that others write to as well, each in a lane of its own, one after another.
  Perfetto(PerfettoOptions options, OutputFile& file);

  void on_launch_begin(const LaunchMark& mark, const Program& program) override;
  void on_task(const TaskMark& mark) override;
  void on_launch_end(const LaunchMark& mark) override;
  void on_span(const Span& span) override;
  void on_host(const HostSpan& span) override;
  void on_traffic(const Traffic& traffic) override;
  void on_flag(const FlagEdge& edge) override;

  /// A track of the device: what the run could not have been faster without. Before close.
  void draw_path(const std::vector<PathSlice>& slices);
  /// Writes what was held back and gives the file its name. Without it there is no file.
  void close();

  struct Totals {
    std::int64_t slices = 0;
    std::int64_t left_out = 0;  // over the budget
  };
  [[nodiscard]] const Totals& totals() const { return totals_; }
  /// One line for the summary: file, slices, and what the budget left out.
  [[nodiscard]] std::string describe() const;

 private:
  struct Waited {
    Cycles begin{}, end{};
    Reason reason{};
  };
  struct Group {  // an operator or a tile, open on a track
    bool open = false;
    std::int64_t commands = 0, work = 0;
  };
  struct Row {
    TrackId track{};  // zero: not described yet
    int share = 0;    // of the budget, in percent, until its instructions are left out
    Cycles last{};    // end of the last span
    Group op{}, tile{};
    std::int32_t op_place = -1, tile_place = -1;
    int tile_number = 0;
    Cycles group_end{};
    TileCounter counter{};
    std::vector<Waited> waited{};  // where to draw it shows with the next command
  };
  struct Core {
    std::array<Row, kPipes> rows{};
    bool described = false;
    std::string label{};  // of the launch, or of the core's task in it
    /// Flows of flags set and not yet taken, by pair of pipes and id; zero: the setter is not
    /// drawn.
    std::map<int, std::deque<FlowId>> tokens{};
    std::optional<Series> ub{};
  };
  struct Drawn {  // flow arrows of one command
    std::array<FlowId, 2> in{}, out{};
  };
  struct OpNames {
    bool known = false;
    NameId name{};
    std::array<ArgId, isa::kMaxOperands> args{};
  };

  Core& core_of(const CoreId& id);
  Row& row_of(const RowId& id);
  [[nodiscard]] const CodeMap& map_of(CoreKind kind) const;
  [[nodiscard]] bool inside(Cycles begin, Cycles end) const;
  /// Counts the slice unless that much of the budget is used up.
  bool allow(int percent, Cycles at);

  void wait(Row& row, const Span& span);
  void work(Core& core, Row& row, const Span& span);
  void place(Row& row, const Span& span);
  void open_groups(Row& row, const CodeMap& map, const CodeMap::Place& place, const Span& span);
  void close_group(Row& row, Group& group);
  void close_groups(Row& row);
  void draw_waited(Row& row);
  void draw_instruction(Row& row, const Span& span, const Drawn& flows);
  void add_operands(Packets::Event& event, const isa::Command& command);
  const OpNames& names_of(isa::Op op);
  Drawn take_flows(Core& core, const isa::Command& command, bool drawn);
  void note_ub(Core& core, const Span& span);
  void close_rows();
  void close_rows(Core& core);
  void write_bandwidth();
  void write_ub();
  void write_notice();
  [[nodiscard]] Cycles cycles_of(std::int64_t ns) const;
  FlowId next_flow() { return FlowId{++flows_}; }

  PerfettoOptions options_;
  void describe_machine();

  std::optional<OutputFile> own_{};  // none if the file is somebody else's
  Packets packets_;
  CategoryId operators_{}, tiles_{}, instructions_{}, stalls_{}, host_{}, launches_{}, firmware_{};
  std::array<NameId, kReasons> reasons_{};
  ArgId commands_arg_{}, work_arg_{}, latency_arg_{}, pc_arg_{}, iteration_arg_{}, operator_arg_{},
      launch_arg_{}, label_arg_{}, number_arg_{}, wait_arg_{};
  std::array<OpNames, 256> op_names_{};

  std::array<std::vector<Core>, 3> cores_{};  // by CoreKind, then index
  std::array<CodeMap, 2> maps_{};             // of the current launch: cube, vector
  std::string label_{"program"};
  struct HostLaunch {
    FlowId flow{};
    Cycles end{};
  };
  std::vector<HostLaunch> host_launches_{};
  std::array<Cycles, 2> host_last_{};
  FlowId first_work_flow_{};  // from the current launch; zero: taken or not wanted
  bool first_work_drawn_ = false;
  std::vector<Series> bandwidth_{};  // by Place
  std::uint64_t flows_ = 0;
  std::optional<Cycles> first_left_out_{};
  Totals totals_{};
  bool closed_ = false;
};

}  // namespace dvmsim
