// The NPU: its cores, its memory system, and the flags between cores, wired top to bottom.
#pragma once

#include <memory>
#include <string>
#include <systemc>
#include <vector>

#include "sim/npu/core_module.h"
#include "sim/npu/memory_system.h"

namespace dvmsim {

struct NpuOptions {
  MemoryModel memory = MemoryModel::Detailed;
  bool reverse_build = false;  // modules are made in the opposite order: nothing may change
};

class Npu : public sc_core::sc_module, public LaunchInterface, private Neighbours {
 public:
  Npu(sc_core::sc_module_name name, const Machine& machine, const NpuOptions& options,
      const Probes& probes);

  sc_core::sc_export<LaunchInterface> launches{"launches"};
  [[nodiscard]] MemorySystem& memory() { return *memory_; }

  void begin(const NpuLaunch& launch) override;
  /// After the simulation has come to rest: what the launch did, or why it stands still. `meant`:
  /// the first fault of the commands' meaning, if any.
  [[nodiscard]] LaunchReport finish(const DatedFault& meant);

 private:
  void wake(int core) override { cores_[static_cast<std::size_t>(core)]->wake(); }
  void make_cores(bool reverse, const Probes& probes);
  std::unique_ptr<CoreModule> make_core(int number, const Probes& probes);
  [[nodiscard]] CoreId id_of(int number) const;
  void take_part(int number, const NpuLaunch& launch, Cycles start);
  [[nodiscard]] Cycles in_cycles(Picoseconds time) const;
  [[nodiscard]] Fault deadlock();

  const Machine& machine_;
  CostModel costs_;
  PortTable ports_;
  Teams teams_;
  std::unique_ptr<MemorySystem> memory_{};
  std::vector<std::unique_ptr<CoreModule>> cores_{};  // cube cores, then vector cores
  std::vector<CoreModule*> taking_part_{};
  Cycles begin_{};
};

}  // namespace dvmsim
