// Who touched which bytes of one memory last: what the hazard checker remembers of it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

namespace dvmsim {

/// One command's access; the shadow keeps its number.
enum class Touch : std::uint8_t { Read, Write, Add, Max, Min };  // the last three: atomic updates

/// Do two accesses to one byte need an order? Updates of one kind do not.
[[nodiscard]] constexpr bool conflicts(Touch a, Touch b) {
  return (a != Touch::Read || b != Touch::Read) && !(a == b && a >= Touch::Add);
}

class Shadow {
 public:
  static constexpr std::int64_t kGranule = 512;

  /// Bytes [begin, end) of a granule touched by access number `access`.
  struct Entry {
    std::uint16_t begin = 0, end = 0;
    std::uint32_t access = 0;
  };
  /// The granule that holds `address`; made when asked for.
  [[nodiscard]] std::vector<Entry>& granule(std::int64_t address) {
    const std::int64_t number = address / kGranule, page = number / kPage;
    if (page != last_page_ || last_ == nullptr) turn_to(page);
    return (*last_)[static_cast<std::size_t>(number % kPage)];
  }

 private:
  static constexpr std::int64_t kPage = 128;
  using Page = std::array<std::vector<Entry>, kPage>;

  void turn_to(std::int64_t page) {
    auto& found = pages_[page];
    if (found == nullptr) found = std::make_unique<Page>();
    last_ = found.get();
    last_page_ = page;
  }

  std::unordered_map<std::int64_t, std::unique_ptr<Page>> pages_{};
  Page* last_ = nullptr;
  std::int64_t last_page_ = 0;
};

}  // namespace dvmsim
