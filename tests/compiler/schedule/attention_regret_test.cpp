// How much slower than the best schedule of attention, simulated, is the one the estimate picks?
// Its numbers were fitted to schedules like these.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "compiler/schedule/attention.h"
#include "sim/device/device.h"
#include "tests/compiler/codegen/attention_case.h"
#include "vm/firmware/mode.h"

namespace dvmsim {
namespace {

AttentionSpec spec_of(std::int64_t heads, std::int64_t size, std::int64_t keys, std::int64_t head,
                      bool causal) {
  AttentionSpec spec = attention::sizes(size, keys, head, head, heads);
  spec.causal = causal;
  return spec;
}

/// What its launch takes, cores started one after the other included.
double simulated(const AttentionSpec& spec, const AttentionSchedule& schedule,
                 const Machine& machine, CodePath path) {
  SimOptions options;
  options.mode = Mode::Timing;
  SimDevice device(machine, options);
  const std::int64_t item = size_of(spec.type), kv = spec.heads / spec.shared;
  AttentionAddresses at;
  at.q = device.allocate(Bytes(spec.heads * spec.m * spec.d * item));
  at.k = device.allocate(Bytes(kv * spec.n * spec.d * item));
  at.v = device.allocate(Bytes(kv * spec.n * spec.e * item));
  at.out = device.allocate(Bytes(attention::out_bytes(spec)));
  at.workspace = device.allocate(Bytes(attention_workspace_bytes(spec, schedule)));
  at.scaled = schedule.scales_queries
                  ? at.workspace + static_cast<std::uint64_t>(scaled_queries(spec, schedule))
                  : at.q;
  const Program program = attention_program(spec, schedule, machine);
  Launch launch;
  launch.program = &program;
  launch.path = path;
  launch.arguments = attention_arguments(spec, schedule, at);
  launch.cube_cores = schedule.cores;
  launch.vector_cores = schedule.cores * machine.cores.per_group;
  const LaunchReport report = device.wait(device.submit(launch));
  EXPECT_FALSE(report.fault) << report.fault.text;
  return static_cast<double>((report.end - report.begin).count());
}

/// What can be chosen, each once.
std::vector<AttentionSchedule> candidates(const AttentionSpec& spec, const Machine& machine) {
  std::vector<AttentionSchedule> found;
  for (const std::int64_t queries : {32, 64, 128}) {
    for (const std::int64_t keys : {128, 256, 512}) {
      for (const std::int64_t piece : {16, 32, 64}) {
        AttentionChoice choice;
        choice.queries = queries;
        choice.keys = keys;
        choice.piece = piece;
        if (!impossible(spec, machine.cores.cube, choice).empty()) continue;
        const AttentionSchedule schedule =
            schedule_attention(spec, machine, machine.cores.cube, choice);
        if (schedule.candidates > 0) found.push_back(schedule);
      }
    }
  }
  return found;
}

constexpr double kRegret = 1.11, kMean = 1.045;

/// The chosen schedule's time over the best one's.
double regret(const AttentionSpec& spec, CodePath path, double most) {
  const Machine machine = as_planned(default_machine(), path);
  const AttentionSchedule chosen = schedule_attention(spec, machine, machine.cores.cube);
  const double mine = simulated(spec, chosen, machine, path);
  double best = mine;
  for (const AttentionSchedule& schedule : candidates(spec, machine)) {
    best = std::min(best, simulated(spec, schedule, machine, path));
  }
  EXPECT_LE(mine, most * best) << to_text(spec, chosen);
  return mine / best;
}

TEST(AttentionRegretTest, ChosenScheduleIsCloseToTheBestSimulated) {
  double sum = 0, count = 0;
  for (const CodePath path : {CodePath::Kept, CodePath::Native}) {
    for (const AttentionSpec& spec :
         {spec_of(12, 128, 128, 64, false), spec_of(12, 384, 384, 64, false),
          spec_of(12, 512, 512, 64, false), spec_of(24, 300, 300, 128, false),
          spec_of(24, 512, 512, 128, false), spec_of(24, 512, 512, 128, true)}) {
      sum += regret(spec, path, kRegret);
      ++count;
    }
  }
  EXPECT_LE(sum / count, kMean);
}

}  // namespace
}  // namespace dvmsim
