// A planned stage with its module: internal to graph_runner.cpp and host_nodes.cpp.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compiler/runtime/capture.h"
#include "compiler/runtime/graph_runner.h"

namespace dvmsim {

struct GraphRunner::Stage {
  Key key{};
  StagePlan plan{};
  std::optional<ReadyModule> ready{};      // none if the stage has nothing for the device
  bool captures = false;                   // or if plan.device is run call by call
  std::optional<DeviceWeights> weights{};  // then, once it is prepared
  std::vector<std::string> inputs{};       // of its module
  std::int64_t last_use = 0;

  /// Which output of the graph output `index` of the module is, if it is one.
  [[nodiscard]] std::optional<std::size_t> output_of(std::size_t index) const {
    if (plan.whole) return index;
    for (std::size_t i = 0; i < plan.outputs.size(); ++i) {
      if (plan.outputs[i].name == plan.device_outputs[index]) return i;
    }
    return std::nullopt;
  }
};

}  // namespace dvmsim
