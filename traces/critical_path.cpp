#include "traces/critical_path.h"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>

#include "vm/base/error.h"

namespace dvmsim {
namespace {

constexpr std::string_view kMemoryName = "memory";

/// Gives out pieces back to front and stops at the first dispatch.
class Walk {
 public:
  Walk(const Replay& replay, const std::function<void(const PathPiece&)>& visit)
      : first_(replay.first_dispatch().at), now_(replay.end().at), visit_(visit) {}

  [[nodiscard]] bool over() const { return now_ <= first_; }
  [[nodiscard]] Cycles now() const { return now_; }
  void back(std::int64_t cycles, const UnitId& unit, Cause cause, std::uint32_t place = 0) {
    const Cycles begin = std::max(first_, now_ - Cycles(cycles));
    if (begin >= now_) return;
    visit_({begin, now_, unit, cause, place});
    now_ = begin;
  }

 private:
  Cycles first_, now_;
  const std::function<void(const PathPiece&)>& visit_;
};

std::int64_t hop_of(const Machine& machine, Cause led, std::int64_t lead) {
  if (led == Cause::Flag) return std::min(lead, machine.flag.hop.count());
  if (led == Cause::Cross) return std::min(lead, machine.xflag.latency.cycles().count());
  return led == Cause::Latency ? 0 : lead;
}

template <class Item>
void most_first(std::vector<Item>& items) {
  std::stable_sort(items.begin(), items.end(),
                   [](const Item& a, const Item& b) { return a.cycles > b.cycles; });
}

}  // namespace

void walk_back(const Replay& replay, const Machine& machine,
               const std::function<void(const PathPiece&)>& visit) {
  Walk walk(replay, visit);
  Stretch number = replay.end().after;
  if (number != 0) {
    const StretchRecord& last = replay.stretches().at(number);
    walk.back((walk.now() - last.end).count(), last.unit, Cause::Latency, last.place);
  }
  while (number != 0 && !walk.over()) {
    const StretchRecord& stretch = replay.stretches().at(number);
    // Who was handed something early began before this stretch ended.
    const std::int64_t overlap = std::max<std::int64_t>(0, (stretch.end - walk.now()).count());
    const std::int64_t in_wait = std::min<std::int64_t>(overlap, stretch.wait);
    walk.back(stretch.wait - in_wait, stretch.unit, Cause::Memory, stretch.place);
    walk.back(std::max<std::int64_t>(0, stretch.work - (overlap - in_wait)), stretch.unit,
              stretch.spent, stretch.place);
    const std::int64_t hop = hop_of(machine, stretch.led, stretch.lead);
    walk.back(hop, stretch.unit, stretch.led, stretch.place);
    number = stretch.before;
    if (number == 0) break;
    const StretchRecord& before = replay.stretches().at(number);
    walk.back(stretch.lead - hop, before.unit, Cause::Latency, before.place);
  }
  DVMSIM_ASSERT(walk.over(), "the critical path reaches from the first dispatch to the end");
}

std::string_view name_of(Cause cause) {
  constexpr std::string_view kNames[kCauses] = {
      "work",          "wait-memory", "latency", "flag", "cross-core-flag",
      "program-fetch", "launch",      "host",    "other"};
  return kNames[static_cast<std::size_t>(cause)];
}

std::string label_of(const UnitId& unit, Cause cause) {
  switch (cause) {
    case Cause::Work:
      return name_of(unit);
    case Cause::Memory:
    case Cause::Latency:
    case Cause::Other:
      return name_of(unit) + " " + std::string(name_of(cause));
    default:
      return std::string(name_of(cause));
  }
}

namespace {

void add_path(CriticalPath& path, const Replay& replay, const Machine& machine) {
  std::map<std::pair<UnitId, Cause>, std::int64_t> parts;
  std::map<std::pair<std::uint32_t, UnitId>, std::pair<std::int64_t, std::int64_t>> places;
  walk_back(replay, machine, [&](const PathPiece& piece) {
    const std::int64_t cycles = (piece.end - piece.begin).count();
    parts[{piece.unit, piece.cause}] += cycles;
    if (piece.cause != Cause::Work && piece.cause != Cause::Memory) return;
    auto& [sum, count] = places[{piece.place, piece.unit}];
    sum += cycles;
    if (piece.cause == Cause::Work) ++count;
  });
  for (const auto& [key, cycles] : parts) path.parts.push_back({key.first, key.second, cycles});
  most_first(path.parts);
  for (const auto& [key, sum] : places) {
    const isa::Row* row = replay.instruction_of(key.first);
    path.top.push_back({replay.operator_of(key.first), row ? std::string(row->mnemonic) : "",
                        key.second, sum.first, sum.second});
  }
  most_first(path.top);
  if (path.top.size() > CriticalPath::kTop) path.top.resize(CriticalPath::kTop);
}

void add_slack(CriticalPath& path, const Replay& replay, const MemoryFloors& floors) {
  const auto total = static_cast<double>(path.cycles);
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    const bool memory = lane == kMemoryLane;
    const auto floor = static_cast<double>(std::max(floors.hbm, floors.l2));
    CriticalPath::Slack slack;
    slack.resource = memory ? kMemoryName : name_of(static_cast<Pipe>(lane));
    slack.cycles = replay.end().lane[lane] - replay.first_dispatch().lane[lane];
    slack.cycles = std::max(slack.cycles, memory ? floor / path.faster : floor);
    slack.cycles = std::min(slack.cycles, total);
    if (slack.cycles > 0) slack.gain = total / slack.cycles - 1;
    path.slack.push_back(std::move(slack));
  }
}

}  // namespace

std::vector<PathSlice> path_slices(const Replay& replay, const Machine& machine) {
  std::vector<PathSlice> slices;
  if (replay.stretches().full() || replay.contradictions() > 0) return slices;
  std::optional<PathPiece> last;
  walk_back(replay, machine, [&](const PathPiece& piece) {
    const bool same = last && last->unit == piece.unit && last->cause == piece.cause &&
                      last->place == piece.place;
    last = piece;
    if (same) {
      slices.back().begin = piece.begin;
      return;
    }
    const isa::Row* row = replay.instruction_of(piece.place);
    slices.push_back({piece.begin, piece.end, label_of(piece.unit, piece.cause),
                      replay.operator_of(piece.place), row ? std::string(row->mnemonic) : ""});
  });
  std::reverse(slices.begin(), slices.end());
  return slices;
}

CriticalPath critical_path(const Replay& replay, const Machine& machine,
                           const MemoryFloors& floors) {
  CriticalPath path;
  path.cycles = (replay.end().at - replay.first_dispatch().at).count();
  path.faster = replay.faster();
  if (path.cycles <= 0) {
    path.missing = "nothing was dispatched";
    return path;
  }
  if (replay.contradictions() > 0) {
    path.missing = "the device did something this model of its order does not know";
    return path;
  }
  add_slack(path, replay, floors);
  if (replay.stretches().full()) {
    path.missing =
        "more than " + std::to_string(replay.stretches().most()) + " steps; use a smaller run";
    return path;
  }
  add_path(path, replay, machine);
  return path;
}

}  // namespace dvmsim
