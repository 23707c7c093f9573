#include "compiler/codegen/window.h"

#include <array>
#include <bit>
#include <limits>

#include "compiler/codegen/sync.h"
#include "compiler/codegen/tile_walk.h"
#include "compiler/codegen/vector.h"

namespace dvmsim {
namespace {

using isa::Op;
using Kind = WindowTask::Kind;

/// The flag that tells the vector pipe that weights loaded once, before the loop, are there.
constexpr int kWeights = 2;

class WindowEmitter {
 public:
  WindowEmitter(const WindowTask& task, const WindowSchedule& schedule, const Machine& machine)
      : task_(task),
        s_(schedule),
        size_(size_of(task.type)),
        wide_size_(size_of(task.computed())),
        code_(vector_kind(machine)) {}

  void write(Program& program);

 private:
  /// A tile along an axis: where it begins, the part of the map under it, clipped.
  struct Clip {
    Val from{}, count{}, skipped{};
  };
  [[nodiscard]] Clip clip(std::size_t axis, Val first, Val outputs);
  void load_map();
  void load_weights();
  void compute();
  void store();
  void tap(std::int64_t index, bool first);
  void step(std::int64_t source, std::int64_t weights, std::int64_t row, bool first);
  [[nodiscard]] bool once() const { return s_.channels == task_.channels; }
  [[nodiscard]] std::int64_t source() const { return s_.wide_bytes > 0 ? s_.wide : s_.loaded; }
  [[nodiscard]] Val index(std::size_t axis) const { return tile_.index[axis + 1]; }
  [[nodiscard]] Val extent(std::size_t axis) const { return tile_.extent[axis + 1]; }
  void convert(DType from, DType to, std::int64_t dst, std::int64_t src, std::int64_t count) {
    code_.add<Op::vcvt>({{"dtype", static_cast<int>(from)},
                         {"to", static_cast<int>(to)},
                         {"dst", dst},
                         {"a", src},
                         {"count", count}});
  }

