#include "sim/kernel/scope.h"

#include <systemc>

// libsystemc wants an sc_main from every executable. Naming it here makes the linker take ours
// (sc_main.cpp) out of this library, unless the executable has its own.
extern "C" int (*const dvmsim_sc_main)(int, char**);
extern "C" int (*const dvmsim_sc_main)(int, char**) = &sc_main;

namespace dvmsim {

SimScope::SimScope() : context_(new sc_core::sc_simcontext) {}

SimScope::~SimScope() {
  delete context_;
}

SimScope::Entered::Entered(const SimScope& scope) : outer_(sc_core::sc_curr_simcontext) {
  sc_core::sc_curr_simcontext = scope.context_;
}

SimScope::Entered::~Entered() {
  sc_core::sc_curr_simcontext = outer_;
}

}  // namespace dvmsim
