#include "compiler/runtime/lazy.h"

#include <fmt/format.h>

#include <algorithm>

#include "compiler/graph/shape.h"
#include "compiler/graph/verify.h"
#include "compiler/schedule/lower.h"
#include "vm/base/error.h"

namespace dvmsim {

struct LazyTensor::Slot {
  std::shared_ptr<const char> owner{};
  DType dtype = DType::F32;
  std::vector<std::int64_t> shape{};
  // One of these says what it is; otherwise it is a call's result.
  std::optional<DeviceTensor> there{};  // on the device
  std::optional<Value> constant{};      // of the host
  std::shared_ptr<Slot> reshaped_from{};
  std::int64_t capture = -1;  // in which it has a value
  ValueId value = kNoValue;
};

DType LazyTensor::dtype() const {
  return slot_->dtype;
}
const std::vector<std::int64_t>& LazyTensor::shape() const {
  return slot_->shape;
}

namespace {

bool overlap(const DeviceTensor& a, const DeviceTensor& b) {
  const auto end = [](const DeviceTensor& tensor) {
    return tensor.address() + static_cast<std::uint64_t>(tensor.bytes());
  };
  return a.address() < end(b) && b.address() < end(a);
}

/// The numbers of a small integer tensor, which decide shapes.
std::optional<Dims> contents_of(const Value& value) {
  constexpr std::int64_t kMost = 256;
  if (is_float(value.type.dtype) || element_count(known_shape(value)) > kMost) return std::nullopt;
  return as_dims(constant_tensor(value).ints());
}

/// What the node gives of such operands; Error if it is not a call of its operator.
std::vector<ValueType> checked_types(const Node& node, const std::vector<ValueType>& operands) {
  Graph alone;
  Node call = node;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    if (!operands[i].shape) continue;
    call.inputs[i] = static_cast<ValueId>(alone.values.size());
    alone.inputs.push_back(call.inputs[i]);
    alone.values.push_back({fmt::format("operand {}", i), ValueKind::Input, operands[i], {}, {}});
  }
  for (ValueId& output : call.outputs) {
    output = static_cast<ValueId>(alone.values.size());
    alone.values.push_back({fmt::format("result {}", output), ValueKind::Temp, {}, {}, {}, 0});
  }
  alone.nodes.push_back(call);
  verify(alone, Level::Imported);
  std::vector<ValueType> types = deduce_node(alone, call, operands);
  for (const ValueType& type : types) {
    const bool sized = type.shape && std::all_of(type.shape->begin(), type.shape->end(),
                                                 [](const Dim& dim) { return dim.is_known(); });
    if (!sized) throw Error(describe(alone, call) + ": its shape depends on data; read them first");
  }
  return types;
}

std::string type_text(DType dtype, const std::vector<std::int64_t>& shape) {
  return fmt::format("{} [{}]", name_of(dtype), fmt::join(shape, ", "));
}

}  // namespace

Lazy::Lazy(const Machine& machine, ModuleRunner& runner, CapturedModules& modules,
           RunResult& result)
    : machine_(machine),
      runner_(runner),
      modules_(modules),
      result_(result),
      identity_(std::make_shared<const char>()) {}

void Lazy::refuse(const std::string& verb, const std::string& why) const {
  throw Error(fmt::format("call {} ({}): {}", counts_.calls, verb, why));
}

void Lazy::check(const std::string& verb, const std::vector<LazyTensor>& operands) const {
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const Slot* slot = operands[i].slot_.get();
    if (slot == nullptr) continue;
    if (slot->owner != identity_) {
      refuse(verb, fmt::format("operand {} belongs to another context; load its tensor here", i));
    }
    const Slot* made = slot;
    while (!made->there && made->reshaped_from != nullptr) made = made->reshaped_from.get();
    if (!made->there && !made->constant && made->capture != capture_) {
      refuse(verb, fmt::format("operand {} was lost by a flush that failed; compute it again", i));
    }
  }
}

void Lazy::begin_call(const std::string& verb, const std::vector<LazyTensor>& operands) {
  ++counts_.calls;
  check(verb, operands);
  std::int64_t ignored = 0;
  runner_.charge(HostWork::Capture, machine_.host.call.count(), verb, ignored);
}

std::shared_ptr<Lazy::Slot> Lazy::new_slot(DType dtype, std::vector<std::int64_t> shape) const {
  auto slot = std::make_shared<Slot>();
  slot->owner = identity_;
  slot->dtype = dtype;
  slot->shape = std::move(shape);
  return slot;
}

