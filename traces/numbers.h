// Numbers as people read them.
#pragma once

#include <cstdint>
#include <string>

namespace dvmsim {

/// 1234567 -> "1,234,567".
[[nodiscard]] std::string grouped(std::int64_t number);

}  // namespace dvmsim
