// The argument words of the `matmul` macro: one whole (batched) matrix product C = A * B (+ bias),
// as DVM's cube program takes it. The firmware expands it into loadnz, l0a, l0b, mmad and fix
// commands.
#pragma once

#include <cstdint>

#include "vm/base/dtype.h"
#include "vm/isa/isa.h"

namespace dvmsim::isa {

/// Order in which tiles are visited, for L2 reuse. Zn: groups of `width` columns of tiles, rows
/// first inside, odd groups backwards. DiagonalZ: squares of `width` x `width` tiles, one row of
/// squares after another; inside a square along its diagonals, so that neighbours in time share
/// neither rows nor columns. Nz and DiagonalN: the same with rows and columns exchanged.
enum class Swizzle : std::uint8_t { Zn, Nz, DiagonalZ, DiagonalN };
inline constexpr int kSwizzles = 4;
/// "zn", "nz", "dz", "dn".
[[nodiscard]] const char* name_of(Swizzle swizzle);

/// Where tile `index` of a grid of rows x columns tiles is.
struct TilePlace {
  std::int64_t row = 0, column = 0;
  friend bool operator==(const TilePlace&, const TilePlace&) = default;
};
[[nodiscard]] TilePlace place_of(std::int64_t index, std::int64_t rows, std::int64_t columns,
                                 Swizzle swizzle, std::int64_t width);

/// How a core goes about its tiles: a sum of these. Generations of DVM's machine differ in them.
enum MatmulLoop : std::int64_t {
  /// Core b begins every tile at k block b mod (blocks), so that cores that need the same rows are
  /// not after the same lines at once.
  kShuffleK = 1,
  /// With one k block a tile, an operand that its half of L1 still holds is not loaded again.
  kKeepOperands = 2,
  /// The cube hands a tile to FixPipe, and takes L0C back, granule by granule (cube.unit_flag).
  kUnitFlags = 4,
  /// A product of fewer than kSmallProduct fractals is over before the next one begins.
  kDrainSmall = 8,
  /// Every product is.
  kDrainAll = 16,
  /// The first part of a block moves to L0 after the products of the block before.
  kDrainBlocks = 32,
  /// One tile in L0C at a time, even if two fit.
  kOneAccumulator = 64,
  /// Core b takes one range of consecutive tiles.
  kContiguous = 128,
  /// A block of k is cut in parts of one length, instead of the longest that fit and a rest.
  kEvenParts = 256,
  /// The last tiles are shared: their k blocks, tile by tile, go to the cores in ranges of equal
  /// length (SharedTiles), before the other tiles. Two more words, behind the others: how many they
  /// are, and the address of a workspace for the sums of the pieces, `slot_bytes` each, in the type
  /// in which they add up. Vector cores are told by xset(fix, 0, group) when all of them are there.
  kShared = 512,
};
/// Sums of all but kShared are less.
inline constexpr std::int64_t kMatmulLoops = 512;
/// Source: the vendor's guide: accumulating into fewer fractals needs a barrier between.
inline constexpr std::int64_t kSmallProduct = 10;

/// How an operand lies: a sum of these.
enum MatmulOperand : std::int64_t {
  kTransposed = 1,
  /// Of A or of B, not of both: its blocks come through slots that the vector cores of the group
  /// fill, instead of from a tensor. The operand is a workspace, its stride of the outer batch the
  /// number of slots of a core and that of the inner the bytes of one. Block i of core c, in the
  /// order of its blocks, is in slot i mod slots, at operand + (c * slots + slot) * bytes, rows a
  /// stride apart. The cube core offers every slot with xset(mte2, 3, group), once at first and
  /// again when a block has been loaded that is not among the last; takes a block with
  /// xwait(mte2, 2, group). Not with kKeepOperands.
  kFromSlots = 2,
};

/// In this order from argument word `index`. Core b of n takes tiles b, b + n, ... (kContiguous:
/// from b * ceil(tiles / n) on); batches outermost. Strides are bytes. A is m x k (k x m if
/// trans_a), B is k x n (n x k if trans_b), row-major.
struct MatmulArguments {
  std::uint64_t a = 0, b = 0, c = 0, bias = 0;  // GM addresses; bias 0: none (n elements)
  std::int64_t m = 0, n = 0, k = 0;
  std::int64_t a_stride = 0, b_stride = 0, c_stride = 0;  // between rows
  std::int64_t batch0 = 1, batch1 = 1;                    // outer, inner
  std::int64_t a_batch0 = 0, a_batch1 = 0, b_batch0 = 0, b_batch1 = 0, c_batch0 = 0, c_batch1 = 0;
  std::int64_t tile_m = 0, tile_n = 0, tile_k = 0;  // multiples of 16; two of each fit L1
  std::int64_t swizzle = 0, width = 1;
  std::int64_t trans_a = 0, trans_b = 0;  // MatmulOperand
  std::int64_t out = 0;                   // DType of C
  std::int64_t post = 0;                  // Post
  /// 0: C is written in place. n > 0: every tile goes to one of n slots of the group in a workspace
  /// at `c` (slot s of core b at c + (b * n + s) * slot_bytes, row stride tile_n * size), announced
  /// with xset(fix, 0, group) and taken back with xwait(fix, 1, group).
  std::int64_t slots = 0, slot_bytes = 0;
  std::int64_t bias_type = 0;  // DType of the bias
  std::int64_t atomic = 0;     // isa::Atomic: what is done with what C holds
  std::int64_t loop = 0;       // MatmulLoop; kContiguous not with slots
};
inline constexpr int kMatmulWords = static_cast<int>(sizeof(MatmulArguments) / 8);
static_assert(sizeof(MatmulArguments) == 8 * kMatmulWords);

/// How the k blocks of shared tiles go to the cores: core c takes those from c * range() on, so
/// that a tile is cut into pieces by neighbouring cores, in the order of k.
struct SharedTiles {
  std::int64_t tiles = 0, blocks = 1;  // blocks of each
  std::int64_t cores = 1;

