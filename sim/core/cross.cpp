#include "sim/core/cross.h"

#include <algorithm>
#include <numeric>

#include "vm/base/error.h"

namespace dvmsim {
namespace {

constexpr int kModes = 3;

}  // namespace

CrossBoard::CrossBoard(const Machine& machine, Neighbours& neighbours)
    : neighbours_(neighbours),
      cubes_(machine.cores.cube),
      cores_(machine.cores.cube + (machine.cores.unified ? 0 : machine.cores.vector)),
      per_group_(machine.cores.per_group),
      ids_(machine.xflag.ids),
      unified_(machine.cores.unified) {
  const auto slots = static_cast<std::size_t>(cores_ * kModes * ids_);
  times_set_.resize(slots);
  tokens_.resize(slots);
}

void CrossBoard::begin(const Team& team) {
  domains_.clear();
  domain_of_.assign(static_cast<std::size_t>(cores_ * kModes), -1);
  std::fill(times_set_.begin(), times_set_.end(), std::size_t{0});
  for (auto& fifo : tokens_) fifo.clear();

  std::vector<int> cubes(static_cast<std::size_t>(team.cube.count));
  std::iota(cubes.begin(), cubes.end(), team.cube.first);
  add_domain(isa::CrossMode::All, cubes, cubes);
  if (!unified_) {
    std::vector<int> vectors(static_cast<std::size_t>(team.vector.count));
    std::iota(vectors.begin(), vectors.end(), cubes_ + team.vector.first);
    add_domain(isa::CrossMode::All, vectors, vectors);
    add_groups(team);
  }
  flags_.assign(domains_.size() * static_cast<std::size_t>(ids_), Flag{});
}

void CrossBoard::add_groups(const Team& team) {
  if (per_group_ == 0) return;
  const int first = team.cube.count > 0 ? team.cube.first : team.vector.first / per_group_;
  for (int group = first; group * per_group_ < team.vector.end() || group < team.cube.end();
       ++group) {
    std::vector<int> of_group;
    for (int i = group * per_group_; i < (group + 1) * per_group_; ++i) {
      if (team.vector.has(i)) of_group.push_back(cubes_ + i);
    }
    add_domain(isa::CrossMode::Pair, of_group, of_group);
    if (!team.cube.has(group)) continue;
    add_domain(isa::CrossMode::Group, {group}, of_group);
    add_domain(isa::CrossMode::Group, of_group, {group});
  }
}

void CrossBoard::add_domain(isa::CrossMode mode, std::vector<int> members,
                            std::vector<int> receivers) {
  for (int core : members) {
    domain_of_[static_cast<std::size_t>(core * kModes + static_cast<int>(mode))] =
        static_cast<int>(domains_.size());
  }
  domains_.push_back({std::move(members), std::move(receivers)});
}

std::size_t CrossBoard::slot(int core, int id, isa::CrossMode mode) const {
  DVMSIM_ASSERT(id >= 0 && id < ids_, "a cross-core flag id is below xflag.ids");
  return static_cast<std::size_t>((core * kModes + static_cast<int>(mode)) * ids_ + id);
}

void CrossBoard::set(int core, int id, isa::CrossMode mode, const CrossToken& token) {
  const int number = domain_of_[static_cast<std::size_t>(core * kModes + static_cast<int>(mode))];
  if (number < 0) return;  // nobody listens, e.g. mode pair on a cube core
  const Domain& domain = domains_[static_cast<std::size_t>(number)];
  Flag& flag = flags_[static_cast<std::size_t>(number * ids_ + id)];
  const std::size_t place = times_set_[slot(core, id, mode)]++ - flag.delivered;
  while (flag.counts.size() <= place) flag.counts.push({});
  Count& count = flag.counts.at(place);
  if (count.arrived++ == 0 || token.time > count.latest.time ||
      (token.time == count.latest.time && token.from < count.latest.from)) {
    count.latest = token;
  }
  if (count.arrived < static_cast<int>(domain.members.size())) return;
  // A core sets number k before number k + 1, so tokens complete in order.
  const CrossToken complete = flag.counts.pop().latest;
  ++flag.delivered;
  deliver(domain, id, mode, complete);
}

void CrossBoard::deliver(const Domain& domain, int id, isa::CrossMode mode,
                         const CrossToken& token) {
  for (int core : domain.receivers) {
    tokens(core, id, mode).push(token);
    neighbours_.wake(core);
  }
}

}  // namespace dvmsim
