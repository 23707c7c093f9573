// The program of a pool or a depthwise convolution for the vector cores: a loop over tiles of
// outputs. The map under a tile is loaded once, surrounded by what changes nothing; every tap of
// the window is one instruction, or one for each row of outputs.
#pragma once

#include "compiler/schedule/window.h"
#include "vm/program/program.h"

namespace dvmsim {

/// Arguments: the map, the weights (if it has them), the result. `cores` becomes the number that
/// get a tile. Throws Error if no tile fits.
[[nodiscard]] Program window_program(const WindowTask& task, const Machine& machine, int& cores,
                                     std::string* schedule = nullptr);

}  // namespace dvmsim
