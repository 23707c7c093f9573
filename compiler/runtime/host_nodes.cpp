// What the host does between modules: branches, iterations, and operators whose result sizes are
// data. Bodies are graphs that run on the device like any other.
#include <algorithm>

#include "compiler/graph/eval.h"
#include "compiler/runtime/stage_state.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

constexpr std::int64_t kMostIterations = 1'000'000;

/// Follows identities back to what makes a value of a body.
ValueId origin_of(const Graph& body, ValueId id) {
  for (;;) {
    const NodeId producer = body.value(id).producer;
    if (producer < 0 || body.node(producer).op != Op::Identity) return id;
    id = body.node(producer).inputs[0];
  }
}

/// Does a loop's body never end the loop by its condition?
bool keeps_going(const Graph& body) {
  const ValueId condition = origin_of(body, body.outputs[0]);
  if (condition == body.inputs[1]) return true;
  const Value& value = body.value(condition);
  return value.kind == ValueKind::Constant && constant_tensor(value).ints()[0] != 0;
}

Tensor scalar(DType dtype, std::int64_t number) {
  return Tensor::of_ints(dtype, {}, std::span(&number, 1));
}

}  // namespace

/// One host node being carried out.
struct GraphRunner::Call {
  const Key& key;
  const HostNode& node;
  std::vector<std::optional<DeviceTensor>> inputs{};  // absent ones are empty
  RunResult& result;

  [[nodiscard]] const DeviceTensor& input(std::size_t index) const { return *inputs.at(index); }
  [[nodiscard]] bool has(std::size_t index) const {
    return index < inputs.size() && inputs[index].has_value();
  }
  [[nodiscard]] std::string step(const std::string& which) const {
    return node.node.name + "." + which;
  }
  /// Inputs from `first` on are what the body captures: its inputs from `inner` on.
  [[nodiscard]] Environment captured(const Graph& body, std::size_t first,
                                     std::size_t inner) const {
    Environment values;
    for (; inner < body.inputs.size(); ++inner, ++first) {
      values[body.value(body.inputs[inner]).name] = input(first);
    }
    return values;
  }
};

/// Equal tensors one after another: what the rounds of an iteration leave.
class GraphRunner::Stack {
 public:
  /// `total`: how many there will be, if that is known; `backwards`: the last one comes first.
  Stack(GraphRunner& runner, std::int64_t total, bool backwards)
      : runner_(runner), total_(total), backwards_(backwards) {}

  /// Where the next one goes; Error naming `who` if it is not like those before.
  DeviceTensor next(DType dtype, const std::vector<std::int64_t>& shape, const std::string& who,
                    RunResult& result) {
    if (block_ && (shape != shape_ || dtype != block_->dtype)) {
      throw Error(who + ": its rounds give tensors of different shapes, which cannot be stacked");
    }
    shape_ = shape;
    if (!block_ || count_ == capacity_) grow(dtype, result);
    const std::int64_t at = backwards_ ? total_ - 1 - count_ : count_;
    return {dtype, shape, block_->range, at * element_count(shape) * size_of(dtype), {}};
  }
  void push() { ++count_; }
  [[nodiscard]] DeviceTensor all(DType dtype, const Dims& element) {
    if (!block_) {
      for (const Dim& dim : element) shape_.push_back(dim.is_known() ? dim.value() : 0);
      block_ = runner_.modules_.allocate(dtype, {0});
    }
    DeviceTensor result = *block_;
    result.shape = shape_;
    result.shape.insert(result.shape.begin(), count_);
    return result;
  }

 private:
  void grow(DType dtype, RunResult& result) {
    constexpr std::int64_t kFirst = 8;
    std::vector<std::int64_t> shape = shape_;
    capacity_ = total_ > 0 ? total_ : std::max(kFirst, capacity_ * 2);
    shape.insert(shape.begin(), capacity_);
    DeviceTensor larger = runner_.modules_.allocate(dtype, shape);
    if (block_ && count_ > 0) {
      DeviceTensor from = *block_, to = larger;
      from.shape = to.shape = shape_;
      from.shape.insert(from.shape.begin(), count_);
      to.shape.insert(to.shape.begin(), count_);
      runner_.copy(from, to, result);
    }
    block_ = std::move(larger);
  }

  GraphRunner& runner_;
  std::int64_t total_ = 0, capacity_ = 0, count_ = 0;
  bool backwards_ = false;
  std::vector<std::int64_t> shape_{};
  std::optional<DeviceTensor> block_{};
};

