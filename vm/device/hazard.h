// Finds accesses whose order nothing guarantees. It follows one legal order of a launch and derives
// what every order has in common: flags, drains, queues, the scalar unit. What it reports may go
// wrong on some machine even if it went well here.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "vm/device/clock.h"
#include "vm/device/cross.h"
#include "vm/device/order.h"
#include "vm/device/shadow.h"
#include "vm/isa/footprint.h"
#include "vm/machine/machine.h"

namespace dvmsim {

/// What orders two commands: the result of a command is visible to the next one of its queue on
/// vector, cube and MTE1 (they work in order, interlocked); on MTE2, MTE3 and Fix, which move data
/// to and from GM, only after a drain bit. A flag or cross-core flag tells that all earlier work of
/// the setting pipe is visible; a command starts after those before it in its queue; the scalar
/// unit hands over what it knows with each command. Atomic updates of one kind need no order among
/// themselves. Launches are ordered.
class HazardChecker : public OrderListener {
 public:
  enum class Kind : std::uint8_t { ReadAfterWrite, WriteAfterRead, WriteAfterWrite, FlagLeft };
  struct Finding {
    Kind kind{};
    std::uint32_t first_pc = 0, second_pc = 0;  // FlagLeft: 0
    std::string text{};                         // one sentence, both commands disassembled
  };

  explicit HazardChecker(const Machine& machine);
  ~HazardChecker() override;

  /// Each pair of instructions once; the first kMost. Over all launches so far.
  [[nodiscard]] const std::vector<Finding>& findings() const { return findings_; }
  static constexpr std::size_t kMost = 64;

  void on_launch(const Launch& launch) override;
  void on_issue(int core, const isa::Command& command) override;
  void on_start(int core, const isa::Command& command) override;
  void on_finish(int core, const isa::Command& command) override;
  void on_scalar(int core, const isa::Command& command) override;
  void on_drained(int core, Pipe pipe) override;
  void on_task_begin(int core, std::uint32_t task) override;
  void on_task_end(int core, std::uint32_t task) override;
  void on_end() override;

 private:
  struct Access {
    int core = 0;
    std::uint32_t number = 0;  // of its pipe's commands
    isa::Command command{};
  };
  struct Core {
    std::array<Clock, kPipes> now{};            // at the start of each pipe's last command
    std::array<std::uint32_t, kPipes> count{};  // commands so far
    std::array<std::deque<Clock>, kPipes> issued{};
    std::array<std::deque<Clock>, kPipes * kPipes * isa::kFlagIds> flags{};
    std::size_t team = 0;  // in teams_
    int member = 0;        // its number there
    std::array<Shadow, kSpaces> shadow{};
  };
  /// Cores that share flags, and what is known when they have ended their task.
  struct TeamState {
    Team cores{};
    CrossFlags cross;
    std::vector<std::vector<std::vector<Clock>>> sets{};  // by member, then mode and id
    std::vector<std::uint32_t> after{};
    int ended = 0;  // entry of the store
  };
  /// One access in the middle of being compared.
  struct Probe {
    int core = 0;
    const Clock* clock = nullptr;
    Pipe pipe = Pipe::Scalar;
    std::uint32_t access = 0;
  };

  void learn_from_waits(int core, const isa::Command& command, Clock& clock);
  void learn_from_cores(int core, const isa::Command& command, Clock& clock);
  void tell(int core, const isa::Command& command);
  void touch_all(int core, const isa::Command& command, const Clock& clock);
  void touch(const Probe& probe, Shadow& shadow, const isa::Region& region);
  void touch_run(const Probe& probe, Shadow& shadow, Space space, Touch touch, std::int64_t begin,
                 std::int64_t end);
  [[nodiscard]] bool ordered(const Probe& probe, const Access& before) const;
  void report(Kind kind, const Access& before, const Access& after, Space space,
              std::int64_t address);
  void report_left(const std::string& text);
  [[nodiscard]] std::string describe(const Access& access) const;
  [[nodiscard]] std::string name_of_core(int core) const;
  void add_team(const Team& cores, const std::vector<std::uint32_t>& after);
  void report_left_between(const TeamState& team);
  [[nodiscard]] int core_of(const TeamState& team, int member) const;

  Machine machine_;
  int cube_ = 0;
  std::unique_ptr<ClockStore> store_{};
  std::vector<TeamState> teams_{};  // by task; of a launch without any: one
  std::vector<Core> cores_{};
  std::vector<Access> accesses_{};
  std::vector<Touch> touches_{};  // by number of the shadow's entries
  std::vector<std::uint32_t> owner_{};
  Shadow global_{};
  using Token = std::tuple<std::size_t, int, int, int, std::uint32_t>;
  std::map<Token, int> tokens_{};  // entry per token of a range of a team
  std::set<std::tuple<Kind, std::uint32_t, std::uint32_t, bool>> seen_{};
  std::vector<Finding> findings_{};
};

}  // namespace dvmsim