LazyTensor Lazy::load(const DeviceTensor& tensor, const std::string& name) {
  begin_call("load", {});
  if (tensor.range == nullptr) refuse("load", "the tensor has no place on the device");
  if (!name.empty()) runner_.announce(name, tensor);
  auto slot = new_slot(tensor.dtype, tensor.shape);
  slot->there = tensor;
  return LazyTensor(std::move(slot));
}

LazyTensor Lazy::constant(Value value) {
  begin_call("constant", {});
  auto slot = new_slot(value.type.dtype, known_shape(value));
  slot->constant = std::move(value);
  return LazyTensor(std::move(slot));
}

void Lazy::check_pattern(Op op, Pattern pattern, std::size_t operands) const {
  const OpInfo& info = info_of(op);
  const auto count = static_cast<int>(operands);
  if (info.pattern == pattern && info.min_inputs <= count && count <= info.max_inputs) return;
  throw Error(fmt::format("call {} ({}): not an operator of the class {} with {} operands",
                          counts_.calls + 1, info.name, name_of(pattern), count));
}

LazyTensor Lazy::one(Op op, const std::vector<LazyTensor>& operands, AttributeMap attributes) {
  return call(op, operands, std::move(attributes)).front();
}

LazyTensor Lazy::unary(Op op, const LazyTensor& a) {
  check_pattern(op, Pattern::Elementwise, 1);
  return one(op, {a}, {});
}

LazyTensor Lazy::binary(Op op, const LazyTensor& a, const LazyTensor& b) {
  check_pattern(op, Pattern::Elementwise, 2);
  return one(op, {a, b}, {});
}

LazyTensor Lazy::reduce(Op op, const LazyTensor& a, const std::vector<std::int64_t>& axes,
                        bool keep_dimensions) {
  check_pattern(op, Pattern::Reduction, 1);
  return one(op, {a},
             {{"axes", as_dims(axes)}, {"keepdims", std::int64_t{keep_dimensions ? 1 : 0}}});
}

LazyTensor Lazy::select(const LazyTensor& condition, const LazyTensor& a, const LazyTensor& b) {
  return one(Op::Select, {condition, a, b}, {});
}

LazyTensor Lazy::cast(const LazyTensor& a, DType to) {
  return one(Op::Cast, {a}, {{"to", to}});
}

LazyTensor Lazy::broadcast(const LazyTensor& a, const std::vector<std::int64_t>& shape) {
  return one(Op::Expand, {a}, {{"shape", as_dims(shape)}});
}

LazyTensor Lazy::reshape(const LazyTensor& a, const std::vector<std::int64_t>& shape) {
  begin_call("reshape", {a});
  if (a.slot_ == nullptr) refuse("reshape", "operand 0 is absent");
  if (element_count(shape) != element_count(a.shape())) {
    refuse("reshape", fmt::format("[{}] has not as many elements as {}", fmt::join(shape, ", "),
                                  type_text(a.dtype(), a.shape())));
  }
  auto slot = new_slot(a.dtype(), shape);
  slot->reshaped_from = a.slot_;
  return LazyTensor(std::move(slot));
}

LazyTensor Lazy::matmul(const LazyTensor& a, const LazyTensor& b, bool trans_a, bool trans_b) {
  return one(
      Op::MatMul, {a, b},
      {{"trans_a", std::int64_t{trans_a ? 1 : 0}}, {"trans_b", std::int64_t{trans_b ? 1 : 0}}});
}

LazyTensor Lazy::grouped_matmul(const LazyTensor& a, const LazyTensor& b, const LazyTensor& list,
                                const std::string& axis, bool cumulative, const LazyTensor& bias) {
  std::vector<LazyTensor> operands = {a, b, list};
  if (bias.slot_ != nullptr) operands.push_back(bias);
  return one(Op::GroupedMatMul, operands,
             {{"axis", axis}, {"cumulative", std::int64_t{cumulative ? 1 : 0}}});
}

bool Lazy::is_read(const DeviceTensor& tensor) const {
  return std::any_of(inputs_.begin(), inputs_.end(),
                     [&](const DeviceTensor& input) { return overlap(input, tensor); });
}

bool Lazy::is_written(const DeviceTensor& tensor) const {
  return std::any_of(stores_.begin(), stores_.end(),
                     [&](const Store& store) { return overlap(store.to, tensor); });
}

