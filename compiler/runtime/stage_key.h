// What a compiled stage is looked up by: which graph of the model, and the numbers known about it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace dvmsim {

struct StageKey {
  std::string path{};                 // the same for all shapes; the model itself has none
  std::vector<std::int64_t> facts{};  // sizes of its symbols; of a part: its inputs' shapes too
  friend bool operator==(const StageKey&, const StageKey&) = default;
};

struct StageKeyHash {
  std::size_t operator()(const StageKey& key) const {
    std::uint64_t hash = std::hash<std::string>{}(key.path);
    for (const std::int64_t fact : key.facts) {
      hash = (hash ^ static_cast<std::uint64_t>(fact)) * 0x9e3779b97f4a7c15u;
      hash ^= hash >> 29;
    }
    return hash;
  }
};

}  // namespace dvmsim
