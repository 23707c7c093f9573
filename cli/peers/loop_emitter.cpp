#include "cli/peers/loop_emitter.h"

namespace dvmsim {
namespace {

void emit_steps(const std::vector<LoopKernel::Step>& steps, LoopEmitter& emitter) {
  for (const auto& [op, a, b, result] : steps) emitter.step(op, a, b, result);
}

void emit_loads(const LoopKernel& kernel, const std::vector<LoopKernel::Load>& loads,
                LoopEmitter& emitter) {
  for (const auto& load : loads) emitter.load(load.array, kernel.reach_of(load), load.result);
}

void emit_stores(const LoopKernel& kernel, const std::vector<LoopKernel::Store>& stores,
                 LoopEmitter& emitter) {
  for (const auto& store : stores) emitter.store(store.array, kernel.reach_of(store), store.from);
}

void emit_nest(const LoopKernel& kernel, const LoopKernel::Nest& nest, LoopEmitter& emitter) {
  emit_loads(kernel, nest.row_loads, emitter);
  emit_steps(nest.row_steps, emitter);
  for (const auto& [op, from, result] : nest.reductions) emitter.begin_reduction(op, result);
  emitter.begin_columns();
  emit_loads(kernel, nest.loads, emitter);
  emit_steps(nest.steps, emitter);
  for (const auto& [op, from, result] : nest.reductions) emitter.reduce(op, from, result);
  emit_stores(kernel, nest.stores, emitter);
  emitter.end_columns();
  for (const auto& [op, from, result] : nest.reductions) emitter.end_reduction(result);
}

}  // namespace

void emit(const LoopKernel& kernel, LoopEmitter& emitter) {
  for (const auto& [result, value] : kernel.numbers) emitter.number(result, value);
  emitter.begin_rows();
  for (const LoopKernel::Nest& nest : kernel.nests) emit_nest(kernel, nest, emitter);
  emit_steps(kernel.last_steps, emitter);
  emit_stores(kernel, kernel.row_stores, emitter);
  emitter.end_rows();
}

}  // namespace dvmsim
