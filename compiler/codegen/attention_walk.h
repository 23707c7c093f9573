// What the two kinds of cores share in an attention program: argument words, flags between cores,
// and the walk over tiles of queries and blocks of keys in scalar registers.
#pragma once

#include "compiler/codegen/pipeline.h"
#include "compiler/schedule/attention.h"

namespace dvmsim {

/// Words of the argument block. A tensor has three strides from its first one on.
enum AttentionWord : int {
  kWordQ,
  kWordK,
  kWordV,
  kWordOut,
  kWordWorkspace,
  kWordMask,
  kWordScaled,  // queries as the cube cores read them
  kWordBatch,
  kWordM,
  kWordN,
  kWordReach,
  kWordStrideQ,
  kWordStrideK = kWordStrideQ + 3,
  kWordStrideV = kWordStrideK + 3,
  kWordStrideOut = kWordStrideV + 3,
  kWordStrideMask = kWordStrideOut + 3,
  kAttentionWords = kWordStrideMask + 3
};

/// Flags between the cores of a group: what is there.
inline constexpr int kScoresThere = 0, kProbabilitiesThere = 1, kProductThere = 2,
                     kQueriesThere = 3;
/// Among the vector cores: all have scaled their queries.
inline constexpr int kQueriesScaled = 4;

/// Sizes of the launch and of this core's part of it.
class AttentionFrame {
 public:
  AttentionFrame(Builder& code, const AttentionSpec& spec, const AttentionSchedule& schedule,
                 const Machine& machine);

  Builder& code;
  const AttentionSpec& spec;
  const AttentionSchedule& schedule;
  /// Groups of cores; batches times heads; the number of the last tile of a head.
  Reg groups{}, per_tile{}, last_tile{};
  /// Blocks of this core: the turns it takes.
  Reg turns{};
  /// This core's slots.
  Reg slots{};

  /// Opens the core's loop; so many turns at its end only finish.
  void begin_turns(std::int64_t last);
  /// Signals, or waits, on a pipe, to or for the other kind of cores of the group, or as `mode`
  /// says.
  void signal(Pipe pipe, int id, isa::CrossMode mode = isa::CrossMode::Group);
  void await(Pipe pipe, int id, isa::CrossMode mode = isa::CrossMode::Group);
  /// The address of a row, of a tensor's words; `place` counts heads and batches, `shared` of them
  /// have one head of the tensor.
  void address(Reg at, int base, int strides, Val place, std::int64_t shared, Val row);
  /// The first row of a tile, how many it has, the keys they see, and the blocks of those.
  struct Extent {
    Reg row{};
    Val rows{};
    Reg limit{}, blocks{};
  };
  void find_extent(Val item, const Extent& extent);

 private:
  void count_turns(Val items);
  [[nodiscard]] Val rows_register();
};

/// A place in the sequence of blocks. Registers hold the place of the current turn.
class AttentionWalk {
 public:
  /// `with_keys`: `key` and `keys` are wanted.
  AttentionWalk(AttentionFrame& frame, bool with_keys);

  /// At the start of a turn: the next block. `on_item` writes what a new tile needs.
  template <class OnItem>
  void begin(OnItem&& on_item) {
    const RegisterScope scope(code_);
    const int jump = enter_item();
    on_item();
    leave_item(jump);
  }
  /// At its end.
  void end();
  /// Jumps over what is only for the first (last) block of a tile.
  [[nodiscard]] int unless_first() { return code_.jump(isa::Op::jnz, block); }
  [[nodiscard]] int unless_last();

  /// `place` is batch * heads + head; `row` and `rows` are of the tile, `key` and `keys` of the
  /// block.
  Reg block{}, row{}, place{}, key{};
  Val rows{}, keys{};

 private:
  int enter_item();
  void leave_item(int jump);

  AttentionFrame& frame_;
  Builder& code_;
  bool with_keys_;
  Reg item_{}, blocks_{}, limit_{};
};

/// A number that goes round a ring of slots.
class AttentionRing {
 public:
  AttentionRing(Builder& code, std::int64_t slots) : code_(code), at_(code.reg()), slots_(slots) {
    code_.assign(at_, isa::Op::mov, 0, 0);
  }
  /// base + offset + number * bytes, in a fresh register.
  [[nodiscard]] Reg slot(Val base, std::int64_t bytes, std::int64_t offset = 0) {
    const Reg place = code_.reg();
    code_.assign(place, isa::Op::smul, at_, bytes);
    code_.assign(place, isa::Op::sadd, place, base);
    if (offset != 0) code_.assign(place, isa::Op::sadd, place, offset);
    return place;
  }
  void turn() {
    code_.assign(at_, isa::Op::sadd, at_, 1);
    code_.assign(at_, isa::Op::smod, at_, slots_);
  }

 private:
  Builder& code_;
  Reg at_;
  std::int64_t slots_;
};

/// Code of the cube cores, and of the vector cores with their tensors from `begin` on in UB.
void write_attention_cube(const AttentionSpec& spec, const AttentionSchedule& schedule,
                          const Machine& machine, Program& program);
void write_attention_vector(const AttentionSpec& spec, const AttentionSchedule& schedule,
                            const Machine& machine, std::int64_t begin, Program& program);

}  // namespace dvmsim
