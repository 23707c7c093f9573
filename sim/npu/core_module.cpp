#include "sim/npu/core_module.h"

namespace dvmsim {

CoreModule::CoreModule(sc_core::sc_module_name name, const CostModel& costs, const PortTable& ports,
                       CoreId id, int number, const Probes& probes, Teams& teams)
    : sc_module(name), core_(costs, ports, id, number, probes, *this, teams) {
  control.bind(*this);
  SC_HAS_PROCESS(CoreModule);
  SC_METHOD(advance);
  dont_initialize();
  sensitive << news_;
}

void CoreModule::begin(const CoreLaunch& launch) {
  core_.begin(launch);
  news_.notify(sc_core::SC_ZERO_TIME);
}

void CoreModule::answer(Pipe queue, const Answer& answer) {
  core_.answer(queue, answer);
  core_.advance();
}

void CoreModule::wake() {
  core_.wake();
  news_.notify(sc_core::SC_ZERO_TIME);
}

}  // namespace dvmsim
