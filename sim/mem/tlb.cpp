#include "sim/mem/tlb.h"

#include <algorithm>
#include <bit>

namespace dvmsim {

Tlb::Tlb(const Machine& machine, int cores)
    : page_bits_(static_cast<unsigned>(
          std::countr_zero(static_cast<std::uint64_t>(machine.tlb.page.count())))),
      entries_(static_cast<std::size_t>(machine.tlb.entries)),
      cores_(static_cast<std::size_t>(cores)) {}

bool Tlb::look_up(Entries& mine, std::uint64_t page) const {
  mine.last = page;
  const auto found = std::find(mine.pages.begin(), mine.pages.end(), page);
  if (found != mine.pages.end()) {
    std::rotate(mine.pages.begin(), found, found + 1);
    return true;
  }
  if (mine.pages.size() == entries_) mine.pages.pop_back();
  mine.pages.insert(mine.pages.begin(), page);
  return false;
}

void Tlb::touch(std::uint64_t address, std::int64_t bytes) {
  if (bytes <= 0) return;
  const std::uint64_t page = std::uint64_t{1} << page_bits_;
  const std::uint64_t end = address + static_cast<std::uint64_t>(bytes);
  for (std::uint64_t at = address / page * page; at < end; at += page) {
    for (std::size_t core = 0; core < cores_.size(); ++core) access(static_cast<int>(core), at);
  }
}

void Tlb::clear() {
  for (Entries& entries : cores_) entries = {};
}

}  // namespace dvmsim
