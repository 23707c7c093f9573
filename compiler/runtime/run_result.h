// What one run of a session did, besides what the device's listeners saw.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "compiler/graph/tensor.h"
#include "compiler/module/module.h"
#include "compiler/runtime/device_memory.h"
#include "vm/device/device.h"

namespace dvmsim {

/// Operators that a framework would have dispatched for what a run launched.
struct OperatorCounts {
  std::int64_t framework = 0;
  std::int64_t written = 0;                        // as the model writes them
  std::map<std::string, std::int64_t> rerolled{};  // of the framework's, by kind
};

struct RunResult {
  std::vector<Tensor> outputs{};  // empty in timing mode
  std::vector<std::string> output_names{};
  std::vector<LaunchReport> launches{};
  Fault fault{};          // of the first launch that failed; the rest did not run
  bool compiled = false;  // a module did not exist before
  std::int64_t compile_ns = 0, encode_ns = 0, dispatch_ns = 0;  // modelled host time
  std::int64_t ahead_ns = 0;                                    // compiling before anything runs
  std::int64_t program_bytes = 0;                               // of the distinct programs
  std::int64_t code_bytes = 0;  // of all code the strategy keeps by now
  std::int64_t elements = 0,
               padded_elements = 0;  // computed, and of them beyond the sizes asked for

  /// What the host did between launches because values on the device decide what comes next.
  struct HostSteps {
    std::int64_t synchronisations = 0, bytes_read = 0, iterations = 0;
    std::vector<std::string> nodes{};  // once each, in order: "node 'n' (loop)"
    void add(const std::string& node) {
      if (std::find(nodes.begin(), nodes.end(), node) == nodes.end()) nodes.push_back(node);
    }
  } host{};
  MemoryUse memory{};          // when the run used most
  OperatorCounts operators{};  // none for strategies that fuse them

  /// Of the session, until its next run; null when the host drives the graph in several modules.
  const Module* module = nullptr;
};

}  // namespace dvmsim
