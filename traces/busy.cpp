#include "traces/busy.h"

#include <algorithm>

namespace dvmsim {
namespace {

bool is_flag_only(const isa::Command& command) {
  using isa::Op;
  return command.op == Op::set || command.op == Op::wait || command.op == Op::xset ||
         command.op == Op::xwait;
}

/// FixPipe is done with a tile when the accumulators are read; it does not wait for memory. The
/// vector pipe counts what holds it, also between dependent instructions.
Cycles counted_until(const Span& span) {
  if (span.row.pipe == Pipe::Fix) return span.released;
  return span.row.pipe == Pipe::Vector ? span.end : span.visible;
}

const char* prefix_of(CoreKind kind) {
  return kind == CoreKind::Cube ? "aic" : kind == CoreKind::Vector ? "aiv" : "ai";
}

}  // namespace

void Busy::on_span(const Span& span) {
  const bool scalar = span.row.pipe == Pipe::Scalar;
  if (scalar ? span.reason == Reason::Idle : span.command == nullptr) return;
  auto& cores = cores_[static_cast<std::size_t>(span.row.core.kind)];
  const auto index = static_cast<std::size_t>(span.row.core.index);
  if (index >= cores.size()) cores.resize(index + 1);
  Core& core = cores[index];
  const auto pipe = static_cast<std::size_t>(span.row.pipe);
  if (scalar) {
    core.taken += (span.end - span.begin).count();
    if (span.reason == Reason::Work) core.busy[pipe] += (span.end - span.begin).count();
    return;
  }
  if (is_flag_only(*span.command)) return;
  const Cycles begin = std::max(span.begin, core.until[pipe]);
  const Cycles seen = counted_until(span);
  const Cycles end = std::max(span.end, seen);
  if (end <= begin) return;
  core.busy[pipe] += (end - begin).count();
  core.until[pipe] = end;
}

void Busy::on_launch_end(const LaunchMark&) {
  for (std::size_t kind = 0; kind < cores_.size(); ++kind) {
    BusySum& sum = sums_[kind];
    const auto part = std::count_if(cores_[kind].begin(), cores_[kind].end(),
                                    [](const Core& core) { return core.taken > 0; });
    std::int64_t longest = 0;
    for (const Core& core : cores_[kind]) {
      if (core.taken == 0) continue;
      const auto share = [part](std::int64_t cycles) {
        return static_cast<double>(cycles) / static_cast<double>(part);
      };
      sum.core += share(core.taken);
      longest = std::max(longest, core.taken);
      for (std::size_t pipe = 0; pipe < core.busy.size(); ++pipe) {
        sum.pipes[pipe] += share(core.busy[pipe]);
      }
    }
    sum.longest_core += longest;
    cores_[kind].clear();
  }
}

bool Busy::took_part(CoreKind kind) const {
  return of(kind).longest_core > 0;
}

std::string busy_name(CoreKind kind) {
  return std::string(prefix_of(kind)) + "_us";
}

std::string busy_name(CoreKind kind, Pipe pipe) {
  constexpr std::string_view kNames[] = {"scalar", "mte1", "mte2", "mte3", "mac", "vec", "fixpipe"};
  return std::string(prefix_of(kind)) + "_" + std::string(kNames[static_cast<std::size_t>(pipe)]) +
         "_us";
}

}  // namespace dvmsim
