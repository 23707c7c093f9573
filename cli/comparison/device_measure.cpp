#include "cli/comparison/device_measure.h"

#include "cli/comparison/timed_device.h"
#include "cli/strategy_constants.h"
#include "cli/workload.h"
#include "compiler/runtime/session.h"
#include "traces/demands.h"
#include "traces/roofline.h"
#include "traces/stats.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

double cycles_to_us(Cycles cycles, const Machine& machine) {
  return static_cast<double>(cycles.count()) * 1e6 /
         static_cast<double>(machine.clock.core.count());
}

/// What the shared memory and the busiest component need at least.
void judge(const Stats& stats, const Demands& demands, const Machine& machine,
           const RunOptions& options, DeviceFigures& figures) {
  const Roofline roof = roofline(stats, demands, capacity_of(machine, options));
  const MemoryFloors floors = floors_of(roof);
  figures.bound = roof.bound;
  figures.ideal_us = cycles_to_us(Cycles(roof.ideal_cycles), machine);
  figures.memory_us = cycles_to_us(Cycles(std::max(floors.hbm, floors.l2)), machine);
  figures.hbm_read_bytes = stats.bytes(Place::HbmRead).count();
  figures.hbm_write_bytes = stats.bytes(Place::HbmWrite).count();
  figures.l2_hit_bytes = stats.bytes(Place::L2Hit).count();
}

DeviceFigures measure_shape(const StreamSetup& setup, const std::vector<Machine>& machines,
                            const StrategyConstants& constants, const Bindings& dims) {
  const Machine& machine = machines.front();
  TimedDevice device(machines, sim_options(setup.options));
  device.simulate();
  SessionOptions with = session_options(setup.options, device.simulator(), mode_of(setup.options));
  with.constants = constants;
  Session session(*setup.graph, machine, device, with);
  std::map<std::string, Tensor> inputs;
  if (mode_of(setup.options) == Mode::Functional) {
    add_missing_inputs(inputs, *setup.graph, dims, setup.options.seed);
  }
  Stats stats;
  Demands demands(machine);
  device.listen({&stats, &demands});
  const RunResult result = session.run(dims, inputs);
  device.listen({});
  if (result.fault) throw Error("simulated fault: " + result.fault.text);
  for (const LaunchReport& launch : result.launches) stats.add(launch);
  stats.close();

  DeviceFigures figures;
  figures.launches = device.launches();
  for (std::size_t cost = 0; cost < machines.size(); ++cost) {
    figures.head_us.push_back(cycles_to_us(device.spent(cost).head, machine));
  }
  figures.body_us = cycles_to_us(device.spent(0).body, machine);
  const Picoseconds fixed = machine.launch.entry + machine.launch.exit;
  figures.fixed_us =
      static_cast<double>(fixed.count()) * 1e-6 * static_cast<double>(figures.launches);
  judge(stats, demands, machine, setup.options, figures);
  return figures;
}

}  // namespace

Cycles bodies_of(const StreamSetup& setup, Module module, const Machine& machine,
                 bool free_firmware) {
  SimOptions sim = sim_options(setup.options);
  sim.mode = Mode::Timing;
  sim.free_firmware = free_firmware;
  const std::vector<Machine> machines = {machine};
  TimedDevice device(machines, sim);
  device.simulate();
  module.machine = hash_of(machine);
  Session session(std::move(module), machine, device,
                  session_options(setup.options, device.simulator(), Mode::Timing));
  (void)session.run({}, {});
  return device.spent(0).body;
}

std::optional<ExposedDecode> exposed_decode(const StreamSetup& setup, const Bindings& dims) {
  const Machine& machine = setup.machines.front()->front();
  TimedDevice nowhere(*setup.machines.front(), sim_options(setup.options));
  Session session(*setup.graph, machine, nowhere,
                  session_options(setup.options, nowhere.simulator(), Mode::Timing));
  const Module* module = session.prepared(dims);
  if (module == nullptr) return std::nullopt;
  ExposedDecode decode;
  const Cycles free = bodies_of(setup, *module, machine, true);
  decode.free_us = cycles_to_us(free, machine);
  for (std::size_t i = 0; i < decode.exposed_us.size(); ++i) {
    Machine variant = machine;
    variant.firmware.profile = static_cast<DecodeProfile>(i);
    decode.exposed_us[i] = cycles_to_us(bodies_of(setup, *module, variant, false) - free, machine);
  }
  return decode;
}

std::vector<DeviceFigures> measure_device(const StreamSetup& setup,
                                          const std::vector<Machine>& machines,
                                          const StrategyConstants& constants, bool decode) {
  std::vector<DeviceFigures> all;
  for (const Bindings& dims : setup.stream->shapes) {
    all.push_back(measure_shape(setup, machines, constants, dims));
    if (!decode) continue;
    const std::optional<ExposedDecode> exposed = exposed_decode(setup, dims);
    if (exposed) all.back().decode_us = exposed->exposed_us;
  }
  return all;
}

}  // namespace dvmsim
