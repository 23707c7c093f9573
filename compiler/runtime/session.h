// A model kept ready for many runs: finds or makes what each set of shapes needs, runs it on a
// device, and charges the host for what the strategy makes it do. Outputs of a run can stay on the
// device and become inputs of the next.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "compiler/graph/graph.h"
#include "compiler/graph/shape.h"
#include "compiler/module/module.h"
#include "compiler/runtime/graph_runner.h"
#include "compiler/runtime/next_sizes.h"
#include "compiler/runtime/padded_run.h"
#include "compiler/runtime/run_result.h"
#include "compiler/runtime/strategy/strategy.h"
#include "vm/device/device.h"

namespace dvmsim {

struct SessionOptions {
  const Strategy* strategy = &kDvm;
  StrategyConstants constants{};
  Tiling tiling = Tiling::Cost;
  int cores = 0;
  std::optional<Features> features{};  // none: those of the strategy
  Mode mode = Mode::Functional;
  /// Called with every buffer of inputs, constants and outputs before the first launch of a module.
  std::function<void(const std::string& name, std::uint64_t address, Bytes size)> before_run{};
  int ready_modules = 512;  // sets of shapes kept ready; the one used longest ago goes first
  ScheduleOverrides* overrides = nullptr;  // outlive the session
};

class Session {
 public:
  /// Where values decide about shapes or about what runs, the host drives the graph in several
  /// modules (stage.h). The machine and the device outlive the session.
  Session(const Graph& graph, const Machine& machine, Device& device, SessionOptions options);
  /// A module compiled elsewhere, for its own shapes only.
  Session(Module module, const Machine& machine, Device& device, SessionOptions options);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Inputs by name; in timing mode none are needed. Symbols not in `dims` are bound from the
  /// inputs' shapes. Error, before anything runs, for a model that does not fit the device.
  RunResult run(const Bindings& dims, const std::map<std::string, Tensor>& inputs);
  /// The module for these dims, compiled if need be, not run. Error if the host drives the graph.
  const Module& module_for(const Bindings& dims);

  /// The same without an Error: null if the host drives the graph.
  const Module* prepared(const Bindings& dims);

  /// From now on, `output` of a run stays on the device and is `input` of the next one, which need
  /// not be given then. Error for names the model does not have, or element types that differ.
  void carry(const std::string& output, const std::string& input);
  /// What the next run will be given, and to give it another time.
  using Carried = GraphRunner::Environment;
  [[nodiscard]] const Carried& carried() const { return carried_; }
  void carry_again(Carried carried) { carried_ = std::move(carried); }
  /// Forgets what was carried: the next run is a first one.
  void forget_carried() { carried_.clear(); }
  /// Null: nothing is carried to this input.
  [[nodiscard]] const std::vector<std::int64_t>* carried_shape(const std::string& input) const {
    const auto found = carried_.find(input);
    return found == carried_.end() ? nullptr : &found->second.shape;
  }

  /// Device memory in use between runs, and sets of shapes ready.
  [[nodiscard]] const MemoryUse& memory() const;
  [[nodiscard]] std::size_t ready() const { return runner_.ready(); }

 private:
  using Tensors = std::map<std::string, Tensor>;
  [[nodiscard]] Bindings bind(const Bindings& dims, const Tensors& inputs) const;
  [[nodiscard]] std::vector<std::int64_t> sizes_of(const Bindings& dims) const;
  [[nodiscard]] std::shared_ptr<GraphRunner::Stage> stage_for(const Bindings& dims,
                                                              RunResult& result);
  /// While the device works: the module of the sizes that are likely to come next.
  void encode_ahead(const Bindings& dims, RunResult& result);
  struct InputType {
    DType dtype{};
    std::vector<std::int64_t> shape{};
  };
  /// What the model takes, by name, for these dims.
  [[nodiscard]] std::map<std::string, InputType> input_types(const GraphRunner::Stage& stage,
                                                             const Bindings& dims) const;
  [[nodiscard]] GraphRunner::Environment inputs_of(const GraphRunner::Stage& stage,
                                                   const std::map<std::string, InputType>& types,
                                                   const Tensors& inputs);

  Graph graph_;
  std::shared_ptr<GraphRunner::Stage> fixed_{};  // made from a module
  GraphRunner runner_;
  std::optional<PaddedRun> padded_{};  // if the strategy pads
  std::vector<std::string> output_names_{};
  std::map<std::string, std::string> carries_{};  // input: output
  GraphRunner::Environment carried_{};
  NextSizes next_sizes_{};
};

}  // namespace dvmsim
