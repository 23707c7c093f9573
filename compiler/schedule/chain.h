// Two products, one after the other, as one kernel of the cube cores: D = (A * B) * C, of which a
// core keeps the rows of the first result in L1. Sizes, where things lie in the buffers, and the
// schedule with its estimate; writing the code is codegen/chain.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "compiler/schedule/matmul.h"

namespace dvmsim {

/// Each product with its bias and ReLU. The A of the second is what the first stores; its strides
/// are not used.
struct ChainSpec {
  MatmulSpec first{}, second{};
  friend bool operator==(const ChainSpec&, const ChainSpec&) = default;
};

/// Empty, or why the two cannot be one kernel on this machine.
[[nodiscard]] std::string chain_problem(const ChainSpec& spec, const Machine& machine);

/// A core takes `tile_m` rows of one batch, makes all columns of the first result for them, and
/// from those `span` tiles of `tile_n` columns of D. Several cores may make the same rows. `whole`:
/// all of B and of C are loaded once and stay in L1.
struct ChainSchedule {
  std::int64_t tile_m = 16, tile_k = 16, tile_n = 16;  // k: of a block of the first product
  std::int64_t span = 1;
  bool whole = false;
  int cores = 1;
  double cycles = 0;   // by estimate, first load to last store
  int candidates = 0;  // that were looked at
};
[[nodiscard]] std::string to_string(const ChainSchedule& schedule);

/// Of rows, and of spans of columns; and of both over all batches: what cores take in turn.
[[nodiscard]] std::int64_t row_tiles(const ChainSpec& spec, const ChainSchedule& schedule);
[[nodiscard]] std::int64_t spans_of(const ChainSpec& spec, const ChainSchedule& schedule);
[[nodiscard]] std::int64_t items_of(const ChainSpec& spec, const ChainSchedule& schedule);

/// Byte offsets in the buffers of a cube core. Pairs lie one behind the other.
struct ChainLayout {
  std::int64_t a = 0, a_bytes = 0, kept = 0, kept_bytes = 0;  // L1, pairs: A, the first result
  std::int64_t b = 0, b_bytes = 0, c = 0, c_bytes = 0;        // L1, pairs, or whole
  std::int64_t bias = 0, bias_bytes = 0;                      // L1: of the first, of the second
  std::int64_t l1_end = 0;
  std::int64_t l0a_half = 0, l0b_half = 0;
  std::int64_t first_part = 0, second_part = 0;  // elements along k at a time in L0
  std::int64_t sums_bytes = 0;                   // L0C: the first result's, then those of D
  std::int64_t out_bytes = 0, outs = 1;          // of a tile of D, and how many there are
  std::int64_t l0c_end = 0;
  std::int64_t table_half = 0;  // of the bias table
};
[[nodiscard]] ChainLayout chain_layout(const ChainSpec& spec, const ChainSchedule& schedule,
                                       const Machine& machine);
[[nodiscard]] bool fits(const ChainSpec& spec, const ChainSchedule& schedule,
                        const Machine& machine);

/// What is settled beforehand; the rest is chosen.
struct ChainChoice {
  std::optional<std::int64_t> m{}, k{}, n{}, span{};
  std::optional<bool> whole{};
  std::optional<int> cores{};
  friend bool operator==(const ChainChoice&, const ChainChoice&) = default;
};
/// The one that is estimated to be over first. Nullopt: nothing like that fits.
[[nodiscard]] std::optional<ChainSchedule> schedule_chain(const ChainSpec& spec,
                                                          const Machine& machine, int cores,
                                                          const ChainChoice& choice = {});

/// Both products at their sizes, together and as one task after the other, by estimate in cycles.
struct ChainGain {
  bool fits = false;
  double together = 0, apart = 0;
  /// The estimate of a chain is the worse one: simulated, it takes up to a third longer than that,
  /// products a fifth.
  [[nodiscard]] bool pays() const { return fits && together < 0.85 * apart; }
};
[[nodiscard]] ChainGain gain_of(const ChainSpec& spec, const Machine& machine);

}  // namespace dvmsim
