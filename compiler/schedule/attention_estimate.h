// What a schedule of attention costs: the busiest pipes of a block set the pace, a block that
// nothing overlaps the latency. Costs are those of the instructions the program is made of.
#pragma once

#include "compiler/schedule/attention.h"
#include "vm/isa/cost.h"

namespace dvmsim {

class AttentionEstimate {
 public:
  AttentionEstimate(const AttentionSpec& spec, const Machine& machine)
      : spec_(spec), machine_(machine), cost_(machine) {}

  using Estimate = AttentionSchedule::Estimate;
  /// What the vector cores' pieces of a block take.
  struct Pieces {
    double vector = 0, scaling = 0;  // scores scaled apart
    double mte2 = 0, mte3 = 0;
  };
  /// Of tiles and blocks, its cores chosen, whatever the pieces: no total with them is less than
  /// this one's, if `schedule` does not scale queries.
  [[nodiscard]] Estimate of_blocks(const AttentionSchedule& schedule) const;
  /// Whether queries are scaled first or scores later.
  [[nodiscard]] Pieces of_pieces(const AttentionSchedule& schedule) const;
  /// Of a schedule that fits.
  [[nodiscard]] Estimate of(const AttentionSchedule& schedule, const Estimate& blocks,
                            const Pieces& pieces) const;

 private:
  /// Rows and keys of a block as most of them are.
  struct Block {
    std::int64_t m = 0, n = 0, parts = 0;
    std::int64_t share = 0, piece = 0, pieces = 0;  // rows of a vector core
    std::int64_t added = 0, additions = 0;          // the same where products are added
  };
  [[nodiscard]] Block block_of(const AttentionSchedule& schedule) const;
  /// Blocks of keys that a tile of queries sees, on average.
  [[nodiscard]] double blocks_of_item(const AttentionSchedule& schedule) const;
  void cube_core(const AttentionSchedule& schedule, const Block& block, Estimate& sum) const;
  void vector_core(const AttentionSchedule& schedule, const Block& block, Pieces& sum) const;
  void firmware(const AttentionSchedule& schedule, const Block& block, Estimate& sum) const;
  [[nodiscard]] double total_of(const AttentionSchedule& schedule, const Estimate& sum) const;
  /// Cycles until the queries are scaled.
  [[nodiscard]] double scaling(const AttentionSchedule& schedule) const;
  void traffic(const AttentionSchedule& schedule, const Block& block, Estimate& sum) const;
  /// Vector cycles of a piece's softmax, of scaling its scores, and of adding a piece of the
  /// block's output.
  [[nodiscard]] double softmax(const AttentionSchedule& schedule, const Block& block) const;
  [[nodiscard]] double multiplication(const AttentionSchedule& schedule, const Block& block) const;
  [[nodiscard]] double reductions(const AttentionSchedule& schedule, const Block& block) const;
  [[nodiscard]] double addition(const AttentionSchedule& schedule, const Block& block) const;

  const AttentionSpec& spec_;
  const Machine& machine_;
  CostModel cost_;
};

}  // namespace dvmsim
