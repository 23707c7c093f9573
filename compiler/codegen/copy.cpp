#include "compiler/codegen/copy.h"

#include <algorithm>
#include <array>

#include "compiler/codegen/sync.h"
#include "compiler/codegen/tile_walk.h"
#include "compiler/codegen/vector.h"
#include "vm/base/rounding.h"

namespace dvmsim {
namespace {

using isa::Op;
using Way = CopySchedule::Way;

/// A buffer of the loop's iteration, of several in `buffer` that take turns.
Val turning(Builder& builder, UbRange& buffer, int turns) {
  if (turns == 1) return buffer.base;
  constexpr std::int64_t kStep = 32;  // bytes; the unit in which lanes rotate
  const Reg base = builder.reg();
  builder.assign(base, Op::mov, buffer.base, 0);
  buffer.reg = base.number;
  const auto step = static_cast<std::uint32_t>(buffer.size / turns / kStep);
  return Val(isa::Lane::rotating(base.number, turns, step));
}

/// One copy of a program: a loop over its tiles.
class CopyEmitter {
 public:
  CopyEmitter(Builder& builder, const ViewCopy& copy, const CopySchedule& schedule, DType dtype,
              Val in, Val out, std::int64_t ub)
      : builder_(builder),
        copy_(copy),
        schedule_(schedule),
        dtype_(dtype),
        size_(size_of(dtype)),
        in_(in),
        out_(out) {
    const std::int64_t bytes = turning_bytes(schedule);
    first_ = {ub, bytes};
    second_ = {ub + bytes + kApart, bytes};
  }

  /// `follows`: an earlier copy of the program used the same buffers.
  void emit(bool follows) {
    if (follows) {
      const Pipe next = copy_.fill ? Pipe::Vector : Pipe::MTE2;
      builder_.set(Pipe::MTE3, next, kReuse);
      builder_.wait(next, Pipe::MTE3, kReuse);
    }
    TileWalk walk(builder_, copy_.dims, schedule_.tile);
    source_ = turning(builder_, first_, schedule_.turns);
    if (copy_.fill) fill();
    if (schedule_.way == Way::Transpose) result_ = turning(builder_, second_, schedule_.turns);
    const std::size_t begin = builder_.code().size();
    position_ = walk.begin();
    from_ = place(in_, copy_.in_offset, copy_.in_stride);
    to_ = place(out_, copy_.out_offset, copy_.out_stride);
    if (schedule_.way == Way::Transpose) {
      turn();
    } else {
      boxes();
    }
    walk.end();
    const std::array ranges = {first_, second_};
    add_loop(builder_, begin, walk.count(), ranges, {schedule_.turns, schedule_.turns});
  }

 private:
  static constexpr std::int64_t kStep = 32;      // bytes; the unit in which lanes rotate
  static constexpr int kFilled = 2, kReuse = 3;  // flag ids between copies

  Val place(Val base, std::int64_t offset, const std::vector<std::int64_t>& stride) {
    return builder_.compute(Op::sadd, address(builder_, base, position_, stride, size_),
                            offset * size_);
  }

  void fill() {
    const auto pattern = static_cast<std::int32_t>(*copy_.fill);
    builder_.add<Op::vdup>({{"dtype", static_cast<int>(dtype_)},
                            {"dst", first_.base},
                            {"s", pattern},
                            {"count", schedule_.bytes / size_}});
    builder_.set(Pipe::Vector, Pipe::MTE3, kFilled);
    builder_.wait(Pipe::MTE3, Pipe::Vector, kFilled);
  }

