// Attention as one program: softmax(q k' * scale + mask) v over batches and heads, its sizes, the
// tiles chosen for it, and where they lie in the buffers of a cube core and of its vector cores.
// Owns the closed form of its time; writing the code is codegen/attention.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "vm/base/dtype.h"
#include "vm/machine/machine.h"

namespace dvmsim {

/// Bytes from one batch, head and row of a tensor to the next; elements of a row are adjacent.
struct AttentionStrides {
  std::int64_t batch = 0, head = 0, row = 0;
  friend bool operator==(const AttentionStrides&, const AttentionStrides&) = default;
};

/// `shared` neighbouring query heads read one head of keys and values. Query i sees the keys
/// 0..i + reach if it is causal, else all of them.
struct AttentionSpec {
  std::int64_t batch = 1, heads = 1, shared = 1;
  std::int64_t m = 1, n = 1;    // queries, keys
  std::int64_t d = 16, e = 16;  // elements of a query and of a value
  DType type = DType::F16;
  float scale = 1;
  std::string name{};  // for people
  bool causal = false;
  std::int64_t reach = 0;
  std::optional<DType> mask{};  // of a tensor that is added to the scores
  AttentionStrides q{}, k{}, v{}, out{};
  AttentionStrides mask_strides{};  // row 0: the same for every query
};
/// Are they the same but for names?
[[nodiscard]] bool have_same_work(const AttentionSpec& a, const AttentionSpec& b);

/// A cube core and its vector cores take tiles of `tile_m` queries of one head, and walk over the
/// keys in blocks of `block_n`. The cube core loads `load_n` keys of a block at a time and
/// multiplies `part_n` of them; a vector core takes its share of a block's rows in pieces of
/// `piece_m`, and of the product's in pieces of `add_m`.
struct AttentionSchedule {
  std::int64_t tile_m = 16, block_n = 16, load_n = 16, part_n = 16, piece_m = 8, add_m = 8;
  std::int64_t ahead = 1;  // blocks whose scores are made before the first block's values are mixed
  int cores = 1;           // cube cores
  /// Every tile has tile_m queries (every block block_n keys), and an even number of pieces (of
  /// parts): the code is straight and knows its buffers.
  bool whole_m = false, whole_n = false;
  /// All keys are one block: probabilities are divided by their sum before they leave, and what the
  /// cube core makes of them is the output.
  bool one_block = false;
  /// The vector cores scale all queries first, instead of all scores later.
  bool scales_queries = false;

