// The `matmul` macro: one matrix product of a cube core as the sequence of commands that computes
// it, with flags that balance; and the `gmatmul` macro, many products of a list. Owns the order of
// the work; the arguments are vm/isa/matmul.h.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "vm/firmware/commands.h"
#include "vm/firmware/group_walk.h"
#include "vm/isa/isa.h"
#include "vm/isa/matmul.h"
#include "vm/machine/machine.h"

namespace dvmsim {

/// Blocks of tile_k columns of A and rows of B go to the halves of L1 in turn, one block ahead of
/// the multiplications; each is cut along k into parts that go to the halves of L0A and L0B in
/// turn. A tile leaves L0C when its last part is done; two tiles share L0C if they fit. With slots,
/// a tile waits for its slot from the second round on, and every tile is taken back before the
/// macro ends. isa::MatmulLoop varies this.
///
/// Of a list of groups, the core's next tiles are known as far as the flags of the tile at hand
/// need it; the list is read no further. Its tiles may have different numbers of blocks, so parts
/// go to the halves of L0 in turn over the ends of blocks.
class MatmulMacro {
 public:
  /// The pipes whose buffers it takes over.
  static constexpr std::array kPipes = {Pipe::MTE2, Pipe::MTE1, Pipe::Cube, Pipe::Fix};

  /// Why the arguments cannot be expanded on this machine, or empty.
  [[nodiscard]] static std::string problem(const Machine& machine,
                                           const isa::MatmulArguments& arguments, DType type);
  [[nodiscard]] static std::string problem(const Machine& machine,
                                           const isa::GroupedArguments& arguments, DType type);
  /// Words behind the arguments that it needs, and why they cannot be used.
  [[nodiscard]] static std::int64_t more_words(const isa::MatmulArguments& arguments) {
    return (arguments.loop & isa::kShared) != 0 ? 2 : 0;
  }
  [[nodiscard]] static std::string problem_of_more(const isa::MatmulArguments& arguments,
                                                   std::span<const std::uint64_t> more);
  /// The part of core `core` of `cores`. There is no problem() with the arguments; `more` are the
  /// words behind them.
  void start(const Machine& machine, const isa::MatmulArguments& arguments,
             std::span<const std::uint64_t> more, DType type, int core, int cores,
             std::uint32_t pc);
  void start(const Machine& machine, const isa::GroupedArguments& arguments, DType type, int core,
             int cores, std::uint32_t pc);
  [[nodiscard]] bool active() const { return active_; }
  /// The ldgm whose value is wanted by supply() before next(); nullptr: none, or there is a fault.
  const isa::Command* read();
  void supply(std::int64_t value) { walk_->supply(value); }
  /// What the value would be if all groups were equal.
  [[nodiscard]] std::int64_t assumed() const { return walk_->assumed(); }
  /// What is wrong with the list, or empty.
  [[nodiscard]] const std::string& fault() const { return fault_; }
  [[nodiscard]] std::uint32_t pc() const { return pc_; }
  /// The next command, valid until the call after; nullptr at the end.
  const isa::Command* next();

 private:
  /// One tile of C, or a piece of a shared one along k, and how many of this core's came before it.
  struct Tile {
    std::int64_t number = 0;
    std::int64_t m0 = 0, n0 = 0, m = 0, n = 0;
    std::int64_t a = 0, b = 0, c = 0, bias = 0;  // GM addresses of the batch's or group's
    std::int64_t k = 0, first = 0, blocks = 0;   // elements; blocks along k
    std::int64_t slot = -1;                      // of a piece; -1: it is whole
    bool zero = false;                           // nothing is multiplied: zeros are
  };
  /// One block of a tile along k.
  struct Block {
    Tile tile{};
    std::int64_t place = 0;  // in the order of the tile's blocks
    std::int64_t k0 = 0, k = 0;
    std::int64_t parts = 0;
    std::int64_t number = 0;  // of all this core's blocks
    bool loads_a = true, loads_b = true;
    std::int64_t parts_before = 0;  // modulo 2; of a product that is not grouped, 0
    [[nodiscard]] int half() const { return static_cast<int>(number % 2); }
    [[nodiscard]] bool opens() const { return place == 0; }
  };