  /// Runs or elements through loadnd and storend, packed in UB.
  void boxes() {
    const bool runs = schedule_.way == Way::Runs;
    const std::size_t rank = copy_.dims.size();
    const Val width =
        runs ? builder_.compute(Op::smul, position_.extent[rank - 1], size_) : Val(size_);
    std::array<Val, 4> n = {1, 1, 1, 1}, in = {0, 0, 0, 0}, out = {0, 0, 0, 0};
    std::array<std::int64_t, 4> ub{};
    std::int64_t packed = runs ? schedule_.tile[rank - 1] * size_ : size_;
    for (std::size_t loop = 0; loop < 4; ++loop) {
      const std::size_t inside = loop + (runs ? 1 : 0);
      ub[loop] = packed;
      if (inside >= rank) continue;
      const std::size_t dim = rank - 1 - inside;
      if (schedule_.tile[dim] == 1) continue;
      n[loop] = position_.extent[dim];
      in[loop] = copy_.in_stride[dim] * size_;
      out[loop] = copy_.out_stride[dim] * size_;
      packed *= schedule_.tile[dim];
    }
    const auto unless_one = [&](std::size_t loop) {
      return n[loop].is(1) ? Val(0) : Val(ub[loop]);
    };
    if (!copy_.fill) {
      builder_.add<Op::loadnd>({{"dst", source_},
                                {"src", from_},
                                {"width", width},
                                {"n0", n[0]},
                                {"s0", in[0]},
                                {"n1", n[1]},
                                {"s1", in[1]},
                                {"d1", unless_one(1)},
                                {"n2", n[2]},
                                {"s2", in[2]},
                                {"d2", unless_one(2)},
                                {"n3", n[3]},
                                {"s3", in[3]},
                                {"d3", unless_one(3)}});
    }
    builder_.add<Op::storend>({{"dst", to_},
                               {"src", source_},
                               {"width", width},
                               {"n0", n[0]},
                               {"s0", out[0]},
                               {"n1", n[1]},
                               {"s1", out[1]},
                               {"d1", unless_one(1)},
                               {"n2", n[2]},
                               {"s2", out[2]},
                               {"d2", unless_one(2)},
                               {"n3", n[3]},
                               {"s3", out[3]},
                               {"d3", unless_one(3)}});
  }

  /// Rows along the input's contiguous dimension in, turned, rows along the output's out.
  void turn() {
    const auto along = static_cast<std::size_t>(schedule_.along);
    const std::size_t last = copy_.dims.size() - 1;
    const Val a = position_.extent[along], b = position_.extent[last];
    const std::int64_t in_pitch = round_up(schedule_.tile[along] * size_, 32);
    const std::int64_t out_pitch = round_up(schedule_.tile[last] * size_, 32);
    const auto bytes = [&](Val count) { return builder_.compute(Op::smul, count, size_); };
    const Val in_length = bytes(a), out_length = bytes(b);
    builder_.add<Op::load>({{"dst", source_},
                            {"src", from_},
                            {"len", in_length},
                            {"rows", b},
                            {"dstride", in_pitch},
                            {"sstride", copy_.in_stride[last] * size_}});
    builder_.add<Op::vtrans>({{"dtype", static_cast<int>(dtype_)},
                              {"dst", result_},
                              {"a", source_},
                              {"count", a},
                              {"rows", b},
                              {"dstride", out_pitch},
                              {"astride", in_pitch}});
    builder_.add<Op::store>({{"dst", to_},
                             {"src", result_},
                             {"len", out_length},
                             {"rows", a},
                             {"dstride", copy_.out_stride[along] * size_},
                             {"sstride", out_pitch}});
  }