  const WindowTask& task_;
  const WindowSchedule& s_;
  std::int64_t size_, wide_size_;
  Builder code_;
  TilePosition tile_{};
  Val map_{}, weights_{}, result_{};
  Reg into_{};  // where in UB the clipped map goes
};

/// Bits of what a window finds outside the map.
std::int32_t nothing_of(const WindowTask& task) {
  if (task.kind != Kind::Max) return 0;
  switch (task.type) {
    case DType::F16:
    case DType::BF16:
    case DType::F32:
      return std::bit_cast<std::int32_t>(-std::numeric_limits<float>::infinity());
    case DType::I8:
      return std::numeric_limits<std::int8_t>::min();
    case DType::U8:
      return 0;
    default:
      return std::numeric_limits<std::int32_t>::min();
  }
}

WindowEmitter::Clip WindowEmitter::clip(std::size_t axis, Val first, Val outputs) {
  Clip clip;  // its registers stay, those of the way there do not
  if (first.lane.is_register || outputs.lane.is_register) {
    clip = {code_.reg(), code_.reg(), code_.reg()};
  }
  const int mark = code_.registers();
  const auto finish = [&](Val into, Op op, Val a, Val b) {
    if (!into.lane.is_register) return code_.compute(op, a, b);
    code_.assign(Reg{into.lane.reg}, op, a, b);
    return into;
  };
  const std::int64_t stride = task_.stride[axis];
  const Val begin =
      code_.compute(Op::ssub, code_.compute(Op::smul, first, stride), task_.pad[axis]);
  const Val reach = code_.compute(Op::sadd, code_.compute(Op::smul, outputs, stride),
                                  task_.reach(axis, 1) - stride);
  const Val from = finish(clip.from, Op::smin, code_.compute(Op::smax, begin, 0), task_.in[axis]);
  const Val end = code_.compute(Op::smin, code_.compute(Op::sadd, begin, reach), task_.in[axis]);
  const Val count = finish(clip.count, Op::smax, code_.compute(Op::ssub, end, from), 0);
  // A window that lies outside altogether loads nothing, to a place inside.
  const Val gap = code_.compute(Op::smax, code_.compute(Op::ssub, from, begin), 0);
  const Val skipped = finish(clip.skipped, Op::smin, gap, s_.map[axis] - 1);
  code_.free_registers(mark);
  return {from, count, skipped};
}

void WindowEmitter::load_map() {
  const int mark = code_.registers();
  const std::int64_t pixel = task_.channels * size_;
  const WindowTask::Axes gm = {task_.in[1] * task_.in[2] * pixel, task_.in[2] * pixel, pixel};
  const std::int64_t ub_pixel = s_.pitch * size_;
  const WindowTask::Axes ub = {s_.map[1] * s_.map[2] * ub_pixel, s_.map[2] * ub_pixel, ub_pixel};
  if (task_.leaves()) {
    code_.add<Op::vdup>({{"dtype", static_cast<int>(task_.type)},
                         {"dst", s_.loaded},
                         {"s", nothing_of(task_)},
                         {"count", s_.loaded_bytes / size_}});
  }
  const std::array<Clip, 3> part = {clip(0, index(0), extent(0)), clip(1, index(1), extent(1)),
                                    clip(2, index(2), extent(2))};
  const TilePosition begin = {
      {tile_.index[0], part[0].from, part[1].from, part[2].from, tile_.index[4]}, {}};
  const std::array<std::int64_t, 5> stride = {task_.in[0] * gm[0], gm[0], gm[1], gm[2], size_};
  const Val from = address(code_, map_, begin, stride, 1);
  code_.assign(into_, Op::mov, s_.loaded, 0);
  for (std::size_t i = 0; i < 3; ++i) {
    code_.assign(into_, Op::sadd, into_, code_.compute(Op::smul, part[i].skipped, ub[i]));
  }
  code_.add<Op::loadnd>({{"dst", into_},
                         {"src", from},
                         {"width", code_.compute(Op::smul, tile_.extent[4], size_)},
                         {"n0", 1},
                         {"s0", 0},
                         {"n1", part[2].count},
                         {"s1", gm[2]},
                         {"d1", ub[2]},
                         {"n2", part[1].count},
                         {"s2", gm[1]},
                         {"d2", ub[1]},
                         {"n3", part[0].count},
                         {"s3", gm[0]},
                         {"d3", ub[0]}});
  code_.free_registers(mark);
  if (s_.wide_bytes > 0) {
    convert(task_.type, task_.computed(), s_.wide, s_.loaded, s_.loaded_bytes / size_);
  }
}

void WindowEmitter::load_weights() {
  // All channels: once, before the tiles.
  const Val first = once() ? Val(0) : tile_.index[4];
  const Val channels = once() ? Val(task_.channels) : tile_.extent[4];
  const Val from = code_.compute(Op::sadd, weights_, code_.compute(Op::smul, first, size_));
  const bool one = task_.taps() == 1;
  code_.add<Op::load>({{"dst", s_.weights},
                       {"src", from},
                       {"len", code_.compute(Op::smul, channels, size_)},
                       {"rows", task_.taps()},
                       {"dstride", one ? 0 : s_.pitch * size_},
                       {"sstride", one ? 0 : task_.channels * size_}});
  if (once()) {
    code_.set(Pipe::MTE2, Pipe::Vector, kWeights);
    code_.wait(Pipe::Vector, Pipe::MTE2, kWeights);
  }
  for (std::int64_t tap = 0; tap < task_.taps(); ++tap) {
    const bool several = s_.repeat > 1;
    code_.add<Op::vcvt>({{"dtype", static_cast<int>(task_.type)},
                         {"to", static_cast<int>(task_.computed())},
                         {"dst", s_.factors + tap * s_.repeat * s_.pitch * wide_size_},
                         {"a", s_.weights + tap * s_.pitch * size_},
                         {"count", s_.pitch},
                         {"rows", s_.repeat},
                         {"dstride", several ? s_.pitch * wide_size_ : 0}});
  }
}

/// dst = first ? a tap : dst joined with it, over the outputs of a tile or of one row of it.
void WindowEmitter::step(std::int64_t from, std::int64_t weights, std::int64_t row, bool first) {
  const bool weighted = task_.kind == Kind::Weighted;
  const std::int64_t out_row = s_.columns * s_.pitch * wide_size_;
  const std::int64_t sum = s_.sum + std::max<std::int64_t>(row, 0) * out_row;
  const int type = static_cast<int>(task_.computed());
  // All rows in one instruction, or the pixels of one row.
  const std::int64_t count = row < 0 ? s_.columns * s_.pitch : s_.repeat * s_.pitch;
  const std::int64_t rows = row < 0 ? s_.rows : s_.columns / s_.repeat;
  const std::int64_t from_stride = row < 0 ? task_.stride[1] * s_.map[2] * s_.pitch * wide_size_
                                           : task_.stride[2] * s_.repeat * s_.pitch * wide_size_;
  const std::int64_t own_stride = count * wide_size_;
  const auto stride = [&](std::int64_t bytes) { return rows == 1 ? 0 : bytes; };
  if (weighted) {
    const std::int64_t to = first ? sum : s_.product;
    code_.add<Op::vmul>({{"dtype", type},
                         {"dst", to},
                         {"a", from},
                         {"b", weights},
                         {"count", count},
                         {"rows", rows},
                         {"dstride", stride(own_stride)},
                         {"astride", stride(from_stride)},
                         {"bstride", 0}});
    if (first) return;
    code_.add(
        Op::vadd,
        {{"dtype", type}, {"dst", sum}, {"a", sum}, {"b", s_.product}, {"count", count * rows}});
    return;
  }
  if (first) {
    code_.add<Op::vcopy>({{"dtype", type},
                          {"dst", sum},
                          {"a", from},
                          {"count", count},
                          {"rows", rows},
                          {"dstride", stride(own_stride)},
                          {"astride", stride(from_stride)}});
    return;
  }
  code_.add(task_.kind == Kind::Max ? Op::vmax : Op::vadd, {{"dtype", type},
                                                            {"dst", sum},
                                                            {"a", sum},
                                                            {"b", from},
                                                            {"count", count},
                                                            {"rows", rows},
                                                            {"dstride", stride(own_stride)},
                                                            {"astride", stride(own_stride)},
                                                            {"bstride", stride(from_stride)}});
}

void WindowEmitter::tap(std::int64_t index, bool first) {
  const std::int64_t x = index % task_.kernel[2], y = index / task_.kernel[2] % task_.kernel[1];
  const std::int64_t z = index / (task_.kernel[2] * task_.kernel[1]);
  const std::int64_t pixel = s_.pitch * wide_size_, line = s_.map[2] * pixel;
  const std::int64_t from = source() + z * task_.dilation[0] * s_.map[1] * line +
                            y * task_.dilation[1] * line + x * task_.dilation[2] * pixel;
  const std::int64_t factors = s_.factors + index * s_.repeat * pixel;
  if (task_.kind != Kind::Weighted && task_.stride[2] == 1) return step(from, factors, -1, first);
  for (std::int64_t row = 0; row < s_.rows; ++row) {
    step(from + row * task_.stride[1] * line, factors, row, first);
  }
}

void WindowEmitter::compute() {
  for (std::int64_t i = 0; i < task_.taps(); ++i) tap(i, i == 0);
  if (task_.scale != 1) {
    const auto scale = static_cast<float>(task_.scale);
    code_.add<Op::vmuls>({{"dtype", static_cast<int>(task_.computed())},
                          {"dst", s_.sum},
                          {"a", s_.sum},
                          {"s", std::bit_cast<std::int32_t>(scale)},
                          {"count", s_.sum_bytes / wide_size_}});
  }
  if (s_.result_bytes > 0) {
    convert(task_.computed(), task_.type, s_.result, s_.sum, s_.sum_bytes / wide_size_);
  }
}

void WindowEmitter::store() {
  const std::int64_t pixel = task_.channels * size_, line = task_.out[2] * pixel;
  const std::array<std::int64_t, 5> stride = {task_.out[0] * task_.out[1] * line,
                                              task_.out[1] * line, line, pixel, size_};
  const Val to = address(code_, result_, tile_, stride, 1);
  code_.add<Op::storend>({{"dst", to},
                          {"src", s_.result_bytes > 0 ? s_.result : s_.sum},
                          {"width", code_.compute(Op::smul, tile_.extent[4], size_)},
                          {"n0", 1},
                          {"s0", 0},
                          {"n1", extent(2)},
                          {"s1", pixel},
                          {"d1", s_.pitch * size_},
                          {"n2", extent(1)},
                          {"s2", line},
                          {"d2", s_.columns * s_.pitch * size_}});
}

void WindowEmitter::write(Program& program) {
  using ArgumentKind = Argument::Kind;
  const bool weighted = task_.kind == Kind::Weighted;
  int argument = 0;
  map_ = code_.argument(argument++);
  if (weighted) weights_ = code_.argument(argument++);
  result_ = code_.argument(argument);
  into_ = code_.reg();
  const std::array<std::int64_t, 5> dims = {task_.images, task_.out[0], task_.out[1], task_.out[2],
                                            task_.channels};
  const std::array<std::int64_t, 5> tile = {1, 1, s_.rows, s_.columns, s_.channels};
  TileWalk walk(code_, dims, tile);
  if (weighted && once()) load_weights();
  const std::size_t begin = code_.code().size();
  tile_ = walk.begin();
  if (weighted && !once()) load_weights();
  load_map();
  compute();
  store();
  walk.end();
  const std::array<UbRange, 7> ranges = {{{s_.loaded, s_.loaded_bytes, into_.number},
                                          {s_.wide, s_.wide_bytes},
                                          {s_.weights, s_.weights_bytes},
                                          {s_.factors, s_.factors_bytes},
                                          {s_.product, s_.product_bytes},
                                          {s_.sum, s_.sum_bytes},
                                          {s_.result, s_.result_bytes}}};
  add_loop(code_, begin, walk.count(), ranges);
  code_.link(program);
  program.arguments.push_back({ArgumentKind::Input, "map", 0});
  if (weighted) program.arguments.push_back({ArgumentKind::Input, "weights", 0});
  program.arguments.push_back({ArgumentKind::Output, "result", 0});
}

}  // namespace

std::optional<WindowProgram> window_program(const WindowTask& task, const Machine& machine,
                                            int cores, const WindowChoice& choice) {
  const std::int64_t size = machine.ub.size.count();
  // Where tiles begin depends on the size of the code, and the code on the tile.
  for (std::int64_t code = choice.code.value_or(1024); code <= size; code *= 2) {
    const std::int64_t begin = size - machine.ub_for_tiles(Bytes(code)).count();
    const WindowSchedule tile = schedule_window(task, machine, cores, begin, choice);
    if (tile.rows == 0) break;
    Program program;
    program.name = "window";
    WindowEmitter(task, tile, machine).write(program);
    const auto bytes = static_cast<std::int64_t>(8 * (program.vector.size() + program.cube.size()));
    if (bytes <= code) return WindowProgram{std::move(program), tile, code};
    if (choice.code) break;
  }
  return std::nullopt;
}

}  // namespace dvmsim
