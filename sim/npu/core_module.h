// A core as a module. It runs the core ahead whenever it has learned something: at once with an
// answer of the memory system, else in its process.
#pragma once

#include <systemc>

#include "sim/core/core.h"
#include "sim/kernel/interfaces.h"

namespace dvmsim {

class CoreModule : public sc_core::sc_module, public CoreInterface, private MemoryPort {
 public:
  CoreModule(sc_core::sc_module_name name, const CostModel& costs, const PortTable& ports,
             CoreId id, int number, const Probes& probes, Teams& teams);

  sc_core::sc_export<CoreInterface> control{"control"};
  sc_core::sc_port<RequestInterface> memory{"memory"};

  void begin(const CoreLaunch& launch);
  void answer(Pipe queue, const Answer& answer) override;
  void wake() override;
  [[nodiscard]] Core& core() { return core_; }

 private:
  void advance() { core_.advance(); }
  void post(const Request& request) override { memory->request(request); }

  Core core_;
  sc_core::sc_event news_{"news"};
};

class CubeCore : public CoreModule {
 public:
  using CoreModule::CoreModule;
};
class VectorCore : public CoreModule {
 public:
  using CoreModule::CoreModule;
};

}  // namespace dvmsim
