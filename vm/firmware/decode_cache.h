// The instructions that a core keeps decoded: one to a place, by its word modulo the places. It
// lives as long as a launch: tasks that share code find what an earlier one has decoded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace dvmsim {

class DecodeCache {
 public:
  /// Of so many places; 0: nothing is kept.
  explicit DecodeCache(std::int64_t places = 0)
      : words_(static_cast<std::size_t>(places), kNothing) {}

  /// Is the instruction at this word of the program there? It is, from now on.
  [[nodiscard]] bool finds(std::uint32_t word) {
    if (words_.empty()) return false;
    std::uint32_t& place = words_[word % words_.size()];
    const bool found = place == word;
    place = word;
    return found;
  }

 private:
  static constexpr std::uint32_t kNothing = ~std::uint32_t{0};
  std::vector<std::uint32_t> words_;  // by place
};

}  // namespace dvmsim
