// A program: what codegen writes and a device runs. Position independent and free of GM addresses:
// those are arguments of a launch.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "vm/base/space.h"
#include "vm/program/task.h"

namespace dvmsim {

inline constexpr std::uint32_t kProgramMagic = 0x4d564431;  // "1DVM"
inline constexpr std::uint16_t kProgramVersion = 3;

/// How a program is brought to the cores and run. Kept: bytecode that the firmware keeps decoded,
/// outside UB, and asks for early (vm/firmware/mode.h).
enum class CodePath : std::uint8_t { Bytecode, Native, Kept };
inline constexpr int kCodePaths = 3;

/// What an argument word of the launch means; for relocation, printing and checking.
struct Argument {
  enum class Kind : std::uint8_t { Input, Output, Workspace, Scalar };
  Kind kind = Kind::Scalar;
  std::string name{};
  std::int64_t bytes = 0;               // of the buffer behind an address; 0 for scalars
  std::optional<std::int64_t> value{};  // of a scalar, where the program is launched by itself
  friend bool operator==(const Argument&, const Argument&) = default;
};

/// A place in the code that the trace and the report name: a loop head that walks tiles, or where
/// the instructions of a graph operator begin.
struct DebugMark {
  enum class Kind : std::uint8_t { Tile, Operator };
  Kind kind = Kind::Operator;
  CoreKind core = CoreKind::Vector;
  std::uint32_t pc = 0;  // word offset
  std::string name{};
  friend bool operator==(const DebugMark&, const DebugMark&) = default;
};

/// How a program that stands for itself is launched; of a program in a module the module says it.
struct LaunchForm {
  CodePath path = CodePath::Bytecode;
  int cube = 0, vector = 0;  // cores of each kind that has code; 0: all of the machine's
  friend bool operator==(const LaunchForm&, const LaunchForm&) = default;
};

class Program {
 public:
  std::string name{};                   // the fused operators, for people
  std::uint64_t machine = 0;            // hash of the machine it was compiled for
  std::vector<std::uint64_t> cube{};    // code of cube cores; empty: none take part
  std::vector<std::uint64_t> vector{};  // code of vector cores
  std::vector<Argument> arguments{};    // words 0.. of the argument block
  std::vector<DebugMark> marks{};
  std::optional<LaunchForm> launch{};
  std::vector<Task> tasks{};  // none: the whole code is one, and every core runs it

  [[nodiscard]] std::span<const std::uint64_t> code(CoreKind kind) const {
    return kind == CoreKind::Vector ? std::span<const std::uint64_t>(vector)
                                    : std::span<const std::uint64_t>(cube);
  }
  [[nodiscard]] std::int64_t bytes() const {
    return static_cast<std::int64_t>(8 * (cube.size() + vector.size())) + table_bytes(tasks);
  }
  friend bool operator==(const Program&, const Program&) = default;
};

/// The bytes of a program: header (magic, version, ISA hash, machine hash, sizes), code, argument
/// layout, debug map, launch, checksum. load throws Error with the offset for anything that is not
/// exactly that.
[[nodiscard]] std::vector<std::uint8_t> save(const Program& program);
[[nodiscard]] Program load_program(std::span<const std::uint8_t> bytes, const std::string& where);

}  // namespace dvmsim
