// Runs a graph on tensors of the device: stage by stage (stage.h), each compiled once for its
// shapes and kept. Where the host drives, it is done here: host_nodes.cpp.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "compiler/graph/graph.h"
#include "compiler/module/plan.h"
#include "compiler/pass/feature.h"
#include "compiler/runtime/captured_modules.h"
#include "compiler/runtime/module_runner.h"
#include "compiler/runtime/stage.h"
#include "compiler/runtime/stage_key.h"
#include "compiler/runtime/strategy/specializations.h"

namespace dvmsim {

struct CompileSettings {
  Tiling tiling = Tiling::Cost;
  int cores = 0;
  Features features{};
  int ready_modules = 512;  // kept at most; the one used longest ago goes first
  ScheduleOverrides* overrides = nullptr;
};

class GraphRunner {
 public:
  GraphRunner(const Machine& machine, Device& device, RunnerOptions runner,
              CompileSettings settings);
  ~GraphRunner();

  using Environment = std::map<std::string, DeviceTensor>;  // by value name
  /// Where an output should lie, if the caller minds.
  using Place = std::function<std::optional<DeviceTensor>(std::size_t output, DType dtype,
                                                          const std::vector<std::int64_t>& shape)>;

  using Key = StageKey;
  struct Stage;
  /// The stage of a shaped model for these sizes of its symbols, in order; kUnbound where one has
  /// none. What does not depend on them is found once for all that the answers of a first allow.
  static constexpr std::int64_t kUnbound = -1;
  /// Stages whose path begins so pad and cut: their code holds for all sizes.
  static constexpr std::string_view kEdgePath = "edge";
  std::shared_ptr<Stage> stage_of(const Graph& model, std::vector<std::int64_t> sizes,
                                  RunResult& result);
  /// Makes the stage of these sizes for a run to come, if a plan that is there can: the host
  /// encodes it while the device works. Sizes that cannot be are no error.
  void make_ahead(const Graph& model, std::vector<std::int64_t> sizes, RunResult& result);
  /// The stage of a graph, made if need be. `graph` has the shapes of its inputs.
  std::shared_ptr<Stage> stage_of(const Key& key, const std::function<Graph()>& graph,
                                  RunResult& result);
  /// That of a module compiled elsewhere.
  std::shared_ptr<Stage> stage_of(Module module);

  /// Runs a stage and what follows it; the outputs of the graph it was made for. Empty after a
  /// fault.
  std::vector<DeviceTensor> run(Stage& stage, Environment inputs, const Place& place,
                                RunResult& result);
  /// Makes sure the stage's module fits the device, with so many bytes of inputs still to come, and
  /// is there. Error with the figures if not.
  void prepare(Stage& stage, std::int64_t input_bytes);
  [[nodiscard]] static const Module* module_of(const Stage& stage);
  /// The inputs its module has, in order.
  [[nodiscard]] static const std::vector<std::string>& inputs_of(const Stage& stage);
  [[nodiscard]] static const StagePlan& plan_of(const Stage& stage);

  [[nodiscard]] ModuleRunner& modules() { return modules_; }
  [[nodiscard]] const MemoryUse& memory() const { return modules_.memory().used(); }
  [[nodiscard]] std::size_t ready() const { return stages_.size(); }
  [[nodiscard]] Features features() const { return settings_.features; }

 private:
  using Stages = std::unordered_map<Key, std::shared_ptr<Stage>, StageKeyHash>;
  /// How code for a stage comes into being.
  struct Making {
    const Strategy* strategy = nullptr;
    bool dynamic = false, compiles = false;
    CompileOptions options{};
  };
  [[nodiscard]] CompileOptions compile_options(const Strategy& strategy) const;
  [[nodiscard]] Making making_of(const Key& key, bool dynamic);
  [[nodiscard]] std::shared_ptr<Stage> make_stage(const Key& key, const Graph& graph,
                                                  const Making& making);
  [[nodiscard]] std::shared_ptr<Stage> make_stage(const Key& key, const Graph& model,
                                                  std::span<const std::int64_t> sizes);
  [[nodiscard]] std::shared_ptr<Stage> planned_stage(const Key& key, const Graph& model, Plan& plan,
                                                     const Making& making) const;
  void make_ready(ReadyModule& ready, Module module, const Making& making) const;
  std::shared_ptr<Stage> used(std::shared_ptr<Stage> stage);
  /// Drops modules until this one fits; Error with the figures if it never does.
  void make_room(const Stage& keep, std::int64_t input_bytes);
  void keep_few(const Stage& keep);
  void drop(Stages::iterator stage);
  /// `key` is that of whatever runs it; `step` tells the graph from others there.
  std::vector<DeviceTensor> run_graph(const Key& key, const std::string& step, const Graph& graph,
                                      Environment inputs, const std::vector<std::string>& reads,
                                      const Place& place, RunResult& result);
  std::vector<DeviceTensor> run_module(Stage& stage, const Environment& values, const Place& place,
                                       RunResult& result);
  /// The same for a stage that is captured call by call.
  std::vector<DeviceTensor> run_captured(Stage& stage, const Environment& values,
                                         const Place& place, RunResult& result);
  std::vector<DeviceTensor> gather_outputs(Stage& stage, Environment values, const Place& place,
                                           RunResult& result);

  // What the host does itself.
  struct Call;
  class Stack;
  void run_host_node(const Key& key, const HostNode& node, Environment& values, RunResult& result);
  std::vector<DeviceTensor> run_if(const Call& call);
  std::vector<DeviceTensor> run_loop(const Call& call);
  std::vector<DeviceTensor> run_scan(const Call& call);
  std::vector<DeviceTensor> run_round(const Call& call, const Graph& body, Environment values,
                                      std::size_t first_stacked, std::vector<Stack>& stacks);
  std::vector<DeviceTensor> evaluate_on_host(const Call& call);
  void copy(const DeviceTensor& from, const DeviceTensor& to, RunResult& result);

  const Machine& machine_;
  ModuleRunner modules_;
  CompileSettings settings_;
  const Strategy& strategy_;
  std::uint64_t machine_hash_;
  Machine planned_;  // the machine as the strategy's programs see it
  CapturedModules captured_;
  std::int64_t uses_ = 0;
  Stages stages_{};
  struct KnownPlan {
    const Strategy* strategy = nullptr;
    std::unique_ptr<Plan> plan{};
  };
  std::vector<KnownPlan> plans_{};  // of the model, the last made first
  StrategyConstants constants_;
  Specializations specializations_;
};

}  // namespace dvmsim
