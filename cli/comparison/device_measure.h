// Measures DeviceFigures: one set of sizes on a fresh device, and again with other costs of
// decoding.
#pragma once

#include "cli/comparison/device_figures.h"
#include "cli/comparison/stream_measure.h"
#include "compiler/module/module.h"

namespace dvmsim {

/// The cores of the module's launches at work on this machine, without data.
[[nodiscard]] Cycles bodies_of(const StreamSetup& setup, Module module, const Machine& machine,
                               bool free_firmware);
/// What decoding adds to them at low, nominal and high cost, in us, and how long they take without.
struct ExposedDecode {
  double free_us = 0;
  std::array<double, 3> exposed_us{};
};
/// For the module of one set of sizes; nothing where the host drives the graph.
[[nodiscard]] std::optional<ExposedDecode> exposed_decode(const StreamSetup& setup,
                                                          const Bindings& dims);

/// By set of sizes of the stream; head_us has an entry for each of `machines`, which differ in what
/// the host and a launch's head cost only. `decode`: also what decoding exposes.
[[nodiscard]] std::vector<DeviceFigures> measure_device(const StreamSetup& setup,
                                                        const std::vector<Machine>& machines,
                                                        const StrategyConstants& constants,
                                                        bool decode);

}  // namespace dvmsim
