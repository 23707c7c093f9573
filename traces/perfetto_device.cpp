// The part of the Perfetto writer around the cores: launches, the host, memory, and the end of the
// file.
#include <fmt/format.h>

#include <algorithm>

#include "traces/perfetto.h"
#include "traces/tracks.h"
#include "vm/base/error.h"
#include "vm/program/task.h"

namespace dvmsim {

void Perfetto::on_launch_begin(const LaunchMark& mark, const Program& program) {
  maps_ = {CodeMap(program, CoreKind::Cube), CodeMap(program, CoreKind::Vector)};
  label_ = std::string(mark.label);
  if (label_.empty()) label_ = program.name.empty() ? "program" : program.name;
  first_work_flow_ = next_flow();
  first_work_drawn_ = false;
  for (auto& cores : cores_) {
    for (Core& core : cores) {
      core.tokens.clear();  // flags do not outlive a launch
      core.label.clear();
    }
  }
}

/// Its operators and tiles are others from here on.
void Perfetto::on_task(const TaskMark& mark) {
  if (mark.what != TaskMark::What::Begin) return;
  Core& core = core_of(mark.core);
  close_rows(core);
  core.label = mark.task->name;
}

void Perfetto::on_launch_end(const LaunchMark& mark) {
  close_rows();
  if (!inside(mark.begin, mark.end) || !allow(tracks::kOperatorShare, mark.begin)) return;
  {
    auto event = packets_.begin(tracks::kStream, mark.begin);
    event.named(packets_.name(label_), launches_).arg(launch_arg_, mark.launch);
    if (first_work_drawn_) event.flow(first_work_flow_);
    const auto number = static_cast<std::size_t>(mark.launch);
    if (number < host_launches_.size() && host_launches_[number].flow != FlowId{} &&
        host_launches_[number].end <= mark.begin) {
      event.terminating_flow(host_launches_[number].flow);
    }
  }
  packets_.end(tracks::kStream, mark.end);
}

void Perfetto::on_host(const HostSpan& span) {
  const auto thread = static_cast<std::size_t>(span.thread);
  const Cycles begin = cycles_of(span.begin_ns), end = cycles_of(span.end_ns);
  DVMSIM_ASSERT(begin >= host_last_[thread] && end >= begin, "host intervals never overlap");
  host_last_[thread] = end;
  const bool launch = span.work == HostWork::Launch;
  if (launch) host_launches_.push_back({FlowId{}, end});
  if (!inside(begin, end) || !allow(tracks::kOperatorShare, begin)) return;
  packets_.begin(tracks::kHost[thread], begin)
      .named(packets_.name(name_of(span.work)), host_)
      .arg(label_arg_, packets_.text(span.label));
  auto event = packets_.end(tracks::kHost[thread], end);
  if (!launch) return;
  host_launches_.back().flow = next_flow();
  event.flow(host_launches_.back().flow);
}

void Perfetto::on_traffic(const Traffic& traffic) {
  if (!inside(traffic.begin, traffic.end)) return;
  bandwidth_[static_cast<std::size_t>(traffic.place)].add(traffic.begin, traffic.end,
                                                          traffic.bytes.count());
}

void Perfetto::write_bandwidth() {
  const double ghz = static_cast<double>(options_.clock_hz) / 1e9;
  for (std::size_t place = 0; place < bandwidth_.size(); ++place) {
    const Series& series = bandwidth_[place];
    std::int64_t last = 0;
    Cycles at = series.origin();
    for (std::int64_t bytes : series.windows()) {
      if (bytes != last) {
        packets_.count(
            tracks::kBandwidth[place], at,
            static_cast<double>(bytes) / static_cast<double>(series.width().count()) * ghz);
      }
      last = bytes;
      at += series.width();
    }
    if (last != 0) packets_.count(tracks::kBandwidth[place], at, 0.0);
  }
}

void Perfetto::write_ub() {
  for (std::size_t kind = 0; kind < cores_.size(); ++kind) {
    for (std::size_t index = 0; index < cores_[kind].size(); ++index) {
      const auto& series = cores_[kind][index].ub;
      if (!series) continue;
      const CoreId core{static_cast<CoreKind>(kind), static_cast<int>(index)};
      const TrackId track = tracks::of(core, tracks::kUbOffset);
      packets_.counter(track, tracks::of(core), "UB in use up to", "bytes");
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

void Perfetto::draw_path(const std::vector<PathSlice>& slices) {
  DVMSIM_ASSERT(!closed_, "the path is drawn before the trace is closed");
  if (slices.empty()) return;
  packets_.thread(tracks::kPath, 2, 22, "critical path");
  const CategoryId category = packets_.category("critical path");
  for (const PathSlice& slice : slices) {
    if (!inside(slice.begin, slice.end) || !allow(tracks::kTileShare, slice.begin)) continue;
    {
      auto event = packets_.begin(tracks::kPath, slice.begin);
      event.named(packets_.name(slice.label), category)
          .arg(operator_arg_, packets_.text(slice.operation));
      if (!slice.instruction.empty()) {
        event.arg(packets_.arg("instruction"), packets_.text(slice.instruction));
      }
    }
    packets_.end(tracks::kPath, slice.end);
  }
}

void Perfetto::write_notice() {
  if (!first_left_out_) return;
  packets_.instant(tracks::kStream, *first_left_out_)
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
  if (own_) own_->commit();
}

std::string Perfetto::describe() const {
  std::string text = fmt::format("{} ({} slices", options_.path, totals_.slices);
  if (totals_.left_out > 0) {
    text += fmt::format("; {} left out beyond the budget of {}", totals_.left_out, options_.budget);
  }
  return text + ")";
}

}  // namespace dvmsim
