// One cycle is one tick of SystemC's time. Only modules look at it; the model passes cycles.
#pragma once

#include <algorithm>
#include <cstdint>
#include <systemc>

#include "vm/base/strong.h"

namespace dvmsim {

[[nodiscard]] inline sc_core::sc_time time_of_cycles(Cycles cycles) {
  return sc_core::sc_time::from_value(static_cast<sc_dt::uint64>(cycles.count()));
}
[[nodiscard]] inline Cycles cycle_now() {
  return Cycles(static_cast<std::int64_t>(sc_core::sc_time_stamp().value()));
}
/// When the next process runs after this one, or something changes it now; far away if none does.
[[nodiscard]] inline Cycles next_activity() {
  constexpr sc_dt::uint64 kFar = std::uint64_t{1} << 62;
  const auto left = sc_core::sc_time_to_pending_activity(sc_core::sc_get_curr_simcontext());
  return cycle_now() + Cycles(static_cast<std::int64_t>(std::min(left.value(), kFar)));
}

}  // namespace dvmsim
