#include "sim/host/host.h"

#include "sim/kernel/clock.h"
#include "vm/base/error.h"

namespace dvmsim {

Host::Host(sc_core::sc_module_name name) : sc_module(name) {
  SC_HAS_PROCESS(Host);
  SC_METHOD(start);
  dont_initialize();
  sensitive << launch_time_;
}

void Host::run(const NpuLaunch& launch) {
  DVMSIM_ASSERT(launch.begin >= cycle_now(), "a launch begins after the one before has ended");
  launch_ = launch;
  launch_time_.notify(time_of_cycles(launch.begin - cycle_now()));
  sc_core::sc_start();
}

void Host::start() {
  npu->begin(launch_);
}

}  // namespace dvmsim
