#include <algorithm>

#include "compiler/runtime/strategy/strategy.h"

namespace dvmsim {

namespace {

/// Those that share code are encoded one by one, and found to be alike.
std::int64_t words_of(const std::vector<Task>& tasks) {
  std::int64_t words = 0;
  for (const Task& task : tasks) words += std::int64_t{task.cube.words} + task.vector.words;
  return words;
}

}  // namespace

HostCharge encode_launch(const HostFacts& facts) {
  if (facts.kept) return {};
  const auto& host = facts.machine.host;
  const Program& program = *facts.program;
  auto words = static_cast<std::int64_t>(program.cube.size() + program.vector.size());
  if (!program.tasks.empty()) words = words_of(program.tasks);
  const auto tasks = std::max<std::int64_t>(1, static_cast<std::int64_t>(program.tasks.size()));
  const std::int64_t all = std::max(tasks, facts.work.groups);
  // Of the module's, the launch's share.
  std::int64_t shared =
      host.tile.count() * facts.work.tiles + host.patch.count() * facts.work.alike;
  if (facts.shares) {
    shared += host.word.count() * facts.work.words;
    words = 0;
  }
  return {HostWork::Encode, Picoseconds(host.word.count() * words + shared * tasks / all)};
}

HostCharge find_module(const HostFacts& facts) {
  if (!facts.kept) return {};
  return {HostWork::Encode, facts.machine.host.lookup};
}

const Strategy kDvm = {.name = "dvm",
                       .before_launch = encode_launch,
                       .before_module = find_module,
                       .features = Features::only(Feature::Stack)};

}  // namespace dvmsim