  Builder& builder_;
  const ViewCopy& copy_;
  const CopySchedule& schedule_;
  DType dtype_;
  std::int64_t size_;
  Val in_, out_;
  UbRange first_{}, second_{};
  Val source_{}, result_{};
  TilePosition position_{};
  Val from_{}, to_{};
};

}  // namespace

Program emit_copy(const CopyKernel& kernel, const CopyPlan& plan, const Machine& machine) {
  Program program;
  program.name = kernel.name;
  Builder builder(vector_kind(machine));
  const int inputs = static_cast<int>(kernel.inputs.size());
  for (std::size_t i = 0; i < kernel.copies.size(); ++i) {
    const ViewCopy copy = normalized(kernel.copies[i]);
    const int mark = builder.registers();
    const Val in = copy.fill ? Val(0) : builder.argument(copy.input);
    const Val out = builder.argument(inputs + copy.output);
    CopyEmitter(builder, copy, plan.boxes[i], kernel.dtype, in, out,
                copies_begin(machine, kernel.copies.size()))
        .emit(i > 0);
    builder.free_registers(mark);
  }
  builder.link(program);
  for (const auto& name : kernel.inputs) {
    program.arguments.push_back({Argument::Kind::Input, name, 0});
  }
  for (const auto& name : kernel.outputs) {
    program.arguments.push_back({Argument::Kind::Output, name, 0});
  }
  return program;
}

CopyLimits limits_of(const GatherKernel& kernel, const Machine& machine) {
  return {{1, 1, kernel.inner}, most_turns(machine)};
}

CopyPlan schedule_gather(const GatherKernel& kernel, const Machine& machine, int cores,
                         const CopyChoice& choice) {
  // Rows wait for their index, then for memory; several are on their way at once.
  constexpr int kMostTurns = 4;
  const BoxChoice box = box_of(choice, 0);
  const std::int64_t size = size_of(kernel.dtype);
  const std::int64_t most = std::min<std::int64_t>(32 * 1024, machine.ub.size.count() / 8);
  CopySchedule schedule;
  schedule.tile = box.tile.value_or(
      std::vector<std::int64_t>{1, 1, std::min<std::int64_t>(kernel.inner, most / size)});
  const std::int64_t piece = schedule.tile.back();
  schedule.tiles = kernel.outer * kernel.count * ceil_div(kernel.inner, piece);
  schedule.bytes = piece * size;
  schedule.turns =
      box.turns.value_or(schedule.tiles > cores ? std::min(kMostTurns, machine.flag.max) : 1);
  schedule.end = copies_begin(machine, 1) + turning_bytes(schedule);
  const std::int64_t used = std::min<std::int64_t>(cores, schedule.tiles);
  return {{std::move(schedule)}, static_cast<int>(std::max<std::int64_t>(1, used))};
}

Program emit_gather(const GatherKernel& kernel, const CopyPlan& plan, const Machine& machine) {
  const CopySchedule& schedule = plan.boxes.front();
  const int turns = schedule.turns;
  Program program;
  program.name = kernel.name;
  Builder builder(vector_kind(machine));
  const Val data = builder.argument(0), indices = builder.argument(1), out = builder.argument(2);
  const std::int64_t size = size_of(kernel.dtype);
  UbRange buffer{copies_begin(machine, 1), turning_bytes(schedule)};
  const Val row_buffer = turning(builder, buffer, turns);
  const std::array dims = {kernel.outer, kernel.count, kernel.inner};
  TileWalk walk(builder, dims, schedule.tile);
  const std::size_t begin = builder.code().size();
  const TilePosition position = walk.begin();
  const std::array index_stride = {std::int64_t{0}, std::int64_t{1}, std::int64_t{0}};
  const std::array row_stride = {kernel.axis * kernel.inner, std::int64_t{0}, std::int64_t{1}};
  const std::array out_stride = {kernel.count * kernel.inner, kernel.inner, std::int64_t{1}};
  const Reg index = builder.reg(), negative = builder.reg();
  builder.add<Op::ldgm>(
      {{"rd", index},
       {"dtype", static_cast<int>(kernel.index_type)},
       {"src", address(builder, indices, position, index_stride, size_of(kernel.index_type))}});
  builder.assign(negative, Op::slt, index, 0);
  builder.assign(negative, Op::smul, negative, kernel.axis);
  builder.assign(index, Op::sadd, index, negative);
  const Val row = builder.compute(Op::smul, index, kernel.inner * size);
  const Val from =
      builder.compute(Op::sadd, address(builder, data, position, row_stride, size), row);
  const Val to = address(builder, out, position, out_stride, size);
  const Val length = builder.compute(Op::smul, position.extent[2], size);
  builder.add<Op::load>({{"dst", row_buffer}, {"src", from}, {"len", length}});
  builder.add<Op::store>({{"dst", to}, {"src", row_buffer}, {"len", length}});
  walk.end();
  add_loop(builder, begin, walk.count(), {&buffer, 1}, {turns, turns});
  builder.link(program);
  program.arguments = {{Argument::Kind::Input, "data", 0},
                       {Argument::Kind::Input, "indices", 0},
                       {Argument::Kind::Output, "out", 0}};
  return program;
}

}  // namespace dvmsim
