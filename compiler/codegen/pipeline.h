// What programs share that keep the pipes of a core busy by hand: buffers in turn, flags of an
// instruction, registers for a while.
#pragma once

#include "compiler/codegen/builder.h"
#include "vm/base/rounding.h"

namespace dvmsim {

/// Registers taken while it lives are free again afterwards.
class RegisterScope {
 public:
  explicit RegisterScope(Builder& code) : code_(code), mark_(code.registers()) {}
  ~RegisterScope() { code_.free_registers(mark_); }
  RegisterScope(const RegisterScope&) = delete;
  RegisterScope& operator=(const RegisterScope&) = delete;

 private:
  Builder& code_;
  int mark_;
};

/// Two buffers of so many bytes that are used in turn. Fixed: in every turn of the core so often
/// that the first use has the first one.
class BufferPair {
 public:
  BufferPair(Builder& code, std::int64_t first, std::int64_t bytes, bool fixed = false)
      : code_(code), first_(first), bytes_(bytes), fixed_(fixed) {
    if (fixed) return;
    at_ = code_.reg();
    code_.assign(at_, isa::Op::mov, first, 0);
  }
  /// The buffer of the turn's use number `use`.
  [[nodiscard]] Val of(int use) const { return fixed_ ? Val(first_ + use % 2 * bytes_) : Val(at_); }
  [[nodiscard]] Val now() const { return at_; }
  void turn() {
    if (!fixed_) code_.assign(at_, isa::Op::sxor, at_, first_ ^ (first_ + bytes_));
  }

 private:
  Builder& code_;
  Reg at_{};
  std::int64_t first_, bytes_;
  bool fixed_;
};

/// Flags of an instruction: it starts after `id` of `pipe`, and tells `pipe` when it is done.
inline isa::Inst& after(isa::Inst& inst, Pipe pipe, int id) {
  inst.waits[inst.waits[0].valid ? 1 : 0] = {true, pipe, static_cast<std::uint8_t>(id)};
  return inst;
}
inline isa::Inst& tell(isa::Inst& inst, Pipe pipe, int id) {
  inst.sets[inst.sets[0].valid ? 1 : 0] = {true, pipe, static_cast<std::uint8_t>(id)};
  return inst;
}

/// Rows up to whole fractals.
[[nodiscard]] inline Val whole_fractals(Builder& code, Val rows) {
  if (!rows.lane.is_register) return round_up(rows.value(), 16);
  const Reg up = code.reg();
  code.assign(up, isa::Op::sadd, rows, 15);
  code.assign(up, isa::Op::sand, up, -16);
  return up;
}

}  // namespace dvmsim
