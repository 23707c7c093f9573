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
  Scalar,      // the firmware's own: no pipe is held
  Flag,        // explicit flags
  Split,       // L1 to L0A, L0B
  Bias,        // L1 to BT
  Multiply,    // the cube
  Transfer,    // to or from GM
  Steps,       // vector: each step over all elements
  Convert,     // vector: the route between two types
  Broadcast,   // vector: one element a row
  Transpose,   // vector
  ReduceRow,   // vector: every row to one element
  ReduceRows,  // vector: all rows to one
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
  Work work = Work::Scalar;
  std::uint8_t steps = 0;
  bool bits = false;  // works on bits: any type as 16-bit words
  std::array<Step, 9> step{};
};

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

/// Sequences are those of the vendor's library where it has one (tanh, erf, sigmoid, sign, sin),
/// with the degree of its polynomials; constants stay in place. No default: -Wswitch names a
/// missing row.
constexpr Recipe recipe_of(Op op) {
  using enum VectorClass;
  using W = Step::Width;
  switch (op) {
    case Op::halt:
    case Op::nop:
    case Op::mov:
    case Op::sadd:
    case Op::ssub:
    case Op::smul:
    case Op::sdiv:
    case Op::smod:
    case Op::smin:
    case Op::smax:
    case Op::sand:
    case Op::sor:
    case Op::sxor:
    case Op::sshl:
    case Op::sshr:
    case Op::slt:
    case Op::seq:
    case Op::ldarg:
    case Op::ldgm:
    case Op::ldub:
    case Op::loop:
    case Op::endloop:
    case Op::jz:
    case Op::jnz:
    case Op::drain:
    case Op::matmul:
      return {Work::Scalar};
    case Op::set:
    case Op::wait:
    case Op::xset:
    case Op::xwait:
      return {Work::Flag};
    case Op::load:
    case Op::loadnd:
    case Op::loadnz:
    case Op::loadl1:
    case Op::fix:
    case Op::store:
    case Op::storend:
      return {Work::Transfer};
    case Op::l0a:
    case Op::l0b:
      return {Work::Split};
    case Op::ldbt:
      return {Work::Bias};
    case Op::mmad:
      return {Work::Multiply};

    case Op::vadd:
    case Op::vsub:
    case Op::vmax:
    case Op::vmin:
      return steps({{simple}});
    case Op::vmul:
      return steps({{multiply}});
    case Op::vdiv:
      return steps({{special}});
    case Op::vpow:
      return steps({{special}, {multiply}, {special}});  // exp(b * ln a)
    // a - trunc(a / b) * b, the quotient through an integer and back.
    case Op::vmod:
      return steps({{special}, {convert, 2}, {multiply}, {simple}});
    case Op::vand:
    case Op::vor:
    case Op::vnot:
      return bits(1);
    case Op::vxor:
      return bits(4);  // (a | b) & ~(a & b)
    case Op::vadds:
    case Op::vmaxs:
    case Op::vmins:
      return steps({{simple}});
    case Op::vmuls:
      return steps({{multiply}});
    case Op::vdivs:
    case Op::vsdiv:
      return steps({{duplicate}, {special}});
    case Op::vssub:
      return steps({{multiply}, {simple}});  // a * -1 + s
    case Op::vcopy:
      return steps({{copy}});
    case Op::vabs:
    case Op::vrelu:
      return steps({{simple}});
    case Op::vneg:
      return steps({{multiply}});
    case Op::vexp:
    case Op::vlog:
    case Op::vsqrt:
      return steps({{special}});
    case Op::vrsqrt:
    case Op::vrec:
      return steps({{simple}});  // the guide has them at 128 and 64
    // Clamp; e = exp(2x); (e - 1) / (e + 1).
    case Op::vtanh:
      return steps({{simple, 4}, {multiply}, {special, 2}});
    // Clamp; x * P(x^2) / Q(x^2), both of degree 5.
    case Op::verf:
      return steps({{simple, 12}, {multiply, 12}, {special}});
    case Op::vsigmoid:
      return steps({{multiply}, {special, 2}, {simple}, {duplicate}});
    case Op::vfloor:
    case Op::vceil:
    case Op::vround:
      return steps({{convert, 2}});
    case Op::vsign:
      return steps({{compare, 2}, {select, 2}});
    // x - round(x / pi) * pi in three parts; a polynomial of degree 4 in x^2; the sign.
    case Op::vsin:
      return steps({{multiply, 10}, {simple, 7}, {convert, 2}});
    case Op::vcos:
      return steps({{multiply, 10}, {simple, 8}, {convert, 2}});
    // A bit per element; then halves 0 and 1; then bytes.
    case Op::vcmp:
    case Op::vcmps:
      return steps({{compare}, {select, 1, W::Half}, {convert, 1, W::Byte}});
    case Op::vsel:
      return steps({{convert, 1, W::Byte}, {compare, 1, W::Half}, {select}});
    case Op::vcvt:
      return {Work::Convert};
    case Op::vdup:
      return steps({{duplicate}});
    case Op::vbrc:
      return {Work::Broadcast};
    case Op::vredx:
      return {Work::ReduceRow};
    case Op::vredy:
      return {Work::ReduceRows};
    case Op::vtrans:
      return {Work::Transpose};
  }
  return {};
}

}  // namespace dvmsim::isa
