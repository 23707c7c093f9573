#include "compiler/codegen/attention_walk.h"

namespace dvmsim {

using isa::Op;

AttentionFrame::AttentionFrame(Builder& builder, const AttentionSpec& what,
                               const AttentionSchedule& how, const Machine& machine)
    : code(builder), spec(what), schedule(how) {
  for (Reg* reg : {&groups, &per_tile, &last_tile, &turns, &slots}) *reg = code.reg();
  const RegisterScope scope(code);
  const std::int64_t members = code.kind() == CoreKind::Vector ? machine.cores.per_group : 1;
  code.assign(groups, Op::mov, code.compute(Op::sdiv, Reg{isa::kCoreCountReg}, members), 0);
  code.assign(per_tile, Op::smul, code.argument(kWordBatch), spec.heads);
  code.assign(last_tile, Op::ssub, code.argument(kWordM), 1);
  code.assign(last_tile, Op::sdiv, last_tile, schedule.tile_m);
  code.assign(slots, Op::smul, Reg{isa::kGroupReg}, slots_of(spec, schedule).bytes);
  code.assign(slots, Op::sadd, slots, code.argument(kWordWorkspace));
  const Val items = code.compute(Op::smul, code.compute(Op::sadd, last_tile, 1), per_tile);
  const Val left = code.compute(Op::ssub, items, Reg{isa::kGroupReg});
  const Val padded = code.compute(Op::ssub, code.compute(Op::sadd, left, groups), 1);
  count_turns(code.compute(Op::smax, code.compute(Op::sdiv, padded, groups), 0));
}

Val AttentionFrame::rows_register() {
  return schedule.whole_m ? Val(schedule.tile_m) : Val(code.reg());
}

/// Tiles see different numbers of blocks if they are causal: then they are counted one by one.
void AttentionFrame::count_turns(Val items) {
  const Extent extent{code.reg(), rows_register(), code.reg(), code.reg()};
  if (!spec.causal) {
    find_extent(0, extent);
    code.assign(turns, Op::smul, items, extent.blocks);
    return;
  }
  const Reg item = code.reg();
  code.assign(turns, Op::mov, 0, 0);
  code.assign(item, Op::mov, Reg{isa::kGroupReg}, 0);
  code.begin_loop(items);
  find_extent(item, extent);
  code.assign(turns, Op::sadd, turns, extent.blocks);
  code.assign(item, Op::sadd, item, groups);
  code.end_loop();
}

/// Of causal tiles those with most keys come first.
void AttentionFrame::find_extent(Val item, const Extent& extent) {
  const RegisterScope scope(code);
  code.assign(extent.row, Op::sdiv, item, per_tile);
  if (spec.causal) code.assign(extent.row, Op::ssub, last_tile, extent.row);
  code.assign(extent.row, Op::smul, extent.row, schedule.tile_m);
  if (!schedule.whole_m) {
    const Reg rows{extent.rows.lane.reg};
    code.assign(rows, Op::ssub, code.argument(kWordM), extent.row);
    code.assign(rows, Op::smin, rows, schedule.tile_m);
  }
  code.add(Op::ldarg, {{"rd", extent.limit}, {"index", kWordN}});
  if (spec.causal) {
    const Reg seen = code.reg();
    code.add(Op::ldarg, {{"rd", seen}, {"index", kWordReach}});
    code.assign(seen, Op::sadd, seen, extent.row);
    code.assign(seen, Op::sadd, seen, extent.rows);
    code.assign(extent.limit, Op::smin, extent.limit, seen);
  }
  code.assign(extent.blocks, Op::sadd, extent.limit, schedule.block_n - 1);
  code.assign(extent.blocks, Op::sdiv, extent.blocks, schedule.block_n);
}

void AttentionFrame::begin_turns(std::int64_t last) {
  code.mark(DebugMark::Kind::Tile, "block");
  const RegisterScope scope(code);  // a loop reads its count once
  code.begin_loop(code.compute(Op::sadd, turns, last));
}

void AttentionFrame::signal(Pipe pipe, int id, isa::CrossMode mode) {
  code.add(Op::xset,
           {{"pipe", static_cast<int>(pipe)}, {"id", id}, {"mode", static_cast<int>(mode)}});
}

void AttentionFrame::await(Pipe pipe, int id, isa::CrossMode mode) {
  code.add(Op::xwait,
           {{"pipe", static_cast<int>(pipe)}, {"id", id}, {"mode", static_cast<int>(mode)}});
}

void AttentionFrame::address(Reg at, int base, int strides, Val place, std::int64_t shared,
                             Val row) {
  const RegisterScope scope(code);
  code.add(Op::ldarg, {{"rd", at}, {"index", base}});
  const Val head = code.compute(Op::sdiv, code.compute(Op::smod, place, spec.heads), shared);
  const Val places[] = {code.compute(Op::sdiv, place, spec.heads), head, row};
  const Reg part = code.reg();
  for (int i = 0; i < 3; ++i) {
    if (places[i].is(0)) continue;
    code.add(Op::ldarg, {{"rd", part}, {"index", strides + i}});
    code.assign(part, Op::smul, part, places[i]);
    code.assign(at, Op::sadd, at, part);
  }
}

AttentionWalk::AttentionWalk(AttentionFrame& frame, bool with_keys)
    : frame_(frame), code_(frame.code), with_keys_(with_keys) {
  for (Reg* reg : {&block, &row, &place, &item_, &blocks_}) *reg = code_.reg();
  rows = frame.schedule.whole_m ? Val(frame.schedule.tile_m) : Val(code_.reg());
  keys = frame.schedule.block_n;
  if (with_keys) key = code_.reg();
  if (with_keys && !frame.schedule.whole_n) {
    keys = code_.reg();
    limit_ = code_.reg();
  }
  code_.assign(item_, Op::ssub, Reg{isa::kGroupReg}, frame_.groups);
  code_.assign(block, Op::mov, 0, 0);
  code_.assign(blocks_, Op::mov, 0, 0);
}

int AttentionWalk::enter_item() {
  const RegisterScope scope(code_);
  const Reg inside = code_.reg();
  code_.assign(inside, Op::slt, block, blocks_);
  const int jump = code_.jump(Op::jnz, inside);
  code_.assign(item_, Op::sadd, item_, frame_.groups);
  code_.assign(block, Op::mov, 0, 0);
  const Reg limit = with_keys_ && !frame_.schedule.whole_n ? limit_ : code_.reg();
  frame_.find_extent(item_, {row, rows, limit, blocks_});
  code_.assign(place, Op::smod, item_, frame_.per_tile);
  return jump;
}

void AttentionWalk::leave_item(int jump) {
  code_.land(jump);
  if (!with_keys_) return;
  code_.assign(key, Op::smul, block, frame_.schedule.block_n);
  if (frame_.schedule.whole_n) return;
  const Reg left{keys.lane.reg};
  code_.assign(left, Op::ssub, limit_, key);
  code_.assign(left, Op::smin, left, frame_.schedule.block_n);
}

void AttentionWalk::end() {
  code_.assign(block, Op::sadd, block, 1);
}

int AttentionWalk::unless_last() {
  const RegisterScope scope(code_);
  const Reg left = code_.reg();
  code_.assign(left, Op::ssub, blocks_, block);
  code_.assign(left, Op::ssub, left, 1);
  return code_.jump(Op::jnz, left);
}

}  // namespace dvmsim