void GraphRunner::run_host_node(const Key& key, const HostNode& node, Environment& values,
                                RunResult& result) {
  result.host.add(node.label);
  Call call{key, node, {}, result};
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    if (node.constants[i]) {
      call.inputs.emplace_back(modules_.upload(constant_tensor(*node.constants[i])));
    } else if (!node.inputs[i].empty()) {
      call.inputs.emplace_back(values.at(node.inputs[i]));
    } else {
      call.inputs.emplace_back();
    }
  }
  std::vector<DeviceTensor> outputs;
  switch (node.node.op) {
    case Op::If:
      outputs = run_if(call);
      break;
    case Op::Loop:
      outputs = run_loop(call);
      break;
    case Op::Scan:
      outputs = run_scan(call);
      break;
    default:
      outputs = evaluate_on_host(call);
  }
  if (result.fault) return;
  for (std::size_t i = 0; i < outputs.size(); ++i) values[node.outputs[i]] = outputs[i];
}

std::vector<DeviceTensor> GraphRunner::run_if(const Call& call) {
  const Tensor condition = modules_.read_back(call.input(0), call.node.label, call.result);
  if (call.result.fault) return {};
  const bool taken = condition.ints().at(0) != 0;
  const Graph& branch = call.node.node.subgraphs[taken ? 0 : 1];
  return run_graph(call.key, call.step(taken ? "then" : "else"), branch,
                   call.captured(branch, 1, 0), {}, {}, call.result);
}

std::vector<DeviceTensor> GraphRunner::run_loop(const Call& call) {
  const Graph& body = call.node.node.subgraphs[0];
  const auto carried = static_cast<std::size_t>(call.node.node.int_of("carried"));
  const std::size_t stacked = body.outputs.size() - 1 - carried;
  const bool never_ends = keeps_going(body);
  std::int64_t limit = kMostIterations;
  if (call.has(0)) {
    limit = modules_.read_back(call.input(0), call.node.label, call.result).ints().at(0);
  }
  const auto says_yes = [&](const DeviceTensor& condition) {
    return modules_.read_back(condition, call.node.label, call.result).ints().at(0) != 0;
  };
  DeviceTensor condition = call.has(1) ? call.input(1) : modules_.upload(scalar(DType::Bool, 1));
  bool go_on = !call.has(1) || says_yes(condition);
  std::vector<DeviceTensor> state;
  for (std::size_t i = 0; i < carried; ++i) state.push_back(call.input(2 + i));
  const bool counted = never_ends && call.has(0) && limit <= kMostIterations;
  std::vector<Stack> stacks(stacked, Stack(*this, counted ? limit : 0, false));
  for (std::int64_t round = 0; go_on && round < limit && !call.result.fault; ++round) {
    Environment values = call.captured(body, 2 + carried, 2 + carried);
    values[body.value(body.inputs[0]).name] = modules_.upload(scalar(DType::I64, round));
    values[body.value(body.inputs[1]).name] = condition;
    for (std::size_t i = 0; i < carried; ++i) {
      values[body.value(body.inputs[2 + i]).name] = state[i];
    }
    const auto outputs = run_round(call, body, std::move(values), 1 + carried, stacks);
    if (call.result.fault) return {};
    condition = outputs[0];
    for (std::size_t i = 0; i < carried; ++i) state[i] = outputs[1 + i];
    go_on = never_ends || says_yes(condition);
    if (round + 1 == kMostIterations && go_on && !call.has(0)) {
      throw Error(call.node.label + ": has not ended after " + std::to_string(kMostIterations) +
                  " iterations");
    }
  }
  for (std::size_t i = 0; i < stacked; ++i) {
    const ValueType& type = body.value(body.outputs[1 + carried + i]).type;
    state.push_back(stacks[i].all(type.dtype, type.shape.value_or(Dims{})));
  }
  return state;
}

std::vector<DeviceTensor> GraphRunner::run_round(const Call& call, const Graph& body,
                                                 Environment values, std::size_t first_stacked,
                                                 std::vector<Stack>& stacks) {
  ++call.result.host.iterations;
  const Place place = [&](std::size_t output, DType dtype,
                          const std::vector<std::int64_t>& shape) -> std::optional<DeviceTensor> {
    if (output < first_stacked) return std::nullopt;
    return stacks[output - first_stacked].next(dtype, shape, call.node.label, call.result);
  };
  auto outputs =
      run_graph(call.key, call.step("body"), body, std::move(values), {}, place, call.result);
  if (call.result.fault) return {};
  for (std::size_t i = 0; i < stacks.size(); ++i) {
    const DeviceTensor& made = outputs[first_stacked + i];
    const DeviceTensor to = stacks[i].next(made.dtype, made.shape, call.node.label, call.result);
    if (made.range != to.range || made.offset != to.offset) copy(made, to, call.result);
    stacks[i].push();
  }
  return outputs;
}

