// A core with all buffers and some global memory, and commands made by operand name, so that a test
// does not know the order of a row's operands.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "vm/base/half.h"
#include "vm/exec/exec.h"
#include "vm/exec/simd.h"
#include "vm/isa/isa.h"
#include "vm/machine/machine.h"

namespace dvmsim::bench {

using isa::Op;
using Operands = std::vector<std::pair<std::string, std::int64_t>>;

/// A command whose operands are the defaults of its row but for those given.
inline isa::Command make_command(Op op, const Operands& operands) {
  const isa::Row& row = isa::row_of(op);
  isa::Command command;
  command.op = op;
  command.pipe = row.pipe;
  for (int i = 0; i < row.operands; ++i) {
    const auto at = static_cast<std::size_t>(i);
    command.operand[at] = row.operand[at].fallback;
  }
  for (const auto& [name, value] : operands) {
    const int index = row.find(name);
    if (index < 0) throw std::runtime_error(std::string(row.mnemonic) + " has no " + name);
    command.operand[static_cast<std::size_t>(index)] = value;
  }
  return command;
}

inline std::int64_t code(DType type) {
  return static_cast<std::int64_t>(type);
}
inline std::int64_t float_bits(float value) {
  return static_cast<std::int32_t>(std::bit_cast<std::uint32_t>(value));
}

/// An element as a number: exact for every type but an i64 above 2^63's precision in long double.
inline long double number_at(const std::byte* from, DType type) {
  const auto read = [from](auto zero) {
    std::memcpy(&zero, from, sizeof zero);
    return zero;
  };
  switch (type) {
    case DType::Bool:
    case DType::U8:
      return read(std::uint8_t{});
    case DType::I8:
      return read(std::int8_t{});
    case DType::I32:
      return read(std::int32_t{});
    case DType::I64:
      return read(std::int64_t{});
    case DType::F16:
      return to_float(read(Half{}));
    case DType::BF16:
      return to_float(read(Bfloat{}));
    case DType::F32:
      return read(float{});
  }
  return 0;
}

/// The number as an element: rounded for floats, wrapped for integers.
inline void write_number(std::byte* to, DType type, long double value) {
  const auto write = [to](auto element) { std::memcpy(to, &element, sizeof element); };
  const auto rounded = static_cast<float>(value);
  if (type == DType::F16) return write(to_half(rounded));
  if (type == DType::BF16) return write(to_bfloat(rounded));
  if (type == DType::F32) return write(rounded);
  const auto bits = static_cast<std::uint64_t>(static_cast<__int128>(value));
  std::memcpy(to, &bits, static_cast<std::size_t>(size_of(type)));
}

class Bench {
 public:
  Bench() : core(default_machine(), CoreKind::Unified), global(Bytes(1 << 26)) {}

  Fault run(Op op, const Operands& operands) {
    return execute(make_command(op, operands), core, global);
  }
  std::byte* ub(std::int64_t offset) { return core.at(Space::UB, offset, 1); }
  std::vector<std::byte> bytes(Space space) {
    const std::int64_t size = core.size_of(space).count();
    const std::byte* from = core.at(space, 0, size);
    return {from, from + size};
  }
  /// Small numbers every type holds, negative ones where it can.
  void fill_small(std::byte* to, std::int64_t count, DType type) {
    for (std::int64_t i = 0; i < count; ++i) {
      long double value = static_cast<int>(random() % 9) - 4;
      if (is_float(type)) value += 0.25L * static_cast<int>(random() % 4);
      if (type == DType::U8) value += 4;
      if (type == DType::Bool) value = value > 0 ? 1 : 0;
      write_number(to + i * size_of(type), type, value);
    }
  }
  /// Any bit pattern: NaN, infinity, subnormals.
  void fill_bits(std::byte* to, std::int64_t size) {
    for (std::int64_t i = 0; i < size; ++i) to[i] = static_cast<std::byte>(random() & 0xff);
  }

  CoreMemory core;
  GlobalMemory global;
  std::mt19937 random{1};  // its sequence is fixed by the standard
};

}  // namespace dvmsim::bench
