#include "compiler/schedule/ordered_place.h"

#include <algorithm>

#include "vm/base/rounding.h"

namespace dvmsim {
namespace {

using boost::container::small_vector;

constexpr std::int64_t kTurn = 2 * kBankTurn;  // through all bank groups

/// First and last step that touches each value, and whether its buffer is its own for the whole
/// loop.
struct Life {
  int first = 1 << 30, last = -1;
  bool whole = false;
};

using Lives = small_vector<Life, 32>;

Lives lives_of(const VectorKernel& kernel) {
  Lives lives(kernel.values.size());
  const auto touch = [&](int value, int step) {
    if (value < 0) return;
    Life& life = lives[static_cast<std::size_t>(value)];
    life.first = std::min(life.first, step);
    life.last = std::max(life.last, step);
  };
  for (int i = 0; i < static_cast<int>(kernel.steps.size()); ++i) {
    const KernelStep& step = kernel.steps[static_cast<std::size_t>(i)];
    touch(step.result, i);
    for (int source : step.source) touch(source, i);
  }
  for (const auto* list : {&kernel.inputs, &kernel.outputs}) {
    for (const KernelTensor& tensor : *list) {
      lives[static_cast<std::size_t>(tensor.value)].whole = true;
    }
  }
  return lives;
}

/// Places buffers; the parity of the bank turn alternates, so that two sources seldom share bank
/// groups.
class Arena {
 public:
  explicit Arena(std::int64_t begin) : end_(round_up(begin, kTurn)) {}

  UbBuffer take(std::int64_t size) {
    for (auto it = free_.begin(); it != free_.end(); ++it) {
      if (it->size >= size) {
        const UbBuffer found = *it;
        free_.erase(it);
        return found;
      }
    }
    const std::int64_t base = end_ + (odd_ ? kBankTurn : 0);
    odd_ = !odd_;
    end_ = round_up(base + size, kTurn);
    return {base, end_ - base};
  }
  void give(UbBuffer buffer) { free_.push_back(buffer); }
  [[nodiscard]] std::int64_t end() const { return end_; }

 private:
  std::int64_t end_;
  bool odd_ = false;
  small_vector<UbBuffer, 32> free_{};
};

}  // namespace

OrderedPlacer::OrderedPlacer(const VectorKernel& kernel) : kernel_(kernel), pitch_(kernel) {
  find_events();
}

void OrderedPlacer::find_events() {
  const Lives lives = lives_of(kernel_);
  for (std::size_t value = 0; value < lives.size(); ++value) {
    if (lives[value].whole) events_.push_back({static_cast<int>(value), true});
  }
  for (int i = 0; i < static_cast<int>(kernel_.steps.size()); ++i) {
    const KernelStep& step = kernel_.steps[static_cast<std::size_t>(i)];
    const auto give = [&](int value) {
      if (value < 0) return;
      const Life& life = lives[static_cast<std::size_t>(value)];
      if (!life.whole && life.last == i) events_.push_back({value, false});
    };
    const Life& result = lives[static_cast<std::size_t>(step.result)];
    if (!result.whole && result.first == i) events_.push_back({step.result, true});
    give(step.result);
    for (std::size_t s = 0; s < step.source.size(); ++s) {
      const auto before = step.source.begin() + static_cast<std::ptrdiff_t>(s);
      const bool again = std::find(step.source.begin(), before, step.source[s]) != before;
      if (!again && step.source[s] != step.result) give(step.source[s]);
    }
  }
}

template <class Buffers>
std::int64_t OrderedPlacer::lay_out(VectorTile tile, std::int64_t begin, std::int64_t limit,
                                    Buffers& buffers) const {
  const std::int64_t pitch = pitch_.of(tile.columns), piece = this->piece(tile);
  Arena arena(begin);
  for (const Event& event : events_) {
    const auto id = static_cast<std::size_t>(event.value);
    if (event.takes) {
      buffers[id] = arena.take(bytes_of(kernel_.values[id], tile, pitch, piece));
      if (arena.end() > limit) break;
    } else {
      arena.give(buffers[id]);
    }
  }
  return arena.end();
}

std::int64_t OrderedPlacer::end_of(VectorTile tile, std::int64_t begin, std::int64_t limit) const {
  small_vector<UbBuffer, 32> buffers(kernel_.values.size(), boost::container::default_init);
  return lay_out(tile, begin, limit, buffers);
}

VectorSchedule OrderedPlacer::place(VectorTile tile, std::int64_t begin) const {
  VectorSchedule schedule;
  schedule.tile = tile;
  schedule.pitch = pitch_.of(tile.columns);
  schedule.piece = piece(tile);
  schedule.buffers.resize(kernel_.values.size());
  schedule.ub_end = lay_out(tile, begin, kEndless, schedule.buffers);
  return schedule;
}

std::int64_t OrderedPlacer::most_bytes(const VectorKernel& kernel, VectorTile tile) {
  // A buffer begins half a turn after the one before at most, and ends with a turn.
  constexpr std::int64_t kLost = kBankTurn + kTurn;
  const std::int64_t pitch = RowPitch(kernel).of(tile.columns);
  std::int64_t bytes = kTurn;
  for (const KernelValue& value : kernel.values) bytes += bytes_of(value, tile, pitch) + kLost;
  return bytes;
}

}  // namespace dvmsim