std::vector<DeviceTensor> GraphRunner::run_scan(const Call& call) {
  const Node& node = call.node.node;
  const Graph& body = node.subgraphs[0];
  const auto states = static_cast<std::size_t>(node.int_of("states"));
  const auto scans = static_cast<std::size_t>(node.int_of("scans"));
  const auto backwards = [&](const char* attribute, std::size_t index) {
    const auto directions = node.ints_of(attribute);
    return index < directions.size() && directions[index] != 0;
  };
  const std::int64_t rounds = call.input(states).shape.at(0);
  std::vector<DeviceTensor> state;
  for (std::size_t i = 0; i < states; ++i) state.push_back(call.input(i));
  std::vector<Stack> stacks;
  for (std::size_t i = states; i < body.outputs.size(); ++i) {
    stacks.emplace_back(*this, rounds, backwards("output_backwards", i - states));
  }
  for (std::int64_t round = 0; round < rounds && !call.result.fault; ++round) {
    Environment values = call.captured(body, states + scans, states + scans);
    for (std::size_t i = 0; i < states; ++i) values[body.value(body.inputs[i]).name] = state[i];
    for (std::size_t i = 0; i < scans; ++i) {
      DeviceTensor slice = call.input(states + i);
      slice.shape.erase(slice.shape.begin());
      slice.offset +=
          slice.bytes() * (backwards("input_backwards", i) ? rounds - 1 - round : round);
      slice.value.reset();
      values[body.value(body.inputs[states + i]).name] = std::move(slice);
    }
    const auto outputs = run_round(call, body, std::move(values), states, stacks);
    if (call.result.fault) return {};
    for (std::size_t i = 0; i < states; ++i) state[i] = outputs[i];
  }
  for (std::size_t i = 0; i < stacks.size(); ++i) {
    const ValueType& type = body.value(body.outputs[states + i]).type;
    state.push_back(stacks[i].all(type.dtype, type.shape.value_or(Dims{})));
  }
  return state;
}

/// The host looks at every byte once, at the rate at which it came.
std::vector<DeviceTensor> GraphRunner::evaluate_on_host(const Call& call) {
  std::vector<Tensor> tensors;
  std::int64_t bytes = 0;
  for (const auto& input : call.inputs) {
    tensors.push_back(input ? modules_.read_back(*input, call.node.label, call.result) : Tensor());
    if (call.result.fault) return {};
    bytes += static_cast<std::int64_t>(tensors.back().bytes().size());
  }
  std::vector<const Tensor*> inputs;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    inputs.push_back(call.has(i) ? &tensors[i] : nullptr);
  }
  const Cycles cycles = machine_.launch.copy_rate.cycles_for(Bytes(bytes));
  const std::int64_t looking = cycles.count() * 1'000'000'000 / machine_.clock.core.count() * 1000;
  std::int64_t spent = 0;
  modules_.charge(HostWork::Evaluate, machine_.host.capture.count() + looking, call.node.node.name,
                  spent);
  std::vector<DeviceTensor> outputs;
  for (const Tensor& output : evaluate_node({}, call.node.node, inputs)) {
    outputs.push_back(modules_.upload(output));
  }
  return outputs;
}

void GraphRunner::copy(const DeviceTensor& from, const DeviceTensor& to, RunResult& result) {
  Graph graph;
  graph.name = "copy";
  const std::int64_t count = element_count(from.shape);
  if (count == 0) return;
  const ValueId in = graph.add_input("x", from.dtype, {count});
  graph.add_output(in, "y");
  DeviceTensor flat = from, target = to;
  flat.shape = target.shape = {count};
  const Key key{"copy", {static_cast<std::int64_t>(from.dtype)}};
  (void)run_graph(
      key, "", graph, {{"x", flat}}, {},
      [&](std::size_t, DType, const std::vector<std::int64_t>&) {
        return std::optional<DeviceTensor>(target);
      },
      result);
}

}  // namespace dvmsim
