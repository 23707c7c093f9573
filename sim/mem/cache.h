// The directory of L2: which lines are present, which are dirty, which was used longest ago. Owns
// no data and no rates; each line carries one time stamp for the server.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/mem/ticks.h"
#include "vm/machine/machine.h"

namespace dvmsim {

class Cache {
 public:
  explicit Cache(const Machine& machine);

  struct Access {
    bool hit = false;
    bool evicted_dirty = false;
    std::uint64_t victim = 0;  // line number of the evicted dirty line
    Ticks* free = nullptr;     // when the next access of this line may begin; until the next access
  };
  /// Finds the line or puts it in the place of the set's least recently used one.
  Access access(std::uint64_t line, bool write);
  /// Is the line present? Changes nothing.
  [[nodiscard]] bool contains(std::uint64_t line) const;
  void clear();
  /// The line will be accessed soon: tells the host's own cache, and changes nothing.
  void prefetch(std::uint64_t line) const;
  /// False for a machine without L2; access is not called then.
  [[nodiscard]] bool exists() const { return sets_ != 0; }

 private:
  static constexpr std::uint32_t kDirty = 0x80000000u;
  struct Place {
    std::uint64_t set = 0;
    std::uint32_t tag = 0;
  };
  [[nodiscard]] Place place_of(std::uint64_t line) const;
  /// The way of the set that holds the tag; ways_ if none does.
  [[nodiscard]] std::size_t find(std::size_t base, std::uint32_t tag) const;
  /// The way becomes the set's first in order of use.
  void use(std::uint64_t set, std::size_t way);

  std::uint64_t sets_ = 0;
  std::size_t ways_ = 0;
  // By set and way. A line stays in its way; the order of use is kept apart, so that a set costs
  // few bytes of the host's cache.
  std::vector<std::uint32_t> tags_{};  // line / sets + 1, 0: empty; top bit: dirty
  std::vector<Ticks> free_{};
  std::vector<std::uint16_t> order_{};  // ways of a set, used last first
};

}  // namespace dvmsim
