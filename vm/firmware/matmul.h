// The `matmul` macro: one matrix product of a cube core as the sequence of commands that computes
// it, with flags that balance. Owns the order of the work; the arguments are vm/isa/matmul.h.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "vm/firmware/commands.h"
#include "vm/isa/isa.h"
#include "vm/isa/matmul.h"
#include "vm/machine/machine.h"

namespace dvmsim {

/// Blocks of tile_k columns of A and rows of B go to the halves of L1 in turn, one block ahead of
/// the multiplications; each is cut along k into parts that go to the halves of L0A and L0B in
/// turn. A tile leaves L0C when its last part is done; two tiles share L0C if they fit. With slots,
/// a tile waits for its slot from the second round on, and every tile is taken back before the
/// macro ends. isa::MatmulLoop varies this.
class MatmulMacro {
 public:
  /// The pipes whose buffers it takes over.
  static constexpr std::array kPipes = {Pipe::MTE2, Pipe::MTE1, Pipe::Cube, Pipe::Fix};

  /// Why the arguments cannot be expanded on this machine, or empty.
  [[nodiscard]] static std::string problem(const Machine& machine,
                                           const isa::MatmulArguments& arguments, DType type);
  /// The part of core `core` of `cores`. There is no problem() with the arguments.
  void start(const Machine& machine, const isa::MatmulArguments& arguments, DType type, int core,
             int cores, std::uint32_t pc);
  [[nodiscard]] bool active() const { return active_; }
  /// The next command, valid until the call after; nullptr at the end.
  const isa::Command* next();

 private:
  /// One tile of C and how many of this core's tiles came before it.
  struct Tile {
    std::int64_t number = 0;
    std::int64_t m0 = 0, n0 = 0, m = 0, n = 0;
    std::int64_t a = 0, b = 0, c = 0;  // GM addresses of the batch's matrices
  };
  /// One block of a tile along k.
  struct Block {
    Tile tile{};
    std::int64_t place = 0;  // in the order of the tile's blocks
    std::int64_t k0 = 0, k = 0;
    std::int64_t parts = 0;
    std::int64_t number = 0;  // of all this core's blocks
    bool loads_a = true, loads_b = true;
    [[nodiscard]] int half() const { return static_cast<int>(number % 2); }
    [[nodiscard]] bool opens() const { return place == 0; }
  };

  [[nodiscard]] Tile tile_at(std::int64_t number) const;
  [[nodiscard]] Block first_block() const;
  [[nodiscard]] Block block_after(const Block& block) const;
  void cut(Block& block) const;
  [[nodiscard]] bool has(std::int64_t bit) const { return (args_.loop & bit) != 0; }
  [[nodiscard]] bool closes(const Block& block) const {
    return block.place + 1 == blocks_per_tile_;
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
  void tell(isa::Command& product, Pipe pipe, int id, const Tile& tile);

  isa::MatmulArguments args_{};
  DType type_ = DType::F16;
  std::int64_t core_ = 0, cores_ = 1;
  bool active_ = false;
  // Sizes and places, in bytes where not said otherwise.
  std::int64_t item_ = 2, out_item_ = 2;
  std::int64_t rows_ = 0, columns_ = 0;  // tiles of C
  std::int64_t first_tile_ = 0, tile_step_ = 1;
  std::int64_t tiles_ = 0, blocks_ = 0;  // of this core; blocks of all its tiles
  std::int64_t blocks_per_tile_ = 0;
  std::int64_t block_k_ = 0, part_ = 0;  // elements along k
  std::int64_t b_slots_ = 0;             // through which B comes; 0: it lies in a tensor
  std::int64_t half_l1_ = 0, b_offset_ = 0, bias_offset_ = 0;
  std::int64_t half_l0a_ = 0, half_l0b_ = 0;
  std::int64_t accumulators_ = 1, accumulator_bytes_ = 0;
  Block next_block_{};  // the next to multiply; already loaded
  std::array<bool, 2> l0_used_{};
  Commands commands_{};  // of the current block
};

}  // namespace dvmsim
