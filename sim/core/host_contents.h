// What the host wrote to the device, of buffers so small that they may decide what a program does:
// all that a run without values knows of memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "vm/isa/isa.h"

namespace dvmsim {

class HostContents {
 public:
  void write(std::uint64_t address, std::span<const std::byte> data);
  /// The memory belongs to somebody else from now on.
  void forget(std::uint64_t address, std::int64_t bytes);
  /// What an ldgm would read, if the host wrote it.
  [[nodiscard]] std::optional<std::int64_t> read(const isa::Command& command) const;

 private:
  std::map<std::uint64_t, std::vector<std::byte>> by_address_{};
};

}  // namespace dvmsim
