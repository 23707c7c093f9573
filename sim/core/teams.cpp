#include "sim/core/teams.h"

#include <set>

namespace dvmsim {

void Teams::begin(const Launch& launch) {
  std::set<Team> teams{whole_team(launch)};
  ends_.clear();
  for (const Task& task : launch.program->tasks) {
    teams.insert(task.team);
    ends_.push_back({task.team.cores()});
  }
  for (const Team& team : teams) {
    std::unique_ptr<CrossBoard>& board = flags_[team];
    if (board == nullptr) board = std::make_unique<CrossBoard>(machine_, neighbours_);
    board->begin(team);
  }
}

void Teams::end(std::uint32_t task, const CrossToken& token) {
  End& end = ends_[task];
  const bool later = token.time > end.latest.time ||
                     (token.time == end.latest.time && token.from < end.latest.from);
  if (later) end.latest = token;
  if (--end.missing > 0) return;
  for (const int core : end.waiting) neighbours_.wake(core);
  end.waiting.clear();
}

bool Teams::over(std::uint32_t task, int core) {
  End& end = ends_[task];
  if (end.missing == 0) return true;
  end.waiting.push_back(core);
  return false;
}

}  // namespace dvmsim
