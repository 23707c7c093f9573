// Which graph operator and which tile an instruction belongs to, from a program's debug map. Owns
// the reading of loop extents; the number of a tile is known only while it runs (TileCounter).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "vm/isa/isa.h"
#include "vm/program/program.h"

namespace dvmsim {

class CodeMap {
 public:
  /// -1: there is none. `part`: the operator inside the tile, `op`: the one that owns the tile
  /// loop.
  struct Place {
    std::int32_t op = -1, part = -1, tile = -1, loop = -1;
    bool direct = false;  // the innermost loop is the tile loop: Command::iteration counts tiles
  };
  struct Tile {
    std::string name{};
    int number = -1;  // straight-line code of one tile; -1: a loop over tiles
  };

  CodeMap() = default;
  CodeMap(const Program& program, CoreKind kind);

  /// Of the instruction at that word; the empty place outside the code.
  [[nodiscard]] Place at(std::uint32_t pc) const {
    return pc < places_.size() ? places_[pc] : Place{};
  }
  [[nodiscard]] const std::vector<std::string>& operators() const { return operators_; }
  [[nodiscard]] const std::vector<Tile>& tiles() const { return tiles_; }

 private:
  std::vector<Place> places_{};  // by word
  std::vector<std::string> operators_{};
  std::vector<Tile> tiles_{};
};

/// The running number of the tile a queue is in. Commands of loops inside the tile loop do not
/// carry it: there a step backwards in the code that no inner iteration explains starts the next
/// tile.
class TileCounter {
 public:
  /// Commands of one queue of one launch, in order.
  int next(const CodeMap& map, const CodeMap::Place& place, const isa::Command& command);
  void reset() { *this = TileCounter(); }

 private:
  int number_ = 0;
  bool started_ = false;
  CodeMap::Place last_{};
  std::uint32_t last_pc_ = 0, last_iteration_ = 0;
};

}  // namespace dvmsim