  [[nodiscard]] std::int64_t range() const { return (tiles * blocks + cores - 1) / cores; }
  /// The cores of the first and of the last piece of a tile.
  [[nodiscard]] std::int64_t first_core(std::int64_t tile) const { return tile * blocks / range(); }
  [[nodiscard]] std::int64_t last_core(std::int64_t tile) const {
    return ((tile + 1) * blocks - 1) / range();
  }
  [[nodiscard]] std::int64_t most_pieces() const;
  /// Of a core's piece of a tile in the workspace.
  [[nodiscard]] std::int64_t slot_of(std::int64_t tile, std::int64_t core) const {
    return tile * most_pieces() + core - first_core(tile);
  }
};

/// What belongs to groups. M: rows of A and C, and each group has a B and a bias. K: columns of A
/// and rows of B, and each group has a C.
enum class GroupAxis : std::uint8_t { M, K };

/// The words of the `gmatmul` macro: a product for every group of a list in GM, which the firmware
/// reads as it comes to them. Groups follow one another along the axis; their tiles go round the
/// cores together. Rows of C behind the last group are zero, and so is the C of an empty group. A
/// list that is negative, decreases (cumulative) or leaves the axis is a fault.
struct GroupedArguments {
  /// m (GroupAxis::M) or k (K) counts all groups together. One batch, no slots, not kContiguous.
  MatmulArguments product{};
  std::uint64_t list = 0;       // GM address
  std::int64_t groups = 1;      // elements of the list
  std::int64_t list_type = 0;   // DType: I32, I64
  std::int64_t axis = 0;        // GroupAxis
  std::int64_t cumulative = 0;  // 1: the list holds where groups end, not how long they are
  // Bytes from a group's B (M) or C (K), and bias, to the next's.
  std::int64_t stride = 0, bias_stride = 0;
};
inline constexpr int kGroupedWords = static_cast<int>(sizeof(GroupedArguments) / 8);
static_assert(sizeof(GroupedArguments) == 8 * kGroupedWords);

}  // namespace dvmsim::isa
