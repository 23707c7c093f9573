// Runs compiled modules on a device: keeps their constants there, lends them one workspace, submits
// their launches and charges the host for it. Knows nothing of graphs.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "compiler/module/compile.h"
#include "compiler/module/module.h"
#include "compiler/runtime/device_memory.h"
#include "compiler/runtime/run_result.h"
#include "compiler/runtime/strategy/strategy.h"
#include "compiler/runtime/weights.h"
#include "vm/device/device.h"
#include "vm/machine/machine.h"

namespace dvmsim {

struct RunnerOptions {
  const Strategy* strategy = &kDvm;
  StrategyConstants constants{};
  Mode mode = Mode::Functional;
  /// Called with every buffer of inputs, constants and outputs before the first launch of a module.
  std::function<void(const std::string& name, std::uint64_t address, Bytes size)> before_run{};
};

/// A module that can run again.
struct ReadyModule {
  Module module{};
  const Strategy* strategy = &kDvm;
  bool dynamic = false;   // its graph has symbols
  bool compiles = false;  // native code for it comes into being with its first run
  bool keeps = false;     // its bytecode is encoded once, not for every launch
  bool encoded = false;   // that has been paid for
  bool analyses = false;  // its graph was partitioned for it, which is to be paid
  CompileWork work{};
  PlacedConstants constants{};
  bool placed = false, ran = false;
};

class ModuleRunner {
 public:
  ModuleRunner(const Machine& machine, Device& device, RunnerOptions options)
      : machine_(machine),
        device_(device),
        options_(std::move(options)),
        memory_(device),
        weights_(device, memory_, options_.mode) {}

  /// Device memory for running it now, beyond what is in use: constants, programs, workspace, and
  /// its outputs.
  [[nodiscard]] MemoryUse needs(const ReadyModule& ready) const;
  /// Brings constants to the device if they are not there.
  void place(ReadyModule& ready);
  /// Makes the workspace large enough. Its address may change, so before anything of a run is
  /// submitted that uses it.
  void reserve_workspace(const ReadyModule& ready);
  /// The module will not run again: its programs leave the device.
  void drop(ReadyModule& ready);

  /// Submits the module's launches. Inputs and outputs in the module's order, of its shapes.
  void run(ReadyModule& ready, std::span<const DeviceTensor> inputs,
           std::span<const DeviceTensor> outputs, RunResult& result);

  /// Charges the host for encoding the module now, while the device works on what was submitted.
  void encode_ahead(ReadyModule& ready, RunResult& result);

  /// An unwritten tensor of the device.
  [[nodiscard]] DeviceTensor allocate(DType dtype, std::vector<std::int64_t> shape,
                                      MemoryKind kind = MemoryKind::InputsOutputs);
  /// Tells whoever listens where a tensor lies that no module names.
  void announce(const std::string& name, const DeviceTensor& tensor) const {
    if (options_.before_run) options_.before_run(name, tensor.address(), Bytes(tensor.bytes()));
  }
  [[nodiscard]] DeviceTensor upload(const Tensor& tensor);
  /// The bytes of a tensor for the caller at the end of a run: not a part of it, so nobody waits.
  [[nodiscard]] Tensor download(const DeviceTensor& tensor);
  /// The same because the host needs them to go on: waits for the device and pays for the copy.
  /// Error in timing mode, naming `who`.
  [[nodiscard]] Tensor read_back(const DeviceTensor& tensor, const std::string& who,
                                 RunResult& result);
  /// Host work of `picoseconds` at speed 1.
  void charge(HostWork work, std::int64_t picoseconds, const std::string& label,
              std::int64_t& total_ns);
  /// Collects the reports of all launches of a run. The device forgets them.
  void finish(RunResult& result);

  [[nodiscard]] DeviceMemory& memory() { return memory_; }
  [[nodiscard]] const DeviceMemory& memory() const { return memory_; }
  [[nodiscard]] Mode mode() const { return options_.mode; }

 private:
  struct Running;
  void run_steps(const std::vector<ModuleStep>& steps, Running& running, RunResult& result);
  void encode_steps(const std::vector<ModuleStep>& steps, const ReadyModule& ready,
                    RunResult& result);
  void count_code(const ReadyModule& ready, RunResult& result);
  [[nodiscard]] HostFacts facts_of(const ReadyModule& ready) const;
  void launch(const ModuleStep& step, Running& running, RunResult& result);
  void charge(const HostCharge& charge, const std::string& label, RunResult& result);

  const Machine& machine_;
  Device& device_;
  RunnerOptions options_;
  DeviceMemory memory_;
  Weights weights_;
  DeviceRange workspace_{};
  std::int64_t workspace_bytes_ = 0;
  std::vector<Ticket> tickets_{};  // of the run in progress
  std::size_t checked_ = 0;        // so many of them have ended without a fault
  std::int64_t native_bytes_ = 0, captured_bytes_ = 0;  // of the code of all runs so far
};

}  // namespace dvmsim
