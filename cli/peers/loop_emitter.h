// How a compiler is told a LoopKernel: one call for each thing, from the outside in.
#pragma once

#include "cli/peers/loop_kernel.h"

namespace dvmsim {

/// Values are called by their ids. A value of a loop is made anew in each loop that needs it.
class LoopEmitter {
 public:
  using Reach = LoopKernel::Reach;
  virtual ~LoopEmitter() = default;

  virtual void number(ValueId result, float value) = 0;
  virtual void load(std::size_t array, Reach reach, ValueId result) = 0;
  virtual void store(std::size_t array, Reach reach, ValueId from) = 0;
  /// `b` is kNoValue if `op` takes one.
  virtual void step(Op op, ValueId a, ValueId b, ValueId result) = 0;
  /// Around the loop that reduces: a variable, a term of it, and its end as a value.
  virtual void begin_reduction(Op op, ValueId result) = 0;
  virtual void reduce(Op op, ValueId from, ValueId result) = 0;
  virtual void end_reduction(ValueId result) = 0;
  virtual void begin_rows() = 0;
  virtual void end_rows() = 0;
  virtual void begin_columns() = 0;
  virtual void end_columns() = 0;
};

void emit(const LoopKernel& kernel, LoopEmitter& emitter);

/// A kernel as compiled: kMostArrays pointers, of which it uses as many as it has arrays.
using LoopFunction = void (*)(std::int64_t rows, std::int64_t columns, float* p0, float* p1,
                              float* p2, float* p3, float* p4, float* p5, float* p6, float* p7);

}  // namespace dvmsim
