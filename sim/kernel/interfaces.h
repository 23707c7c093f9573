// The interfaces modules are bound by.
#pragma once

#include <systemc>

#include "sim/core/fabric.h"
#include "sim/core/ports.h"

namespace dvmsim {

/// Core to memory system.
class RequestInterface : public virtual sc_core::sc_interface {
 public:
  virtual void request(const Request& request) = 0;
};

/// Memory system and neighbours to core.
class CoreInterface : public virtual sc_core::sc_interface {
 public:
  virtual void answer(Pipe queue, const Answer& answer) = 0;
  virtual void wake() = 0;
};

/// One launch for the whole NPU.
struct NpuLaunch {
  const Launch* launch = nullptr;
  Cycles begin{};                  // the NPU takes it up
  std::uint64_t code_address = 0;  // of the program in GM: cube code, then vector code
  bool free_firmware = false;
  Meaning* meaning = nullptr;
  const HostContents* contents = nullptr;
};

/// Host to NPU.
class LaunchInterface : public virtual sc_core::sc_interface {
 public:
  /// At this moment of simulated time.
  virtual void begin(const NpuLaunch& launch) = 0;
};

}  // namespace dvmsim
