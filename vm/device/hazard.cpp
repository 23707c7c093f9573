#include "vm/device/hazard.h"

#include <algorithm>
#include <array>

#include "vm/isa/text.h"

namespace dvmsim {
namespace {

using isa::Command;
using isa::Op;

constexpr std::size_t flag(Pipe from, Pipe to, int id) {
  return static_cast<std::size_t>(
      (static_cast<int>(from) * kPipes + static_cast<int>(to)) * isa::kFlagIds + id);
}
constexpr std::size_t at(Pipe pipe) {
  return static_cast<std::size_t>(pipe);
}

/// Is the result of a command there for the next one of the same queue?
constexpr bool interlocked(Pipe pipe) {
  return pipe == Pipe::Vector || pipe == Pipe::Cube || pipe == Pipe::MTE1 || pipe == Pipe::Scalar;
}

isa::Atomic atomic_of(const Command& command) {
  static const int kFix = isa::row_of(Op::fix).find("atomic"),
                   kStore = isa::row_of(Op::store).find("atomic");
  if (command.op == Op::fix) return static_cast<isa::Atomic>(command.at(kFix));
  if (command.op == Op::store) return static_cast<isa::Atomic>(command.at(kStore));
  return isa::Atomic::None;
}

Touch touch_of(const Command& command, const isa::Region& region) {
  if (region.access == isa::Access::Read) return Touch::Read;
  const isa::Atomic atomic = region.space == Space::GM ? atomic_of(command) : isa::Atomic::None;
  constexpr Touch kTouches[] = {Touch::Write, Touch::Add, Touch::Max, Touch::Min};
  return kTouches[static_cast<std::size_t>(atomic)];
}

HazardChecker::Kind kind_of(Touch before, Touch after) {
  if (after == Touch::Read) return HazardChecker::Kind::ReadAfterWrite;
  return before == Touch::Read ? HazardChecker::Kind::WriteAfterRead
                               : HazardChecker::Kind::WriteAfterWrite;
}

const char* words_for(HazardChecker::Kind kind) {
  switch (kind) {
    case HazardChecker::Kind::ReadAfterWrite:
      return "read after write";
    case HazardChecker::Kind::WriteAfterRead:
      return "write after read";
    case HazardChecker::Kind::WriteAfterWrite:
      return "write after write";
    case HazardChecker::Kind::FlagLeft:
      return "flag left over";
  }
  return "";
}

}  // namespace

HazardChecker::HazardChecker(const Machine& machine) : machine_(machine) {}
HazardChecker::~HazardChecker() = default;

void HazardChecker::on_launch(const Launch& launch) {
  const int cores = launch.cube_cores + launch.vector_cores;
  cube_ = launch.cube_cores;
  store_ = std::make_unique<ClockStore>(cores);
  cores_ = std::vector<Core>(static_cast<std::size_t>(cores));
  teams_.clear();
  for (const Task& task : launch.program->tasks) add_team(task.team, task.after);
  if (teams_.empty()) add_team(whole_team(launch), {});
  for (int i = 0; i < cores; ++i) cores_[static_cast<std::size_t>(i)].member = i;
  accesses_.clear();
  touches_.clear();
  owner_.clear();
  tokens_.clear();
  global_ = Shadow();
}

void HazardChecker::add_team(const Team& cores, const std::vector<std::uint32_t>& after) {
  teams_.push_back({cores, CrossFlags(machine_, cores.cube.count, cores.vector.count), {}, after});
  teams_.back().sets.assign(static_cast<std::size_t>(cores.cores()),
                            std::vector<std::vector<Clock>>(static_cast<std::size_t>(
                                CrossFlags::modes() * teams_.back().cross.ids())));
}

/// Its number in the launch.
int HazardChecker::core_of(const TeamState& team, int member) const {
  const int cubes = team.cores.cube.count;
  return member < cubes ? team.cores.cube.first + member
                        : cube_ + team.cores.vector.first + member - cubes;
}

void HazardChecker::on_task_begin(int core, std::uint32_t task) {
  Core& c = cores_[static_cast<std::size_t>(core)];
  const TeamState& team = teams_[task];
  c.team = task;
  c.member = 0;
  while (core_of(team, c.member) != core) ++c.member;
  Clock& clock = c.now[at(Pipe::Scalar)];
  for (const std::uint32_t before : team.after) {
    clock.remote = store_->merge(clock.remote, teams_[before].ended);
  }
}

void HazardChecker::on_task_end(int core, std::uint32_t task) {
  Core& c = cores_[static_cast<std::size_t>(core)];
  for (const Pipe pipe : kAllPipes) on_drained(core, pipe);
  const int known = store_->entry_of(core, c.now[at(Pipe::Scalar)]);
  teams_[task].ended = store_->merge(teams_[task].ended, known);
}

void HazardChecker::on_issue(int core, const Command& command) {
  Core& c = cores_[static_cast<std::size_t>(core)];
  c.issued[at(command.pipe)].push_back(c.now[at(Pipe::Scalar)]);
}

void HazardChecker::on_start(int core, const Command& command) {
  Core& c = cores_[static_cast<std::size_t>(core)];
  Clock& clock = c.now[at(command.pipe)];
  std::deque<Clock>& issued = c.issued[at(command.pipe)];
  store_->join(clock, issued.front());
  issued.pop_front();
  learn_from_waits(core, command, clock);
  if (command.drain || interlocked(command.pipe)) {
    clock.local[at(command.pipe)] = c.count[at(command.pipe)];
  }
  ++c.count[at(command.pipe)];
  touch_all(core, command, clock);
}

void HazardChecker::on_finish(int core, const Command& command) {
  tell(core, command);
}

void HazardChecker::on_scalar(int core, const Command& command) {
  Core& c = cores_[static_cast<std::size_t>(core)];
  Clock& clock = c.now[at(Pipe::Scalar)];
  learn_from_waits(core, command, clock);
  ++c.count[at(Pipe::Scalar)];
  touch_all(core, command, clock);
  clock.local[at(Pipe::Scalar)] = c.count[at(Pipe::Scalar)];
  tell(core, command);
}

void HazardChecker::on_drained(int core, Pipe pipe) {
  Core& c = cores_[static_cast<std::size_t>(core)];
  Clock& clock = c.now[at(Pipe::Scalar)];
  store_->join(clock, c.now[at(pipe)]);
  clock.local[at(pipe)] = c.count[at(pipe)];
}

void HazardChecker::learn_from_waits(int core, const Command& command, Clock& clock) {
  Core& c = cores_[static_cast<std::size_t>(core)];
  for (std::size_t i = 0; i < command.waits; ++i) {
    std::deque<Clock>& tokens =
        c.flags[flag(command.wait[i].pipe, command.pipe, command.wait[i].id)];
    store_->join(clock, tokens.front());
    tokens.pop_front();
  }
  if (command.op == Op::xwait) learn_from_cores(core, command, clock);
}

void HazardChecker::learn_from_cores(int core, const Command& command, Clock& clock) {
  const auto mode = static_cast<isa::CrossMode>(command.at(2));
  const int id = static_cast<int>(command.at(1));
  const Core& c = cores_[static_cast<std::size_t>(core)];
  TeamState& team = teams_[c.team];
  const std::uint32_t number = team.cross.taken(c.member, mode, id);
  team.cross.take(c.member, mode, id);
  const CrossFlags::Range range = team.cross.sources(c.member, mode);
  const std::size_t which =
      static_cast<std::size_t>(static_cast<int>(mode) * team.cross.ids() + id);
  const auto [token, is_new] =
      tokens_.emplace(Token(c.team, range.begin, range.end, static_cast<int>(which), number), 0);
  if (is_new) {
    for (int source = range.begin; source < range.end; ++source) {
      const auto& sets = team.sets[static_cast<std::size_t>(source)][which];
      const int known = store_->entry_of(core_of(team, source), sets[number]);
      token->second = store_->merge(token->second, known);
    }
  }
  clock.remote = store_->merge(clock.remote, token->second);
}

void HazardChecker::tell(int core, const Command& command) {
  if (command.sets == 0 && command.op != Op::xset) return;
  Core& c = cores_[static_cast<std::size_t>(core)];
  Clock told = c.now[at(command.pipe)];
  told.local[at(command.pipe)] = c.count[at(command.pipe)];
  for (std::size_t i = 0; i < command.sets; ++i) {
    c.flags[flag(command.pipe, command.set[i].pipe, command.set[i].id)].push_back(told);
  }
  if (command.op != Op::xset) return;
  const auto mode = static_cast<isa::CrossMode>(command.at(2));
  const int id = static_cast<int>(command.at(1));
  TeamState& team = teams_[c.team];
  team.cross.set(c.member, mode, id);
  const int which = static_cast<int>(mode) * team.cross.ids() + id;
  team.sets[static_cast<std::size_t>(c.member)][static_cast<std::size_t>(which)].push_back(told);
}

void HazardChecker::touch_all(int core, const Command& command, const Clock& clock) {
  const isa::Regions regions = isa::regions(command);
  if (regions.count == 0) return;
  const auto owner = static_cast<std::uint32_t>(accesses_.size());
  const std::size_t pipe = at(command.pipe);
  accesses_.push_back({core, cores_[static_cast<std::size_t>(core)].count[pipe], command});
  for (int i = 0; i < regions.count; ++i) {
    const isa::Region& region = regions.region[i];
    if (region.rows == 0) continue;
    const auto number = static_cast<std::uint32_t>(touches_.size());
    touches_.push_back(touch_of(command, region));
    owner_.push_back(owner);
    Shadow& shadow =
        region.space == Space::GM
            ? global_
            : cores_[static_cast<std::size_t>(core)].shadow[static_cast<std::size_t>(region.space)];
    touch({core, &clock, command.pipe, number}, shadow, region);
  }
}

void HazardChecker::touch(const Probe& probe, Shadow& shadow, const isa::Region& region) {
  const Touch kind = touches_[probe.access];
  std::int64_t rows = region.rows, length = region.length;
  if (region.stride == length) {
    length *= rows;
    rows = 1;
  }
  for (std::int64_t i = 0; i < region.outer[0]; ++i) {
    for (std::int64_t j = 0; j < region.outer[1]; ++j) {
      const std::int64_t base =
          region.base + i * region.outer_stride[0] + j * region.outer_stride[1];
      for (std::int64_t row = 0; row < rows; ++row) {
        const std::int64_t begin = base + row * region.stride;
        touch_run(probe, shadow, region.space, kind, begin, begin + length);
        if (region.stride == 0) break;
      }
    }
  }
}

/// Entries that the new access makes superfluous go: whoever is ordered after it is ordered after
/// them, and whoever is not conflicts with it too.
void HazardChecker::touch_run(const Probe& probe, Shadow& shadow, Space space, Touch kind,
                              std::int64_t begin, std::int64_t end) {
  if (begin < 0) return;  // faults when it is executed
  while (begin < end) {
    const std::int64_t granule = begin / Shadow::kGranule * Shadow::kGranule;
    const std::int64_t until = std::min(end, granule + Shadow::kGranule);
    const auto low = static_cast<std::uint16_t>(begin - granule);
    const auto high = static_cast<std::uint16_t>(until - granule);
    std::vector<Shadow::Entry>& entries = shadow.granule(begin);
    std::size_t kept = 0;
    for (const Shadow::Entry& entry : entries) {
      bool superfluous = false;
      if (entry.begin < high && entry.end > low) {
        const Touch before = touches_[entry.access];
        const Access& other = accesses_[owner_[entry.access]];
        const bool own = owner_[entry.access] == owner_[probe.access];
        const bool is_ordered = own || ordered(probe, other);
        if (!is_ordered && conflicts(before, kind)) {
          report(kind_of(before, kind), other, accesses_[owner_[probe.access]], space, begin);
        }
        const bool covered = entry.begin >= low && entry.end <= high;
        const bool same_reader =
            before == Touch::Read && other.core == probe.core && other.command.pipe == probe.pipe;
        superfluous =
            covered && (kind == Touch::Write || (kind == before && (is_ordered || same_reader)));
      }
      if (!superfluous) entries[kept++] = entry;
    }
    entries.resize(kept);
    entries.push_back({low, high, probe.access});
    begin = until;
  }
}

bool HazardChecker::ordered(const Probe& probe, const Access& before) const {
  return store_->covers(probe.core, *probe.clock, before.core, before.command.pipe, before.number);
}

std::string HazardChecker::name_of_core(int core) const {
  const bool is_cube = core < cube_;
  const CoreKind kind = !is_cube                 ? CoreKind::Vector
                        : machine_.cores.unified ? CoreKind::Unified
                                                 : CoreKind::Cube;
  return std::string(name_of(kind)) + " core " + std::to_string(is_cube ? core : core - cube_);
}

std::string HazardChecker::describe(const Access& access) const {
  return name_of_core(access.core) + ", word " + std::to_string(access.command.pc) + ": " +
         isa::print(access.command);
}

void HazardChecker::report(Kind kind, const Access& before, const Access& after, Space space,
                           std::int64_t address) {
  const bool across = before.core != after.core;
  if (findings_.size() >= kMost ||
      !seen_.emplace(kind, before.command.pc, after.command.pc, across).second) {
    return;
  }
  std::string text = std::string(words_for(kind)) + " in " + std::string(name_of(space)) + " at " +
                     std::to_string(address) + ": [" + describe(after) +
                     "] is not ordered after [" + describe(before) + "]";
  findings_.push_back({kind, before.command.pc, after.command.pc, std::move(text)});
}

void HazardChecker::report_left(const std::string& text) {
  if (findings_.size() < kMost) findings_.push_back({Kind::FlagLeft, 0, 0, text});
}

void HazardChecker::on_end() {
  for (std::size_t core = 0; core < cores_.size(); ++core) {
    const std::string where = name_of_core(static_cast<int>(core)) + ": ";
    for (Pipe from : kAllPipes) {
      for (Pipe to : kAllPipes) {
        for (int id = 0; id < isa::kFlagIds; ++id) {
          const std::size_t left = cores_[core].flags[flag(from, to, id)].size();
          if (left == 0) continue;
          report_left(where + "flag " + std::to_string(id) + " from " + std::string(name_of(from)) +
                      " to " + std::string(name_of(to)) + " was set " + std::to_string(left) +
                      " times more than waited for");
        }
      }
    }
  }
  for (const TeamState& team : teams_) report_left_between(team);
}

void HazardChecker::report_left_between(const TeamState& team) {
  for (int member = 0; member < team.cross.cores(); ++member) {
    const std::string where = name_of_core(core_of(team, member)) + ": ";
    for (int mode = 0; mode < CrossFlags::modes(); ++mode) {
      const auto how = static_cast<isa::CrossMode>(mode);
      const CrossFlags::Range from = team.cross.sources(member, how);
      for (int id = 0; id < team.cross.ids(); ++id) {
        const auto which = static_cast<std::size_t>(mode * team.cross.ids() + id);
        const std::size_t taken = team.cross.taken(member, how, id);
        for (int source = from.begin; source < from.end; ++source) {
          const std::size_t sets = team.sets[static_cast<std::size_t>(source)][which].size();
          if (sets == taken) continue;
          report_left(where + "flag " + std::to_string(id) + " between cores was set " +
                      std::to_string(sets) + " times by " + name_of_core(core_of(team, source)) +
                      " and taken " + std::to_string(taken) + " times");
        }
      }
    }
  }
}

}  // namespace dvmsim
