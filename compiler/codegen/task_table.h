// Launches that follow one another become tasks of one launch: what each comes after is derived
// from what it reads and writes, and its cores are chosen so that it can begin early.
#pragma once

#include "compiler/runtime/module.h"
#include "vm/machine/machine.h"

namespace dvmsim {

/// Of a module whose memory is planned. Programs that only tasks use become part of their table.
void link_tasks(Module& module, const Machine& machine);

}  // namespace dvmsim
