// One cycle is one tick of SystemC's time. Only modules look at it; the model passes cycles.
#pragma once

#include <systemc>

#include "vm/base/strong.h"

namespace dvmsim {

[[nodiscard]] inline sc_core::sc_time time_of_cycles(Cycles cycles) {
  return sc_core::sc_time::from_value(static_cast<sc_dt::uint64>(cycles.count()));
}
[[nodiscard]] inline Cycles cycle_now() {
  return Cycles(static_cast<std::int64_t>(sc_core::sc_time_stamp().value()));
}

}  // namespace dvmsim
