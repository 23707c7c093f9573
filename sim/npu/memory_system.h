// The memory system as a module: it takes the cores' requests and answers each at the moment it
// arrives. A memory of somebody else can take its place behind a TLM-2.0 socket.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>

#include <systemc>
#include <vector>

#include "sim/kernel/interfaces.h"
#include "sim/mem/pending.h"
#include "sim/mem/server.h"

namespace dvmsim {

class MemorySystem : public sc_core::sc_module, public RequestInterface {
 public:
  MemorySystem(sc_core::sc_module_name name, const Machine& machine, MemoryModel model,
               const Probes& probes);

  sc_core::sc_export<RequestInterface> requests{"requests"};
  /// Bound in the order of RequestKey::core.
  sc_core::sc_port<CoreInterface, 0> cores{"cores"};
  /// If bound, it serves every piece of every request (b_transport, which must not wait):
  /// completion is the arrival plus the longest annotated delay, one tick a cycle. Data pass
  /// functionally, not here.
  tlm_utils::simple_initiator_socket_optional<MemorySystem> external{"external"};

  void request(const Request& request) override;
  [[nodiscard]] MemoryServer& server() { return server_; }

 private:
  void serve();
  void arm(Cycles arrival);
  Answer ask_external(const Request& request);

  MemoryServer server_;
  PendingRequests pending_;
  sc_core::sc_event arrival_{"arrival"};
  bool serving_ = false;  // it looks at what is pending itself
  std::vector<unsigned char> scratch_{};
};

}  // namespace dvmsim
