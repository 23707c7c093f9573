// Flags between the cores of a team. Pure arithmetic on time stamps: the k-th token exists when
// every core that counts towards it has set k times, at the latest of those times. Nothing is
// arbitrated.
#pragma once

#include <vector>

#include "sim/core/ports.h"
#include "sim/core/tokens.h"
#include "vm/machine/machine.h"
#include "vm/observe/span.h"
#include "vm/program/task.h"

namespace dvmsim {

struct CrossToken {
  Cycles time{};
  RowId from{};  // who set last
};

class CrossBoard {
 public:
  /// `neighbours` is told which cores a token was delivered to.
  CrossBoard(const Machine& machine, Neighbours& neighbours);

  /// A team begins: all flags are down.
  void begin(const Team& team);
  /// Core `core` (numbered as in RequestKey) sets flag `id`; visible to others at `time`.
  void set(int core, int id, isa::CrossMode mode, const CrossToken& token);
  /// The tokens core `core` may take.
  [[nodiscard]] Fifo<CrossToken>& tokens(int core, int id, isa::CrossMode mode) {
    return tokens_[slot(core, id, mode)];
  }

 private:
  /// Cores whose sets count together. A core belongs to one domain per mode.
  struct Domain {
    std::vector<int> members{}, receivers{};
  };
  /// A token in the making: how many members have set this often, and when the last of them did.
  struct Count {
    int arrived = 0;
    CrossToken latest{};
  };
  struct Flag {
    Fifo<Count> counts{};       // of set number base, base + 1, ...
    std::size_t delivered = 0;  // tokens completed so far
  };
  [[nodiscard]] std::size_t slot(int core, int id, isa::CrossMode mode) const;
  void deliver(const Domain& domain, int id, isa::CrossMode mode, const CrossToken& token);
  void add_groups(const Team& team);
  void add_domain(isa::CrossMode mode, std::vector<int> members, std::vector<int> receivers);

  Neighbours& neighbours_;
  int cubes_, cores_, per_group_, ids_;
  bool unified_;
  std::vector<Domain> domains_{};
  std::vector<int> domain_of_{};          // [core * modes + mode], -1: takes no part
  std::vector<Flag> flags_{};             // [domain * ids + id]
  std::vector<std::size_t> times_set_{};  // [slot]: by this core
  std::vector<Fifo<CrossToken>> tokens_{};
};

}  // namespace dvmsim