void Lazy::flush_before(Op op, const std::vector<LazyTensor>& operands) {
  const bool full = graph_.nodes.size() >= kMostCalls;
  const bool segment = info_of(op).pattern == Pattern::Contraction && !graph_.nodes.empty();
  const bool stale = std::any_of(operands.begin(), operands.end(), [&](const LazyTensor& each) {
    if (each.slot_ != nullptr) settle(*each.slot_);
    return each.slot_ != nullptr && each.slot_->there && is_written(*each.slot_->there);
  });
  if (full || segment || stale) flush();
}

void Lazy::settle(Slot& slot) {
  if (slot.there || slot.reshaped_from == nullptr) return;
  settle(*slot.reshaped_from);
  if (!slot.reshaped_from->there) return;
  slot.there = slot.reshaped_from->there;
  slot.there->shape = slot.shape;
  if (slot.there->value) slot.there->value = slot.there->value->reshaped(slot.shape);
  slot.reshaped_from.reset();
}

ValueId Lazy::append(ValueKind kind, ValueType type) {
  Value value;
  value.kind = kind;
  value.type = std::move(type);
  value.type.contents.reset();
  graph_.values.push_back(std::move(value));
  return static_cast<ValueId>(graph_.values.size()) - 1;
}

ValueId Lazy::operand(Slot& slot) {
  if (slot.capture == capture_) return slot.value;
  settle(slot);
  const ValueType type{slot.dtype, as_dims(slot.shape), {}};
  if (slot.constant) {
    slot.value = append(ValueKind::Constant, type);
    graph_.value(slot.value).tensor = slot.constant->tensor;
    graph_.value(slot.value).fill = slot.constant->fill;
  } else if (slot.there) {
    slot.value = append(ValueKind::Input, type);
    graph_.inputs.push_back(slot.value);
    inputs_.push_back(*slot.there);
  } else {
    Node node{Op::Reshape, {operand(*slot.reshaped_from)}, {}, {}, "reshape", {}};
    node.set("shape", *type.shape);
    slot.value = append(ValueKind::Temp, type);
    node.outputs = {slot.value};
    graph_.value(slot.value).producer = static_cast<NodeId>(graph_.nodes.size());
    graph_.nodes.push_back(std::move(node));
  }
  slot.capture = capture_;
  return slot.value;
}

std::vector<LazyTensor> Lazy::call(Op op, const std::vector<LazyTensor>& operands,
                                   AttributeMap attributes, std::size_t results,
                                   const std::string& origin) {
  const std::string verb(name_of(op));
  begin_call(verb, operands);
  Node node{op, {}, std::vector<ValueId>(results, kNoValue), {}, origin, {}};
  if (origin.empty()) node.name = fmt::format("call {}", counts_.calls);
  for (auto& [name, value] : attributes) node.set(name, std::move(value));
  std::vector<ValueType> types;
  for (const LazyTensor& each : operands) {
    node.inputs.push_back(kNoValue);
    types.emplace_back();
    if (each.slot_ == nullptr) continue;
    types.back() = {each.dtype(), as_dims(each.shape()), {}};
    if (each.slot_->constant) types.back().contents = contents_of(*each.slot_->constant);
  }
  // Nothing is captured before it is known to be right.
  const std::vector<ValueType> deduced = checked_types(node, types);
  flush_before(op, operands);
  for (std::size_t i = 0; i < operands.size(); ++i) {
    if (operands[i].slot_ != nullptr) node.inputs[i] = operand(*operands[i].slot_);
  }
  std::vector<LazyTensor> made;
  for (std::size_t i = 0; i < results; ++i) {
    auto slot = new_slot(deduced[i].dtype, resolve(*deduced[i].shape, {}));
    slot->capture = capture_;
    slot->value = node.outputs[i] = append(ValueKind::Temp, deduced[i]);
    graph_.value(slot->value).producer = static_cast<NodeId>(graph_.nodes.size());
    captured_.push_back(slot);
    made.push_back(LazyTensor(std::move(slot)));
  }
  graph_.nodes.push_back(std::move(node));
  return made;
}

void Lazy::store(const LazyTensor& value, const DeviceTensor& to) {
  begin_call("store", {value});
  if (value.slot_ == nullptr) refuse("store", "operand 0 is absent");
  if (value.dtype() != to.dtype || value.shape() != to.shape) {
    refuse("store",
           fmt::format("the value is {}, the tensor {}", type_text(value.dtype(), value.shape()),
                       type_text(to.dtype, to.shape)));
  }
  if (to.range == nullptr) refuse("store", "the tensor has no place on the device");
  if (is_read(to) || is_written(to)) flush();
  stores_.push_back({value.slot_, to});
}

