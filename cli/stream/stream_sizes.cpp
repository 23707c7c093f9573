#include "cli/stream/stream_sizes.h"

#include <algorithm>
#include <map>

#include "cli/workload.h"
#include "compiler/graph/shape.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

using Shapes = std::map<std::string, std::vector<std::int64_t>>;  // of carried inputs

/// What the step leaves to the next one.
Shapes carried_after(const Graph& graph, const Named& state, const Bindings& dims) {
  Shapes carried;
  for (const auto& [output, input] : state) {
    const auto at = std::find(graph.output_names.begin(), graph.output_names.end(), output);
    const auto index = static_cast<std::size_t>(at - graph.output_names.begin());
    const auto& shape = graph.value(graph.outputs[index]).type.shape;
    if (!shape) throw Error("state '" + output + "': values decide its size; use run --stream");
    try {
      carried[input] = resolve(*shape, dims);
    } catch (const Error&) {
      throw Error("state '" + output + "': values decide its size; use run --stream");
    }
  }
  return carried;
}

}  // namespace

RecordedSizes recorded_sizes(const Stream& stream, const Graph& graph) {
  RecordedSizes result;
  std::vector<std::string> inputs;
  for (ValueId id : graph.inputs) inputs.push_back(graph.value(id).name);
  result.state = state_of(stream, graph.output_names, inputs);
  Shapes carried;
  for (const StreamStep& step : steps_of(stream)) {
    if (step.group->fresh) carried.clear();
    RunOptions options;
    options.dims = step.dims;
    options.shapes = step.shapes;
    options.shapes.insert(options.shapes.end(), carried.begin(), carried.end());
    if (carried.size() < result.state.size()) {
      options.dims.insert(options.dims.end(), stream.initial.begin(), stream.initial.end());
    }
    result.steps.push_back(bindings_of(graph, options, {}));
    if (result.state.empty()) continue;
    result.fresh.push_back(step.group->fresh);
    carried = carried_after(graph, result.state, result.steps.back());
  }
  return result;
}

}  // namespace dvmsim
