// Rows written where numbers say, one after another: the scalar unit reads a number, the DMA takes
// the row in and writes it out.
#include <algorithm>
#include <array>

#include "compiler/codegen/builder.h"
#include "compiler/codegen/order.h"
#include "compiler/codegen/sync.h"
#include "compiler/codegen/tile_walk.h"
#include "compiler/codegen/vector.h"
#include "vm/base/rounding.h"

namespace dvmsim {
namespace {

using isa::Atomic;
using isa::Op;
using How = ScatterKernel::How;

/// What stores can do on their own.
Atomic atomic_of(const ScatterKernel& kernel, const Machine& machine) {
  if (!contains(machine.can.atomic.set, kernel.dtype)) return Atomic::None;
  switch (kernel.how) {
    case How::Add:
      return Atomic::Add;
    case How::Max:
      return Atomic::Max;
    case How::Min:
      return Atomic::Min;
    default:
      return Atomic::None;
  }
}

/// What the vector unit does where stores cannot.
Op combination(How how) {
  switch (how) {
    case How::Add:
      return Op::vadd;
    case How::Max:
      return Op::vmax;
    case How::Min:
      return Op::vmin;
    default:
      return Op::vmul;
  }
}

class ScatterEmitter {
 public:
  ScatterEmitter(const ScatterKernel& kernel, const Machine& machine)
      : kernel_(kernel),
        builder_(vector_kind(machine)),
        size_(size_of(kernel.dtype)),
        atomic_(atomic_of(kernel, machine)) {
    const bool in_ub = machine.firmware.memory == ProgramMemory::Ub;
    const std::int64_t begin =
        round_up(machine.ub.reserved.count() + (in_ub ? std::int64_t{2048} : 0), 512);
    const std::int64_t room = (machine.ub.size.count() - begin) / 2 / 512 * 512;
    piece_ = std::min(kernel.width, std::min<std::int64_t>(room, 16 * 1024) / size_);
    const std::int64_t bytes = round_up(piece_ * size_, 512);
    update_ = {begin, bytes};
    old_ = {begin + bytes, bytes};
  }

  Program emit(int& cores) {
    const Val index = builder_.argument(0), updates = builder_.argument(1),
              data = builder_.argument(2);
    // Atomic updates come in any order; else the cores share the columns.
    const bool atomic = atomic_ != Atomic::None;
    const std::array dims = {atomic ? kernel_.count : 1, kernel_.width};
    const std::array steps = {std::int64_t{1}, piece_};
    TileWalk walk(builder_, dims, steps);
    if (atomic) {
      const std::size_t begin = builder_.code().size();
      const TilePosition position = walk.begin();
      one(index, updates, data, position.index[0], position);
      walk.end();
      add_loop(builder_, begin, walk.count(), ranges());
    } else {
      builder_.begin_loop(walk.count());
      const TilePosition position = walk.begin();
      const Reg number = builder_.reg();
      builder_.assign(number, Op::smul, number, 0);
      const std::size_t begin = builder_.code().size();
      one(index, updates, data, number, position);
      builder_.assign(number, Op::sadd, number, 1);
      add_loop(builder_, begin, kernel_.count, ranges());
      walk.end();
      builder_.end_loop();
    }
    Program program;
    program.name = kernel_.name;
    builder_.link(program);
    program.arguments = {{Argument::Kind::Input, "index", 0},
                         {Argument::Kind::Input, "updates", 0},
                         {Argument::Kind::Output, "data", 0}};
    const std::int64_t pieces = ceil_div(kernel_.width, piece_);
    cores = static_cast<int>(std::min<std::int64_t>(cores, pieces * dims[0]));
    return program;
  }

 private:
  [[nodiscard]] std::array<UbRange, 2> ranges() const { return {update_, old_}; }

  Val offset(Val base, Val count, std::int64_t stride) {
    return builder_.compute(Op::sadd, base, builder_.compute(Op::smul, count, stride));
  }

  /// Update `number`, the columns of the position.
  void one(Val index, Val updates, Val data, Val number, const TilePosition& position) {
    const std::int64_t index_size = size_of(kernel_.index_type), row = kernel_.width * size_;
    const Reg at = builder_.reg(), negative = builder_.reg();
    builder_.add<Op::ldgm>({{"rd", at},
                            {"dtype", static_cast<int>(kernel_.index_type)},
                            {"src", offset(index, number, index_size)}});
    builder_.assign(negative, Op::slt, at, 0);
    builder_.assign(negative, Op::smul, negative, kernel_.rows);
    builder_.assign(at, Op::sadd, at, negative);
    const Val column = builder_.compute(Op::smul, position.index[1], size_);
    const Val from = builder_.compute(Op::sadd, offset(updates, number, row), column);
    const Val to = builder_.compute(Op::sadd, offset(data, at, row), column);
    const Val length = builder_.compute(Op::smul, position.extent[1], size_);
    builder_.add<Op::load>({{"dst", update_.base}, {"src", from}, {"len", length}});
    const bool combines = kernel_.how != How::Replace && atomic_ == Atomic::None;
    if (combines) {
      builder_.add<Op::load>({{"dst", old_.base}, {"src", to}, {"len", length}});
      builder_.add(combination(kernel_.how), {{"dtype", static_cast<int>(kernel_.dtype)},
                                              {"dst", update_.base},
                                              {"a", old_.base},
                                              {"b", update_.base},
                                              {"count", position.extent[1]}});
    }
    builder_.add<Op::store>({{"dst", to},
                             {"src", update_.base},
                             {"len", length},
                             {"atomic", static_cast<int>(atomic_)},
                             {"dtype", static_cast<int>(kernel_.dtype)}});
    // The next update may read the row that is being written.
    if (combines) {
      builder_.add<Op::drain>({{"pipe", static_cast<int>(Pipe::MTE3)}});
    }
  }

  const ScatterKernel& kernel_;
  Builder builder_;
  std::int64_t size_, piece_ = 1;
  Atomic atomic_;
  UbRange update_{}, old_{};
};

}  // namespace

Program emit_scatter(const ScatterKernel& kernel, const Machine& machine, int& cores) {
  return ScatterEmitter(kernel, machine).emit(cores);
}

}  // namespace dvmsim
