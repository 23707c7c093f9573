// The scalar unit of a core: it runs the firmware, issues commands to the queues, and waits when a
// queue is full, a flag is not set, or a value is not there.
#pragma once

#include <optional>
#include <vector>

#include "sim/core/fabric.h"
#include "sim/unit/dma.h"
#include "vm/firmware/decode_cache.h"
#include "vm/firmware/firmware.h"
#include "vm/firmware/mode.h"

namespace dvmsim {

class Scalar {
 public:
  Scalar(Fabric& fabric, const PortTable& ports);

  /// The core takes part in a launch from `start` on. The program lies at `code_address`.
  void begin(const CoreLaunch& launch);
  /// Runs until the launch is over for this unit or something is missing.
  void run();
  void answered(const Answer& answer);

  [[nodiscard]] bool halted() const { return phase_ == Phase::Halted; }
  /// What the unit is at and what it waits for; only while it is not halted.
  [[nodiscard]] std::string doing() const;
  [[nodiscard]] std::string waits_for() const;
  [[nodiscard]] std::uint32_t pc() const { return step_pending_ ? step_.command->pc : 0; }

 private:
  /// Waiting: for the tasks before its own. Ending: for its queues, at the end of a task.
  enum class Phase : std::uint8_t { Halted, Fetching, Waiting, Running, Ending };
  void begin_fetch(const CodeRange& code);
  void fetch_ahead(const CodeRange& code);
  void ask_for(const CodeRange& code, Cycles now);
  [[nodiscard]] bool receive_program();
  void begin_task();
  void start_firmware(const Task* task);
  [[nodiscard]] bool await_tasks();
  void read_counts(Cycles full);
  [[nodiscard]] bool end_task();
  [[nodiscard]] bool run_program();
  void take_step();
  void fetch_block();
  [[nodiscard]] bool perform();
  [[nodiscard]] bool issue(const isa::Command& command);
  [[nodiscard]] bool own_flags(const isa::Command& command);
  [[nodiscard]] bool drain(const isa::Command& command);
  [[nodiscard]] bool read(const isa::Command& command);
  [[nodiscard]] bool load_gm(const isa::Command& command);
  [[nodiscard]] std::int64_t value_without_data(const isa::Command& command);
  void load_ub();
  void halt();
  void wait_until(Reason reason, Cycles time);
  /// The one this core is at, of a launch that has any.
  [[nodiscard]] const Task& task() const {
    return launch_.launch->program->tasks[launch_.tasks[task_]];
  }

  [[nodiscard]] const CodeRange& code_of(std::size_t task) const {
    return launch_.launch->program->tasks[launch_.tasks[task]].code(fabric_.id.kind);
  }
  static constexpr std::int64_t kDataLine = 64;                  // bytes; the vendor's chip files
  static constexpr std::uint32_t kCountsOfLine = kDataLine / 4;  // counts of tasks, 4 bytes each

  Fabric& fabric_;
  const PortTable& ports_;
  Path read_path_, program_path_;
  std::optional<Firmware> firmware_{};
  FirmwareMode mode_{};
  DecodeCache decoded_{};
  CoreLaunch launch_{};
  std::size_t task_ = 0, awaited_ = 0;  // of launch_.tasks; of those that task comes after
  Cycles entry_{};                      // of the next task: when it is there
  bool others_over_ = true;             // those that its task comes after
  Phase phase_ = Phase::Halted;
  Step step_{};
  bool step_pending_ = false;
  bool flags_taken_ = false;  // of the pending read
  enum class Asked : std::uint8_t { No, Waiting, Answered } asked_ = Asked::No;
  Cycles completion_{};
  Cycles asked_at_{};
  std::vector<Piece> pieces_{};
  PieceCutter::Cut program_{};             // what was asked for of it
  std::vector<bool> blocks_{};             // of a cached program: already fetched
  std::vector<std::uint64_t> data_lines_;  // line + 1 in each place of the data cache
};

}  // namespace dvmsim
