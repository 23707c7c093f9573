// The vector cores' part of an attention program, as it is written: attention_vector.cpp walks over
// blocks and adds products, attention_softmax.cpp makes probabilities of scores.
#pragma once

#include <algorithm>
#include <bit>
#include <limits>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "compiler/codegen/attention_walk.h"

namespace dvmsim {

/// Flag ids, each pair of pipes apart.
inline constexpr int kScoresIn = 0, kPartialIn = 1;  // mte2 -> vector, and back: free
inline constexpr int kResult = 0;                    // vector -> mte3, and back: free

[[nodiscard]] inline std::int32_t bits(float value) {
  return std::bit_cast<std::int32_t>(value);
}

class AttentionVector {
 public:
  AttentionVector(const AttentionSpec& spec, const AttentionSchedule& schedule,
                  const Machine& machine, std::int64_t begin)
      : spec_(spec),
        schedule_(schedule),
        at_(vector_layout(spec, schedule, machine, begin)),
        slots_(slots_of(spec, schedule)),
        width_(spread_of(machine)),
        members_(machine.cores.per_group),
        frame_(code_, spec, schedule, machine) {
    if (spec.mask) mask_.emplace(code_, at_.mask, at_.mask_bytes, schedule.whole_m);
  }

  void write(Program& program);

 private:
  /// Rows of a tile that are this core's, and the way through them in pieces.
  struct Share {
    Reg first{};
    Val rows{};
  };
  struct Piece {
    int use = 0;  // of the turn's buffers
    Val rows{};
    Val column{};  // bytes to its first row in a column of the share
    Val row{};     // its first row in the tile
  };

  void tokens(bool give);
  void count_places();
  void scale_queries();
  void scale_piece(Val from, Val to, Val count, Val in, Val out);
  [[nodiscard]] Share share_registers();
  void take_share(const AttentionWalk& walk, const Share& share);
  template <class Body>
  void each_piece(const Share& share, std::int64_t high, Body&& body);
  isa::Inst& vector(isa::Op op, Operands operands);
  isa::Inst& column(isa::Op op, Val to, Val a, Val b, Val rows);
  void spread(Val column, Val to, int dtype, Val rows);
  void softmax();
  void softmax_of(const Piece& piece, Val from, Val to);
  void load_scores(const Piece& piece, Val from);
  void add_mask(const Piece& piece);
  void hide(const Piece& piece);
  void reduce(isa::Reduction how, int dtype, Val to, Val of, std::int64_t row, Val rows);
  void reduce_first(const Piece& piece);
  void raise(const Piece& piece, Val greatest);
  void divide(const Piece& piece);
  void weigh(const Piece& piece);
  void addition();
  void add_product(const Piece& piece, Val from);
  /// An operation of every row of a matrix with its own number, which `spread` holds.
  void by_rows(isa::Op op, Val matrix, std::int64_t pitch, std::span<const Val> widths, Val rows);
  /// Where the rows of a share begin in a matrix; those of a piece, from there.
  [[nodiscard]] Reg share_of(Reg matrix, const Share& share, std::int64_t row_bytes) {
    const RegisterScope scope(code_);
    const Reg first = code_.reg();
    code_.assign(first, isa::Op::smul, share.first, row_bytes);
    code_.assign(matrix, isa::Op::sadd, matrix, first);
    return matrix;
  }
  [[nodiscard]] Val piece_of(Val matrix, const Piece& piece, std::int64_t row_bytes) {
    return code_.compute(isa::Op::sadd, matrix,
                         code_.compute(isa::Op::smul, piece.column, row_bytes / 4));
  }
  [[nodiscard]] Val at(std::int64_t base, Val offset) {
    return code_.compute(isa::Op::sadd, offset, base);
  }
  [[nodiscard]] std::int64_t pitch() const { return schedule_.block_n * 4; }
  [[nodiscard]] std::int64_t score_pitch() const {
    return schedule_.block_n * size_of(score_type(spec_));
  }
  /// The piece's scores as F32: where they came in, or where they were widened to.
  [[nodiscard]] Val work(const Piece& piece) const {
    return score_type(spec_) == DType::F32 ? scores_.of(piece.use) : Val(at_.work);
  }

  const AttentionSpec& spec_;
  const AttentionSchedule& schedule_;
  AttentionVectorLayout at_;
  AttentionSlots slots_;
  std::int64_t width_, members_;
  Builder code_{CoreKind::Vector};
  AttentionFrame frame_;
  AttentionWalk taking_{frame_, true}, adding_{frame_, false};
  Share taken_ = share_registers(), added_ = schedule_.whole_m ? taken_ : share_registers();
  BufferPair scores_{code_, at_.scores, at_.scores_bytes, schedule_.whole_m},
      result_{code_, at_.probabilities, at_.probabilities_bytes, schedule_.whole_m},
      partial_{code_, at_.partial, at_.partial_bytes, schedule_.whole_m};
  std::optional<BufferPair> mask_{};
  AttentionRing scores_slot_{code_, schedule_.ahead}, taken_slot_{code_, schedule_.ahead + 1},
      added_slot_{code_, schedule_.ahead + 1};
  std::vector<Val> widths_{};  // keys of the block in each spread's width
  Reg decay_{};                // of the turn, and from there on
  const int type_ = static_cast<int>(spec_.type);
  const std::int64_t item_ = size_of(spec_.type);
};

}  // namespace dvmsim
