// The instruction set as data: one constexpr row per instruction, expanded from isa.def, and the
// two states of an instruction: Inst (as in bytecode) and Command (operands resolved, as a pipe
// gets it).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "vm/base/dtype.h"
#include "vm/base/space.h"

namespace dvmsim::isa {

inline constexpr int kMaxOperands = 16;
inline constexpr int kRegisters = 64;
inline constexpr int kMaxLoopDepth = 8;
inline constexpr int kMostTimes = 64;  // that one instruction sets, waits or loads arguments
inline constexpr int kFlagIds = 8;
inline constexpr int kMaxWords = 1 + kMaxOperands / 2;
/// Registers the firmware fills in before the first instruction.
inline constexpr int kCoreIndexReg = 0;  // this core among the launch's cores of its kind
inline constexpr int kCoreCountReg = 1;  // how many there are
inline constexpr int kGroupReg = 2;      // its group: cube core index, or vector index / ratio
inline constexpr int kMemberReg = 3;     // a vector core's place in its group; 0 on cube cores

enum class Op : std::uint8_t {
#define INST(code, mnemonic, ...) mnemonic = code,
#include "vm/isa/isa.def"
#undef INST
};

enum class CrossMode : std::uint8_t { All, Pair, Group };
enum class Init : std::uint8_t { Zero, Accumulate, Bias };
enum class Post : std::uint8_t { None, Relu };
enum class Atomic : std::uint8_t { None, Add, Max, Min };
enum class Order : std::uint8_t { Eq, Ne, Lt, Le, Gt, Ge };
enum class Reduction : std::uint8_t { Sum, Max, Min, Prod };

// -- the vocabulary of isa.def -----------------------------------------------------------

using CoreSet = std::uint8_t;
inline constexpr CoreSet kCubeCore = 1, kVectorCore = 2, kAnyCore = 3;

inline constexpr DTypeSet kIntegers =
    dtype_set(DType::Bool, DType::I8, DType::U8, DType::I32, DType::I64);
inline constexpr DTypeSet kFloats = dtype_set(DType::F16, DType::BF16, DType::F32);
inline constexpr DTypeSet kArithmetic =
    kFloats | dtype_set(DType::I8, DType::U8, DType::I32, DType::I64);
inline constexpr DTypeSet kBits = kIntegers;
inline constexpr DTypeSet kShiftable = dtype_set(DType::I8, DType::U8, DType::I32, DType::I64);
inline constexpr DTypeSet kMovable = kFloats | kIntegers;
inline constexpr DTypeSet kComparable = kMovable;
inline constexpr DTypeSet kReducible = kArithmetic;
inline constexpr DTypeSet kMatmulInputs = kFloats | dtype_set(DType::I8);
inline constexpr DTypeSet kFixOutputs = kFloats | dtype_set(DType::I32);
inline constexpr DTypeSet kTileOutputs = dtype_set(DType::F16, DType::BF16);
inline constexpr DTypeSet kQuantTypes = kFloats | dtype_set(DType::I8, DType::U8, DType::I32);

enum class PickSet : std::uint8_t { kPipe, kCrossMode, kInit, kPost, kAtomic, kOrder, kReduction };
using enum PickSet;

enum class OperandKind : std::uint8_t { Register, Value, Immediate, Type, Pick, Memory };
enum class Access : std::uint8_t { None, Read, Write, ReadWrite };

/// A quantity in a footprint: a constant, or the value of a named operand of the same row (for a
/// type operand: its element size in bytes).
struct Measure {
  std::int64_t constant = 0;
  std::string_view operand{};
  constexpr Measure() = default;
  constexpr Measure(int value) : constant(value) {}  // NOLINT: rows read rows("len", 1, ...)
  constexpr Measure(const char* name) : operand(name) {}
};

/// Which bytes a memory operand touches. Linear: length x width. Rows: `rows` times that, `stride`
/// apart (stride 0 with rows > 1 touches the first row only). Nd: loadnd's dimensions, strides
/// named with the letter. Fractal: blocks of 16 rows x 32 B covering rows x length (both rounded
/// up). Tile: the part of an NZ matrix that l0a / l0b read. Accumulator: 16 x 16 blocks of 4 bytes.
/// Bias: length x 4 if init is Bias. Image: rows x length elements, `column0` bytes apart `row0`
/// times. Slab: the blocks of channels that img2col reads, all pixels of the map.
enum class Shape : std::uint8_t {
  None,
  Linear,
  Rows,
  Nd,
  Fractal,
  Tile,
  Accumulator,
  Bias,
  Image,
  Slab
};
struct Footprint {
  Shape shape = Shape::None;
  Measure length{}, width{}, rows{}, stride{};
  Measure row0{}, column0{}, transpose{};  // Tile (rows x length are its extents), Image, Slab
};

struct Operand {
  OperandKind kind = OperandKind::Value;
  std::string_view name{};
  std::int32_t fallback = 0;  // the value of a lane that is left out
  PickSet picks = PickSet::kPipe;
  Access access = Access::None;
  Space space = Space::GM;
  Footprint footprint{};
};

namespace row {
using enum Access;
using enum Space;
constexpr Operand rd() {
  return {OperandKind::Register, "rd"};
}
constexpr Operand val(const char* name) {
  return {OperandKind::Value, name};
}
constexpr Operand count(const char* name) {
  return {OperandKind::Value, name, 1};
}
constexpr Operand imm(const char* name) {
  return {OperandKind::Immediate, name};
}
constexpr Operand times(const char* name) {
  return {OperandKind::Immediate, name, 1};
}
constexpr Operand dt(const char* name = "dtype") {
  return {OperandKind::Type, name};
}
constexpr Operand pick(const char* name, PickSet set) {
  return {OperandKind::Pick, name, 0, set};
}
constexpr Operand on(Space space, const char* name, Access access, Footprint footprint) {
  return {OperandKind::Memory, name, 0, PickSet::kPipe, access, space, footprint};
}
constexpr Operand gm(const char* name, Access access, Footprint footprint) {
  return on(Space::GM, name, access, footprint);
}
constexpr Footprint linear(Measure length, Measure width) {
  return {Shape::Linear, length, width};
}
constexpr Footprint rows(Measure length, Measure width, Measure count, Measure stride) {
  return {Shape::Rows, length, width, count, stride};
}
constexpr Footprint nd(const char* letter) {
  return {Shape::Nd, {}, "width", {}, letter};
}
constexpr Footprint fractal(Measure rows, Measure length, Measure width) {
  return {Shape::Fractal, length, width, rows};
}
constexpr Footprint tile(Measure prows, Measure width, Measure row0, Measure rows, Measure column0,
                         Measure length, Measure transpose) {
  return {Shape::Tile, length, width, rows, prows, row0, column0, transpose};
}
constexpr Footprint image(Measure length, Measure width, Measure count, Measure stride,
                          Measure outer, Measure outer_stride) {
  return {Shape::Image, length, width, count, stride, outer, outer_stride};
}
/// Rows x length pixels; columns from column0 on, `row0` of them; `transpose` is the kernel.
constexpr Footprint slab(Measure prows, Measure width, Measure height, Measure pixels,
                         Measure column0, Measure columns, Measure kernel) {
  return {Shape::Slab, pixels, width, height, prows, columns, column0, kernel};
}
constexpr Footprint accumulator(Measure rows, Measure length) {
  return {Shape::Accumulator, length, 4, rows};
}
constexpr Footprint bias(Measure length) {
  return {Shape::Bias, length, 4};
}
}  // namespace row

/// One row of isa.def.
struct Row {
  Op op{};
  std::string_view mnemonic{};
  CoreSet cores = 0;
  Pipe pipe = Pipe::Scalar;
  bool named_pipe = false;  // runs on the pipe its first operand names
  DTypeSet dtypes = 0;
  int operands = 0;
  std::array<Operand, kMaxOperands> operand{};

