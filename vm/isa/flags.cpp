#include <fmt/format.h>
#include <algorithm>
#include <bit>
#include <optional>

#include "vm/base/error.h"
#include "vm/isa/flow.h"

namespace dvmsim::isa {
namespace {

constexpr std::size_t kPairs = kPipes * kPipes;

std::size_t pair_of(Pipe from, Pipe to) {
  return static_cast<std::size_t>(from) * kPipes + static_cast<std::size_t>(to);
}

/// How often each flag is set and not yet waited for, at one point of the program order.
struct Counts {
  std::array<std::array<int, kFlagIds>, kPairs> of{};
  friend bool operator==(const Counts&, const Counts&) = default;

  int& at(Pipe from, Pipe to, int id) {
    return of[pair_of(from, to)][static_cast<std::size_t>(id)];
  }
};

std::string difference(const Counts& now, const Counts& before) {
  for (const Pipe from : kAllPipes) {
    for (const Pipe to : kAllPipes) {
      for (int id = 0; id < kFlagIds; ++id) {
        const auto pair = pair_of(from, to);
        const int by = now.of[pair][static_cast<std::size_t>(id)] -
                       before.of[pair][static_cast<std::size_t>(id)];
        if (by == 0) continue;
        return fmt::format("flag {} from {} to {} is {} {} more than {}", id, name_of(from),
                           name_of(to), by > 0 ? "set" : "waited for", by > 0 ? by : -by,
                           by > 0 ? "it is waited for" : "it is set");
      }
    }
  }
  return {};
}

/// Walks the code once in order; loops and arms are neutral, or reported, so once is enough.
class Walk {
 public:
  Walk(Flow& flow, const Machine& machine) : flow_(flow), most_(machine.flag.max) {
    arriving_.resize(flow.lines().size());
  }

  void run() {
    const auto& lines = flow_.lines();
    now_ = Counts{};
    for (std::size_t i = 0; i < lines.size(); ++i) {
      merge(lines[i], i);
      if (!now_) {
        flow_.report(lines[i], "no path leads here; leave it out");
        now_ = loops_.empty() ? Counts{} : loops_.back().inside;
      }
      step(lines[i]);
    }
    if (now_ && !lines.empty())
      flow_.report(lines.back(), "the code goes on behind its end; end with halt");
  }

 private:
  struct Loop {
    Counts before{}, inside{};
  };

  /// Jumps that arrive here agree with what falls through.
  void merge(const Line& line, std::size_t index) {
    for (const Counts& counts : arriving_[index]) {
      if (now_ && *now_ != counts) {
        flow_.report(line,
                     "a branch changes flags: on the longer way " + difference(*now_, counts));
      }
      if (!now_) now_ = counts;
    }
  }

  void step(const Line& line) {
    switch (line.inst.op) {
      case Op::loop:
        return enter(line);
      case Op::endloop:
        return leave(line);
      case Op::jz:
      case Op::jnz:
        arriving_[static_cast<std::size_t>(line.target)].push_back(*now_);
        return;
      case Op::halt:
        return stop(line);
      default:
        return flags(line);
    }
  }

  /// Inside a loop that rotates ids, each of them stands for the least of them.
  void enter(const Line& line) {
    loops_.push_back({*now_, *now_});
    const auto mask = static_cast<std::uint32_t>(line.inst.lane[1].immediate);
    for (auto& ids : now_->of) {
      int least = most_;
      for (std::size_t id = 0; id < kFlagIds; ++id) {
        if ((mask >> id & 1u) != 0) least = std::min(least, ids[id]);
      }
      for (std::size_t id = 0; id < kFlagIds; ++id) {
        if ((mask >> id & 1u) != 0) ids[id] = least;
      }
    }
    loops_.back().inside = *now_;
  }

  void leave(const Line& line) {
    if (*now_ != loops_.back().inside) {
      flow_.report(
          line, "the loop changes flags: in one turn " + difference(*now_, loops_.back().inside));
    }
    now_ = loops_.back().before;
    loops_.pop_back();
  }

  void stop(const Line& line) {
    if (!loops_.empty()) flow_.report(line, "halt inside a loop; branch to behind it");
    if (loops_.empty() && *now_ != Counts{}) {
      flow_.report(line, "flags are left at halt: " + difference(*now_, Counts{}));
    }
    now_.reset();
  }

  void flags(const Line& line) {
    const Inst& inst = line.inst;
    const Row& row = row_of(inst.op);
    const Pipe own = row.named_pipe ? static_cast<Pipe>(inst.lane[0].immediate) : row.pipe;
    for (const FlagRef& flag : inst.waits) {
      if (flag.valid) wait(line, flag.pipe, own, flag.id);
    }
    const auto named = [&](int lane) {
      return inst.lane[static_cast<std::size_t>(lane)].immediate;
    };
    const bool flags_only = inst.op == Op::wait || inst.op == Op::set;
    const int times = flags_only ? std::min(named(3), kMostTimes) : 0;
    for (int i = 0; i < times && inst.op == Op::wait; ++i) {
      wait(line, static_cast<Pipe>(named(1)), own, named(2));
    }
    for (const FlagRef& flag : inst.sets) {
      if (flag.valid) set(line, own, flag.pipe, flag.id);
    }
    for (int i = 0; i < times && inst.op == Op::set; ++i) {
      set(line, own, static_cast<Pipe>(named(1)), named(2));
    }
  }

  void wait(const Line& line, Pipe from, Pipe to, int id) {
    int& count = now_->at(from, to, id);
    if (--count < 0) {
      flow_.report(line,
                   fmt::format("waits for flag {} from {} to {}, which nothing before it sets", id,
                               name_of(from), name_of(to)));
      count = 0;
    }
  }
  void set(const Line& line, Pipe from, Pipe to, int id) {
    int& count = now_->at(from, to, id);
    if (++count > most_) {
      flow_.report(
          line, fmt::format("sets flag {} from {} to {} more than {} times before it is waited for",
                            id, name_of(from), name_of(to), most_));
      count = most_;
    }
  }

  Flow& flow_;
  int most_;
  std::optional<Counts> now_{};  // none: no path leads here
  std::vector<Loop> loops_{};
  std::vector<std::vector<Counts>> arriving_{};  // by line: jumps that end there
};

}  // namespace

void check_flags(Flow& flow, const Machine& machine) {
  Walk(flow, machine).run();
}

}  // namespace dvmsim::isa
