// The rows of isa.def as constants, for what must know them when it is compiled. Everything else
// asks isa.h.
#pragma once

#include <initializer_list>

#include "vm/isa/isa.h"

namespace dvmsim::isa {
namespace table {

using namespace row;

inline constexpr auto Scalar = Pipe::Scalar, MTE1 = Pipe::MTE1, MTE2 = Pipe::MTE2,
                      MTE3 = Pipe::MTE3, Cube = Pipe::Cube, Vector = Pipe::Vector, Fix = Pipe::Fix;
/// Not a pipe of its own: the row's first operand names it.
inline constexpr auto Named = static_cast<Pipe>(kPipes);

constexpr Row make(Op op, std::string_view mnemonic, CoreSet cores, Pipe pipe, DTypeSet dtypes,
                   std::initializer_list<Operand> operands) {
  Row made{op, mnemonic, cores, pipe == Named ? Pipe::Scalar : pipe, pipe == Named, dtypes};
  for (const Operand& operand : operands) {
    made.operand[static_cast<std::size_t>(made.operands++)] = operand;
  }
  return made;
}

#define UNARY                                                                                    \
  dt(), on(UB, "dst", Write, rows("count", "dtype", "rows", "dstride")),                         \
      on(UB, "a", Read, rows("count", "dtype", "rows", "astride")), val("count"), count("rows"), \
      val("dstride"), val("astride")
#define WITH_SCALAR                                                                         \
  dt(), on(UB, "dst", Write, rows("count", "dtype", "rows", "dstride")),                    \
      on(UB, "a", Read, rows("count", "dtype", "rows", "astride")), val("s"), val("count"), \
      count("rows"), val("dstride"), val("astride")
#define BINARY                                                                                   \
  dt(), on(UB, "dst", Write, rows("count", "dtype", "rows", "dstride")),                         \
      on(UB, "a", Read, rows("count", "dtype", "rows", "astride")),                              \
      on(UB, "b", Read, rows("count", "dtype", "rows", "bstride")), val("count"), count("rows"), \
      val("dstride"), val("astride"), val("bstride")
#define INST(code, mnemonic, cores, pipe, dtypes, ...) \
  make(Op::mnemonic, #mnemonic, cores, pipe, dtypes, {__VA_ARGS__}),

inline constexpr Row kRows[] = {
#include "vm/isa/isa.def"
};

#undef INST
#undef BINARY
#undef WITH_SCALAR
#undef UNARY

}  // namespace table

/// The lane of the operand of that name; -1 if the row has none.
[[nodiscard]] constexpr int lane_of(Op op, std::string_view name) {
  for (const Row& row : table::kRows) {
    if (row.op == op) return row.find(name);
  }
  return -1;
}

}  // namespace dvmsim::isa
