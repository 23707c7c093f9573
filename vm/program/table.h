// Makes one program of many: a task table over their codes.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "vm/program/program.h"

namespace dvmsim {

class TableBuilder {
 public:
  /// A task that runs `program` on `team` after earlier tasks (their numbers, ascending). Programs
  /// with the same code share it. The words of its arguments follow those of the tasks before it.
  void add(const Program& program, const Team& team, std::vector<std::uint32_t> after,
           const std::string& name);
  [[nodiscard]] Program finish(std::string name);

 private:
  using Code = std::vector<std::uint64_t>;
  CodeRange place(const Program& program, CoreKind kind, std::map<Code, CodeRange>& known,
                  Code& all);

  Program table_{};
  std::map<Code, CodeRange> cube_{}, vector_{};
};

}  // namespace dvmsim
