// Tasks: a program may be a table of them, run by one launch. Each core walks the tasks it takes
// part in, in the order of the table, and begins one when all that it comes after are over.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "vm/base/space.h"
#include "vm/observe/fault.h"

namespace dvmsim {

/// `words` of the code of a kind of core, from `begin` on.
struct CodeRange {
  std::uint32_t begin = 0, words = 0;
  friend bool operator==(const CodeRange&, const CodeRange&) = default;
};

/// `count` cores of a kind, from number `first` of the launch on.
struct CoreRange {
  int first = 0, count = 0;
  [[nodiscard]] bool has(int index) const { return index >= first && index < first + count; }
  [[nodiscard]] int end() const { return count == 0 ? 0 : first + count; }
  friend auto operator<=>(const CoreRange&, const CoreRange&) = default;
};

/// The cores that run a task together. With both kinds, the vector cores are those of the cube
/// cores' groups.
struct Team {
  CoreRange cube{}, vector{};
  [[nodiscard]] const CoreRange& of(CoreKind kind) const {
    return kind == CoreKind::Vector ? vector : cube;
  }
  [[nodiscard]] bool has(CoreId core) const { return of(core.kind).has(core.index); }
  [[nodiscard]] int cores() const { return cube.count + vector.count; }
  friend auto operator<=>(const Team&, const Team&) = default;
};

/// Of an entry of the table in memory, besides 4 for each task it comes after.
inline constexpr std::int64_t kTaskBytes = 64;

/// To its code a task looks like a launch of its own: cores of its team are numbered from 0, words
/// of its arguments too.
struct Task {
  std::string name{};
  CodeRange cube{}, vector{};                 // tasks may share code
  std::uint32_t argument = 0, arguments = 0;  // first word in the launch's block, and words
  Team team{};
  std::vector<std::uint32_t> after{};  // earlier tasks, ascending
  [[nodiscard]] const CodeRange& code(CoreKind kind) const {
    return kind == CoreKind::Vector ? vector : cube;
  }
  friend bool operator==(const Task&, const Task&) = default;
};

/// Of the table in memory.
[[nodiscard]] inline std::int64_t table_bytes(const std::vector<Task>& tasks) {
  std::int64_t bytes = 0;
  for (const Task& task : tasks) {
    bytes += kTaskBytes + 4 * static_cast<std::int64_t>(task.after.size());
  }
  return bytes;
}

/// The smallest team that holds all of theirs, from core 0 on.
[[nodiscard]] inline Team whole_team(const std::vector<Task>& tasks) {
  Team whole;
  for (const Task& task : tasks) {
    whole.cube.count = std::max(whole.cube.count, task.team.cube.end());
    whole.vector.count = std::max(whole.vector.count, task.team.vector.end());
  }
  return whole;
}

}  // namespace dvmsim
