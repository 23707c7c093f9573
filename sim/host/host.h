// The host as a module: it starts each launch at its cycle and runs the simulation until the NPU
// rests.
#pragma once

#include <systemc>

#include "sim/kernel/interfaces.h"

namespace dvmsim {

class Host : public sc_core::sc_module {
 public:
  explicit Host(sc_core::sc_module_name name);
  sc_core::sc_port<LaunchInterface> npu{"npu"};

  /// Returns when nothing can happen any more. launch.begin is not in the past.
  void run(const NpuLaunch& launch);

 private:
  void start();
  NpuLaunch launch_{};
  sc_core::sc_event launch_time_{"launch_time"};
};

}  // namespace dvmsim
