// Flags between cores as moments: the k-th token of a domain is there when each of its members has
// set k times.
#pragma once

#include <map>
#include <tuple>
#include <vector>

#include "traces/moment.h"
#include "vm/isa/isa.h"
#include "vm/machine/machine.h"
#include "vm/observe/fault.h"

namespace dvmsim {

class CrossMoments {
 public:
  explicit CrossMoments(const Machine& machine) : per_group_(machine.cores.per_group) {}
  void clear();
  /// Visible to those who wait at that moment.
  void set(const CoreId& core, const isa::Command& command, const Moment& moment);
  /// The token that the core takes next; it has been set.
  [[nodiscard]] Moment take(const CoreId& core, const isa::Command& command);

 private:
  struct Domain {  // the cores that set a flag together
    isa::CrossMode mode{};
    int id = 0, group = 0;
    CoreKind members{};
    friend auto operator<=>(const Domain&, const Domain&) = default;
  };
  using Counter = std::tuple<CoreId, isa::CrossMode, int>;
  [[nodiscard]] Domain domain(const CoreId& core, const isa::Command& command, bool sets) const;

  int per_group_;
  std::map<Domain, std::vector<Moment>> tokens_{};
  std::map<Counter, std::size_t> times_set_{}, times_taken_{};
};

}  // namespace dvmsim
