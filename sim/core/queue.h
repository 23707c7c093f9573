// The bounded in-order queue of one pipe. A slot is taken when the scalar unit issues a command and
// is free again when the command's hold ends, which may be known long after it was issued.
#pragma once

#include <algorithm>
#include <bit>
#include <vector>

#include "sim/core/times.h"
#include "vm/isa/isa.h"

namespace dvmsim {

struct QueuedCommand {
  isa::Command command{};
  Cycles arrival{};          // the scalar unit issued it
  Cycles unblocked{};        // the scalar unit last stopped waiting before that
  Cycles fetched{};          // and last got a part of its program
  std::uint64_t number = 0;  // commands the core issued before it
};

class CommandQueue {
 public:
  explicit CommandQueue(int depth)
      : depth_(static_cast<std::size_t>(depth)),
        slots_(std::bit_ceil(depth_)),
        freed_(slots_.size()) {}

  void clear() {
    issued_ = finished_ = 0;
    hold_ = visible_ = released_ = kNever;
  }

  [[nodiscard]] bool empty() const { return issued_ == finished_; }
  /// Is the end of the hold unknown that would free the slot of the next command?
  [[nodiscard]] bool full() const { return issued_ - finished_ == depth_; }
  /// When the slot of the next command is free; kNever if it always was. Not when full.
  [[nodiscard]] Cycles slot_free() const {
    return issued_ < depth_ ? kNever : freed_[place(issued_ - depth_)];
  }

  void push(const QueuedCommand& command) { slots_[place(issued_++)] = command; }
  [[nodiscard]] const QueuedCommand& front() const { return slots_[place(finished_)]; }
  /// The front command holds the pipe until `hold`, its result is visible at `visible`, and what it
  /// read on the core may be overwritten from `released` on.
  void finish(Cycles hold, Cycles visible, Cycles released) {
    hold_ = hold;
    visible_ = std::max(visible_, visible);
    released_ = std::max(released_, released);
    freed_[place(finished_++)] = hold;
  }

  [[nodiscard]] Cycles hold() const { return hold_; }
  [[nodiscard]] Cycles visible() const { return visible_; }
  [[nodiscard]] Cycles released() const { return released_; }
  /// Nothing is in flight at `start`: the next command pays the pipe's head.
  [[nodiscard]] bool drained(Cycles start) const { return start >= visible_ && start > hold_; }

 private:
  [[nodiscard]] std::size_t place(std::size_t number) const { return number & (slots_.size() - 1); }

  std::size_t depth_;
  std::vector<QueuedCommand> slots_;  // a power of two, at least depth
  std::vector<Cycles> freed_;         // hold-ends, by slot
  std::size_t issued_ = 0, finished_ = 0;
  Cycles hold_ = kNever, visible_ = kNever, released_ = kNever;  // of everything finished so far
};

}  // namespace dvmsim
