#include "sim/core/host_contents.h"

#include <cstring>

#include "vm/device/device.h"

namespace dvmsim {

void HostContents::write(std::uint64_t address, std::span<const std::byte> data) {
  const auto bytes = static_cast<std::int64_t>(data.size());
  forget(address, bytes);
  if (bytes > kMostControlBytes) return;
  by_address_[address].assign(data.begin(), data.end());
}

void HostContents::forget(std::uint64_t address, std::int64_t bytes) {
  by_address_.erase(by_address_.lower_bound(address),
                    by_address_.lower_bound(address + static_cast<std::uint64_t>(bytes)));
}

std::optional<std::int64_t> HostContents::read(const isa::Command& command) const {
  const auto address = static_cast<std::uint64_t>(command.at(2));  // rd, dtype, src
  auto found = by_address_.upper_bound(address);
  if (found == by_address_.begin()) return std::nullopt;
  --found;
  const std::size_t offset = address - found->first;
  const auto get = [&](auto value) -> std::optional<std::int64_t> {
    if (offset + sizeof value > found->second.size()) return std::nullopt;
    std::memcpy(&value, found->second.data() + offset, sizeof value);
    return value;
  };
  switch (static_cast<DType>(command.at(1))) {
    case DType::I32:
      return get(std::int32_t{});
    case DType::I64:
      return get(std::int64_t{});
    default:
      return std::nullopt;
  }
}

}  // namespace dvmsim
