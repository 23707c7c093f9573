// The steps of a stream file through one session, one after another, as a server would see them:
// what each gets, what is carried over, and what it took.
#pragma once

#include <map>
#include <string>

#include "cli/execute.h"
#include "cli/schedule_file.h"
#include "cli/stream/stream.h"
#include "compiler/graph/graph.h"
#include "compiler/runtime/session.h"
#include "sim/device/device.h"
#include "traces/stream_report.h"
#include "vm/machine/machine.h"

namespace dvmsim {

class StreamRun {
 public:
  /// All of it outlives the run. Throws Error for state that the model does not have.
  StreamRun(const Graph& graph, const Stream& stream, const Machine& machine,
            const RunOptions& options);

  /// When all steps have run: throws Error for an override that named nothing.
  void check_overrides() const { check_used(overrides_); }
  /// The row of the next step; a fault ends the stream.
  StreamReport::Step run(const StreamStep& step, const Probes& listeners, Fault& fault);

 private:
  [[nodiscard]] bool is_state(const std::string& input) const;
  Bindings prepare(const StreamStep& step, std::map<std::string, Tensor>& inputs);
  StreamReport::Step row_of(const Bindings& dims, std::map<std::string, Tensor>& inputs,
                            const RunResult& result, std::int64_t start_ns);

  const Graph& graph_;
  const Stream& stream_;
  const RunOptions& options_;
  SimDevice device_;
  ScheduleOverrides overrides_;
  Session session_;
  Named state_{};
  std::map<std::string, Tensor> last_outputs_{};  // by the input they go to, for checks
  std::int64_t clock_hz_ = 1;
};

}  // namespace dvmsim
