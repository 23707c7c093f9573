// A matrix product to be compiled, the tiles chosen for it, and the ways of choosing: DVM's rules
// and our estimate. Owns the closed form of a matmul's time; writing the code is
// codegen/matmul.h.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vm/base/dtype.h"
#include "vm/isa/isa.h"
#include "vm/isa/matmul.h"
#include "vm/machine/machine.h"

namespace dvmsim {

/// C = post(A * B + bias) over batch0 x batch1 matrices. Strides are bytes; a batch stride of 0
/// uses one matrix for all. A is stored m x k (k x m if trans_a), B k x n (n x k if trans_b), row
/// by row.
struct MatmulSpec {
  std::int64_t m = 1, n = 1, k = 1;
  std::int64_t batch0 = 1, batch1 = 1;                    // outer, inner
  std::int64_t a_stride = 0, b_stride = 0, c_stride = 0;  // between rows
  std::int64_t a_batch0 = 0, a_batch1 = 0, b_batch0 = 0, b_batch1 = 0, c_batch0 = 0, c_batch1 = 0;
  bool trans_a = false, trans_b = false;
  DType in = DType::F16, out = DType::F16;
  bool bias = false;  // n elements, the same for every row and batch
  DType bias_type = DType::F16;
  isa::Post post = isa::Post::None;
  isa::Atomic atomic = isa::Atomic::None;  // Add: C += instead
  bool whole_rows = false;                 // tiles have all n columns
  friend bool operator==(const MatmulSpec&, const MatmulSpec&) = default;
};

/// Dense row-major operands, batches one after another: the usual strides for the sizes in `spec`.
[[nodiscard]] MatmulSpec packed(MatmulSpec spec);

/// Blocks in L1: the matmul macro fills one while it multiplies another.
inline constexpr int kStages = 2;

/// How a product is cut: C in tiles, the k axis in blocks, kStages of them in L1.
struct MatmulSchedule {
  std::int64_t tile_m = 16, tile_n = 16, tile_k = 16;
  isa::Swizzle swizzle = isa::Swizzle::Zn;
  std::int64_t width = 1;
  int cores = 1;          // cube cores that get at least one tile
  std::int64_t loop = 0;  // isa::MatmulLoop
  /// Tiles, the last ones in the order of visit, whose k blocks all cores share; matmul_shared.h.
  std::int64_t shared = 0;
  friend bool operator==(const MatmulSchedule&, const MatmulSchedule&) = default;
};

/// "128x256x256 zn7 24 cores", and what of MatmulLoop: " shuffle-k unit-flags".
[[nodiscard]] std::string to_string(const MatmulSchedule& schedule);

/// Multiple that blocks of k must have: 16, or the elements in a row of a fractal if that is more.
[[nodiscard]] std::int64_t k_unit(const Machine& machine, DType in);
/// Longest part of a k block that fits half of L0A and of L0B; 0 if none does.
[[nodiscard]] std::int64_t part_k(const MatmulSpec& spec, const MatmulSchedule& schedule,
                                  const Machine& machine);
/// Bytes of one block of A or of B in L1.
[[nodiscard]] std::int64_t a_block_bytes(const MatmulSpec& spec, const MatmulSchedule& schedule);
[[nodiscard]] std::int64_t b_block_bytes(const MatmulSpec& spec, const MatmulSchedule& schedule);
/// Does every buffer of the machine hold what the schedule puts there?
[[nodiscard]] bool fits(const MatmulSpec& spec, const MatmulSchedule& schedule,
                        const Machine& machine);

/// Rows and columns of tiles, and tiles in all batches.
[[nodiscard]] std::int64_t tiles_m(const MatmulSpec& spec, const MatmulSchedule& schedule);
[[nodiscard]] std::int64_t tiles_n(const MatmulSpec& spec, const MatmulSchedule& schedule);
[[nodiscard]] std::int64_t tiles_of(const MatmulSpec& spec, const MatmulSchedule& schedule);
/// Where tile number `index` of one batch lies, in tiles.
[[nodiscard]] isa::TilePlace place_of(const MatmulSpec& spec, const MatmulSchedule& schedule,
                                      std::int64_t index);

/// Who chooses. DVM had four rules, one after the other; Dvm is the first, a cost tiler, which its
/// stored timings fit. V1: a cost tiler that counts cores. V2: tiles enumerated, in groups. V3,
/// today's default: the same, on diagonals.
enum class Tiling : std::uint8_t { Cost, Dvm, DvmV1, DvmV2, DvmV3 };
/// "cost", "dvm", "dvm-v1", "dvm-v2", "dvm-v3".
[[nodiscard]] std::optional<Tiling> parse_tiling(std::string_view name);

/// By one of DVM's rules, with the capacities of the machine. Cores are the machine's (DVM's table
/// gives the 910B1 one more than can be launched). Throws Error if the machine cannot multiply the
/// type or no tile fits.
[[nodiscard]] MatmulSchedule choose_dvm(const MatmulSpec& spec, const Machine& machine,
                                        Tiling rule = Tiling::Dvm);

/// What choose_cost ranks: the legal ones of a small set, without an order of visit.
[[nodiscard]] std::vector<MatmulSchedule> matmul_candidates(const MatmulSpec& spec,
                                                            const Machine& machine);
/// Fills in the order of visit and its width.
void choose_order(const MatmulSpec& spec, const Machine& machine, MatmulSchedule& schedule);

/// What is settled beforehand about a product; the rest is chosen.
struct MatmulChoice {
  std::optional<std::int64_t> m{}, n{}, k{};  // of a tile
  std::optional<std::int64_t> k_step{};       // launches of so much of k that add up; 0: one launch
  std::optional<isa::Swizzle> visit{};
  std::optional<std::int64_t> width{};
  std::optional<std::int64_t> loop{};  // isa::MatmulLoop
  std::optional<int> cores{};
  std::optional<std::int64_t> shared{};  // tiles whose k the cores share; 0: none
  friend bool operator==(const MatmulChoice&, const MatmulChoice&) = default;
};
/// `schedule` with what was chosen instead: where the tile changes and nothing is said, the longest
/// k block that fits, the order of visit and all cores that get a tile. Nullopt if that is not
/// legal; `why` then says it, and what would be.
[[nodiscard]] std::optional<MatmulSchedule> with_choice(const MatmulSpec& spec,
                                                        MatmulSchedule schedule,
                                                        const MatmulChoice& choice,
                                                        const Machine& machine, int cores,
                                                        std::string* why);
/// Names of MatmulLoop's bits, "shuffle-k" and so on, in their order.
struct LoopName {
  std::int64_t bit = 0;
  std::string_view name{};
};
[[nodiscard]] std::span<const LoopName> loop_names();

/// Ours: the cheapest tile by MatmulEstimate among a small legal set. Ties: fewer tiles,
/// then the first in order of enumeration.
[[nodiscard]] MatmulSchedule choose_cost(const MatmulSpec& spec, const Machine& machine);
/// Can MatmulEstimate's total of what choose_cost gives be less? Sooner known than what it gives.
[[nodiscard]] bool may_take_less(const MatmulSpec& spec, const Machine& machine, double time);

}  // namespace dvmsim
