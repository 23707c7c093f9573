// What the hardware does for an instruction, as classes of operations: one entry per row of
// isa.def; a row without one does not compile. Rates and fixed costs are the machine's
// (machine.def).
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>

#include "vm/isa/isa.h"
#include "vm/machine/machine.h"

namespace dvmsim::isa {

enum class Work : std::uint8_t {
  Missing,
  Scalar,      // the firmware's own: no pipe is held
  Flag,        // explicit flags
  Split,       // L1 to L0A, L0B, BT, FB
  Windows,     // L1 to L0A, gathering
  Retain,      // L0C to L1
  Multiply,    // the cube
  Transfer,    // to or from GM
  Steps,       // vector: each step over all elements
  Convert,     // vector: the route between two types
  Broadcast,   // vector: one element a row
  Transpose,   // vector
  ReduceRow,   // vector: every row to one element
  ReduceRows,  // vector: all rows to one
  Gather,      // vector: elements by their number
  ScanRow,     // vector: running sums along rows
  ScanRows,    // vector: running sums over rows
  Sort,        // vector: every row
};

/// Hardware vector instructions of a class, one after another.
struct Step {
  VectorClass which{};
  std::uint8_t times = 1;
  enum class Width : std::uint8_t {
    Own,
    Half,
    Byte
  } width = Width::Own;  // Byte: half to byte and back
};

struct Recipe {
  Work work = Work::Missing;
  std::uint8_t steps = 0;
  bool bits = false;  // works on bits: any type as 16-bit words
  std::array<Step, 9> step{};
};

constexpr Recipe only(Work work) {
  return {work};
}
constexpr Recipe steps(std::initializer_list<Step> list) {
  Recipe recipe{Work::Steps};
  for (const Step& step : list) recipe.step[recipe.steps++] = step;
  return recipe;
}
constexpr Recipe bits(std::uint8_t times) {
  Recipe recipe = steps({{VectorClass::simple, times}});
  recipe.bits = true;
  return recipe;
}

struct RecipeEntry {
  Op op{};
  Recipe recipe{};
};

namespace recipes {
using enum VectorClass;
using W = Step::Width;

/// Sequences are those of the vendor's library where it has one (tanh, erf, sigmoid, sign, sin),
/// with the degree of its polynomials; constants stay in place.
inline constexpr RecipeEntry kEntries[] = {
    {Op::halt, only(Work::Scalar)},
    {Op::nop, only(Work::Scalar)},
    {Op::mov, only(Work::Scalar)},
    {Op::sadd, only(Work::Scalar)},
    {Op::ssub, only(Work::Scalar)},
    {Op::smul, only(Work::Scalar)},
    {Op::sdiv, only(Work::Scalar)},
    {Op::smod, only(Work::Scalar)},
    {Op::smin, only(Work::Scalar)},
    {Op::smax, only(Work::Scalar)},
    {Op::sand, only(Work::Scalar)},
    {Op::sor, only(Work::Scalar)},
    {Op::sxor, only(Work::Scalar)},
    {Op::sshl, only(Work::Scalar)},
    {Op::sshr, only(Work::Scalar)},
    {Op::slt, only(Work::Scalar)},
    {Op::seq, only(Work::Scalar)},
    {Op::ldarg, only(Work::Scalar)},
    {Op::ldgm, only(Work::Scalar)},
    {Op::ldub, only(Work::Scalar)},
    {Op::loop, only(Work::Scalar)},
    {Op::endloop, only(Work::Scalar)},
    {Op::jz, only(Work::Scalar)},
    {Op::jnz, only(Work::Scalar)},
    {Op::drain, only(Work::Scalar)},
    {Op::gmatmul, only(Work::Scalar)},
    {Op::conv, only(Work::Scalar)},
    {Op::matmul, only(Work::Scalar)},
    {Op::set, only(Work::Flag)},
    {Op::wait, only(Work::Flag)},
    {Op::xset, only(Work::Flag)},
    {Op::xwait, only(Work::Flag)},
    {Op::load, only(Work::Transfer)},
    {Op::loadnd, only(Work::Transfer)},
    {Op::loadnz, only(Work::Transfer)},
    {Op::loadl1, only(Work::Transfer)},
    {Op::loadfm, only(Work::Transfer)},
    {Op::fix, only(Work::Transfer)},
    {Op::fixq, only(Work::Transfer)},
    {Op::fixnz, only(Work::Retain)},
    {Op::store, only(Work::Transfer)},
    {Op::storend, only(Work::Transfer)},
    {Op::l0a, only(Work::Split)},
    {Op::l0b, only(Work::Split)},
    {Op::ldbt, only(Work::Split)},
    {Op::ldfb, only(Work::Split)},
    {Op::img2col, only(Work::Windows)},
    {Op::mmad, only(Work::Multiply)},
    {Op::vadd, steps({{simple}})},
    {Op::vsub, steps({{simple}})},
    {Op::vmax, steps({{minmax}})},
    {Op::vmin, steps({{minmax}})},
    {Op::vmul, steps({{multiply}})},
    {Op::vdiv, steps({{special}})},
    {Op::vpow, steps({{special}, {multiply}, {special}})},  // exp(b * ln a)
    // a - trunc(a / b) * b, the quotient through an integer and back.
    {Op::vmod, steps({{special}, {convert, 2}, {multiply}, {simple}})},
    {Op::vand, bits(1)},
    {Op::vor, bits(1)},
    {Op::vnot, bits(1)},
    {Op::vxor, bits(4)},  // (a | b) & ~(a & b)
    {Op::vshl, steps({{simple}})},
    {Op::vshr, steps({{simple}})},
    {Op::vadds, steps({{simple}})},
    {Op::vmaxs, steps({{minmax}})},
    {Op::vmins, steps({{minmax}})},
    {Op::vmuls, steps({{multiply}})},
    {Op::vdivs, steps({{duplicate}, {special}})},
    {Op::vsdiv, steps({{duplicate}, {special}})},
    {Op::vssub, steps({{multiply}, {simple}})},  // a * -1 + s
    {Op::vcopy, steps({{copy}})},
    {Op::vabs, steps({{simple}})},
    {Op::vrelu, steps({{simple}})},
    {Op::vneg, steps({{multiply}})},
    {Op::vexp, steps({{special}})},
    {Op::vlog, steps({{special}})},
    {Op::vsqrt, steps({{special}})},
    {Op::vrsqrt, steps({{simple}})},
    {Op::vrec, steps({{simple}})},  // the guide has them at 128 and 64
    // Clamp; e = exp(2x); (e - 1) / (e + 1).
    {Op::vtanh, steps({{simple, 4}, {multiply}, {special, 2}})},
    // Clamp; x * P(x^2) / Q(x^2), both of degree 5.
    {Op::verf, steps({{simple, 12}, {multiply, 12}, {special}})},
    {Op::vsigmoid, steps({{multiply}, {special, 2}, {simple}, {duplicate}})},
    {Op::vfloor, steps({{convert, 2}})},
    {Op::vceil, steps({{convert, 2}})},
    {Op::vround, steps({{convert, 2}})},
    {Op::vsign, steps({{compare, 2}, {select, 2}})},
    // x - round(x / pi) * pi in three parts; a polynomial of degree 4 in x^2; the sign.
    {Op::vsin, steps({{multiply, 10}, {simple, 7}, {convert, 2}})},
    {Op::vcos, steps({{multiply, 10}, {simple, 8}, {convert, 2}})},
    // 1 / |x| beyond 1, a shift of the argument, a polynomial of degree 7 in its square; the sign.
    {Op::vatan, steps({{simple, 11}, {multiply, 9}, {special, 2}, {compare, 2}, {select, 2}})},
    // ln(1 + x) * x / ((1 + x) - 1). assumed.
    {Op::vlog1p, steps({{simple, 2}, {multiply}, {special, 2}, {compare}, {select}})},
    // A bit per element; then halves 0 and 1; then bytes.
    {Op::vcmp, steps({{compare}, {select, 1, W::Half}, {convert, 1, W::Byte}})},
    {Op::vcmps, steps({{compare}, {select, 1, W::Half}, {convert, 1, W::Byte}})},
    {Op::vsel, steps({{convert, 1, W::Byte}, {compare, 1, W::Half}, {select}})},
    {Op::vcvt, only(Work::Convert)},
    {Op::vdup, steps({{duplicate}})},
    {Op::vbrc, only(Work::Broadcast)},
    {Op::vredx, only(Work::ReduceRow)},
    {Op::vredy, only(Work::ReduceRows)},
    {Op::vtrans, only(Work::Transpose)},
    {Op::vgather, only(Work::Gather)},
    {Op::vscanx, only(Work::ScanRow)},
    {Op::vscany, only(Work::ScanRows)},
    {Op::vsort, only(Work::Sort)},
};
}  // namespace recipes

}  // namespace dvmsim::isa
