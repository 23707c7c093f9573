// The chains of a run: each stretch of time begins where the one that held it up ended. Following
// them back from the end of a run gives its critical path.
#pragma once

#include <cstdint>
#include <vector>

#include "traces/moment.h"
#include "traces/units.h"
#include "vm/base/space.h"

namespace dvmsim {

/// What a cycle of the critical path was spent on.
enum class Cause : std::uint8_t {
  Work,     // a pipe works; the scalar unit interprets
  Memory,   // a copy or a read waits for memory
  Latency,  // from the end of a pipe's hold to the visible result
  Flag,     // hop of a flag between pipes
  Cross,    // hop of a flag between cores
  Fetch,    // the program is fetched
  Launch,   // from the stream to the first instruction, and kernel exit
  Host,     // the device waits for the host
  Other,    // a wait that nothing above explains
};
inline constexpr int kCauses = 9;

/// `lead` cycles after the end of `before`, `work` and then `wait` cycles up to `end`.
struct StretchRecord {
  Cycles end{};
  Stretch before = 0;
  std::uint32_t lead = 0, work = 0, wait = 0;
  std::uint32_t place = 0;  // what it was busy with: index of a Place
  UnitId unit{};
  Cause led = Cause::Latency;  // what the end of the lead was spent on; before that, latency
  Cause spent = Cause::Work;   // and the work
};

/// All stretches of a run in blocks, so that growing copies nothing. Number 0 is the beginning.
class Stretches {
 public:
  explicit Stretches(std::size_t most) : most_(most) {}
  /// 0 when there is no room: the chain is lost from here on.
  Stretch add(const StretchRecord& record) {
    if (count_ + 1 >= most_) {
      full_ = true;
      return 0;
    }
    ++count_;
    if (count_ >= blocks_.size() * kBlock) blocks_.emplace_back().resize(kBlock);
    blocks_[count_ / kBlock][count_ % kBlock] = record;
    return static_cast<Stretch>(count_);
  }
  [[nodiscard]] const StretchRecord& at(Stretch number) const {
    return blocks_[number / kBlock][number % kBlock];
  }
  [[nodiscard]] bool full() const { return full_; }
  [[nodiscard]] std::size_t most() const { return most_; }

 private:
  static constexpr std::size_t kBlock = 1u << 14;
  std::vector<std::vector<StretchRecord>> blocks_{};
  std::size_t count_ = 0, most_;
  bool full_ = false;
};

}  // namespace dvmsim
