// The `conv` macro: one convolution of a cube core as the sequence of commands that computes it,
// with flags that balance. Owns the order of the work; the arguments are vm/isa/conv.h.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "vm/firmware/commands.h"
#include "vm/firmware/conv_layout.h"
#include "vm/isa/conv.h"
#include "vm/machine/machine.h"

namespace dvmsim {

/// The map under a tile (tile_c channels of it) and, unless they are resident, the weights for them
/// go to two stages of L1 in turn, one block ahead of the multiplications; each block is cut into
/// parts that go to the halves of L0A and L0B in turn. Resident weights, bias and scales are loaded
/// when the outputs of a tile differ from those of the tile before.
class ConvMacro {
 public:
  static constexpr std::array kPipes = {Pipe::MTE2, Pipe::MTE1, Pipe::Cube, Pipe::Fix};

  [[nodiscard]] static std::string problem(const Machine& machine,
                                           const isa::ConvArguments& arguments, DType type) {
    return conv_problem(machine, arguments, type);
  }
  /// The part of core `core` of `cores`. There is no problem() with the arguments.
  void start(const Machine& machine, const isa::ConvArguments& arguments, DType type, int core,
             int cores, std::uint32_t pc);
  [[nodiscard]] bool active() const { return active_; }
  /// The next command, valid until the call after; nullptr at the end.
  const isa::Command* next();

 private:
  struct Tile {
    std::int64_t number = 0;  // of this core's
    std::int64_t key = -1;    // which outputs: weights, bias and scales depend on it
    std::int64_t group = 0, image = 0;
    std::int64_t first = 0, m = 0;                    // output positions in the image
    std::int64_t n0 = 0, n = 0;                       // outputs of the group
    std::int64_t y = 0, h = 0, x = 0, w = 0;          // the map under it
    std::int64_t top = 0, left = 0, m0 = 0, row = 1;  // as img2col's top, left, m0, ow
  };
  struct Block {
    Tile tile{};
    std::int64_t channel = 0, channels = 0;  // first, how many
    std::int64_t columns = 0;                // of the matrix of windows
    std::int64_t number = 0;                 // of all this core's blocks
    [[nodiscard]] int stage() const { return static_cast<int>(number % 2); }
  };

  [[nodiscard]] Tile tile_at(std::int64_t number) const;
  void place_map(Tile& tile) const;
  [[nodiscard]] Block block_after(const Block& block) const;
  void cut(Block& block) const;
  [[nodiscard]] bool begins_key(const Tile& tile) const;
  [[nodiscard]] bool ends_key(const Tile& tile) const;

  void tokens(bool give);
  void token(Pipe from, Pipe to, int id, bool give);
  void load(const Block& block);
  void load_key(const Tile& tile);
  void multiply(const Block& block);
  void move_part(const Block& block, std::int64_t at, int side);
  void multiply_part(const Block& block, std::int64_t at, int side);
  void write(const Tile& tile);

  isa::ConvArguments args_{};
  ConvLayout layout_{};
  DType type_ = DType::F16;
  std::int64_t core_ = 0, cores_ = 1;
  bool active_ = false;
  std::int64_t item_ = 2, out_item_ = 2;
  std::int64_t positions_ = 0;           // a tile's run is cut from so many
  std::int64_t rows_ = 0, columns_ = 0;  // tiles of a batch
  std::int64_t tiles_ = 0, blocks_ = 0;
  std::int64_t half_l0a_ = 0, half_l0b_ = 0;
  std::int64_t accumulators_ = 1, accumulator_bytes_ = 0;
  std::int64_t parts_ = 0;      // so far
  Block next_block_{};          // the next to multiply; already loaded
  std::int64_t last_tile_ = 0;  // whose commands ended last
  Commands commands_{};
};

}  // namespace dvmsim
