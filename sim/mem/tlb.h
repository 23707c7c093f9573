// Address translation: which pages a core has at hand. A page that is not there is looked up by a
// walk, during which the core's later requests wait. Owns the order of use; the server owns time.
#pragma once

#include <cstdint>
#include <vector>

#include "vm/machine/machine.h"

namespace dvmsim {

class Tlb {
 public:
  Tlb(const Machine& machine, int cores);

  /// Core `core` uses the page of `address`; false if it was not there. It is now.
  bool access(int core, std::uint64_t address) {
    Entries& mine = cores_[static_cast<std::size_t>(core)];
    const std::uint64_t page = address >> page_bits_;
    return page == mine.last || look_up(mine, page);
  }
  /// Every core has used these pages.
  void touch(std::uint64_t address, std::int64_t bytes);
  void clear();

 private:
  static constexpr std::uint64_t kNone = ~std::uint64_t{0};
  struct Entries {
    std::uint64_t last = kNone;
    std::vector<std::uint64_t> pages{};  // used last comes first
  };
  bool look_up(Entries& mine, std::uint64_t page) const;

  unsigned page_bits_;
  std::size_t entries_;
  std::vector<Entries> cores_;
};

}  // namespace dvmsim
