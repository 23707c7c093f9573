// The program of a pool or a depthwise convolution for the vector cores: a loop over tiles of
// outputs. The map under a tile is loaded once, surrounded by what changes nothing; every tap of
// the window is one instruction, or one for each row of outputs.
#pragma once

#include <cstdint>
#include <optional>

#include "compiler/schedule/window.h"
#include "vm/program/program.h"

namespace dvmsim {

struct WindowProgram {
  Program program{};
  WindowSchedule schedule{};
  std::int64_t code = 0;  // bytes of UB that were left to the program
};
/// Arguments: the map, the weights (if it has them), the result. On at most `cores` cores. Nullopt
/// if no tile that is as chosen fits.
[[nodiscard]] std::optional<WindowProgram> window_program(const WindowTask& task,
                                                          const Machine& machine, int cores,
                                                          const WindowChoice& choice = {});

}  // namespace dvmsim
