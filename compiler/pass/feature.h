// What the compiler can do beyond the `dvm` profile, or leave out of it, each a switch of its own,
// so that its gain can be shown alone on the same machine.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace dvmsim {

enum class Feature : std::uint8_t {
  LongReduce,  // a reduction longer than a tile stays in one kernel
  Attention,   // QK, softmax and PV are one program
  Buffers,     // UB by best fit, with copies of what is loaded and stored
  Decode,      // the firmware keeps what it has decoded, outside UB, and fetches programs early
  Parametric,  // modules kept by sizes; new sizes cut as those like them; the next ones made ahead
  Stack,       // independent kernels share a launch, side by side; part of `dvm`
  OneLaunch,   // launches that follow one another are tasks of one
  ShortAxes,   // short rows that are reduced are taken apart before broadcasting makes them many
  CubeFusion,  // more than elementwise work after it goes into the launch of a product
};

/// All of them, in the order of the enumeration.
[[nodiscard]] std::span<const Feature> all_features();
[[nodiscard]] std::string_view name_of(Feature feature);
[[nodiscard]] std::optional<Feature> parse_feature(std::string_view name);

/// A set of features.
class Features {
 public:
  constexpr Features() = default;
  /// Every feature.
  [[nodiscard]] static Features all();
  [[nodiscard]] static constexpr Features only(Feature feature) {
    Features features;
    features.set(feature, true);
    return features;
  }
  [[nodiscard]] constexpr bool has(Feature feature) const { return (bits_ & bit(feature)) != 0; }
  constexpr void set(Feature feature, bool on) {
    bits_ = on ? bits_ | bit(feature) : bits_ & ~bit(feature);
  }
  friend constexpr bool operator==(Features, Features) = default;

 private:
  static constexpr std::uint32_t bit(Feature feature) {
    return std::uint32_t{1} << static_cast<int>(feature);
  }
  std::uint32_t bits_ = 0;
};

}  // namespace dvmsim