  [[nodiscard]] constexpr std::span<const Operand> all() const {
    return {operand.data(), static_cast<std::size_t>(operands)};
  }
  /// Index of the operand of that name, or -1.
  [[nodiscard]] constexpr int find(std::string_view name) const {
    for (int i = 0; i < operands; ++i) {
      if (operand[static_cast<std::size_t>(i)].name == name) return i;
    }
    return -1;
  }
};

/// The rows in ascending order of code.
[[nodiscard]] std::span<const Row> rows();
/// The row of a code, or nullptr if there is none. One array access.
[[nodiscard]] const Row* find_row(std::uint8_t code);
[[nodiscard]] const Row* find_row(std::string_view mnemonic);
[[nodiscard]] const Row& row_of(Op op);
/// Spellings of an enumeration, in order of value: "eq", "ne", ...
[[nodiscard]] std::span<const std::string_view> spellings(PickSet set);
/// Changes when any row changes. A program carries it in its header.
[[nodiscard]] std::uint64_t table_hash();

// -- the two states of an instruction ----------------------------------------------------

/// One end of a flag: the other pipe of the pair and the id.
struct FlagRef {
  bool valid = false;
  Pipe pipe = Pipe::Scalar;
  std::uint8_t id = 0;
  friend bool operator==(const FlagRef&, const FlagRef&) = default;
};

/// A lane: an immediate, or a (rotating) register. See the picture in isa.def.
struct Lane {
  bool is_register = false;
  std::uint8_t reg = 0;
  std::uint8_t modulo = 0;  // 0: no rotation, else 2..7
  std::uint8_t up = 0;      // which enclosing loop, 0 the innermost
  std::int32_t immediate = 0;
  std::uint32_t step = 0;  // units of 32 bytes
  friend bool operator==(const Lane&, const Lane&) = default;

