#include "vm/program/table.h"

namespace dvmsim {

void TableBuilder::add(const Program& program, const Team& team, std::vector<std::uint32_t> after,
                       const std::string& name) {
  Task task{name,
            {},
            {},
            static_cast<std::uint32_t>(table_.arguments.size()),
            static_cast<std::uint32_t>(program.arguments.size()),
            team,
            std::move(after)};
  if (team.cube.count > 0) task.cube = place(program, CoreKind::Cube, cube_, table_.cube);
  if (team.vector.count > 0) task.vector = place(program, CoreKind::Vector, vector_, table_.vector);
  table_.arguments.insert(table_.arguments.end(), program.arguments.begin(),
                          program.arguments.end());
  table_.machine = program.machine;
  table_.tasks.push_back(std::move(task));
}

CodeRange TableBuilder::place(const Program& program, CoreKind kind,
                              std::map<Code, CodeRange>& known, Code& all) {
  const Code& code = kind == CoreKind::Vector ? program.vector : program.cube;
  const auto [found, is_new] = known.try_emplace(code);
  if (!is_new) return found->second;
  const auto begin = static_cast<std::uint32_t>(all.size());
  found->second = {begin, static_cast<std::uint32_t>(code.size())};
  all.insert(all.end(), code.begin(), code.end());
  for (DebugMark mark : program.marks) {
    if ((mark.core == CoreKind::Vector) != (kind == CoreKind::Vector)) continue;
    mark.pc += begin;
    table_.marks.push_back(std::move(mark));
  }
  return found->second;
}

Program TableBuilder::finish(std::string name) {
  table_.name = std::move(name);
  cube_.clear();
  vector_.clear();
  return std::move(table_);
}

}  // namespace dvmsim
