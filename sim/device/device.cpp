#include "sim/device/device.h"

#include <cstring>
#include <map>
#include <optional>

#include "sim/core/meaning.h"
#include "sim/core/workers.h"
#include "sim/host/host.h"
#include "sim/host/timeline.h"
#include "sim/kernel/scope.h"
#include "sim/npu/npu.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

void check_launch(const Machine& machine, const Launch& launch) {
  DVMSIM_ASSERT(launch.program != nullptr, "a launch has a program");
  const auto fail = [&](const char* what) {
    throw Error("program '" + launch.program->name + "': " + what);
  };
  if (launch.cube_cores < 0 || launch.cube_cores > machine.cores.cube || launch.vector_cores < 0 ||
      launch.vector_cores > machine.cores_of(CoreKind::Vector)) {
    fail("launched on more cores than the machine has; use fewer");
  }
  if ((launch.cube_cores > 0 && launch.program->cube.empty()) ||
      (launch.vector_cores > 0 && launch.program->vector.empty())) {
    fail("launched on a kind of core it has no code for; use none of that kind");
  }
  if (machine.cores.unified && launch.vector_cores > 0) {
    fail("a unified machine has no vector cores; launch on its cube cores");
  }
}

/// FNV-1a over the words of both codes: programs are told apart by what they are.
std::uint64_t hash_of_code(const Program& program) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  const auto mix = [&hash](std::uint64_t word) { hash = (hash ^ word) * 0x100000001b3u; };
  mix(program.cube.size());
  for (std::uint64_t word : program.cube) mix(word);
  for (std::uint64_t word : program.vector) mix(word);
  for (const Task& task : program.tasks) {
    for (const CodeRange& code : {task.cube, task.vector}) mix(code.begin << 16 ^ code.words);
    for (const CoreRange& cores : {task.team.cube, task.team.vector}) {
      mix(static_cast<std::uint64_t>(cores.first * 4096 + cores.count));
    }
    for (const std::uint32_t before : task.after) mix(before);
  }
  return hash;
}

/// The modules of one simulation, in the scope they need.
struct Simulation {
  Simulation(const Machine& machine, const SimOptions& options, const Probes& probes) {
    const SimScope::Entered entered(scope);
    npu.emplace("npu", machine, NpuOptions{options.memory, options.reverse_build}, probes);
    host.emplace("host");
    host->npu.bind(npu->launches);
  }
  ~Simulation() {
    const SimScope::Entered entered(scope);
    host.reset();
    npu.reset();
  }
  SimScope scope{};
  std::optional<Npu> npu{};
  std::optional<Host> host{};
};

}  // namespace

struct SimDevice::State {
  State(const Machine& m, const SimOptions& o)
      : machine(m),
        options(o),
        global(m.hbm.size),
        functional(machine, global),
        timeline(machine, probes),
        simulation(machine, options, probes) {
    if (options.mode == Mode::Timing) return;
    if (options.workers > 0) {
      meaning = std::make_unique<WorkerMeaning>(functional, options.workers);
    } else {
      meaning = std::make_unique<InlineMeaning>(functional);
    }
  }
  std::uint64_t place_program(const Program& program);
  void poison(const Launch& launch);
  LaunchReport run(const Launch& launch, Cycles begin);

  Machine machine;
  SimOptions options;
  Probes probes{};
  GlobalMemory global;
  FunctionalState functional;
  HostTimeline timeline;
  Simulation simulation;
  std::unique_ptr<Meaning> meaning{};                 // none in timing mode
  HostContents contents{};                            // in timing mode
  std::map<std::uint64_t, std::uint64_t> programs{};  // address by hash of the code
  std::vector<LaunchReport> reports{};
  Ticket first_ticket = 0;  // of the reports that are kept
};

SimDevice::SimDevice(const Machine& machine, const SimOptions& options)
    : state_(std::make_unique<State>(machine, options)) {}
SimDevice::~SimDevice() = default;

std::uint64_t SimDevice::allocate(Bytes size) {
  return state_->global.allocate(size, state_->options.mode == Mode::Functional);
}

void SimDevice::release(std::uint64_t address) {
  const Bytes size = state_->global.release(address);
  state_->contents.forget(address, size.count());
  state_->simulation.npu->memory().server().end_bypass(address, size.count());
}

void SimDevice::write(std::uint64_t address, std::span<const std::byte> data) {
  if (data.empty()) return;
  if (state_->options.mode == Mode::Timing) return state_->contents.write(address, data);
  std::byte* to = state_->global.at(address, static_cast<std::int64_t>(data.size()));
  if (to == nullptr) throw Error("device write: outside every buffer; allocate it first");
  std::memcpy(to, data.data(), data.size());
}

