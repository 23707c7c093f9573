#include "cli/features.h"

#include "compiler/runtime/strategy/strategy.h"
#include "vm/base/error.h"

namespace dvmsim {

Features features_of(const RunOptions& options) {
  const Strategy& strategy = find_strategy(options.strategy);
  Features features = strategy.features;
  for (const auto& [name, on] : options.features) {
    const auto feature = parse_feature(name);
    if (!feature) {
      std::string known;
      for (Feature one : all_features()) known += " " + std::string(name_of(one));
      throw Error("--feature " + name + ": unknown; there are" + known);
    }
    if (strategy.path != CodePath::Bytecode) {
      throw Error("--feature " + name + ": strategy " + options.strategy +
                  " launches kernels compiled before; use dvm or resident");
    }
    features.set(*feature, on);
  }
  return features;
}

std::vector<std::string> names_of(Features features) {
  std::vector<std::string> names;
  for (Feature feature : all_features()) {
    if (features.has(feature)) names.emplace_back(name_of(feature));
  }
  return names;
}

}  // namespace dvmsim
