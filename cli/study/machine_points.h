// The machines of a study, with the constants of strategies that vary with them: each hardware file
// at each point of the axes and each launch cost. Owns how points are sampled and what follows from
// others (`derived`).
#pragma once

#include <string>
#include <vector>

#include "cli/study/study.h"
#include "vm/machine/machine.h"

namespace dvmsim {

struct MachinePoint {
  int hardware = 0;                      // index into Study::hardware
  std::vector<std::string> axes{};       // the value of each axis, as text
  std::string launch_cost{};             // empty: the machine's own
  std::vector<std::string> constants{};  // of strategies, as the axes set them: "jit.workers=4"
  Machine machine{};
  std::string refused{};  // not empty: why no machine can be like this
};

/// In order: hardware, axes (the last one fastest), launch costs. Points drawn twice stand once.
/// The points of a random study do not change when it gets more of them, or another axis. Throws
/// Error for more than a million.
[[nodiscard]] std::vector<MachinePoint> machine_points(const Study& study);

/// The values of an axis that its points have, in the order of the file, drawn ones by size.
[[nodiscard]] std::vector<std::string> values_of(const StudyAxis& axis,
                                                 const std::vector<MachinePoint>& points,
                                                 std::size_t index);

}  // namespace dvmsim
