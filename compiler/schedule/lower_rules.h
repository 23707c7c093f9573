// Which instruction an elementwise or reducing operator is; internal to this folder.
#pragma once

#include <algorithm>

#include "compiler/graph/ops.h"
#include "vm/isa/isa.h"

namespace dvmsim::lower_rules {

using VOp = isa::Op;

struct UnaryRule {
  Op op;
  VOp inst;
};
inline constexpr UnaryRule kUnary[] = {
    {Op::Neg, VOp::vneg},        {Op::Abs, VOp::vabs},      {Op::Exp, VOp::vexp},
    {Op::Log, VOp::vlog},        {Op::Sqrt, VOp::vsqrt},    {Op::Rsqrt, VOp::vrsqrt},
    {Op::Reciprocal, VOp::vrec}, {Op::Relu, VOp::vrelu},    {Op::Sigmoid, VOp::vsigmoid},
    {Op::Tanh, VOp::vtanh},      {Op::Erf, VOp::verf},      {Op::Sin, VOp::vsin},
    {Op::Cos, VOp::vcos},        {Op::Floor, VOp::vfloor},  {Op::Ceil, VOp::vceil},
    {Op::Round, VOp::vround},    {Op::Sign, VOp::vsign},    {Op::Not, VOp::vnot},
    {Op::Atan, VOp::vatan},      {Op::Log1p, VOp::vlog1p},  {Op::Cast, VOp::vcvt},
    {Op::Expand, VOp::vcopy},    {Op::Identity, VOp::vcopy}};

/// Two tensors; and, where the machine has it, one tensor and a scalar on the right or on the left.
struct BinaryRule {
  Op op;
  VOp inst;
  VOp right = VOp::halt, left = VOp::halt;
};
inline constexpr BinaryRule kBinary[] = {{Op::Add, VOp::vadd, VOp::vadds, VOp::vadds},
                                         {Op::Sub, VOp::vsub, VOp::halt, VOp::vssub},
                                         {Op::Mul, VOp::vmul, VOp::vmuls, VOp::vmuls},
                                         {Op::Div, VOp::vdiv, VOp::vdivs, VOp::vsdiv},
                                         {Op::Max, VOp::vmax, VOp::vmaxs, VOp::vmaxs},
                                         {Op::Min, VOp::vmin, VOp::vmins, VOp::vmins},
                                         {Op::Pow, VOp::vpow},
                                         {Op::Mod, VOp::vmod},
                                         {Op::Shl, VOp::vshl},
                                         {Op::Shr, VOp::vshr},
                                         {Op::And, VOp::vand},
                                         {Op::Or, VOp::vor},
                                         {Op::Xor, VOp::vxor}};

struct CompareRule {
  Op op;
  isa::Order order, mirrored;
};
inline constexpr CompareRule kCompare[] = {
    {Op::Eq, isa::Order::Eq, isa::Order::Eq}, {Op::Ne, isa::Order::Ne, isa::Order::Ne},
    {Op::Lt, isa::Order::Lt, isa::Order::Gt}, {Op::Le, isa::Order::Le, isa::Order::Ge},
    {Op::Gt, isa::Order::Gt, isa::Order::Lt}, {Op::Ge, isa::Order::Ge, isa::Order::Le}};

struct ReduceRule {
  Op op;
  isa::Reduction how;
};
inline constexpr ReduceRule kReduce[] = {{Op::ReduceSum, isa::Reduction::Sum},
                                         {Op::ReduceMax, isa::Reduction::Max},
                                         {Op::ReduceMin, isa::Reduction::Min},
                                         {Op::ReduceProd, isa::Reduction::Prod}};

template <class Rule, std::size_t n>
const Rule* find(const Rule (&rules)[n], Op op) {
  const auto* found = std::find_if(rules, rules + n, [op](const Rule& r) { return r.op == op; });
  return found == rules + n ? nullptr : found;
}

}  // namespace dvmsim::lower_rules
