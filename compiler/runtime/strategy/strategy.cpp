#include "compiler/runtime/strategy/strategy.h"

#include <string>

#include "vm/base/error.h"

namespace dvmsim {

std::span<const Strategy* const> strategies() {
  static const Strategy* const kAll[] = {&kEager, &kDvm, &kDvmEager, &kResident};
  return kAll;
}

const Strategy& find_strategy(std::string_view name) {
  std::string known;
  for (const Strategy* strategy : strategies()) {
    if (strategy->name == name) return *strategy;
    known += known.empty() ? "" : ", ";
    known += strategy->name;
  }
  throw Error("strategy '" + std::string(name) + "' is not available; choose one of: " + known);
}

}  // namespace dvmsim
