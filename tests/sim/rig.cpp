#include "tests/sim/rig.h"

#include <numeric>

#include "vm/isa/text.h"

namespace dvmsim::testing {

Machine quiet_machine(const std::vector<std::string>& sets) {
  Machine machine = load_machine(DVMSIM_SOURCE_DIR "/configs/hardware/tiny.yaml");
  for (const char* set : {"launch.vector=0us",
                          "launch.cube=0us",
                          "launch.mix=0us",
                          "launch.native=0us",
                          "launch.per_core=0us",
                          "launch.entry=0us",
                          "launch.exit=0us",
                          "launch.skew=0us",
                          "firmware.memory=cached",
                          "firmware.icache_miss=0cycles",
                          "decode.fetch.nominal=0cycles",
                          "decode.dispatch.nominal=0cycles",
                          "decode.operand.nominal=0cycles",
                          "decode.issue.nominal=0cycles",
                          "firmware.scalar_op=0cycles",
                          "firmware.load_argument=0cycles",
                          "firmware.branch=0cycles",
                          "firmware.multiply=0cycles",
                          "firmware.flag_issue=0cycles",
                          "tlb.walk=0ns",
                          "host.submit=0ns",
                          "host.relocate=0ns"}) {
    apply_set(machine, set);
  }
  for (const std::string& set : sets) apply_set(machine, set);
  check(machine);
  return machine;
}

Machine host_machine(const std::vector<std::string>& sets) {
  std::vector<std::string> all = {"clock.core=1GHz", "host.submit=2us", "host.relocate=10ns",
                                  "host.synchronize=5us"};
  all.insert(all.end(), sets.begin(), sets.end());
  return quiet_machine(all);
}

Program busy_program(int instructions) {
  return isa::assemble(".vector\nloop count=" + std::to_string(instructions) + "\n" +
                           std::string(kBusyLine) + "endloop\nhalt\n",
                       "busy");
}

Launch on_one_core(const Program& program) {
  return {&program, {}, CodePath::Bytecode, 0, 1, "busy"};
}

void Recorder::on_span(const Span& span) {
  if (span.command != nullptr) last = *span.command;
  rows[span.row].push_back({span.begin, span.end, span.visible, span.reason,
                            span.command == nullptr ? -1 : std::int64_t{span.command->pc}});
}

void Recorder::on_traffic(const Traffic& traffic) {
  bytes[traffic.place] += traffic.bytes.count();
}

std::vector<RecordedSpan> Recorder::work(RowId row) const {
  std::vector<RecordedSpan> result;
  const auto found = rows.find(row);
  if (found == rows.end()) return result;
  for (const RecordedSpan& span : found->second) {
    if (span.reason == Reason::Work) result.push_back(span);
  }
  return result;
}

std::int64_t Recorder::cycles(RowId row, Reason reason) const {
  const auto found = rows.find(row);
  if (found == rows.end()) return 0;
  return std::accumulate(found->second.begin(), found->second.end(), std::int64_t{0},
                         [reason](std::int64_t sum, const RecordedSpan& span) {
                           return sum +
                                  (span.reason == reason ? (span.end - span.begin).count() : 0);
                         });
}

Simulated simulate(const Machine& machine, const Program& program, const Setting& setting) {
  Simulated outcome;
  SimDevice device(machine, setting.options);
  if (setting.listen) device.listen({&outcome.record});
  Launch launch{&program, {}, setting.path, setting.cube_cores, setting.vector_cores, "test"};
  for (const Argument& argument : program.arguments) {
    const std::uint64_t address = device.allocate(Bytes(argument.bytes));
    // Small integers, different everywhere: meaningful in every element type.
    std::vector<std::byte> data(static_cast<std::size_t>(argument.bytes));
    for (std::size_t i = 0; i < data.size(); ++i) {
      data[i] = static_cast<std::byte>((i * 7 + launch.arguments.size() * 13) % 61);
    }
    device.write(address, data);
    launch.arguments.push_back(address);
  }
  outcome.report = device.wait(device.submit(launch));
  if (setting.options.mode == Mode::Timing) return outcome;
  for (std::size_t i = 0; i < program.arguments.size(); ++i) {
    outcome.buffers.emplace_back(static_cast<std::size_t>(program.arguments[i].bytes));
    device.read(launch.arguments[i], outcome.buffers.back());
  }
  return outcome;
}

Simulated simulate(const Machine& machine, std::string_view text, Setting setting) {
  const Program program = isa::assemble(text, "test");
  if (!program.cube.empty() && setting.cube_cores == 0) setting.cube_cores = machine.cores.cube;
  if (!program.vector.empty() && setting.vector_cores == 0) {
    setting.vector_cores = machine.cores_of(CoreKind::Vector);
  }
  return simulate(machine, program, setting);
}

}  // namespace dvmsim::testing
