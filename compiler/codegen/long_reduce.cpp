#include "compiler/codegen/long_reduce.h"

#include <algorithm>

#include "compiler/codegen/sync.h"
#include "compiler/codegen/tile_move.h"
#include "compiler/codegen/vector_steps.h"
#include "vm/base/error.h"
#include "vm/base/rounding.h"

namespace dvmsim {
namespace {

using isa::Op;

/// Flags of a tile, besides those of its loops: its short inputs (MTE2 and vector), its short
/// outputs (vector and MTE3), its joins.
constexpr int kInFlag = 2, kOutFlag = 2, kJoinFlag = 3;
static_assert(kJoinFlag < kLongFlags);
/// From here on, one for each tensor that is moved in pieces.
constexpr int kStreamFlags = kLongFlags;

class LongEmitter {
 public:
  LongEmitter(const PhasedKernel& phased, const LongSchedule& schedule, CoreKind kind)
      : phased_(phased), kernel_(phased.kernel), schedule_(schedule), code_(kind) {}

  Program emit();

 private:
  void find_streams();
  void prime_streams(bool give);
  void tile();
  void load_short();
  void store_short();
  void walk(std::size_t phase);
  void join(std::size_t phase);
  void load_parts(const PhaseJoin& join);
  void once(const std::vector<KernelStep>& steps, const VectorKernel& kernel,
            const VectorSchedule& schedule, Val rows, Val columns);
  void across(Pipe pipe, Op op) {
    code_.add(op, {{"pipe", static_cast<int>(pipe)},
                   {"id", 0},
                   {"mode", static_cast<int>(isa::CrossMode::All)}});
  }
  [[nodiscard]] Val slot_of(std::int64_t offset, Val part);
  [[nodiscard]] Val short_extent() const { return position_.extent[phased_.short_dim()]; }
  [[nodiscard]] std::int64_t piece() const {
    return phased_.over_columns ? schedule_.tile().columns : schedule_.tile().rows;
  }

