// A model with symbols run at bucket sizes: inputs are padded with zeros and masks made, then the
// program of the bucket, then outputs are cut. Three stages of one GraphRunner; the outer two are
// missing where there is nothing to pad or cut.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "compiler/graph/graph.h"
#include "compiler/pass/mask_padding.h"
#include "compiler/runtime/graph_runner.h"
#include "compiler/runtime/run_result.h"
#include "compiler/runtime/strategy/constants.h"

namespace dvmsim {

class PaddedRun {
 public:
  using Environment = GraphRunner::Environment;

  /// `model` has symbols. Model and runner outlive it.
  PaddedRun(const Graph& model, GraphRunner& runner, const StrategyConstants& constants);

  struct Stages {
    const MaskedGraph* masked = nullptr;
    std::shared_ptr<GraphRunner::Stage> pad, inner, cut;  // pad, cut: may be null
    Bindings sizes{}, bucket{};
    std::vector<std::string> padded{};  // inputs of `inner` that `pad` makes, in order
  };
  /// Error, naming the node, for what cannot be padded.
  [[nodiscard]] Stages stages_of(const Bindings& sizes, RunResult& result);
  /// As GraphRunner::prepare.
  void prepare(const Stages& stages, std::int64_t input_bytes);
  /// The model's outputs, cut to their sizes. Empty after a fault.
  std::vector<DeviceTensor> run(const Stages& stages, Environment inputs, RunResult& result);

 private:
  [[nodiscard]] const MaskedGraph& masked_for(const Bindings& bucket);
  [[nodiscard]] Graph pad_graph(const Stages& stages) const;
  [[nodiscard]] Graph cut_graph(const Bindings& sizes, const Bindings& bucket) const;
  [[nodiscard]] std::shared_ptr<GraphRunner::Stage> edge(const std::string& path,
                                                         const Graph& graph,
                                                         const std::vector<std::int64_t>& facts,
                                                         RunResult& result);
  void check_meeting(const Stages& stages) const;
  void add_numbers(const Stages& stages, Environment& values);
  void count_elements(const Stages& stages, RunResult& result) const;

  const Graph& model_;
  GraphRunner& runner_;
  const StrategyConstants constants_;
  std::map<Bindings, MaskedGraph> masked_{};  // by bucket
};

}  // namespace dvmsim