/// The capture without what nobody wants; its inputs lie in `inputs`.
Graph Lazy::live_graph(std::vector<DeviceTensor>& inputs,
                       const std::vector<std::shared_ptr<Slot>>& wanted) {
  for (const auto& slot : wanted) {
    graph_.outputs.push_back(operand(*slot));
    graph_.output_names.push_back(fmt::format("out{}", graph_.output_names.size()));
  }
  const std::size_t calls = graph_.nodes.size();
  Graph live = without_dead(graph_);
  counts_.dropped += static_cast<std::int64_t>(calls - live.nodes.size());
  const auto users = users_of(live);
  std::vector<ValueId> used;
  for (std::size_t i = 0; i < live.inputs.size(); ++i) {
    const ValueId id = live.inputs[i];
    const bool is_output =
        std::find(live.outputs.begin(), live.outputs.end(), id) != live.outputs.end();
    if (users[static_cast<std::size_t>(id)].empty() && !is_output) continue;
    used.push_back(id);
    inputs.push_back(inputs_[i]);
  }
  live.inputs = std::move(used);
  live = without_dead(live);
  live.name = "captured";
  for (std::size_t i = 0; i < live.values.size(); ++i) live.values[i].name = fmt::format("%{}", i);
  return live;
}

/// Calls are told apart by what they do: the same ones from elsewhere find the module, whose nodes
/// have the names of their operators.
CapturedModules::Found Lazy::module_of(const Graph& graph) {
  Graph anonymous = graph;
  for (Node& node : anonymous.nodes) node.name = name_of(node.op);
  try {
    return modules_.find(anonymous);
  } catch (const Error&) {
    (void)modules_.find(graph);  // the same error, of the call
    throw;
  }
}

void Lazy::launch(const Graph& graph, const std::vector<DeviceTensor>& inputs,
                  const std::vector<std::shared_ptr<Slot>>& wanted) {
  const CapturedModules::Found found = module_of(graph);
  const auto nodes = static_cast<std::int64_t>(graph.nodes.size());
  using How = CapturedModules::How;
  ++(found.how == How::Compiled  ? counts_.compiled
     : found.how == How::Planned ? counts_.planned
                                 : counts_.known);
  result_.compiled = result_.compiled || found.how != How::Known;
  // Grouped anew at every flush, as DVM does, whatever this program keeps.
  runner_.charge(HostWork::Compile, machine_.host.partition.count() * nodes, "flush",
                 result_.compile_ns);
  std::vector<DeviceTensor> outputs;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    outputs.push_back(i < stores_.size() ? stores_[i].to
                                         : runner_.allocate(wanted[i]->dtype, wanted[i]->shape,
                                                            MemoryKind::Intermediates));
  }
  runner_.run(*found.module, inputs, outputs, result_);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (!wanted[i]->there) wanted[i]->there = outputs[i];
  }
}

void Lazy::flush() {
  std::vector<std::shared_ptr<Slot>> wanted;  // what is stored comes first
  for (const Store& store : stores_) wanted.push_back(store.value);
  for (const std::weak_ptr<Slot>& captured : captured_) {
    const auto slot = captured.lock();
    const bool is_new = std::find(wanted.begin(), wanted.end(), slot) == wanted.end();
    if (slot != nullptr && is_new) wanted.push_back(slot);
  }
  if (wanted.empty()) {
    counts_.dropped += static_cast<std::int64_t>(graph_.nodes.size());
    return forget_capture();
  }
  ++counts_.flushes;
  try {
    std::vector<DeviceTensor> inputs;
    const Graph live = live_graph(inputs, wanted);
    launch(live, inputs, wanted);
  } catch (const Error&) {
    forget_capture();  // its values are lost
    throw;
  }
  forget_capture();
}

void Lazy::forget_capture() {
  ++capture_;
  graph_ = {};
  inputs_.clear();
  captured_.clear();
  stores_.clear();
}

DeviceTensor Lazy::tensor(const LazyTensor& value) {
  check("tensor", {value});
  if (value.slot_ == nullptr) refuse("tensor", "operand 0 is absent");
  Slot& slot = *value.slot_;
  settle(slot);
  if (slot.constant) return runner_.upload(constant_tensor(*slot.constant));
  if (!slot.there || is_written(*slot.there)) flush();
  settle(slot);
  return *slot.there;
}

Tensor Lazy::read(const LazyTensor& value, const std::string& who) {
  return runner_.read_back(tensor(value), who, result_);
}

}  // namespace dvmsim
