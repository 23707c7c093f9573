#include "traces/timeline.h"

#include <algorithm>
#include <map>

#include "traces/stats.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

/// Kinds while the run is recorded: reasons, then work on an instruction, then work of the host.
constexpr int kInstructions = kReasons, kHost = kReasons + 256;
constexpr std::size_t kMostHeld = 16384;  // pieces of a row until it is gathered
constexpr std::size_t kLeast = 256;       // pieces every row may keep
constexpr std::uint64_t kMask = 0xffff'ffff'ffff;

int kind_of(const Span& span) {
  if (span.command == nullptr) return static_cast<int>(span.reason);
  return kInstructions + static_cast<int>(span.command->op);
}

TimelineReport::Kind described(int kind) {
  if (kind >= kHost) {
    return {"host", std::string(name_of(static_cast<HostWork>(kind - kHost)))};
  }
  if (kind < kInstructions) return {std::string(name_of(static_cast<Reason>(kind))), ""};
  const auto& row = isa::row_of(static_cast<isa::Op>(kind - kInstructions));
  return {std::string(name_of(Reason::Work)), std::string(row.mnemonic)};
}

}  // namespace

void Timeline::append(Row& row, std::int64_t begin, std::int64_t end, int kind) {
  if (!row.seen) row.begin = row.end = begin;
  row.seen = true;
  DVMSIM_ASSERT(begin >= row.end && end >= begin, "spans of a row never overlap");
  const auto push = [&row](std::int64_t cycles, int what) {
    if (cycles <= 0) return;
    const bool command = what >= kInstructions;  // each is a piece of its own
    if (!command && !row.pieces.empty() && row.pieces.back().kind == static_cast<unsigned>(what)) {
      row.pieces.back().cycles += static_cast<std::uint64_t>(cycles) & kMask;
      return;
    }
    row.pieces.push_back(
        {static_cast<std::uint64_t>(cycles) & kMask, static_cast<std::uint64_t>(what) & 0xffffu});
  };
  push(begin - row.end, static_cast<int>(Reason::Idle));
  push(end - begin, kind);
  row.end = end;
  if (row.pieces.size() >= kMostHeld) coarsen(row, kMostHeld / 2);
}

/// Gathers what lies between pieces that are at least `row.limit` long or, if `keep_idle`, idle.
void Timeline::gather(Row& row, bool keep_idle) {
  std::vector<Piece> kept;
  std::map<std::uint64_t, std::uint64_t, std::greater<>> gathered;  // work before waits
  std::int64_t length = 0;
  const auto flush = [&] {
    if (gathered.size() > 1) row.resolution = std::max(row.resolution, length);
    for (const auto& [kind, cycles] : gathered) {
      if (!kept.empty() && kept.back().kind == kind) {
        kept.back().cycles += cycles & kMask;
      } else {
        kept.push_back({cycles & kMask, kind & 0xffffu});
      }
    }
    gathered.clear();
    length = 0;
  };
  for (const Piece& piece : row.pieces) {
    const auto cycles = static_cast<std::int64_t>(piece.cycles);
    const bool idle = piece.kind == static_cast<unsigned>(Reason::Idle);
    if (cycles >= row.limit || (keep_idle && idle)) {
      flush();
      kept.push_back(piece);
      continue;
    }
    gathered[piece.kind] += piece.cycles;
    length += cycles;
    if (length >= row.limit) flush();
  }
  flush();
  row.pieces = std::move(kept);
}

void Timeline::coarsen(Row& row, std::size_t most) {
  for (const bool keep_idle : {true, false}) {
    if (!keep_idle && row.pieces.size() > most)
      row.limit = std::max<std::int64_t>(1, row.resolution / 2);
    while (row.pieces.size() > most && row.limit <= row.end - row.begin) {
      row.limit *= 2;
      gather(row, keep_idle);
    }
  }
}

