// A model kept ready for many runs: finds or makes the module of each set of shapes, runs its plan
// on a device, and charges the host for what the strategy makes it do.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "compiler/codegen/compile.h"
#include "compiler/graph/graph.h"
#include "compiler/graph/shape.h"
#include "compiler/runtime/module.h"
#include "compiler/runtime/strategy/strategy.h"
#include "vm/device/device.h"

namespace dvmsim {

struct SessionOptions {
  const Strategy* strategy = &kDvm;
  Tiling tiling = Tiling::Cost;
  int cores = 0;
  Mode mode = Mode::Functional;
  /// Called with every buffer of inputs, constants and outputs before the first launch of a run.
  std::function<void(const std::string& name, std::uint64_t address, Bytes size)> before_run{};
};

/// What one run did, besides what the device's listeners saw.
struct RunResult {
  std::vector<Tensor> outputs{};  // empty in timing mode
  std::vector<std::string> output_names{};
  std::vector<LaunchReport> launches{};
  Fault fault{};          // of the first launch that failed; the rest did not run
  bool compiled = false;  // the module did not exist before
  std::int64_t compile_ns = 0, encode_ns = 0;  // modelled host time
  std::int64_t program_bytes = 0;              // of the distinct programs
  const Module* module = nullptr;              // of the session
};

class Session {
 public:
  /// `graph` is shaped (deduce_shapes); the machine and the device outlive the session.
  Session(Graph graph, const Machine& machine, Device& device, SessionOptions options);
  /// A module compiled elsewhere, for its own shapes only.
  Session(Module module, const Machine& machine, Device& device, SessionOptions options);
  ~Session();

  /// Inputs by name; in timing mode none are needed. Symbols not in `dims` are bound from the
  /// inputs' shapes.
  RunResult run(const Bindings& dims, const std::map<std::string, Tensor>& inputs);
  /// The module for these dims, compiled if need be, not run.
  const Module& module_for(const Bindings& dims);

 private:
  struct Loaded;
  Loaded& load(const Bindings& dims, bool& compiled);
  void run_steps(const std::vector<ModuleStep>& steps, Loaded& loaded, RunResult& result);
  void launch(const ModuleStep& step, Loaded& loaded, RunResult& result);
  [[nodiscard]] std::uint64_t address_of(const Loaded& loaded, int tensor) const;
  void charge(HostWork work, std::int64_t picoseconds, const std::string& label,
              std::int64_t& total_ns);

  Graph graph_;
  bool fixed_ = false;  // made from a module
  const Machine& machine_;
  std::uint64_t machine_hash_;
  Device& device_;
  SessionOptions options_;
  bool analysed_ = false;          // the host has paid for partitioning this graph
  std::vector<Ticket> tickets_{};  // of the run in progress
  std::map<Bindings, std::unique_ptr<Loaded>> loaded_;
};

}  // namespace dvmsim
