#include "traces/code_map.h"

#include <algorithm>

namespace dvmsim {
namespace {

using isa::Op;

/// Walks the words of a program and keeps what encloses the current one.
class Walk {
 public:
  Walk(const Program& program, CoreKind kind, std::vector<std::string>& operators,
       std::vector<CodeMap::Tile>& tiles)
      : operators_(operators), tiles_(tiles) {
    for (const DebugMark& mark : program.marks) {
      const bool same_code = (mark.core == CoreKind::Vector) == (kind == CoreKind::Vector);
      if (same_code) marks_.push_back(&mark);
    }
    std::stable_sort(marks_.begin(), marks_.end(),
                     [](const auto* a, const auto* b) { return a->pc < b->pc; });
  }

  /// Where the instruction at `pc` stands; to be called for every instruction in order.
  CodeMap::Place step(std::uint32_t pc, Op op) {
    if (op == Op::endloop && !loops_.empty()) leave();
    for (; next_ < marks_.size() && marks_[next_]->pc <= pc; ++next_) apply(*marks_[next_], op);
    CodeMap::Place place = here_;
    if ((op == Op::matmul || op == Op::gmatmul || op == Op::conv) &&
        place.tile < 0) {  // the firmware counts the tiles of a macro
      place.tile = static_cast<std::int32_t>(tiles_.size());
      place.direct = true;
      tiles_.push_back({"tile", -1});
    }
    fresh_ = op == Op::loop;
    if (fresh_) enter();
    return place;
  }

 private:
  void apply(const DebugMark& mark, Op op) {
    if (mark.kind == DebugMark::Kind::Operator) {
      operators_.push_back(mark.name);
      const auto index = static_cast<std::int32_t>(operators_.size() - 1);
      (here_.tile < 0 ? here_.op : here_.part) = index;
      return;
    }
    const auto index = static_cast<std::int32_t>(tiles_.size());
    tiles_.push_back({mark.name, -1});
    if (op == Op::loop) {
      entering_ = index;
    } else if (!loops_.empty() && fresh_) {  // the mark is on the first instruction of the body
      here_.tile = index;
      here_.direct = true;
    } else {
      tiles_.back().number = straight_++;
      here_.tile = index;
      here_.part = -1;
      here_.direct = false;
    }
  }

  void enter() {
    loops_.push_back(here_);
    here_.loop = static_cast<std::int32_t>(++loop_count_);
    here_.direct = entering_ >= 0;
    if (entering_ >= 0) {
      here_.tile = entering_;
      here_.part = -1;
    }
    entering_ = -1;
  }

  void leave() {
    const std::int32_t op = here_.op;  // operators follow one another, whatever the loops
    here_ = loops_.back();
    here_.op = op;
    loops_.pop_back();
  }

  std::vector<std::string>& operators_;
  std::vector<CodeMap::Tile>& tiles_;
  std::vector<const DebugMark*> marks_{};
  std::size_t next_ = 0;
  std::vector<CodeMap::Place> loops_{};  // what was around each
  CodeMap::Place here_{};
  std::int32_t entering_ = -1;
  int loop_count_ = 0, straight_ = 0;
  bool fresh_ = false;  // directly behind a loop head
};

}  // namespace

CodeMap::CodeMap(const Program& program, CoreKind kind) {
  const auto code = program.code(kind);
  places_.resize(code.size());
  Walk walk(program, kind, operators_, tiles_);
  for (std::size_t pc = 0; pc < code.size();) {
    const std::uint64_t head = code[pc];
    const auto op = static_cast<Op>(head & 0xffu);
    const std::size_t words = std::max<std::size_t>(1, head >> 8 & 0xfu);
    const Place place = walk.step(static_cast<std::uint32_t>(pc), op);
    for (std::size_t i = pc; i < std::min(pc + words, code.size()); ++i) places_[i] = place;
    pc += words;
  }
}

int TileCounter::next(const CodeMap& map, const CodeMap::Place& place,
                      const isa::Command& command) {
  if (!started_ || place.tile != last_.tile) number_ = 0;
  if (place.tile >= 0) {
    const CodeMap::Tile& tile = map.tiles()[static_cast<std::size_t>(place.tile)];
    const bool inner_step = place.loop == last_.loop && command.iteration > last_iteration_;
    if (tile.number >= 0) {
      number_ = tile.number;
    } else if (place.direct) {
      number_ = static_cast<int>(command.iteration);
    } else if (started_ && place.tile == last_.tile && command.pc <= last_pc_ && !inner_step) {
      ++number_;
    }
  }
  started_ = true;
  last_ = place;
  last_pc_ = command.pc;
  last_iteration_ = command.iteration;
  return number_;
}

}  // namespace dvmsim
