#include "traces/perfetto.h"

#include <fmt/format.h>

#include <algorithm>

#include "traces/tracks.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

constexpr std::size_t kWaitedLimit = 64;
constexpr int kNumberedTiles = 4096;  // names are kept for the whole file

int pid_of(const CoreId& core) {
  return 1000 * (1 + static_cast<int>(core.kind)) + core.index;
}

}  // namespace

Perfetto::Perfetto(PerfettoOptions options)
    : options_(std::move(options)),
      own_(std::in_place, options_.path),
      packets_(*own_, options_.lane) {
  describe_machine();
}

Perfetto::Perfetto(PerfettoOptions options, OutputFile& file)
    : options_(std::move(options)), packets_(file, options_.lane) {
  describe_machine();
}

/// What every trace begins with.
void Perfetto::describe_machine() {
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
  packets_.process(tracks::kHostProcess, 1, "host", scale);
  packets_.thread(tracks::kHost[0], 1, 11, "front: capture, compile, encode");
  packets_.thread(tracks::kHost[1], 1, 12, "queue: relocate, copy, launch");
  packets_.process(tracks::kDeviceProcess, 2, "device", scale);
  packets_.thread(tracks::kStream, 2, 21, "stream");
  for (std::size_t i = 0; i < tracks::kBandwidth.size(); ++i) {
    packets_.counter(tracks::kBandwidth[i], tracks::kDeviceProcess,
                     std::string(tracks::kBandwidthNames[i]), "GB/s");
    bandwidth_.emplace_back(Series::Kind::Sum, options_.from, tracks::kWindow,
                            tracks::kBandwidthWindows);
  }
}

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
    packets_.process(tracks::of(id.core), pid,
                     fmt::format("{} core {}", name_of(id.core.kind), id.core.index),
                     fmt::format("at {:g} MHz", static_cast<double>(options_.clock_hz) / 1e6));
    core.described = true;
  }
  row.track = tracks::of(id.core, 1 + pipe);
  row.share = id.pipe == Pipe::Scalar ? tracks::kScalarShare : tracks::kInstructionShare;
  packets_.thread(row.track, pid, pid * 100 + 1 + pipe, std::string(name_of(id.pipe)));
  return row;
}

const CodeMap& Perfetto::map_of(CoreKind kind) const {
  return maps_[kind == CoreKind::Vector ? 1 : 0];
}

bool Perfetto::inside(Cycles begin, Cycles end) const {
  return begin < options_.to && end > options_.from;
}

bool Perfetto::allow(int percent, Cycles at) {
  const std::int64_t limit = options_.budget * percent / 100;
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

void Perfetto::on_span(const Span& span) {
  Cycles& last = core_of(span.row.core).rows[static_cast<std::size_t>(span.row.pipe)].last;
  DVMSIM_ASSERT(span.begin >= last && span.end >= span.begin, "spans of a row never overlap");
  last = span.end;
  if (span.reason == Reason::Idle || span.begin == span.end) return;
  Row& row = row_of(span.row);  // pipes that never do anything get no track
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
                     allow(row.share, span.begin);
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
  open_groups(row, map, place, span);
}

void Perfetto::open_groups(Row& row, const CodeMap& map, const CodeMap::Place& place,
                           const Span& span) {
  const Cycles at = span.begin;
  if (!row.op.open) {
    if (!allow(tracks::kOperatorShare, at)) return;
    const std::string& own = core_of(span.row.core).label;
    const std::string& label = own.empty() ? label_ : own;
    const std::string& name =
        place.op < 0 ? label : map.operators()[static_cast<std::size_t>(place.op)];
    row.op = {true, 0, 0};
    auto event = packets_.begin(row.track, at);
    event.named(packets_.name(name), operators_).arg(label_arg_, packets_.text(label));
    if (first_work_flow_ != FlowId{} && !first_work_drawn_) {
      event.terminating_flow(first_work_flow_);
      first_work_drawn_ = true;
    }
  }
  if (row.tile.open || place.tile < 0 || options_.level == TraceLevel::Op) return;
  if (!allow(tracks::kTileShare, at)) return;
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
    if (!allow(row.share, waited.begin)) continue;
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
    for (Core& core : cores) close_rows(core);
  }
}

void Perfetto::close_rows(Core& core) {
  for (Row& row : core.rows) {
    close_groups(row);
    draw_waited(row);
    row.counter.reset();
  }
}

}  // namespace dvmsim
