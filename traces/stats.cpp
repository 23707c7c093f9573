#include "traces/stats.h"

#include <algorithm>
#include <numeric>

#include "vm/base/error.h"

namespace dvmsim {

std::string name_of(const CoreId& core) {
  return std::string(name_of(core.kind)) + std::to_string(core.index);
}

std::string name_of(const RowId& row) {
  return name_of(row.core) + "." + std::string(name_of(row.pipe));
}

bool has_pipe(CoreKind kind, Pipe pipe) {
  if (kind == CoreKind::Unified || pipe == Pipe::Scalar || pipe == Pipe::MTE2) return true;
  const bool of_vector = pipe == Pipe::Vector || pipe == Pipe::MTE3;
  return of_vector == (kind == CoreKind::Vector);
}

std::int64_t RowSum::total() const {
  return std::accumulate(cycles.begin(), cycles.end(), std::int64_t{0});
}

Stats::CoreState& Stats::state_of(const CoreId& core) {
  auto& cores = cores_[static_cast<std::size_t>(core.kind)];
  const auto index = static_cast<std::size_t>(core.index);
  if (index >= cores.size()) cores.resize(index + 1);
  return cores[index];
}

void Stats::on_launch_end(const LaunchMark& mark) {
  launches_.push_back({mark.launch, std::string(mark.label), mark.submitted, mark.begin, mark.end});
}

void Stats::on_span(const Span& span) {
  if (!has_pipe(span.row.core.kind, span.row.pipe)) {
    DVMSIM_ASSERT(span.reason == Reason::Idle, "a core works on the pipes it has");
    return;
  }
  CoreState& core = state_of(span.row.core);
  RowState& row = core.rows[static_cast<std::size_t>(span.row.pipe)];
  DVMSIM_ASSERT(span.begin <= span.end, "a span ends after it begins");
  DVMSIM_ASSERT(!row.seen || span.begin >= row.last_end, "spans of a row never overlap");
  row.seen = true;
  row.sum.row = span.row;
  row.last_end = span.end;
  row.sum.cycles[static_cast<std::size_t>(span.reason)] += (span.end - span.begin).count();
  if (span.command != nullptr) ++row.sum.commands;
  if (!core.working && span.reason == Reason::Work && span.row.pipe != Pipe::Scalar) {
    core.working = true;
    core.first_work = span.begin;
  }
  // The first dispatch is not known yet, but no queue works before it.
  if (!core.working || span.begin < core.first_work) {
    row.early.push_back({span.begin, span.end, span.reason});
  }
}

void Stats::on_host(const HostSpan& span) {
  host_ns_[static_cast<std::size_t>(span.thread)][static_cast<std::size_t>(span.work)] +=
      span.end_ns - span.begin_ns;
  host_end_ns_ = std::max(host_end_ns_, span.end_ns);
}

void Stats::on_traffic(const Traffic& traffic) {
  bytes_[static_cast<std::size_t>(traffic.place)] += traffic.bytes;
}

void Stats::add(const LaunchReport& report) {
  if (firmware_.launches == 0) {
    first_dispatch_ = report.first_dispatch;
    end_ = report.end;
  }
  first_dispatch_ = std::min(first_dispatch_, report.first_dispatch);
  end_ = std::max(end_, report.end);
  firmware_.instructions += report.instructions;
  firmware_.commands += report.commands;
  firmware_.decode += report.decode;
  firmware_.longest_core += report.longest_core;
  ++firmware_.launches;
}

void Stats::cut(RowState& row) const {
  for (const Early& span : row.early) {
    const Cycles outside = std::min(span.end, first_dispatch_) - span.begin;
    if (outside <= Cycles(0)) continue;
    row.sum.cycles[static_cast<std::size_t>(span.reason)] -= outside.count();
  }
  row.early.clear();
}

void Stats::close() {
  close(first_dispatch_, end_);
}

void Stats::close(Cycles first_dispatch, Cycles end) {
  DVMSIM_ASSERT(!closed_, "a run is closed once");
  DVMSIM_ASSERT(first_dispatch <= end, "a run ends after its first dispatch");
  closed_ = true;
  first_dispatch_ = first_dispatch;
  end_ = end;
  for (auto& cores : cores_) {
    for (CoreState& core : cores) {
      for (RowState& row : core.rows) {
        if (!row.seen) continue;
        DVMSIM_ASSERT(row.last_end <= end_, "no row works after the end of the run");
        cut(row);
        std::int64_t& idle = row.sum.cycles[static_cast<std::size_t>(Reason::Idle)];
        idle += cycles().count() - row.sum.total();
        DVMSIM_ASSERT(idle >= 0, "the reasons of a row sum to the cycles of the run");
      }
    }
  }
}

std::vector<RowSum> Stats::rows() const {
  std::vector<RowSum> all;
  for (const auto& cores : cores_) {
    for (const CoreState& core : cores) {
      for (const RowState& row : core.rows) {
        if (row.seen) all.push_back(row.sum);
      }
    }
  }
  return all;
}

std::int64_t Stats::work(CoreKind kind, Pipe pipe) const {
  std::int64_t sum = 0;
  for (const CoreState& core : cores_[static_cast<std::size_t>(kind)]) {
    sum += core.rows[static_cast<std::size_t>(pipe)].sum.of(Reason::Work);
  }
  return sum;
}

std::int64_t Stats::host_ns(HostWork work) const {
  return host_ns(HostThread::Front, work) + host_ns(HostThread::Queue, work);
}

}  // namespace dvmsim
