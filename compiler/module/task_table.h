// Launches that follow one another become tasks of one launch: what each comes after is derived
// from what it reads and writes (step_order.h), and its cores are chosen so that it can begin
// early.
#pragma once

#include <cstdint>

#include "compiler/module/module.h"
#include "compiler/module/step_order.h"
#include "vm/machine/machine.h"

namespace dvmsim {

enum class Linking : std::uint8_t {
  Stack,  // kernels that need no order, as many as find cores side by side and fit a launch
  All,    // every launch up to the next decision of the host, in tables that are not too long
};

/// Of a module whose memory is planned for `order`, that of its steps. Programs that only tasks use
/// become part of their table.
void link_tasks(Module& module, const Machine& machine, const StepOrder& order, Linking linking);

}  // namespace dvmsim
