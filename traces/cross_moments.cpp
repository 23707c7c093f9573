#include "traces/cross_moments.h"

namespace dvmsim {
namespace {

isa::CrossMode mode_of(const isa::Command& command) {
  return static_cast<isa::CrossMode>(command.at(2));
}
int id_of(const isa::Command& command) {
  return static_cast<int>(command.at(1));
}

}  // namespace

void CrossMoments::clear() {
  tokens_.clear();
  times_set_.clear();
  times_taken_.clear();
}

/// In mode group, cube cores wait for what vector cores set, and the other way round.
CrossMoments::Domain CrossMoments::domain(const CoreId& core, const isa::Command& command,
                                          bool sets) const {
  Domain domain{mode_of(command), id_of(command), 0, core.kind};
  if (domain.mode == isa::CrossMode::All || per_group_ == 0) return domain;
  domain.group = core.kind == CoreKind::Vector ? core.index / per_group_ : core.index;
  if (domain.mode == isa::CrossMode::Group && !sets) {
    domain.members = core.kind == CoreKind::Vector ? CoreKind::Cube : CoreKind::Vector;
  }
  return domain;
}

void CrossMoments::set(const CoreId& core, const isa::Command& command, const Moment& moment) {
  std::vector<Moment>& tokens = tokens_[domain(core, command, true)];
  const std::size_t number = times_set_[{core, mode_of(command), id_of(command)}]++;
  if (number < tokens.size()) {
    tokens[number].reach(moment);
  } else {
    tokens.push_back(moment);
  }
}

Moment CrossMoments::take(const CoreId& core, const isa::Command& command) {
  const std::vector<Moment>& tokens = tokens_[domain(core, command, false)];
  const std::size_t number = times_taken_[{core, mode_of(command), id_of(command)}]++;
  return number < tokens.size() ? tokens[number] : Moment{};
}

}  // namespace dvmsim
