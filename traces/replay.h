// A run as what it is made of: every start is the latest of a few moments (the pipe is free, the
// command has been issued, a flag is there ...) and every end is a start plus a duration. A
// listener that follows them while the device runs, as they were and as they would be if one
// resource were faster. Order and durations are those of the run: of two commands the same one
// stays first, and of the scaled resource alone the durations change. Memory does not grow with the
// run except for the chains, which have a limit.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "traces/code_map.h"
#include "traces/cross_moments.h"
#include "traces/moment.h"
#include "traces/stretches.h"
#include "vm/machine/machine.h"
#include "vm/observe/span.h"

namespace dvmsim {

struct ReplayOptions {
  double faster = 1.1;           // what every lane's rates are multiplied by
  std::size_t most = 3'000'000;  // stretches kept, 32 bytes each; two for a command
};

class Replay final : public Probe {
 public:
  explicit Replay(const Machine& machine, const ReplayOptions& options = {});

  void on_launch_begin(const LaunchMark& mark, const Program& program) override;
  void on_launch_end(const LaunchMark& mark) override;
  void on_span(const Span& span) override;
  void on_issue(const Issue& issue) override;
  void on_task(const TaskMark& mark) override;
  void on_flag(const FlagEdge& edge) override;

  /// The end of the last launch, and the first dispatch of all.
  [[nodiscard]] const Moment& end() const { return end_; }
  [[nodiscard]] const Moment& first_dispatch() const { return first_dispatch_; }
  [[nodiscard]] const Stretches& stretches() const { return stretches_; }
  /// Of StretchRecord::place: the graph operator and, if a command, its instruction.
  [[nodiscard]] const std::string& operator_of(std::uint32_t place) const;
  [[nodiscard]] const isa::Row* instruction_of(std::uint32_t place) const;
  [[nodiscard]] double faster() const { return options_.faster; }
  /// Cycles that the device waited longer than any moment above explains, summed over rows.
  [[nodiscard]] std::int64_t unexplained() const { return unexplained_; }
  /// Starts that came before a moment they should have waited for: 0, or this class is wrong.
  [[nodiscard]] std::int64_t contradictions() const { return contradictions_; }

 private:
  struct Queue {
    std::vector<Moment> slots{};  // a command's issue, then its end, by number
    std::size_t depth = 1, issued = 0, finished = 0;
    Moment free{}, visible{};
    [[nodiscard]] Moment& slot(std::size_t number) { return slots[number & (slots.size() - 1)]; }
  };
  struct Core {
    CoreId id{};
    std::uint32_t task = 0;  // of a launch without any: 0
    int launch = -1;         // the last one it took part in
    bool issued = false;
    Moment scalar{};
    std::int64_t open = 0;   // cycles of work since then
    std::int64_t entry = 0;  // cycles of kernel entry that are still to come
    std::array<Queue, kPipes> queues{};
    std::vector<MomentQueue> flags{};  // [from][to][id]
    /// When the flags were set that a pipe's next command takes, in the order of its waits.
    std::array<std::vector<Cycles>, kPipes> taken{};
    [[nodiscard]] MomentQueue& flag(Pipe from, Pipe to, int number);
    [[nodiscard]] Queue& queue(Pipe pipe) { return queues[static_cast<std::size_t>(pipe)]; }
  };

  /// For whom a program works: a launch, or a task of it.
  struct Label {
    std::uint32_t name = 0;
    std::array<std::vector<std::uint32_t>, 2> operators{};  // names of the maps', once asked for
  };

  [[nodiscard]] Moment submission_of(const LaunchMark& mark) const;
  Core& core_of(const CoreId& id);
  void begin(Core& core, Cycles start);
  void on_scalar(Core& core, const Span& span);
  void close_work(Core& core);
  void spend(Core& core, Cycles cycles, Cause cause, bool of_memory);
  void on_command(Core& core, const Span& span);
  void note_dispatch(Core& core);
  void perform(Core& core, const isa::Command& command);
  void await(Core& core, const Task& task, Cycles ready);
  /// The moment, held up by the command's flags. `led`: what the last hop was, if one was last.
  void wait_for_flags(Core& core, const isa::Command& command, Pipe pipe, Moment& moment,
                      Cause& led);
  struct Durations {  // of a command: the pipe works, it waits for memory, its result is on its way
    double work = 0, wait = 0, tail = 0;
  };
  void shorten(Pipe pipe, const Durations& took, Lanes& hold, Lanes& visible) const;
  void set_flags(Core& core, const isa::Command& command, Pipe pipe, const Moment& visible);
  /// Moves the moment to where the device saw it; true if it was not there.
  bool settle(Moment& moment, Cycles seen);
  [[nodiscard]] Moment finish(Core& core);
  [[nodiscard]] Stretch append(const Moment& start, Cycles end, StretchRecord record);
  [[nodiscard]] std::uint32_t place_of(const Core& core, const isa::Command& command);
  [[nodiscard]] Label& label_of(const Core& core) { return labels_[core.task]; }
  /// Of an operator of the program, in the core's task.
  [[nodiscard]] std::uint32_t name_of(const Core& core, std::size_t side, std::size_t number);
  std::uint32_t intern(const std::string& name);

  const Machine& machine_;
  ReplayOptions options_;
  double share_;          // of a scaled duration
  Lanes idle_latency_{};  // of copies by pipe, when L2 misses and nobody is in the way
  std::array<std::vector<std::unique_ptr<Core>>, 3> cores_{};
  std::vector<Core*> taking_part_{};
  std::vector<CrossMoments> cross_{};  // by task
  std::vector<Moment> task_ends_{};    // by task
  Stretches stretches_;

  int launch_ = -1;
  Moment launch_begin_{}, end_{}, first_dispatch_{};
  std::vector<Moment> ends_{};  // of all launches
  bool dispatched_ = false;
  std::array<CodeMap, 2> maps_{};  // of the launch: cube, vector
  std::vector<Label> labels_{};    // by task
  std::vector<std::string> operators_{};
  std::map<std::string, std::uint32_t> known_{};
  std::int64_t unexplained_ = 0, contradictions_ = 0;
};

}  // namespace dvmsim
