#include "vm/exec/memory.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "vm/base/error.h"
#include "vm/base/rounding.h"

namespace dvmsim {
namespace {

constexpr std::int64_t kAlign = 512;  // a burst of the memory system
constexpr std::uint64_t kGap = 512;   // unmapped, so that running over an end is noticed
constexpr std::byte kPoison{0xff};
constexpr std::uint64_t kFirstAddress = 4096;  // address 0 is never valid

constexpr std::int64_t aligned(std::int64_t size) {
  return size <= 0 ? kAlign : round_up(size, kAlign);
}

bool holds_buffer(CoreKind kind, Space space) {
  switch (space) {
    case Space::UB:
      return kind != CoreKind::Cube;
    case Space::L1:
    case Space::L0A:
    case Space::L0B:
    case Space::L0C:
    case Space::BT:
    case Space::FB:
      return kind != CoreKind::Vector;
    default:
      return false;
  }
}

}  // namespace

GlobalMemory::GlobalMemory(Bytes capacity) : capacity_(capacity.count()) {}

std::uint64_t GlobalMemory::allocate(Bytes size, bool backed) {
  if (size.count() < 0 || size.count() > capacity_ - used_) {
    throw Error("device memory: " + std::to_string(size.count()) + " bytes asked for, " +
                std::to_string(used_) + " of " + std::to_string(capacity_) +
                " in use; use a smaller model or batch, or raise hbm.size");
  }
  const std::int64_t rounded = aligned(size.count());
  std::uint64_t address = kFirstAddress;
  for (const auto& [base, range] : ranges_) {
    if (base >= address + static_cast<std::uint64_t>(rounded) + kGap) break;
    address = base + static_cast<std::uint64_t>(aligned(range.size)) + kGap;
  }
  Range range{size.count(), nullptr};
  if (backed) {
    void* data = std::calloc(static_cast<std::size_t>(rounded), 1);
    if (data == nullptr) {
      throw Error("device memory: this computer cannot back " + std::to_string(size.count()) +
                  " bytes; use --mode timing");
    }
    range.data.reset(static_cast<std::byte*>(data));
  }
  ranges_.emplace(address, std::move(range));
  used_ += rounded;
  peak_ = std::max(peak_, used_);
  return address;
}

Bytes GlobalMemory::release(std::uint64_t address) {
  const auto found = ranges_.find(address);
  DVMSIM_ASSERT(found != ranges_.end(), "only an allocated address is released");
  const Bytes size(found->second.size);
  used_ -= aligned(size.count());
  ranges_.erase(found);
  last_ = nullptr;
  return size;
}

const GlobalMemory::Range* GlobalMemory::find(std::uint64_t address, std::int64_t size) {
  if (size < 0) return nullptr;
  const auto fits = [&](std::uint64_t base, const Range& range) {
    return address >= base && size <= range.size &&
           address - base <= static_cast<std::uint64_t>(range.size - size);
  };
  if (last_ != nullptr && fits(last_base_, *last_)) return last_;
  auto after = ranges_.upper_bound(address);
  if (after == ranges_.begin()) return nullptr;
  const auto& [base, range] = *--after;
  if (!fits(base, range)) return nullptr;
  last_ = &range;
  last_base_ = base;
  return last_;
}

std::byte* GlobalMemory::at(std::uint64_t address, std::int64_t size) {
  const Range* range = find(address, size);
  return range == nullptr || range->data == nullptr ? nullptr
                                                    : range->data.get() + (address - last_base_);
}

bool GlobalMemory::contains(std::uint64_t address, std::int64_t size) {
  return find(address, size) != nullptr;
}

Bytes GlobalMemory::peak() const {
  return Bytes(peak_);
}

CoreMemory::CoreMemory(const Machine& machine, CoreKind kind) {
  for (int i = 0; i < kSpaces; ++i) {
    const auto space = static_cast<Space>(i);
    if (!holds_buffer(kind, space)) continue;
    buffers_[static_cast<std::size_t>(i)].bytes.resize(
        static_cast<std::size_t>(machine.size_of_space(space).count()), kPoison);
  }
}

void CoreMemory::poison() {
  for (Buffer& buffer : buffers_) {
    std::fill_n(buffer.bytes.begin(), buffer.used, kPoison);
    buffer.used = 0;
  }
}

}  // namespace dvmsim
