// The memories instructions work on, bounds-checked. Global memory is sparse (pages appear when
// written; unwritten bytes read as zero); a core's buffers are plain arrays filled with NaN
// patterns at launch, so that reading what nobody wrote shows.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "vm/base/space.h"
#include "vm/base/strong.h"
#include "vm/machine/machine.h"
#include "vm/observe/fault.h"

namespace dvmsim {

/// One address range [base, base + size) per allocation, each with its own storage: an access that
/// leaves its allocation is out of bounds. Between two ranges there is always an unmapped gap.
class GlobalMemory {
 public:
  explicit GlobalMemory(Bytes capacity);
  /// 512-byte aligned address of a new range of `size` bytes, backed by zeroed storage unless
  /// `backed` is false (timing mode). First fit, deterministic. Throws Error when full.
  std::uint64_t allocate(Bytes size, bool backed);
  /// Gives back the range that begins at `address`, as allocate returned it: its size.
  Bytes release(std::uint64_t address);
  /// Storage of [address, address + size), or nullptr if it is not inside one backed allocation.
  [[nodiscard]] std::byte* at(std::uint64_t address, std::int64_t size);
  /// Is [address, address + size) inside one allocation, backed or not?
  [[nodiscard]] bool contains(std::uint64_t address, std::int64_t size);
  /// Bytes in use now, and the most there ever were, each range rounded up to 512.
  [[nodiscard]] Bytes used() const { return Bytes(used_); }
  [[nodiscard]] Bytes peak() const;

 private:
  struct Free {
    void operator()(std::byte* data) const { std::free(data); }
  };
  struct Range {
    std::int64_t size = 0;
    std::unique_ptr<std::byte[], Free> data{};  // from calloc: pages appear when written
  };
  [[nodiscard]] const Range* find(std::uint64_t address, std::int64_t size);

  std::map<std::uint64_t, Range> ranges_{};
  const Range* last_ = nullptr;  // most accesses follow one another in one range
  std::uint64_t last_base_ = 0;
  std::int64_t capacity_ = 0, used_ = 0, peak_ = 0;
};

/// The buffers of one core.
class CoreMemory {
 public:
  CoreMemory(const Machine& machine, CoreKind kind);
  /// Fills every buffer with 0xff (NaN in each float type). Takes time only where at() has been; a
  /// pointer from before must not be written through afterwards.
  void poison();
  /// Size of a buffer; 0 if this kind of core does not have it.
  [[nodiscard]] Bytes size_of(Space space) const {
    return Bytes(static_cast<std::int64_t>(buffers_[static_cast<std::size_t>(space)].bytes.size()));
  }
  /// Storage of [offset, offset + size) in a buffer, or nullptr if it leaves it.
  [[nodiscard]] std::byte* at(Space space, std::int64_t offset, std::int64_t size) {
    Buffer& buffer = buffers_[static_cast<std::size_t>(space)];
    const auto limit = static_cast<std::int64_t>(buffer.bytes.size());
    if (offset < 0 || size < 0 || size > limit || offset > limit - size) return nullptr;
    if (buffer.used < offset + size) buffer.used = offset + size;
    return buffer.bytes.data() + offset;
  }

 private:
  struct Buffer {
    std::vector<std::byte> bytes{};
    std::int64_t used = 0;  // nothing beyond was handed out since the last poison()
  };
  std::array<Buffer, kSpaces> buffers_{};
};

}  // namespace dvmsim