  static constexpr Lane imm(std::int32_t value) {
    Lane lane;
    lane.immediate = value;
    return lane;
  }
  static constexpr Lane r(int reg) { return {true, static_cast<std::uint8_t>(reg)}; }
  static constexpr Lane rotating(int reg, int modulo, std::uint32_t step, int up = 0) {
    return {true,
            static_cast<std::uint8_t>(reg),
            static_cast<std::uint8_t>(modulo),
            static_cast<std::uint8_t>(up),
            0,
            step};
  }
};

/// May it carry the unit bit?
[[nodiscard]] constexpr bool hands_over_units(Op op) {
  return op == Op::mmad || op == Op::fix;
}

/// An instruction as it stands in bytecode.
struct Inst {
  Op op = Op::halt;
  std::array<FlagRef, 2> waits{}, sets{};
  bool drain = false, unit = false;
  std::array<Lane, kMaxOperands> lane{};  // as many as the row has operands; the rest stay default
  friend bool operator==(const Inst&, const Inst&) = default;
};

/// An instruction as a pipe receives it: every operand a number, flag ids after rotation.
struct Command {
  Op op = Op::halt;
  Pipe pipe = Pipe::Scalar;  // the queue it runs on, resolved
  bool drain = false, unit = false;
  std::uint8_t waits = 0, sets = 0;      // how many are used
  std::array<FlagRef, 2> wait{}, set{};  // explicit `wait` and `set` are folded into these
  std::uint32_t pc = 0;                  // word offset in the core kind's code
  std::uint32_t iteration = 0;           // of the innermost loop
  std::array<std::int64_t, kMaxOperands> operand{};

  [[nodiscard]] DType dtype(int index = 0) const {
    return static_cast<DType>(operand[static_cast<std::size_t>(index)]);
  }
  [[nodiscard]] std::int64_t at(int index) const {
    return operand[static_cast<std::size_t>(index)];
  }
};

}  // namespace dvmsim::isa
