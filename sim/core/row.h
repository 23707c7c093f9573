// One queue's line in the record of a run: spans that touch and never overlap. Where the record
// ends is the running maximum from which the next command's start is built, so the reasons add up.
#pragma once

#include "vm/observe/span.h"

namespace dvmsim {

/// When a command's pipe is free, its result visible, and what it read may be overwritten.
struct Ends {
  Cycles hold{}, visible{}, released{};
};

class Row {
 public:
  Row(RowId id, const Probes& probes) : id_(id), probes_(&probes) {}

  [[nodiscard]] Cycles end() const { return end_; }

  /// The row is taken up to `until` by `reason`; nothing if it already is.
  void reach(Reason reason, Cycles until) {
    if (until <= end_) return;
    if (!probes_->empty()) emit({id_, end_, until, reason, nullptr, {}, {}, {}});
    end_ = until;
  }
  /// The command works until then.
  void work(Cycles until, const isa::Command& command, const Ends& ends) {
    if (!probes_->empty()) {
      emit({id_, end_, until, Reason::Work, &command, ends.visible, ends.hold, ends.released});
    }
    end_ = until;
  }
  [[nodiscard]] const RowId& id() const { return id_; }

 private:
  void emit(const Span& span) {
    for (Probe* probe : *probes_) probe->on_span(span);
  }
  RowId id_;
  const Probes* probes_;
  Cycles end_{};
};

}  // namespace dvmsim
