#include "vm/exec/exec.h"

#include <array>
#include <cstring>

#include "vm/base/error.h"
#include "vm/exec/element.h"
#include "vm/exec/meaning.h"

namespace dvmsim {
namespace {

using exec::Meaning;
using isa::Op;

/// Performed by the firmware, which owns registers, flags and the flow of control.
void by_firmware(exec::Frame&) {}

struct Entry {
  Meaning meaning = nullptr;
  bool exists =
      false;  // under sanitizers, a function's address compares with nothing in a constant
};

constexpr std::array<Entry, 256> meanings() {
  std::array<Entry, 256> table{};
  const auto set = [&](Op op, Meaning meaning) {
    table[static_cast<std::size_t>(op)] = {meaning, true};
  };
  for (Op op :
       {Op::halt,  Op::nop,   Op::mov,  Op::sadd, Op::ssub,  Op::smul,    Op::sdiv,    Op::smod,
        Op::smin,  Op::smax,  Op::sand, Op::sor,  Op::sxor,  Op::sshl,    Op::sshr,    Op::slt,
        Op::seq,   Op::ldarg, Op::ldgm, Op::ldub, Op::loop,  Op::endloop, Op::jz,      Op::jnz,
        Op::drain, Op::set,   Op::wait, Op::xset, Op::xwait, Op::matmul,  Op::gmatmul, Op::conv}) {
    set(op, by_firmware);
  }
  set(Op::load, exec::load), set(Op::loadnd, exec::loadnd), set(Op::loadnz, exec::loadnz);
  set(Op::loadl1, exec::loadl1), set(Op::l0a, exec::l0a), set(Op::l0b, exec::l0b);
  set(Op::ldbt, exec::ldbt), set(Op::mmad, exec::mmad), set(Op::fix, exec::fix);
  set(Op::loadfm, exec::loadfm), set(Op::img2col, exec::img2col);
  set(Op::ldfb, exec::ldfb), set(Op::fixq, exec::fixq), set(Op::fixnz, exec::fixnz);
  set(Op::store, exec::store), set(Op::storend, exec::storend);
#define BINARY(op) set(Op::op, exec::binary<Op::op>)
  BINARY(vadd), BINARY(vsub), BINARY(vmul), BINARY(vdiv), BINARY(vmax), BINARY(vmin), BINARY(vpow);
  BINARY(vmod), BINARY(vand), BINARY(vor), BINARY(vxor), BINARY(vshl), BINARY(vshr);
#undef BINARY
#define WITH_SCALAR(op) set(Op::op, exec::with_scalar<Op::op>)
  WITH_SCALAR(vadds), WITH_SCALAR(vmuls), WITH_SCALAR(vmaxs), WITH_SCALAR(vmins);
  WITH_SCALAR(vdivs), WITH_SCALAR(vsdiv), WITH_SCALAR(vssub);
#undef WITH_SCALAR
#define UNARY(op) set(Op::op, exec::unary<Op::op>)
  UNARY(vabs), UNARY(vneg), UNARY(vrelu), UNARY(vexp), UNARY(vlog), UNARY(vsqrt), UNARY(vrsqrt);
  UNARY(vrec), UNARY(vtanh), UNARY(verf), UNARY(vsigmoid), UNARY(vfloor), UNARY(vceil);
  UNARY(vround), UNARY(vsign), UNARY(vnot), UNARY(vsin), UNARY(vcos), UNARY(vatan);
  UNARY(vlog1p);
#undef UNARY
  set(Op::vcopy, exec::vcopy), set(Op::vcmp, exec::vcmp), set(Op::vcmps, exec::vcmps);
  set(Op::vsel, exec::vsel), set(Op::vcvt, exec::vcvt), set(Op::vdup, exec::vdup);
  set(Op::vbrc, exec::vbrc), set(Op::vtrans, exec::vtrans), set(Op::vredx, exec::vredx);
  set(Op::vredy, exec::vredy), set(Op::vgather, exec::vgather), set(Op::vsort, exec::vsort);
  set(Op::vscanx, exec::vscanx), set(Op::vscany, exec::vscany);
  return table;
}

constexpr auto kMeanings = meanings();
#define INST(code, mnemonic, ...) \
  static_assert(kMeanings[code].exists, #mnemonic " has no meaning: add it to meanings()");
#include "vm/isa/isa.def"
#undef INST

}  // namespace

Fault execute(const isa::Command& command, CoreMemory& core, GlobalMemory& global) {
  const Meaning meaning = kMeanings[static_cast<std::size_t>(command.op)].meaning;
  DVMSIM_ASSERT(meaning != nullptr, "a command's op is a row of isa.def");
  exec::Frame frame{command, core, global};
  meaning(frame);
  return std::move(frame.fault);
}

Fault read_scalar(const isa::Command& command, CoreMemory& core, GlobalMemory& global,
                  std::int64_t& value) {
  enum { kResult, kType, kSource };
  exec::Frame frame{command, core, global};
  const bool is_global = command.op == Op::ldgm;
  const DType dtype = frame.dtype(kType);
  const int size = size_of(dtype);
  if (is_global) {
    const auto address = static_cast<std::uint64_t>(frame.at(kSource));
    if (global.contains(address, size) && global.at(address, size) == nullptr) {
      frame.fault = {FaultKind::DataInTimingMode,
                     {},
                     command.pc,
                     "ldgm: reads device data, and a run for timing alone has none"};
      return std::move(frame.fault);
    }
  }
  const std::byte* from = frame.rows(is_global ? Space::GM : Space::UB, kSource, size, 1, 0, size);
  if (from == nullptr) return std::move(frame.fault);
  const bool known = exec::with_element(dtype, isa::kIntegers, [&](auto zero) {
    std::memcpy(&zero, from, sizeof zero);
    value = static_cast<std::int64_t>(exec::compute_value(zero));
  });
  if (!known) frame.refuse("reads integers only");
  return std::move(frame.fault);
}

}  // namespace dvmsim