  /// What the estimate believes of one block in the steady state, in cycles, by pipe, and of all.
  struct Estimate {
    double cube = 0, mte1 = 0, mte2 = 0, fix = 0;  // of the cube core
    double vector = 0, vector_mte2 = 0, mte3 = 0;  // of a vector core
    double cube_scalar = 0, vector_scalar = 0;
    double l2_read = 0, l2_write = 0;  // all cores together
    double total = 0;
  } estimate{};
  int candidates = 0;  // how many were compared
};

/// Offsets in the buffers of the cube core. Two of each but the queries in L0A and the outputs.
struct AttentionCubeLayout {
  std::int64_t q_bytes = 0, k_bytes = 0, v_bytes = 0, p_bytes = 0;  // in L1
  std::int64_t q = 0, k = 0, v = 0, p = 0, l1_end = 0;
  std::int64_t l0a_q_bytes = 0, l0a_p_bytes = 0, l0a_end = 0;  // queries, then probabilities
  std::int64_t l0b_k_bytes = 0, l0b_v_bytes = 0, l0b_end = 0;  // keys, then values
  std::int64_t out_bytes = 0, scores_bytes = 0, l0c_end = 0;   // outputs, then scores
};
[[nodiscard]] AttentionCubeLayout cube_layout(const AttentionSpec& spec,
                                              const AttentionSchedule& schedule);

/// The type of scores on their way to the vector cores: that of a product of F16, else F32.
[[nodiscard]] constexpr DType score_type(const AttentionSpec& spec) {
  return spec.type == DType::F16 ? DType::F16 : DType::F32;
}

/// What scores are multiplied with.
[[nodiscard]] inline float score_scale(const AttentionSpec& spec,
                                       const AttentionSchedule& schedule) {
  return schedule.scales_queries ? 1 : spec.scale;
}

/// Can all queries be scaled as one row? They follow one another without a gap, and where scores
/// are widened there is room for them.
[[nodiscard]] bool has_dense_queries(const AttentionSpec& spec);

/// May the maximum be taken of scores as they come? Nothing is added to them, and the scale keeps
/// their order.
[[nodiscard]] constexpr bool takes_maximum_first(const AttentionSpec& spec) {
  return score_type(spec) != DType::F32 && !spec.mask && !spec.causal && spec.scale > 0;
}

/// Bytes of the parts of a vector core's UB, and where they lie from `begin` on.
struct AttentionVectorLayout {
  std::int64_t share = 0;  // rows of a tile that one vector core has at most
  std::int64_t work = 0;   // a piece of scores in F32
  std::int64_t scores = 0, probabilities = 0, mask = 0, partial = 0;  // two each
  std::int64_t scores_bytes = 0, probabilities_bytes = 0, mask_bytes = 0, partial_bytes = 0;
  std::int64_t out = 0, spread = 0, mask_f32 = 0, places = 0, places_spread = 0, difference = 0,
               numbers = 0;
  std::int64_t greatest = 0, sum = 0;  // columns of `share` rows
  std::int64_t decay = 0, total = 0;   // rings of such columns
  std::int64_t column_bytes = 0;
  std::int64_t new_greatest = 0, scratch = 0;  // columns of a piece
  std::int64_t end = 0;
};
[[nodiscard]] AttentionVectorLayout vector_layout(const AttentionSpec& spec,
                                                  const AttentionSchedule& schedule,
                                                  const Machine& machine, std::int64_t begin);

/// Slots of a cube core in the workspace: `ahead` of scores and of probabilities, one more of
/// outputs, which the vector cores take last; of one block, none.
struct AttentionSlots {
  std::int64_t scores_bytes = 0, probabilities_bytes = 0, outputs_bytes = 0;  // of one slot
  std::int64_t probabilities = 0, outputs = 0, bytes = 0;                     // offsets; of a core
};
[[nodiscard]] AttentionSlots slots_of(const AttentionSpec& spec, const AttentionSchedule& schedule);

/// Bytes of UB that are left to the code of a vector core.
inline constexpr std::int64_t kAttentionCode = 12288;

/// Elements of F32 in one repeat: the width of the columns in which rows meet their own number.
[[nodiscard]] std::int64_t spread_of(const Machine& machine);

/// The schedule, told whether tiles and blocks of these sizes are whole.
[[nodiscard]] AttentionSchedule specialised(const AttentionSpec& spec, AttentionSchedule schedule,
                                            const Machine& machine);

/// Is one program right for both? Lengths, batches and strides are arguments of it.
[[nodiscard]] bool have_one_program(const AttentionSpec& a, const AttentionSchedule& of_a,
                                    const AttentionSpec& b, const AttentionSchedule& of_b);

/// Tiles of queries over all heads and batches.
[[nodiscard]] std::int64_t items_of(const AttentionSpec& spec, const AttentionSchedule& schedule);

/// The same with heads that share keys as one head of more rows, where no mask tells them apart and
/// rows are at equal distances.
[[nodiscard]] AttentionSpec merged(AttentionSpec spec);

/// Does every buffer of the machine hold what the schedule puts there?
[[nodiscard]] bool fits(const AttentionSpec& spec, const AttentionSchedule& schedule,
                        const Machine& machine);

/// Empty, or why there is no such program on this machine.
[[nodiscard]] std::string attention_problem(const AttentionSpec& spec, const Machine& machine);

/// What is settled beforehand about a schedule; the rest is searched.
struct AttentionChoice {
  std::optional<std::int64_t> queries{}, keys{};  // of a tile, of a block
  std::optional<std::int64_t> part{};             // keys that are multiplied at a time
  std::optional<std::int64_t> piece{}, add{};     // rows of a vector core's pieces
  std::optional<bool> scale_queries{};
  std::optional<int> cores{};
  friend bool operator==(const AttentionChoice&, const AttentionChoice&) = default;
};

/// The cheapest by the estimate on at most `cores` cube cores. There is no attention_problem(). If
/// nothing that was chosen fits, there are no candidates.
[[nodiscard]] AttentionSchedule schedule_attention(const AttentionSpec& spec,
                                                   const Machine& machine, int cores,
                                                   const AttentionChoice& choice = {});
/// Empty, or what no schedule of the attention can be, whatever the buffers hold.
[[nodiscard]] std::string impossible(const AttentionSpec& spec, int cores,
                                     const AttentionChoice& choice);

[[nodiscard]] std::string to_text(const AttentionSpec& spec, const AttentionSchedule& schedule);

}  // namespace dvmsim
