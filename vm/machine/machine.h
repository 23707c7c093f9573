// The simulated NPU as numbers: what machine.def says, one member per row. Made by default_machine
// or load_machine, changed by apply_set, then passed around as const&. Owns no behaviour: what an
// instruction costs is vm/isa/cost, what a machine could do at best is derived.h.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "vm/base/dtype.h"
#include "vm/base/space.h"
#include "vm/base/strong.h"
#include "vm/machine/rate.h"

namespace dvmsim {

/// Where the firmware's program lies: in UB (it takes tile space), in a memory of its own, or in GM
/// behind the scalar unit's cache.
enum class ProgramMemory : std::uint8_t { Ub, Tcm, Cached };
/// Which published or assumed decode cost holds.
enum class DecodeProfile : std::uint8_t { Low, Nominal, High };
inline constexpr int kDecodeProfiles = 3;

/// Classes of vector operations with a rate of their own.
enum class VectorClass : std::uint8_t {
#define VECTOR_RATE(name, ...) name,
#include "vm/machine/rows.h"
};
inline constexpr int kVectorClasses = 0
#define VECTOR_RATE(...) +1
#include "vm/machine/rows.h"
    ;

/// What the interpreter pays for: per word, per instruction, per operand, per command.
enum class DecodeTerm : std::uint8_t {
#define DECODE_COST(name, ...) name,
#include "vm/machine/rows.h"
};
inline constexpr int kDecodeTerms = 0
#define DECODE_COST(...) +1
#include "vm/machine/rows.h"
    ;

/// The block a cube multiplies in one cycle; all 0 if it cannot multiply the type.
struct CubeStep {
  int m = 0, n = 0, k = 0;
  friend constexpr bool operator==(CubeStep, CubeStep) = default;
};

/// Elements per cycle for elements of 1, 2, 4 and 8 bytes, the types that may be used, and what an
/// instruction holds the pipe for besides vector.fixed.
struct VectorRate {
  std::array<Rational, 4> by_width{};
  DTypeSet types = 0;
  Cycles extra{};
};

/// Names of the column types of machine.def.
namespace machine_types {
using Int = int;
using Bool = bool;
using Text = std::string;
using Time = Picoseconds;
using dvmsim::Bytes, dvmsim::Cycles, dvmsim::Delay, dvmsim::Hertz, dvmsim::Rate, dvmsim::Rational;
using dvmsim::DecodeProfile, dvmsim::ProgramMemory;
struct DTypes {
  DTypeSet set = 0;
  friend constexpr bool operator==(DTypes, DTypes) = default;
};
}  // namespace machine_types

struct Machine {
  /// The default machine.
  Machine();

#define FIELD_TOP(type, name, ...) machine_types::type name{};
#include "vm/machine/rows.h"

#define SECTION(name, ...) struct {
#define FIELD(type, name, ...) machine_types::type name{};
#define END(name) \
  }               \
  name{};
#include "vm/machine/rows.h"

  std::array<CubeStep, kDTypes.size()> cube_step{};                        // by DType
  std::array<VectorRate, kVectorClasses> vector_rate{};                    // by VectorClass
  std::array<std::array<Cycles, kDecodeProfiles>, kDecodeTerms> decode{};  // [term][profile]

  [[nodiscard]] CubeStep step(DType type) const {
    return cube_step[static_cast<std::size_t>(type)];
  }
  [[nodiscard]] const VectorRate& vector_class(VectorClass which) const {
    return vector_rate[static_cast<std::size_t>(which)];
  }
  /// Elements per cycle, 0 if the width has no rate.
  [[nodiscard]] Rational rate(VectorClass which, DType type) const;
  /// May the class work on the type? Code generation converts or refuses otherwise.
  [[nodiscard]] bool supports(VectorClass which, DType type) const;
  /// The decode cost of the chosen profile.
  [[nodiscard]] Cycles decode_cost(DecodeTerm term) const {
    return decode[static_cast<std::size_t>(term)][static_cast<std::size_t>(firmware.profile)];
  }
  /// Size of an on-core memory or of GM; 0 for ARG and PROG, which have no fixed one.
  [[nodiscard]] Bytes size_of_space(Space space) const;
  /// Commands the pipe's queue holds; not for Pipe::Scalar.
  [[nodiscard]] int queue_depth(Pipe pipe) const;
  /// Cores of a kind: vector cores of a unified machine are its (cube) cores.
  [[nodiscard]] int cores_of(CoreKind kind) const;
  /// UB bytes left for operands when a program of this size lies in UB.
  [[nodiscard]] Bytes ub_for_tiles(Bytes program) const;
};

/// The built-in machine: machine.def's values (an Ascend 910B1).
[[nodiscard]] Machine default_machine();
/// A machine from YAML: machine.def's values, changed by the file and by what its `base:` names.
/// Throws Error with file:line for whatever is not exactly right.
[[nodiscard]] Machine load_machine(const std::string& path);
/// The same from text; `name` stands for the file in messages, `folder` is where `base:` is looked
/// for.
[[nodiscard]] Machine parse_machine(const std::string& text, const std::string& name,
                                    const std::string& folder = ".");
/// "section.key=value", with its unit. Rates and delays given in time keep it if the clock changes.
void apply_set(Machine& machine, std::string_view assignment);
/// Throws Error, naming the rule, if the parameters do not fit together. load_machine has done it;
/// do it after the last apply_set.
void check(const Machine& machine);
/// YAML that loads to the same machine; with `docs`, each key carries its meaning as a comment.
[[nodiscard]] std::string dump(const Machine& machine, bool docs = false);
/// Stable over runs, builds and hosts; does not cover the name.
[[nodiscard]] std::uint64_t hash_of(const Machine& machine);

/// One parameter, as documentation and --set see it.
struct Parameter {
  std::string key, type, value, least, most, doc;  // value: the default
};
[[nodiscard]] std::vector<Parameter> parameters();
/// The value of "section.key" as text that apply_set accepts. Throws Error on an unknown key.
[[nodiscard]] std::string value_of(const Machine& machine, std::string_view key);

}  // namespace dvmsim
