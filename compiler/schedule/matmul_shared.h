// Tiles of C that the cores share along k (stream-K): where tiles do not come out even over the
// cores, the blocks of the last ones do. The cube cores leave the sums of their pieces in a
// workspace, and vector cores of the same launch add them up in the order of k, so that the result
// depends on the schedule alone. Closed forms of both; the code is codegen/shared_product.h.
#pragma once

#include <cstdint>

#include "compiler/schedule/matmul.h"

namespace dvmsim {

/// Can tiles of the product be shared on this machine at all?
[[nodiscard]] bool can_share(const MatmulSpec& spec, const Machine& machine);
/// As many as are left over when every core has had equally many.
[[nodiscard]] std::int64_t left_over(const MatmulSpec& spec, const MatmulSchedule& schedule);

/// How the blocks of the schedule's shared tiles lie.
[[nodiscard]] isa::SharedTiles shared_tiles(const MatmulSpec& spec, const MatmulSchedule& schedule);
/// Bytes of the sums of a piece.
[[nodiscard]] std::int64_t piece_bytes(const MatmulSchedule& schedule);
[[nodiscard]] std::int64_t shared_workspace_bytes(const MatmulSpec& spec,
                                                  const MatmulSchedule& schedule);

/// How the vector cores go about it: `members` of them a tile, `rows` at a time. Rows 0: not one
/// row of all pieces fits UB.
struct SharedFinish {
  std::int64_t members = 0, rows = 0;
};
[[nodiscard]] SharedFinish finish_of(const MatmulSpec& spec, const MatmulSchedule& schedule,
                                     const Machine& machine);
/// Does the machine run the schedule, whose last tiles are shared?
[[nodiscard]] bool shares(const MatmulSpec& spec, const MatmulSchedule& schedule,
                          const Machine& machine);
/// Vector cores that take part.
[[nodiscard]] int finishing_cores(const MatmulSpec& spec, const MatmulSchedule& schedule,
                                  const Machine& machine);
/// UB of the vector cores that code and reserve are taken to need at most.
inline constexpr std::int64_t kFinisherCode = 4096;

/// Cycles from the last piece's end to the last store.
[[nodiscard]] double finish_cycles(const MatmulSpec& spec, const MatmulSchedule& schedule,
                                   const Machine& machine);
/// What the vector cores add to the start of a launch.
[[nodiscard]] double finish_start_cycles(const MatmulSpec& spec, const MatmulSchedule& schedule,
                                         const Machine& machine);

/// Who adds pieces: vector cores that take part only for that, or those that finish every tile.
enum class Finishers : std::uint8_t { Own, Beside };
/// A schedule that shares the tiles that are left over, with k blocks such that the ranges come out
/// even; `alone` if the estimate finds none that takes less. `cores`: cube cores there are.
[[nodiscard]] MatmulSchedule choose_shared(const MatmulSpec& spec, const Machine& machine,
                                           const MatmulSchedule& alone, int cores,
                                           Finishers finishers = Finishers::Own);

}  // namespace dvmsim
