// The memories of the machine, its pipes and its kinds of core: the nouns every part shares.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace dvmsim {

/// GM: global memory behind L2. L1, L0A, L0B, L0C, BT (bias table), FB (FixPipe parameters): cube
/// core. UB: vector core. ARG: the launch's argument block. PROG: program memory.
enum class Space : std::uint8_t { GM, L1, L0A, L0B, L0C, BT, FB, UB, ARG, PROG };
inline constexpr int kSpaces = 10;

/// The in-order queues of a core. Scalar is the firmware itself.
enum class Pipe : std::uint8_t { Scalar, MTE1, MTE2, MTE3, Cube, Vector, Fix };
inline constexpr int kPipes = 7;
inline constexpr std::array kAllPipes = {Pipe::Scalar, Pipe::MTE1,   Pipe::MTE2, Pipe::MTE3,
                                         Pipe::Cube,   Pipe::Vector, Pipe::Fix};

/// Unified cores (one scalar unit, cube and vector together) run programs of kind Unified.
enum class CoreKind : std::uint8_t { Cube, Vector, Unified };

[[nodiscard]] constexpr std::string_view name_of(Space space) {
  constexpr std::string_view kNames[] = {"gm", "l1", "l0a", "l0b", "l0c",
                                         "bt", "fb", "ub",  "arg", "prog"};
  return kNames[static_cast<int>(space)];
}
[[nodiscard]] constexpr std::string_view name_of(Pipe pipe) {
  constexpr std::string_view kNames[] = {"scalar", "mte1", "mte2", "mte3", "cube", "vector", "fix"};
  return kNames[static_cast<int>(pipe)];
}
[[nodiscard]] constexpr std::string_view name_of(CoreKind kind) {
  constexpr std::string_view kNames[] = {"cube", "vector", "unified"};
  return kNames[static_cast<int>(kind)];
}

}  // namespace dvmsim