  const PhasedKernel& phased_;
  const VectorKernel& kernel_;
  const LongSchedule& schedule_;
  Builder code_;
  std::vector<Val> inputs_{}, outputs_{};  // addresses
  Val workspace_{}, group_ = 0, part_ = 0;
  Val begin_ = 0, length_{};  // of this core's part of a row
  TilePosition position_{};
  std::vector<StreamedBuffer> streams_{};
};

/// Pieces of one row follow those of the row before: their buffers never have to be free together.
void LongEmitter::find_streams() {
  if (!schedule_.streams) return;
  const VectorSchedule& layout = schedule_.phases.front();
  const auto add = [&](const KernelTensor& tensor, bool loaded, int number) {
    streams_.push_back({layout.buffers[static_cast<std::size_t>(tensor.value)].base, loaded,
                        kStreamFlags + number});
  };
  std::vector<bool> in(kernel_.inputs.size()), out(kernel_.outputs.size());
  for (const Phase& phase : phased_.phases) {
    for (int i : phase.inputs) in[static_cast<std::size_t>(i)] = true;
    for (int i : phase.outputs) out[static_cast<std::size_t>(i)] = true;
  }
  int loads = 0, stores = 0;
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (in[i]) add(kernel_.inputs[i], true, loads++);
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (out[i]) add(kernel_.outputs[i], false, stores++);
  }
}

void LongEmitter::prime_streams(bool give) {
  for (const StreamedBuffer& stream : streams_) {
    const Pipe from = stream.loaded ? Pipe::Vector : Pipe::MTE3,
               to = stream.loaded ? Pipe::MTE2 : Pipe::Vector;
    for (int i = 0; i < schedule_.copies; ++i) {
      if (give) {
        code_.set(from, to, stream.id);
      } else {
        code_.wait(to, from, stream.id);
      }
    }
  }
}

void LongEmitter::once(const std::vector<KernelStep>& steps, const VectorKernel& kernel,
                       const VectorSchedule& schedule, Val rows, Val columns) {
  if (steps.empty()) return;
  const std::size_t begin = code_.code().size();
  VectorSteps(code_, kernel, schedule, rows, columns).emit(steps);
  drain_first(code_, begin);
  drain_once(code_, begin, ranges_of(schedule));
}

void LongEmitter::load_short() {
  if (phased_.short_inputs.empty()) return;
  code_.wait(Pipe::MTE2, Pipe::Vector, kInFlag);
  for (int i : phased_.short_inputs) {
    const KernelTensor& tensor = kernel_.inputs[static_cast<std::size_t>(i)];
    const VectorSchedule& layout = schedule_.phases.front();
    move_tile(code_, {kernel_, layout, position_}, tensor,
              layout.buffers[static_cast<std::size_t>(tensor.value)].base,
              inputs_[static_cast<std::size_t>(i)], true);
  }
  code_.set(Pipe::MTE2, Pipe::Vector, kInFlag);
  code_.wait(Pipe::Vector, Pipe::MTE2, kInFlag);
}

void LongEmitter::store_short() {
  if (!phased_.short_inputs.empty()) code_.set(Pipe::Vector, Pipe::MTE2, kInFlag);
  if (phased_.short_outputs.empty()) return;
  code_.set(Pipe::Vector, Pipe::MTE3, kOutFlag);
  code_.wait(Pipe::MTE3, Pipe::Vector, kOutFlag);
  // Every core of a row has the results: the first stores them.
  const int others = schedule_.parts > 1 ? code_.jump(Op::jnz, part_) : -1;
  for (int i : phased_.short_outputs) {
    const KernelTensor& tensor = kernel_.outputs[static_cast<std::size_t>(i)];
    const VectorSchedule& layout = schedule_.phases.front();
    move_tile(code_, {kernel_, layout, position_}, tensor,
              layout.buffers[static_cast<std::size_t>(tensor.value)].base,
              outputs_[static_cast<std::size_t>(i)], false);
  }
  if (others >= 0) code_.land(others);
  code_.set(Pipe::MTE3, Pipe::Vector, kOutFlag);
}

/// The pieces of a phase.
void LongEmitter::walk(std::size_t phase) {
  const Phase& what = phased_.phases[phase];
  const VectorSchedule& layout = schedule_.phases[phase];
  const int mark = code_.registers();
  const UbAddresses addresses(code_, layout);
  const std::size_t dim = phased_.long_dim();
  const Val count = code_.compute(Op::sdiv, code_.compute(Op::sadd, length_, piece() - 1), piece());
  const Reg from = code_.reg(), left = code_.reg();
  code_.assign(from, Op::mov, begin_, 0);
  code_.assign(left, Op::mov, length_, 0);

  const std::size_t begin = code_.code().size();
  position_.index[dim] = from;
  const bool whole = !length_.lane.is_register && length_.value() % piece() == 0;
  position_.extent[dim] = count.is(1) ? length_
                          : whole     ? Val(piece())
                                      : code_.compute(Op::smin, left, piece());
  const MovedTile tile{kernel_, layout, position_};
  KnownPlaces known;
  const auto move = [&](const KernelTensor& tensor, Val base, bool in) {
    move_tile(code_, tile, tensor, addresses.of(tensor.value), base, in, &known);
  };
  for (int i : what.inputs) {
    const auto at = static_cast<std::size_t>(i);
    move(kernel_.inputs[at], inputs_[at], true);
  }
  const Val rows = position_.extent[kernel_.dims.size() - 2], columns = position_.extent.back();
  VectorSteps(code_, kernel_, layout, addresses, rows, columns).emit(what.steps);
  for (int i : what.outputs) {
    const auto at = static_cast<std::size_t>(i);
    move(kernel_.outputs[at], outputs_[at], false);
  }
  code_.assign(from, Op::sadd, from, piece());
  if (!whole) code_.assign(left, Op::ssub, left, piece());
  drain_first(code_, begin);
  add_loop(code_, begin, count, addresses.ranges(), {layout.depth.loads, layout.depth.stores},
           streams_);
  position_.extent[dim] = 1;
  code_.free_registers(mark);
}

/// Address of the slot of a part, this core's row.
Val LongEmitter::slot_of(std::int64_t offset, Val part) {
  const Val index = code_.compute(Op::sadd, code_.compute(Op::smul, group_, schedule_.parts), part);
  const Val place = code_.compute(Op::smul, index, schedule_.slot);
  return code_.compute(Op::sadd, code_.compute(Op::sadd, workspace_, place), offset);
}

void LongEmitter::load_parts(const PhaseJoin& join) {
  const std::int64_t elements = join.kernel.columns();
  for (std::size_t i = 0; i < join.accumulated.size(); ++i) {
    const auto id = static_cast<std::size_t>(join.kernel.inputs[i].value);
    const std::int64_t size = size_of(join.kernel.values[id].dtype);
    code_.add<Op::load>({{"dst", join.schedule.buffers[id].base},
                         {"src", slot_of(join.offset[i], 0)},
                         {"len", elements * size},
                         {"rows", schedule_.parts},
                         {"dstride", join.schedule.pitch * size},
                         {"sstride", schedule_.slot}});
  }
}

/// The cores of a row tell each other their parts, and each joins all in the same order.
void LongEmitter::join(std::size_t phase) {
  const std::vector<PhaseJoin>& joins = schedule_.joins[phase];
  if (joins.empty()) return;
  const int mark = code_.registers();
  code_.set(Pipe::Vector, Pipe::MTE3, kJoinFlag);
  code_.wait(Pipe::MTE3, Pipe::Vector, kJoinFlag);
  for (const PhaseJoin& join : joins) {
    for (std::size_t i = 0; i < join.accumulated.size(); ++i) {
      const auto value = static_cast<std::size_t>(join.accumulated[i]);
      const std::int64_t size = size_of(kernel_.values[value].dtype);
      code_.add<Op::store>({{"dst", slot_of(join.offset[i], part_)},
                            {"src", schedule_.phases[phase].buffers[value].base},
                            {"len", join.kernel.columns() * size}});
    }
  }
  across(Pipe::MTE3, Op::xset);
  across(Pipe::MTE2, Op::xwait);
  for (const PhaseJoin& join : joins) load_parts(join);
  code_.set(Pipe::MTE2, Pipe::Vector, kJoinFlag);
  code_.wait(Pipe::Vector, Pipe::MTE2, kJoinFlag);
  for (const PhaseJoin& each : joins) {
    once(each.kernel.steps, each.kernel, each.schedule, schedule_.parts, each.kernel.columns());
  }
  code_.free_registers(mark);
}

void LongEmitter::tile() {
  load_short();
  if (!phased_.short_outputs.empty()) code_.wait(Pipe::Vector, Pipe::MTE3, kOutFlag);
  const auto once_a_tile = [&](const std::vector<KernelStep>& steps) {
    once(steps, kernel_, schedule_.phases.front(), position_.extent[kernel_.dims.size() - 2],
         position_.extent.back());
  };
  once_a_tile(phased_.start);
  for (std::size_t phase = 0; phase < phased_.phases.size(); ++phase) {
    walk(phase);
    if (schedule_.parts > 1) join(phase);
    once_a_tile(phased_.phases[phase].finish);
  }
  store_short();
}

Program LongEmitter::emit() {
  Program program;
  program.name = kernel_.name;
  int argument = 0;
  for (std::size_t i = 0; i < kernel_.inputs.size(); ++i) {
    inputs_.push_back(code_.argument(argument++));
  }
  for (std::size_t i = 0; i < kernel_.outputs.size(); ++i) {
    outputs_.push_back(code_.argument(argument++));
  }
  const std::int64_t longs = kernel_.dims[phased_.long_dim()];
  std::vector<std::int64_t> tile_dims(kernel_.dims.size(), 1);
  tile_dims[phased_.long_dim()] = longs;
  tile_dims[phased_.short_dim()] =
      phased_.over_columns ? schedule_.tile().rows : schedule_.tile().columns;
  length_ = longs;
  Val walker = Reg{isa::kCoreIndexReg}, walkers = Reg{isa::kCoreCountReg};
  if (schedule_.parts > 1) {
    workspace_ = code_.argument(argument++);
    group_ = code_.compute(Op::sdiv, walker, schedule_.parts);
    part_ = code_.compute(Op::smod, walker, schedule_.parts);
    begin_ = code_.compute(Op::smul, part_, schedule_.part);
    length_ = longs % schedule_.part == 0
                  ? Val(schedule_.part)
                  : code_.compute(Op::smin, code_.compute(Op::ssub, longs, begin_), schedule_.part);
    walker = group_;
    walkers = schedule_.groups();
  }
  TileWalk tiles(code_, kernel_.dims, tile_dims, walker, walkers);
  const bool in = !phased_.short_inputs.empty(), out = !phased_.short_outputs.empty();
  if (in) code_.set(Pipe::Vector, Pipe::MTE2, kInFlag);
  if (out) code_.set(Pipe::MTE3, Pipe::Vector, kOutFlag);
  find_streams();
  prime_streams(true);
  code_.begin_loop(tiles.count());
  position_ = tiles.begin();
  position_.extent[phased_.long_dim()] = 1;
  tile();
  tiles.end();
  code_.end_loop();
  prime_streams(false);
  if (in) code_.wait(Pipe::MTE2, Pipe::Vector, kInFlag);
  if (out) code_.wait(Pipe::Vector, Pipe::MTE3, kOutFlag);
  code_.link(program);

  for (const KernelTensor& input : kernel_.inputs) {
    program.arguments.push_back({Argument::Kind::Input, input.name, 0});
  }
  for (const KernelTensor& output : kernel_.outputs) {
    program.arguments.push_back({Argument::Kind::Output, output.name, 0});
  }
  if (schedule_.parts > 1) {
    program.arguments.push_back({Argument::Kind::Workspace, "parts", schedule_.workspace});
  }
  return program;
}

}  // namespace

Program emit_long(const PhasedKernel& phased, const LongSchedule& schedule, CoreKind kind) {
  return LongEmitter(phased, schedule, kind).emit();
}

}  // namespace dvmsim
