// In which order a device without time let things happen: what the hazard checker listens to.
#pragma once

#include "vm/device/device.h"
#include "vm/isa/isa.h"

namespace dvmsim {

/// Cores are numbered within the launch: cube (or unified) cores first, then vector cores. Per core
/// and pipe the calls come in program order; commands are valid during the call.
class OrderListener {
 public:
  virtual ~OrderListener() = default;
  virtual void on_launch(const Launch& launch) = 0;
  /// The scalar unit hands a command to its queue.
  virtual void on_issue(int core, const isa::Command& command) = 0;
  /// Its waits are taken; its work may begin.
  virtual void on_start(int core, const isa::Command& command) = 0;
  /// Its work is visible and its flags are set.
  virtual void on_finish(int core, const isa::Command& command) = 0;
  /// The scalar unit itself did this: a read, or a flag on its own pipe.
  virtual void on_scalar(int core, const isa::Command& command) = 0;
  /// The scalar unit saw the pipe drained.
  virtual void on_drained(int core, Pipe pipe) = 0;
  /// The core begins a task of the launch: those it comes after are over.
  virtual void on_task_begin(int, std::uint32_t) {}
  /// The core has ended it: all its work is visible.
  virtual void on_task_end(int, std::uint32_t) {}
  /// The launch ended without a fault.
  virtual void on_end() = 0;
};

}  // namespace dvmsim
