// Programs of a matrix product for the cube cores: as the matmul macro, which firmware expands, and
// as a loop in bytecode. Same values, bit for bit. What follows the product on vector cores is
// mix.h.
#pragma once

#include <cstdint>
#include <vector>

#include "compiler/schedule/matmul.h"
#include "vm/machine/machine.h"
#include "vm/program/program.h"

namespace dvmsim {

/// Argument words 0..3 of both programs are the addresses: relocation writes these and nothing
/// else.
struct MatmulAddresses {
  std::uint64_t a = 0, b = 0, c = 0, bias = 0;
};
inline constexpr int kMatmulAddresses = 4;

/// Bytes from the address of a matrix to the end of its last element, over all batches.
[[nodiscard]] std::int64_t a_bytes(const MatmulSpec& spec);
[[nodiscard]] std::int64_t b_bytes(const MatmulSpec& spec);
[[nodiscard]] std::int64_t c_bytes(const MatmulSpec& spec);

/// Arguments 0..3: a, b, c and bias.
void describe_addresses(const MatmulSpec& spec, Program& program);

/// One `matmul` instruction; the argument block says everything (kMatmulWords words), so the code
/// is the same for every shape.
[[nodiscard]] Program matmul_program(const MatmulSpec& spec, const MatmulSchedule& schedule,
                                     const Machine& machine);
[[nodiscard]] std::vector<std::uint64_t> matmul_arguments(const MatmulSpec& spec,
                                                          const MatmulSchedule& schedule,
                                                          const MatmulAddresses& addresses);

/// C tiles that go to slots of a workspace, for the vector cores of the group to take
/// (vm/isa/matmul.h says how). The macro's `c` is then the workspace.
struct MatmulSlots {
  std::int64_t count = 0, bytes = 0;
};
/// The words of the macro, with slots.
[[nodiscard]] isa::MatmulArguments matmul_words(const MatmulSpec& spec,
                                                const MatmulSchedule& schedule,
                                                const MatmulAddresses& addresses,
                                                const MatmulSlots& slots);

}  // namespace dvmsim