void Timeline::on_span(const Span& span) {
  if (!has_pipe(span.row.core.kind, span.row.pipe)) return;
  auto& cores = cores_[static_cast<std::size_t>(span.row.core.kind)];
  const auto index = static_cast<std::size_t>(span.row.core.index);
  if (index >= cores.size()) cores.resize(index + 1);
  append(cores[index][static_cast<std::size_t>(span.row.pipe)], span.begin.count(),
         span.end.count(), kind_of(span));
}

void Timeline::on_host(const HostSpan& span) {
  const auto cycles = [this](std::int64_t ns) {
    return ns / 1'000'000'000 * clock_hz_ + ns % 1'000'000'000 * clock_hz_ / 1'000'000'000;
  };
  append(host_[static_cast<std::size_t>(span.thread)], cycles(span.begin_ns), cycles(span.end_ns),
         kHost + static_cast<int>(span.work));
}

void Timeline::on_launch_end(const LaunchMark& mark) {
  launches_.push_back(
      {std::string(mark.label), mark.submitted.count(), mark.begin.count(), mark.end.count()});
}

void Timeline::fit(const std::vector<Named>& rows) const {
  const auto is_first = [](const std::string& name) {
    return name.starts_with("host") || name.find("0.") == name.find_first_of("0123456789");
  };
  std::size_t used = 0, others = 0;
  for (const auto& [name, row] : rows) {
    if (is_first(name)) {
      coarsen(*row, std::max(kLeast, budget_ / 16));
      used += row->pieces.size();
    } else {
      ++others;
    }
  }
  if (others == 0) return;
  const std::size_t share = std::max(kLeast, (budget_ - std::min(used, budget_)) / others);
  for (const auto& [name, row] : rows) {
    if (!is_first(name)) coarsen(*row, share);
  }
}

TimelineReport Timeline::close(Cycles first_dispatch, Cycles end) {
  TimelineReport report;
  report.begin = 0;
  report.end = (end - first_dispatch).count();
  report.launches = std::move(launches_);
  for (auto& launch : report.launches) {
    for (std::int64_t* at : {&launch.submitted, &launch.begin, &launch.end}) {
      *at -= first_dispatch.count();
    }
  }
  std::vector<Named> rows;
  constexpr const char* kThreads[] = {"host.front", "host.queue"};
  for (std::size_t i = 0; i < host_.size(); ++i) {
    if (host_[i].seen) rows.emplace_back(kThreads[i], &host_[i]);
  }
  for (std::size_t kind = 0; kind < cores_.size(); ++kind) {
    for (std::size_t index = 0; index < cores_[kind].size(); ++index) {
      for (const Pipe pipe : kAllPipes) {
        Row& row = cores_[kind][index][static_cast<std::size_t>(pipe)];
        const CoreId core{static_cast<CoreKind>(kind), static_cast<int>(index)};
        if (row.seen) rows.emplace_back(name_of(RowId{core, pipe}), &row);
      }
    }
  }
  for (const auto& [name, row] : rows) {
    report.begin = std::min(report.begin, row->begin - first_dispatch.count());
    report.end = std::max(report.end, row->end - first_dispatch.count());
  }
  fit(rows);
  std::map<int, int> numbers{{0, 0}};
  report.kinds.push_back(described(0));
  for (const auto& [name, row] : rows) {
    TimelineReport::Row out{name, row->resolution, {}};
    const std::int64_t lead = row->begin - first_dispatch.count() - report.begin;
    if (lead > 0) out.pieces.push_back({lead, 0});
    for (const Piece& piece : row->pieces) {
      const int kind = static_cast<int>(piece.kind);
      const auto [found, fresh] = numbers.emplace(kind, static_cast<int>(report.kinds.size()));
      if (fresh) report.kinds.push_back(described(kind));
      out.pieces.push_back({static_cast<std::int64_t>(piece.cycles), found->second});
    }
    report.rows.push_back(std::move(out));
  }
  return report;
}

}  // namespace dvmsim
