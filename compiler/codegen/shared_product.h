// A matrix product whose last tiles are shared by the cube cores along k (isa::kShared): the cube
// cores leave sums of pieces in a workspace, and vector cores add them in the order of k, convert
// them and store. The product itself is the matmul macro.
#pragma once

#include <cstdint>
#include <vector>

#include "compiler/codegen/matmul.h"
#include "compiler/codegen/tiles.h"

namespace dvmsim {

/// The machine shares tiles (schedule/matmul_shared.h) and the schedule does. Launch it on
/// schedule.cores cube cores and finishing_cores() vector cores. The arguments are the words of the
/// macro, how many tiles are shared, and the workspace.
[[nodiscard]] Program shared_program(const MatmulSpec& spec, const MatmulSchedule& schedule,
                                     const Machine& machine);
/// The arguments.
[[nodiscard]] std::vector<std::uint64_t> shared_arguments(const MatmulSpec& spec,
                                                          const MatmulSchedule& schedule,
                                                          const MatmulAddresses& addresses,
                                                          std::uint64_t workspace);

/// Behind the words of the macro.
inline constexpr int kSharedTiles = isa::kMatmulWords, kPieces = isa::kMatmulWords + 1;
/// What a vector core finishes of the shared tiles, in registers.
struct SharedPart {
  TileRegisters tile{};
  Val first{}, rows{};  // of the tile's rows; perhaps none
  Val pieces{};         // of the tile
  Val from{};           // GM address of the rows in the first piece
};
/// Of `cores` vector cores `members` take a tile each in turn.
[[nodiscard]] SharedPart locate_shared(Builder& code, const MatmulSpec& spec,
                                       const MatmulSchedule& schedule, std::int64_t members,
                                       std::int64_t cores);

void describe_shared(const MatmulSpec& spec, const MatmulSchedule& schedule, Program& program);

}  // namespace dvmsim
