// Calls as a framework in eager mode makes them. A call is checked and its result's shape is known
// at once, but it is only captured; a flush compiles what was captured and launches it. What
// nobody holds any more when that happens is not computed, or not stored.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "compiler/graph/graph.h"
#include "compiler/runtime/captured_modules.h"
#include "compiler/runtime/device_memory.h"
#include "compiler/runtime/module_runner.h"
#include "compiler/runtime/run_result.h"

namespace dvmsim {

/// The result of a call, a loaded tensor, or a constant. Copies stand for the same value; when the
/// last one goes, the value is dropped.
class LazyTensor {
 public:
  LazyTensor() = default;
  /// Of one that was made by a call.
  [[nodiscard]] DType dtype() const;
  [[nodiscard]] const std::vector<std::int64_t>& shape() const;

 private:
  friend class Lazy;
  struct Slot;
  explicit LazyTensor(std::shared_ptr<Slot> slot) : slot_(std::move(slot)) {}
  std::shared_ptr<Slot> slot_{};
};

/// What became of the calls so far.
struct LazyCounts {
  std::int64_t calls = 0, dropped = 0;  // dropped: nobody wanted their results
  std::int64_t flushes = 0;
  std::int64_t compiled = 0, planned = 0, known = 0;  // modules, by CapturedModules::How
};

/// Captures one stream of calls. Every verb that is misused throws an Error which names the call by
/// its number; it then has captured nothing. A call flushes by itself
///  - when `most_calls` are captured,
///  - when it is a product and something is captured: a product begins a segment,
///  - when it reads what a captured store writes, or stores over what a captured call reads.
class Lazy {
 public:
  /// All outlive it. Host time goes to `result`, and the reports of launches when the runner
  /// finishes.
  Lazy(const Machine& machine, ModuleRunner& runner, CapturedModules& modules, RunResult& result);
  Lazy(const Lazy&) = delete;
  Lazy& operator=(const Lazy&) = delete;

  /// Calls captured at most before a flush: each begins as an area of its own, and DVM's splitter
  /// has masks of 64 areas.
  static constexpr std::size_t kMostCalls = 64;

  /// A tensor of the device. `name`: for whoever listens to where tensors lie.
  LazyTensor load(const DeviceTensor& tensor, const std::string& name = {});
  /// A number or tensor of the host that becomes a part of the code.
  LazyTensor constant(Value value);

  LazyTensor unary(Op op, const LazyTensor& a);
  LazyTensor binary(Op op, const LazyTensor& a, const LazyTensor& b);
  LazyTensor reduce(Op op, const LazyTensor& a, const std::vector<std::int64_t>& axes,
                    bool keep_dimensions);
  LazyTensor select(const LazyTensor& condition, const LazyTensor& a, const LazyTensor& b);
  LazyTensor cast(const LazyTensor& a, DType to);
  LazyTensor broadcast(const LazyTensor& a, const std::vector<std::int64_t>& shape);
  /// The same bytes: costs a call, never a launch.
  LazyTensor reshape(const LazyTensor& a, const std::vector<std::int64_t>& shape);
  LazyTensor matmul(const LazyTensor& a, const LazyTensor& b, bool trans_a = false,
                    bool trans_b = false);
  /// Products of the groups of `list`, along axis "m" or "k".
  LazyTensor grouped_matmul(const LazyTensor& a, const LazyTensor& b, const LazyTensor& list,
                            const std::string& axis = "m", bool cumulative = false,
                            const LazyTensor& bias = {});
  /// Any other operator without subgraphs, with `results` results; an empty operand is absent.
  /// `origin`: what errors call it instead of its number.
  std::vector<LazyTensor> call(Op op, const std::vector<LazyTensor>& operands,
                               AttributeMap attributes, std::size_t results = 1,
                               const std::string& origin = {});

  /// From the next flush on the value lies in `to`, a tensor of its type and shape.
  void store(const LazyTensor& value, const DeviceTensor& to);
  /// Compiles and launches what is captured.
  void flush();
  /// Where the value lies on the device; flushes if it is captured.
  DeviceTensor tensor(const LazyTensor& value);
  /// The value for the host, which waits for it: `who` wants it. Empty after a fault of the device.
  Tensor read(const LazyTensor& value, const std::string& who);

  [[nodiscard]] const LazyCounts& counts() const { return counts_; }

 private:
  using Slot = LazyTensor::Slot;
  struct Store {
    std::shared_ptr<Slot> value{};
    DeviceTensor to{};
  };
  [[noreturn]] void refuse(const std::string& verb, const std::string& why) const;
  /// What the operands of call number `counts_.calls` must be.
  void check(const std::string& verb, const std::vector<LazyTensor>& operands) const;
  /// Counts, checks and charges a call.
  void begin_call(const std::string& verb, const std::vector<LazyTensor>& operands);
  LazyTensor one(Op op, const std::vector<LazyTensor>& operands, AttributeMap attributes);
  void check_pattern(Op op, Pattern pattern, std::size_t operands) const;
  void flush_before(Op op, const std::vector<LazyTensor>& operands);
  /// The slot's value in the capture, which gets an input or a constant for it if need be.
  ValueId operand(Slot& slot);
  ValueId append(ValueKind kind, ValueType type);
  /// The reshape of what lies on the device by now lies there too.
  static void settle(Slot& slot);
  [[nodiscard]] std::shared_ptr<Slot> new_slot(DType dtype, std::vector<std::int64_t> shape) const;
  [[nodiscard]] Graph live_graph(std::vector<DeviceTensor>& inputs,
                                 const std::vector<std::shared_ptr<Slot>>& wanted);
  [[nodiscard]] CapturedModules::Found module_of(const Graph& graph);
  void launch(const Graph& graph, const std::vector<DeviceTensor>& inputs,
              const std::vector<std::shared_ptr<Slot>>& wanted);
  void forget_capture();
  [[nodiscard]] bool is_read(const DeviceTensor& tensor) const;
  [[nodiscard]] bool is_written(const DeviceTensor& tensor) const;

  const Machine& machine_;
  ModuleRunner& runner_;
  CapturedModules& modules_;
  RunResult& result_;
  std::shared_ptr<const char> identity_;  // of this context, for its slots
  LazyCounts counts_{};
  std::int64_t capture_ = 0;  // number of the one in progress
  Graph graph_{};
  std::vector<DeviceTensor> inputs_{};           // of the graph
  std::vector<std::weak_ptr<Slot>> captured_{};  // results of the calls, in order
  std::vector<Store> stores_{};
};

}  // namespace dvmsim