void SimDevice::read(std::uint64_t address, std::span<std::byte> data) {
  if (state_->options.mode == Mode::Timing) {
    throw Error("device read: timing mode has no data; use --mode functional");
  }
  if (data.empty()) return;
  const std::byte* from = state_->global.at(address, static_cast<std::int64_t>(data.size()));
  if (from == nullptr) throw Error("device read: outside every buffer; allocate it first");
  std::memcpy(data.data(), from, data.size());
}

void SimDevice::host_work(HostWork kind, std::int64_t nanoseconds, HostThread thread,
                          const std::string& label) {
  state_->timeline.work(kind, nanoseconds, thread, label);
}

Ticket SimDevice::submit(const Launch& launch) {
  State& state = *state_;
  check_launch(state.machine, launch);
  const auto ticket = state.first_ticket + static_cast<Ticket>(state.reports.size());
  const Cycles arrival = state.timeline.submit(launch, holds(*launch.program));
  LaunchMark mark{ticket, launch.label, arrival, std::max(arrival, state.timeline.stream_free())};
  mark.awaited = state.timeline.awaited();
  for (Probe* probe : state.probes) probe->on_launch_begin(mark, *launch.program);
  state.reports.push_back(state.run(launch, mark.begin));
  mark.end = state.reports.back().end;
  state.timeline.ended(mark.end);
  for (Probe* probe : state.probes) probe->on_launch_end(mark);
  return ticket;
}

/// Other bytecode comes with each launch.
bool SimDevice::holds(const Program& program) const {
  return !program.tasks.empty() && state_->programs.contains(hash_of_code(program));
}

LaunchReport SimDevice::State::run(const Launch& launch, Cycles begin) {
  if (meaning != nullptr) poison(launch);
  const SimScope::Entered entered(simulation.scope);
  simulation.host->run({&launch, begin, place_program(*launch.program), options.free_firmware,
                        meaning.get(), &contents});
  DatedFault meant;
  if (meaning != nullptr) {
    meaning->synchronize();
    meant = functional.finish();
  }
  return simulation.npu->finish(meant);
}

void SimDevice::State::poison(const Launch& launch) {
  std::vector<CoreId> cores;
  const CoreKind first = machine.cores.unified ? CoreKind::Unified : CoreKind::Cube;
  for (int i = 0; i < launch.cube_cores; ++i) cores.push_back({first, i});
  for (int i = 0; i < launch.vector_cores; ++i) cores.push_back({CoreKind::Vector, i});
  functional.begin(cores, machine.cores.cube);
}

/// The same code lies in the same place until it is forgotten, and nothing else does.
std::uint64_t SimDevice::State::place_program(const Program& program) {
  const auto [place, is_new] = programs.try_emplace(hash_of_code(program), 0u);
  if (is_new) place->second = global.allocate(Bytes(program.bytes()), false);
  return place->second;
}

LaunchReport SimDevice::wait(Ticket ticket) {
  const auto index = static_cast<std::size_t>(ticket - state_->first_ticket);
  DVMSIM_ASSERT(ticket >= state_->first_ticket && index < state_->reports.size(),
                "a ticket comes from submit and has not been forgotten");
  state_->timeline.wait(ticket);
  return state_->reports[index];
}

void SimDevice::forget(const Program& program) {
  const auto place = state_->programs.find(hash_of_code(program));
  if (place == state_->programs.end()) return;
  state_->global.release(place->second);
  state_->programs.erase(place);
}

void SimDevice::forget_launches() {
  state_->first_ticket += static_cast<Ticket>(state_->reports.size());
  state_->reports.clear();
  state_->timeline.forget_before(state_->first_ticket);
}

void SimDevice::listen(Probes probes) {
  state_->probes = std::move(probes);
}

void SimDevice::warm(std::uint64_t address, Bytes size) {
  state_->simulation.npu->memory().server().touch(address, size.count());
}

void SimDevice::bypass(std::uint64_t address, Bytes size) {
  state_->simulation.npu->memory().server().bypass(address, size.count());
}

void SimDevice::flush() {
  state_->simulation.npu->memory().server().clear();
}

std::int64_t SimDevice::host_ns() const {
  return state_->timeline.front_ns();
}

Bytes SimDevice::peak_memory() const {
  return state_->global.peak();
}

std::vector<std::string> not_modelled() {
  return {
      "UB bank conflicts between instructions of different pipes",
      "the on-chip network between cores and L2, beyond a port's latency",
      "HBM banks, rows and refresh, beyond hbm.efficiency",
      "traffic of the host beside program copies",
      "flags that count past flag.max or xflag.max",
      "readings of task counts, as traffic of L2",
  };
}

}  // namespace dvmsim
