#include "compiler/pass/feature.h"

#include <algorithm>

namespace dvmsim {
namespace {

constexpr Feature kAll[] = {Feature::LongReduce, Feature::Attention,  Feature::Buffers,
                            Feature::Decode,     Feature::Parametric, Feature::Stack,
                            Feature::OneLaunch,  Feature::ShortAxes,  Feature::CubeFusion};
constexpr std::string_view kNames[] = {"long-reduce", "attention",  "buffers",
                                       "decode",      "parametric", "stack",
                                       "one-launch",  "short-axes", "cube-fusion"};
static_assert(std::size(kAll) == std::size(kNames));

}  // namespace

std::span<const Feature> all_features() {
  return kAll;
}

std::string_view name_of(Feature feature) {
  return kNames[static_cast<int>(feature)];
}

std::optional<Feature> parse_feature(std::string_view name) {
  const auto found = std::find(std::begin(kNames), std::end(kNames), name);
  if (found == std::end(kNames)) return std::nullopt;
  return kAll[found - std::begin(kNames)];
}

Features Features::all() {
  Features features;
  for (Feature feature : kAll) features.set(feature, true);
  return features;
}

}  // namespace dvmsim
