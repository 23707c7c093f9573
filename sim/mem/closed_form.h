// Memory without contention events: every core has an even share of L2 and HBM for itself. What was
// read or written before is in L2, whatever its capacity; lines, channels, evictions and address
// translation do not exist. Cheaper than the server's model, and what it gets wrong is what they
// buy.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/mem/request.h"
#include "sim/mem/ticks.h"
#include "vm/machine/machine.h"

namespace dvmsim {

class ClosedForm {
 public:
  explicit ClosedForm(const Machine& machine);

  /// A launch on so many cores begins.
  void begin(int cores);
  Answer serve(const Request& request, Tally& tally);
  void touch(std::uint64_t address, std::int64_t bytes);
  void clear() { present_.clear(); }

 private:
  /// Was the line there? It is now.
  bool meet(std::uint64_t line);

  const Machine& machine_;
  std::int64_t line_bytes_;
  Rational read_{}, write_{}, fetch_{};   // a core's share, bytes per cycle
  std::vector<Ticks> core_free_{};        // by RequestKey::core
  std::vector<std::uint64_t> present_{};  // a bit per line
};

}  // namespace dvmsim
