// Names of units: a kind of core and one of its pipes.
#pragma once

#include <string>

#include "vm/base/space.h"

namespace dvmsim {

struct UnitId {
  CoreKind kind{};
  Pipe pipe{};
  friend auto operator<=>(const UnitId&, const UnitId&) = default;
};

/// "cube.mte2" and "vector.mte2" where both kinds of core have the pipe, else "mte1".
[[nodiscard]] inline std::string name_of(const UnitId& unit) {
  const bool both = unit.pipe == Pipe::Scalar || unit.pipe == Pipe::MTE2;
  if (!both || unit.kind == CoreKind::Unified) return std::string(name_of(unit.pipe));
  return std::string(name_of(unit.kind)) + "." + std::string(name_of(unit.pipe));
}

}  // namespace dvmsim
