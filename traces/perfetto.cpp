#include "traces/perfetto.h"

#include <fmt/format.h>

#include <algorithm>

#include "vm/base/error.h"
#include "vm/isa/footprint.h"

namespace dvmsim {
namespace {

constexpr Cycles kWindow(1024);  // of the bandwidth counters, at first
constexpr std::size_t kBandwidthWindows = 65536;
constexpr std::size_t kUbWindows = 8192;
constexpr std::size_t kWaitedLimit = 64;
constexpr int kNumberedTiles = 4096;  // names are kept for the whole file

constexpr TrackId kHostProcess{1}, kDeviceProcess{8}, kStream{9};
constexpr std::array kHostTracks = {TrackId{2}, TrackId{3}};
constexpr std::array kBandwidthTracks = {TrackId{10}, TrackId{11}, TrackId{12}, TrackId{13}};
constexpr std::array<std::string_view, 4> kBandwidthNames = {"HBM read", "HBM write", "L2 hit",
                                                             "L2 miss"};

/// Tracks of a core: the process, then one per pipe, then the UB counter.
TrackId core_track(const CoreId& core, int offset = 0) {
  const auto ordinal =
      static_cast<std::uint64_t>(core.kind) * 4096u + static_cast<std::uint64_t>(core.index);
  return TrackId{(1u << 20) + ordinal * 16 + static_cast<std::uint64_t>(offset)};
}
constexpr int kUbOffset = 15;

int pid_of(const CoreId& core) {
  return 1000 * (1 + static_cast<int>(core.kind)) + core.index;
}

int token_key(Pipe from, Pipe to, int id) {
  return (static_cast<int>(from) * kPipes + static_cast<int>(to)) * 16 + id;
}

}  // namespace

Perfetto::Perfetto(PerfettoOptions options)
    : options_(std::move(options)), file_(options_.path), packets_(file_) {
  operators_ = packets_.category("operator");
  tiles_ = packets_.category("tile");
  instructions_ = packets_.category("instruction");
  stalls_ = packets_.category("stall");
  host_ = packets_.category("host");
  launches_ = packets_.category("launch");
  firmware_ = packets_.category("firmware");
  for (int i = 0; i < kReasons; ++i) {
    reasons_[static_cast<std::size_t>(i)] = packets_.name(name_of(static_cast<Reason>(i)));
  }
  commands_arg_ = packets_.arg("commands");
  work_arg_ = packets_.arg("work_cycles");
  latency_arg_ = packets_.arg("latency");
  pc_arg_ = packets_.arg("pc");
  iteration_arg_ = packets_.arg("iteration");
  operator_arg_ = packets_.arg("operator");
  launch_arg_ = packets_.arg("launch");
  label_arg_ = packets_.arg("label");
  number_arg_ = packets_.arg("tile");
  wait_arg_ = packets_.arg("waited_cycles");

  const std::string scale =
      fmt::format("1 ns of this trace is 1 cycle of {} at {:g} MHz", options_.machine,
                  static_cast<double>(options_.clock_hz) / 1e6);
  packets_.process(kHostProcess, 1, "host", scale);
  packets_.thread(kHostTracks[0], 1, 11, "front: capture, compile, encode");
  packets_.thread(kHostTracks[1], 1, 12, "queue: relocate, copy, launch");
  packets_.process(kDeviceProcess, 2, "device", scale);
  packets_.thread(kStream, 2, 21, "stream");
  for (std::size_t i = 0; i < kBandwidthTracks.size(); ++i) {
    packets_.counter(kBandwidthTracks[i], kDeviceProcess, std::string(kBandwidthNames[i]), "GB/s");
    bandwidth_.emplace_back(Series::Kind::Sum, options_.from, kWindow, kBandwidthWindows);
  }
}

// -- where things go
// ----------------------------------------------------------------------------------

Perfetto::Core& Perfetto::core_of(const CoreId& id) {
  auto& cores = cores_[static_cast<std::size_t>(id.kind)];
  const auto index = static_cast<std::size_t>(id.index);
  if (index >= cores.size()) cores.resize(index + 1);
  return cores[index];
}

Perfetto::Row& Perfetto::row_of(const RowId& id) {
  Core& core = core_of(id.core);
  Row& row = core.rows[static_cast<std::size_t>(id.pipe)];
  if (row.track != TrackId{}) return row;
  const int pid = pid_of(id.core), pipe = static_cast<int>(id.pipe);
  if (!core.described) {
    packets_.process(core_track(id.core), pid,
                     fmt::format("{} core {}", name_of(id.core.kind), id.core.index),
                     fmt::format("at {:g} MHz", static_cast<double>(options_.clock_hz) / 1e6));
    core.described = true;
  }
  row.track = core_track(id.core, 1 + pipe);
  packets_.thread(row.track, pid, pid * 100 + 1 + pipe, std::string(name_of(id.pipe)));
  return row;
}

const CodeMap& Perfetto::map_of(CoreKind kind) const {
  return maps_[kind == CoreKind::Vector ? 1 : 0];
}

bool Perfetto::inside(Cycles begin, Cycles end) const {
  return begin < options_.to && end > options_.from;
}

bool Perfetto::allow(TraceLevel level, Cycles at) {
  constexpr std::array kPercent = {100, 95, 80};  // by TraceLevel
  const std::int64_t limit = options_.budget * kPercent[static_cast<std::size_t>(level)] / 100;
  if (totals_.slices < limit) {
    ++totals_.slices;
    return true;
  }
  ++totals_.left_out;
  first_left_out_ = first_left_out_ ? std::min(*first_left_out_, at) : at;
  return false;
}

Cycles Perfetto::cycles_of(std::int64_t ns) const {
  return Cycles(
      static_cast<std::int64_t>(static_cast<__int128>(ns) * options_.clock_hz / 1'000'000'000));
}

// -- the rows
// -----------------------------------------------------------------------------------------

void Perfetto::on_span(const Span& span) {
  Row& row = row_of(span.row);
  DVMSIM_ASSERT(span.begin >= row.last && span.end >= span.begin, "spans of a row never overlap");
  row.last = span.end;
  last_ = std::max(last_, span.end);
  if (span.reason == Reason::Idle || span.begin == span.end) return;
  if (span.reason == Reason::Work && span.command != nullptr) {
    work(core_of(span.row.core), row, span);
  } else if (inside(span.begin, span.end)) {
    wait(row, span);
  }
}

void Perfetto::wait(Row& row, const Span& span) {
  // What follows a command directly is still that command waiting for memory.
  if (span.reason == Reason::WaitMemory && row.op.open && row.waited.empty()) {
    row.group_end = span.end;
  }
  if (options_.level != TraceLevel::Instruction) return;
  if (!row.waited.empty() && row.waited.back().reason == span.reason &&
      row.waited.back().end == span.begin) {
    row.waited.back().end = span.end;
    return;
  }
  if (row.group_end == span.end && row.op.open) {
    row.waited.push_back({span.begin, span.end, span.reason});
    draw_waited(row);
    return;
  }
  const bool scalar = span.row.pipe == Pipe::Scalar;
  if (scalar || row.waited.size() >= kWaitedLimit) draw_waited(row);
  row.waited.push_back({span.begin, span.end, span.reason});
}

void Perfetto::work(Core& core, Row& row, const Span& span) {
  const bool wanted = inside(span.begin, span.end);
  if (wanted) {
    place(row, span);
    note_ub(core, span);
  }
  const bool drawn = wanted && options_.level == TraceLevel::Instruction && row.op.open &&
                     allow(TraceLevel::Instruction, span.begin);
  const Drawn flows = take_flows(core, *span.command, drawn);
  if (drawn) draw_instruction(row, span, flows);
  if (!wanted) return;
  for (Group* group : {&row.op, &row.tile}) {
    ++group->commands;
    group->work += (span.end - span.begin).count();
  }
  row.group_end = span.end;
}

/// Closes and opens operator and tile slices so that the command can be drawn inside the right
/// ones.
void Perfetto::place(Row& row, const Span& span) {
  const CodeMap& map = map_of(span.row.core.kind);
  const CodeMap::Place place = map.at(span.command->pc);
  const int number = row.counter.next(map, place, *span.command);
  if (row.op.open && place.op != row.op_place) close_groups(row);
  if (row.tile.open && (place.tile != row.tile_place || number != row.tile_number)) {
    close_group(row, row.tile);
  }
  draw_waited(row);
  row.op_place = place.op;
  row.tile_place = place.tile;
  row.tile_number = number;
  open_groups(row, map, place, span.begin);
}

void Perfetto::open_groups(Row& row, const CodeMap& map, const CodeMap::Place& place, Cycles at) {
  if (!row.op.open) {
    if (!allow(TraceLevel::Op, at)) return;
    const std::string& name =
        place.op < 0 ? label_ : map.operators()[static_cast<std::size_t>(place.op)];
    row.op = {true, 0, 0};
    auto event = packets_.begin(row.track, at);
    event.named(packets_.name(name), operators_).arg(label_arg_, packets_.text(label_));
    if (first_work_flow_ != FlowId{} && !first_work_drawn_) {
      event.terminating_flow(first_work_flow_);
      first_work_drawn_ = true;
    }
  }
  if (row.tile.open || place.tile < 0 || options_.level == TraceLevel::Op) return;
  if (!allow(TraceLevel::Tile, at)) return;
  const std::string& base = map.tiles()[static_cast<std::size_t>(place.tile)].name;
  row.tile = {true, 0, 0};
  const NameId name = packets_.name(
      row.tile_number < kNumberedTiles ? fmt::format("{} {}", base, row.tile_number) : base);
  packets_.begin(row.track, at).named(name, tiles_).arg(number_arg_, row.tile_number);
}

void Perfetto::close_group(Row& row, Group& group) {
  if (!group.open) return;
  packets_.end(row.track, row.group_end)
      .arg(commands_arg_, group.commands)
      .arg(work_arg_, group.work);
  group.open = false;
}

void Perfetto::close_groups(Row& row) {
  close_group(row, row.tile);
  close_group(row, row.op);
}

void Perfetto::draw_waited(Row& row) {
  for (const Waited& waited : row.waited) {
    if (!allow(TraceLevel::Instruction, waited.begin)) continue;
    const bool decode = waited.reason == Reason::Work;
    packets_.begin(row.track, waited.begin)
        .named(
            decode ? packets_.name("firmware") : reasons_[static_cast<std::size_t>(waited.reason)],
            decode ? firmware_ : stalls_)
        .arg(decode ? work_arg_ : wait_arg_, (waited.end - waited.begin).count());
    packets_.end(row.track, waited.end);
  }
  row.waited.clear();
}

void Perfetto::close_rows() {
  for (auto& cores : cores_) {
    for (Core& core : cores) {
      for (Row& row : core.rows) {
        close_groups(row);
        draw_waited(row);
        row.counter.reset();
      }
    }
  }
}

// -- instructions
// -------------------------------------------------------------------------------------

void Perfetto::draw_instruction(Row& row, const Span& span, const Drawn& flows) {
  const isa::Command& command = *span.command;
  const CodeMap& map = map_of(span.row.core.kind);
  const std::int32_t part = map.at(command.pc).part;
  {
    auto event = packets_.begin(row.track, span.begin);
    event.named(names_of(command.op).name, instructions_);
    add_operands(event, command);
    event.arg(latency_arg_, (std::max(span.visible, span.end) - span.begin).count());
    event.arg(pc_arg_, command.pc).arg(iteration_arg_, command.iteration);
    if (part >= 0) {
      const std::string& name = map.operators()[static_cast<std::size_t>(part)];
      event.arg(operator_arg_, packets_.text(name));
    }
    for (FlowId flow : flows.in) {
      if (flow != FlowId{}) event.terminating_flow(flow);
    }
  }
  auto event = packets_.end(row.track, span.end);
  for (FlowId flow : flows.out) {
    if (flow != FlowId{}) event.flow(flow);
  }
}

const Perfetto::OpNames& Perfetto::names_of(isa::Op op) {
  OpNames& names = op_names_[static_cast<std::size_t>(op)];
  if (names.known) return names;
  const isa::Row& row = isa::row_of(op);
  names.known = true;
  names.name = packets_.name(row.mnemonic);
  for (std::size_t i = 0; i < row.all().size(); ++i) {
    names.args[i] = packets_.arg(row.operand[i].name);
  }
  return names;
}

void Perfetto::add_operands(Packets::Event& event, const isa::Command& command) {
  const isa::Row& row = isa::row_of(command.op);
  const OpNames& names = names_of(command.op);
  for (std::size_t i = 0; i < row.all().size(); ++i) {
    const isa::Operand& operand = row.operand[i];
    const std::int64_t value = command.operand[i];
    const auto at = static_cast<std::size_t>(value);
    if (operand.kind == isa::OperandKind::Type && at < kDTypes.size()) {
      event.arg(names.args[i], packets_.text(name_of(static_cast<DType>(value))));
    } else if (operand.kind == isa::OperandKind::Pick && at < spellings(operand.picks).size()) {
      event.arg(names.args[i], packets_.text(spellings(operand.picks)[at]));
    } else if (operand.kind == isa::OperandKind::Memory || value != operand.fallback) {
      event.arg(names.args[i], value);
    }
  }
}

/// One command takes the oldest token of each of its waits and leaves one for each of its sets.
Perfetto::Drawn Perfetto::take_flows(Core& core, const isa::Command& command, bool drawn) {
  Drawn flows;
  for (std::size_t i = 0; i < command.waits; ++i) {
    const isa::FlagRef& flag = command.wait[i];
    auto& tokens = core.tokens[token_key(flag.pipe, command.pipe, flag.id)];
    if (tokens.empty()) continue;
    if (drawn) flows.in[i] = tokens.front();
    tokens.pop_front();
  }
  for (std::size_t i = 0; i < command.sets; ++i) {
    const isa::FlagRef& flag = command.set[i];
    if (flag.pipe == Pipe::Scalar) continue;  // the scalar unit's waits are drawn by on_flag
    if (drawn) flows.out[i] = next_flow();
    core.tokens[token_key(command.pipe, flag.pipe, flag.id)].push_back(flows.out[i]);
  }
  return flows;
}

void Perfetto::on_flag(const FlagEdge& edge) {
  const bool scalar = edge.from.pipe == Pipe::Scalar || edge.to.pipe == Pipe::Scalar;
  const bool between_commands = edge.from.core == edge.to.core && !scalar;
  if (between_commands || options_.level != TraceLevel::Instruction) return;
  if (!inside(edge.set, edge.set + Cycles(1)) || !inside(edge.taken, edge.taken + Cycles(1)))
    return;
  DVMSIM_ASSERT(edge.set <= edge.taken, "a flag is set before it is taken");
  if (!allow(TraceLevel::Instruction, edge.set)) return;
  ++totals_.slices;  // both ends
  const FlowId flow = next_flow();
  const TrackId from = row_of(edge.from).track, to = row_of(edge.to).track;
  packets_.instant(from, edge.set)
      .named(packets_.name(fmt::format("flag {} seen", edge.id)), instructions_)
      .flow(flow);
  packets_.instant(to, edge.taken)
      .named(packets_.name(fmt::format("flag {} taken", edge.id)), instructions_)
      .terminating_flow(flow);
}

// -- launches, host, memory
// ---------------------------------------------------------------------------

void Perfetto::on_launch_begin(const LaunchMark& mark, const Program& program) {
  maps_ = {CodeMap(program, CoreKind::Cube), CodeMap(program, CoreKind::Vector)};
  label_ = std::string(mark.label);
  if (label_.empty()) label_ = program.name.empty() ? "program" : program.name;
  first_work_flow_ = next_flow();
  first_work_drawn_ = false;
  for (auto& cores : cores_) {
    for (Core& core : cores) core.tokens.clear();  // flags do not outlive a launch
  }
}

void Perfetto::on_launch_end(const LaunchMark& mark) {
  close_rows();
  last_ = std::max(last_, mark.end);
  if (!inside(mark.begin, mark.end) || !allow(TraceLevel::Op, mark.begin)) return;
  {
    auto event = packets_.begin(kStream, mark.begin);
    event.named(packets_.name(label_), launches_).arg(launch_arg_, mark.launch);
    if (first_work_drawn_) event.flow(first_work_flow_);
    const auto number = static_cast<std::size_t>(mark.launch);
    if (number < host_launches_.size() && host_launches_[number].flow != FlowId{} &&
        host_launches_[number].end <= mark.begin) {
      event.terminating_flow(host_launches_[number].flow);
    }
  }
  packets_.end(kStream, mark.end);
}

void Perfetto::on_host(const HostSpan& span) {
  const auto thread = static_cast<std::size_t>(span.thread);
  const Cycles begin = cycles_of(span.begin_ns), end = cycles_of(span.end_ns);
  DVMSIM_ASSERT(begin >= host_last_[thread] && end >= begin, "host intervals never overlap");
  host_last_[thread] = end;
  const bool launch = span.work == HostWork::Launch;
  if (launch) host_launches_.push_back({FlowId{}, end});
  last_ = std::max(last_, end);
  if (!inside(begin, end) || !allow(TraceLevel::Op, begin)) return;
  packets_.begin(kHostTracks[thread], begin)
      .named(packets_.name(name_of(span.work)), host_)
      .arg(label_arg_, packets_.text(span.label));
  auto event = packets_.end(kHostTracks[thread], end);
  if (!launch) return;
  host_launches_.back().flow = next_flow();
  event.flow(host_launches_.back().flow);
}

void Perfetto::on_traffic(const Traffic& traffic) {
  if (!inside(traffic.begin, traffic.end)) return;
  bandwidth_[static_cast<std::size_t>(traffic.place)].add(traffic.begin, traffic.end,
                                                          traffic.bytes.count());
}

/// The highest UB address in use is what the tiler has to fit; how many bytes live below is not
/// known.
void Perfetto::note_ub(Core& core, const Span& span) {
  if (options_.level == TraceLevel::Op) return;
  const isa::Regions regions = isa::regions(*span.command);
  std::int64_t highest = 0;
  for (int i = 0; i < regions.count; ++i) {
    const isa::Region& region = regions.region[i];
    if (region.space == Space::UB && region.rows > 0) highest = std::max(highest, region.last());
  }
  if (highest == 0) return;
  if (!core.ub) core.ub.emplace(Series::Kind::Max, options_.from, kWindow, kUbWindows);
  core.ub->add(span.begin, std::max(span.visible, span.end), highest);
}

// -- the end
// --------------------------------------------------------------------------------------------

void Perfetto::write_bandwidth() {
  const double ghz = static_cast<double>(options_.clock_hz) / 1e9;
  for (std::size_t place = 0; place < bandwidth_.size(); ++place) {
    const Series& series = bandwidth_[place];
    std::int64_t last = 0;
    Cycles at = series.origin();
    for (std::int64_t bytes : series.windows()) {
      if (bytes != last) {
        packets_.count(
            kBandwidthTracks[place], at,
            static_cast<double>(bytes) / static_cast<double>(series.width().count()) * ghz);
      }
      last = bytes;
      at += series.width();
    }
    if (last != 0) packets_.count(kBandwidthTracks[place], at, 0.0);
  }
}

void Perfetto::write_ub() {
  for (std::size_t kind = 0; kind < cores_.size(); ++kind) {
    for (std::size_t index = 0; index < cores_[kind].size(); ++index) {
      const auto& series = cores_[kind][index].ub;
      if (!series) continue;
      const CoreId core{static_cast<CoreKind>(kind), static_cast<int>(index)};
      const TrackId track = core_track(core, kUbOffset);
      packets_.counter(track, core_track(core), "UB in use up to", "bytes");
      std::int64_t last = 0;
      Cycles at = series->origin();
      for (std::int64_t highest : series->windows()) {
        if (highest != last) packets_.count(track, at, highest);
        last = highest;
        at += series->width();
      }
      if (last != 0) packets_.count(track, at, std::int64_t{0});
    }
  }
}

void Perfetto::write_notice() {
  if (!first_left_out_) return;
  packets_.instant(kStream, *first_left_out_)
      .named(
          packets_.name(fmt::format("slice budget of {} used up: {} slices left out from here on",
                                    options_.budget, totals_.left_out)),
          launches_);
}

void Perfetto::close() {
  DVMSIM_ASSERT(!closed_, "a trace is closed once");
  closed_ = true;
  close_rows();
  write_bandwidth();
  write_ub();
  write_notice();
  packets_.flush();
  file_.commit();
}

std::string Perfetto::describe() const {
  std::string text = fmt::format("{} ({} slices", options_.path, totals_.slices);
  if (totals_.left_out > 0) {
    text += fmt::format("; {} left out beyond the budget of {}", totals_.left_out, options_.budget);
  }
  return text + ")";
}

}  // namespace dvmsim
