// Random legal programs for a machine: straight lines, branch arms, nested loops, double-buffered
// pipelines with rotating addresses and flags, exchanges between cores. Race-free by construction:
// flags order all conflicting commands, and no two cores touch the same bytes of GM without a
// cross-core flag between them unless both only read. The same machine, seed and options give the
// same program.
//
//   RandomProgram p = random_program(machine, seed);
//   Launch launch = prepare(p, device);       // allocates and fills the buffers
//   device.wait(device.submit(launch));
//   std::vector<std::byte> out = contents(p, device, launch);   // of every buffer, one after
//   another
#pragma once

#include <cstdint>
#include <vector>

#include "tests/support/random_inst.h"
#include "vm/base/dtype.h"
#include "vm/device/device.h"
#include "vm/machine/machine.h"
#include "vm/program/program.h"

namespace dvmsim::testing {

struct RandomOptions {
  bool cube = true, vector = true;  // which kinds of core take part, if the machine has them
  bool exchange = true;             // cross-core flags
  bool device_data = false;         // ldgm and ldub: such programs do not run in timing mode
  int blocks = 6;                   // pieces of code per kind of core, about
};

struct RandomProgram {
  Program program{};
  std::vector<std::uint64_t> scalars{};  // one per argument; 0 where the argument is a buffer
  std::vector<DType> contents{};         // one per argument: what an input is filled with
  int cube_cores = 0, vector_cores = 0;
};

[[nodiscard]] RandomProgram random_program(const Machine& machine, std::uint64_t seed,
                                           const RandomOptions& options = {});

/// The bytes of an input: small numbers of the argument's type, from its index alone.
[[nodiscard]] std::vector<std::byte> input_bytes(const RandomProgram& program,
                                                 std::size_t argument);
/// Allocates every buffer on the device and writes the inputs.
[[nodiscard]] Launch prepare(const RandomProgram& program, Device& device);
/// All buffers' bytes after the launch, in order of arguments. Functional mode only.
[[nodiscard]] std::vector<std::byte> contents(const RandomProgram& program, Device& device,
                                              const Launch& launch);

}  // namespace dvmsim::testing