  void set_up(const Machine& machine, const isa::MatmulArguments& arguments, DType type, int core,
              int cores, std::uint32_t pc);
  void share(std::span<const std::uint64_t> more);
  void begin();
  [[nodiscard]] Tile tile_at(std::int64_t number) const;
  [[nodiscard]] Tile tile_of(const GroupWalk::Place& place, std::int64_t number) const;
  /// Does the core have a tile of this number? At most three after the one at hand.
  [[nodiscard]] bool exists(std::int64_t number) const {
    return number < (walk_ ? known_ : tiles_);
  }
  /// Are there so many blocks after this one?
  [[nodiscard]] bool has_after(const Block& block, std::int64_t blocks) const;
  [[nodiscard]] bool side_used_again(const Block& block, std::int64_t part) const;
  [[nodiscard]] Block first_block() const;
  [[nodiscard]] Block block_after(const Block& block) const;
  void cut(Block& block) const;
  [[nodiscard]] bool has(std::int64_t bit) const { return (args_.loop & bit) != 0; }
  [[nodiscard]] bool closes(const Block& block) const {
    return block.place + 1 == block.tile.blocks;
  }
  /// The first of this core's tiles that has a bias: only the first can be without.
  [[nodiscard]] std::int64_t first_biased() const {
    return pieces_ > 0 && begin_ % blocks_per_tile_ != 0 ? 1 : 0;
  }
  /// Does the bias belong to what begins with this block?
  [[nodiscard]] bool adds_bias(const Block& block) const {
    return block.tile.bias != 0 && block.opens() && block.tile.first == 0;
  }
  /// The half of L1 is filled anew with an A (a B) after this block.
  [[nodiscard]] bool loads_again(const Block& block, bool of_a) const;
  [[nodiscard]] bool keeps(const Tile& before, const Tile& after, bool of_a) const;
  [[nodiscard]] bool second_half_used_after(const Block& block) const;

  void load(const Block& block);
  void load_bias(const Block& block);
  void multiply(const Block& block);
  void move_part(const Block& block, std::int64_t part);
  void multiply_part(const Block& block, std::int64_t part);
  void write(const Tile& tile);
  void write_piece(const Tile& tile);
  void all_pieces_are_there(std::int64_t tile);
  void tell(isa::Command& product, Pipe pipe, int id, const Tile& tile);

  isa::MatmulArguments args_{};
  DType type_ = DType::F16;
  std::int64_t core_ = 0, cores_ = 1;
  bool active_ = false;
  // Sizes and places, in bytes where not said otherwise.
  std::int64_t item_ = 2, out_item_ = 2;
  std::int64_t rows_ = 0, columns_ = 0;  // tiles of C
  std::int64_t first_tile_ = 0, tile_step_ = 1;
  std::int64_t tiles_ = 0;  // of this core, pieces too; not of a list of groups
  isa::SharedTiles shared_{};
  std::int64_t first_shared_ = 0;           // number of the first of them
  std::int64_t pieces_ = 0;                 // of this core
  std::int64_t begin_ = 0, end_ = 0;        // of its range of their blocks
  std::int64_t partials_ = 0;               // GM address
  std::int64_t blocks_per_tile_ = 0;        // of whole ones
  std::int64_t block_k_ = 0, part_ = 0;     // elements along k
  std::int64_t a_slots_ = 0, b_slots_ = 0;  // through which it comes; 0: it lies in a tensor
  std::int64_t half_l1_ = 0, b_offset_ = 0, bias_offset_ = 0;
  std::int64_t half_l0a_ = 0, half_l0b_ = 0;
  std::int64_t accumulators_ = 1, accumulator_bytes_ = 0;
  std::int64_t zero_k_ = 0;  // elements along k that fill rows of a fractal
  Block next_block_{};       // the next to multiply; already loaded, if there is one
  bool has_block_ = false;
  // Of a list of groups: the tiles up to number known_, of which those near the one at hand are
  // kept.
  static constexpr std::int64_t kAhead = 3, kKept = 8;
  std::optional<GroupWalk> walk_{};
  isa::GroupedArguments grouped_{};
  std::array<Tile, kKept> window_{};
  std::int64_t known_ = 0;
  bool begun_ = false;
  std::string fault_{};
  std::uint32_t pc_ = 0;
  std::array<bool, 2> l0_used_{};
  Commands commands_{};  // of the current block
};

}  // namespace dvmsim
