#include "compiler/codegen/order.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "compiler/codegen/builder.h"
#include "compiler/codegen/sync.h"
#include "compiler/codegen/tile_walk.h"
#include "compiler/codegen/vector.h"
#include "vm/base/error.h"
#include "vm/base/rounding.h"

namespace dvmsim {
namespace {

using isa::Op;
using isa::Order;

constexpr std::int64_t kBlock = 32, kCode = 2048;

int code(DType type) {
  return static_cast<int>(type);
}

std::int64_t ub_begin(const Machine& machine) {
  const bool in_ub = machine.firmware.memory == ProgramMemory::Ub;
  return round_up(machine.ub.reserved.count() + (in_ub ? kCode : 0), 512);
}

/// Buffers of UB for tiles of rows, one after another.
class Buffers {
 public:
  explicit Buffers(const Machine& machine) : end_(ub_begin(machine)) {}

  /// Of `rows` rows of `pitch` bytes.
  std::int64_t take(std::int64_t rows, std::int64_t pitch) {
    const std::int64_t base = end_, size = round_up(rows * pitch, 512);
    ranges_.push_back({base, size});
    end_ += size;
    return base;
  }
  [[nodiscard]] std::int64_t end() const { return end_; }
  [[nodiscard]] const std::vector<UbRange>& ranges() const { return ranges_; }

 private:
  std::int64_t end_;
  std::vector<UbRange> ranges_{};
};

std::int64_t pitch_of(std::int64_t elements, DType type) {
  return round_up(elements * size_of(type), kBlock);
}

/// Most rows of a tile so that every core has one.
std::int64_t share(std::int64_t rows, int cores) {
  return std::max<std::int64_t>(1, ceil_div(rows, cores));
}

/// rows x width elements between GM and UB.
struct Block {
  Val gm{};
  std::int64_t ub = 0, ub_pitch = 0, gm_pitch = 0;  // pitches in bytes
  Val length{}, rows{};                             // bytes of a row
};

void load(Builder& builder, const Block& block) {
  builder.add<Op::load>({{"dst", block.ub},
                         {"src", block.gm},
                         {"len", block.length},
                         {"rows", block.rows},
                         {"dstride", block.ub_pitch},
                         {"sstride", block.gm_pitch}});
}
void store(Builder& builder, const Block& block) {
  builder.add<Op::store>({{"dst", block.gm},
                          {"src", block.ub},
                          {"len", block.length},
                          {"rows", block.rows},
                          {"dstride", block.gm_pitch},
                          {"sstride", block.ub_pitch}});
}

void convert(Builder& builder, DType from, DType to, std::int64_t dst, std::int64_t dst_pitch,
             std::int64_t src, std::int64_t src_pitch, Val count, Val rows) {
  builder.add<Op::vcvt>({{"dtype", code(from)},
                         {"to", code(to)},
                         {"dst", dst},
                         {"a", src},
                         {"count", count},
                         {"rows", rows},
                         {"dstride", dst_pitch},
                         {"astride", src_pitch}});
}

/// Where the parts of a row gather's tile lie.
struct GatherTile {
  std::int64_t rows = 1, piece = 1;
  std::int64_t table = 0, table_pitch = 0, given = 0, given_pitch = 0;
  std::int64_t index = 0, moved = 0, index_pitch = 0, mask = 0, mask_pitch = 0;
  std::int64_t out = 0, out_pitch = 0, end = 0;
  std::vector<UbRange> ranges{};
};

GatherTile lay_out(const RowGatherKernel& kernel, const Machine& machine, std::int64_t rows,
                   std::int64_t piece) {
  Buffers buffers(machine);
  GatherTile tile;
  tile.rows = rows;
  tile.piece = piece;
  const std::int64_t index_rows = kernel.shared ? 1 : rows;
  tile.table_pitch = pitch_of(kernel.size, kernel.dtype);
  tile.given_pitch = pitch_of(piece, kernel.index_type);
  tile.index_pitch = pitch_of(piece, DType::I32);
  tile.mask_pitch = pitch_of(piece, DType::Bool);
  tile.out_pitch = pitch_of(piece, kernel.dtype);
  tile.table = buffers.take(rows, tile.table_pitch);
  tile.given = buffers.take(index_rows, tile.given_pitch);
  tile.index =
      kernel.index_type == DType::I32 ? tile.given : buffers.take(index_rows, tile.index_pitch);
  tile.moved = buffers.take(index_rows, tile.index_pitch);
  tile.mask = buffers.take(index_rows, tile.mask_pitch);
  tile.out = buffers.take(rows, tile.out_pitch);
  tile.end = buffers.end();
  tile.ranges = buffers.ranges();
  return tile;
}

GatherTile choose(const RowGatherKernel& kernel, const Machine& machine, int cores) {
  std::int64_t piece = std::min<std::int64_t>(kernel.count, 2048);
  std::int64_t rows = std::min<std::int64_t>(share(kernel.rows, cores), 128);
  const std::int64_t room = machine.ub.size.count();
  while (rows > 1 && lay_out(kernel, machine, rows, piece).end > room) rows = (rows + 1) / 2;
  while (piece > 16 && lay_out(kernel, machine, rows, piece).end > room) piece = (piece + 1) / 2;
  return lay_out(kernel, machine, rows, piece);
}

/// Numbers of the tile as I32 from 0: those below 0 count from the end.
void prepare_numbers(Builder& builder, const RowGatherKernel& kernel, const GatherTile& tile,
                     Val count, Val rows) {
  if (kernel.index_type != DType::I32) {
    convert(builder, kernel.index_type, DType::I32, tile.index, tile.index_pitch, tile.given,
            tile.given_pitch, count, rows);
  }
  builder.add<Op::vcmps>({{"dtype", code(DType::I32)},
                          {"dst", tile.mask},
                          {"a", tile.index},
                          {"s", 0},
                          {"count", count},
                          {"rows", rows},
                          {"dstride", tile.mask_pitch},
                          {"astride", tile.index_pitch},
                          {"order", static_cast<int>(Order::Lt)}});
  builder.add<Op::vadds>({{"dtype", code(DType::I32)},
                          {"dst", tile.moved},
                          {"a", tile.index},
                          {"s", kernel.size},
                          {"count", count},
                          {"rows", rows},
                          {"dstride", tile.index_pitch},
                          {"astride", tile.index_pitch}});
  builder.add<Op::vsel>({{"dtype", code(DType::I32)},
                         {"dst", tile.moved},
                         {"mask", tile.mask},
                         {"a", tile.moved},
                         {"b", tile.index},
                         {"count", count},
                         {"rows", rows},
                         {"dstride", tile.index_pitch},
                         {"mstride", tile.mask_pitch},
                         {"astride", tile.index_pitch},
                         {"bstride", tile.index_pitch}});
}

Program finished(Builder& builder, const std::string& name,
                 std::initializer_list<std::pair<Argument::Kind, const char*>> arguments) {
  Program program;
  program.name = name;
  builder.link(program);
  for (const auto& [kind, argument] : arguments) program.arguments.push_back({kind, argument, 0});
  return program;
}

}  // namespace

bool fits(const RowGatherKernel& kernel, const Machine& machine) {
  return kernel.size <= INT32_MAX &&
         choose(kernel, machine, 1 << 20).end <= machine.ub.size.count();
}

std::int64_t longest_row(RowGatherKernel kernel, const Machine& machine) {
  std::int64_t fitting = 0, beyond = machine.ub.size.count() + 1;  // an element takes a byte
  while (beyond - fitting > 1) {
    kernel.size = (fitting + beyond) / 2;
    (fits(kernel, machine) ? fitting : beyond) = kernel.size;
  }
  return fitting;
}

CopyLimits limits_of(const RowGatherKernel& kernel) {
  return {{kernel.rows, kernel.count}, 1};
}

CopyPlan schedule_row_gather(const RowGatherKernel& kernel, const Machine& machine, int cores,
                             const CopyChoice& choice) {
  const BoxChoice box = box_of(choice, 0);
  const GatherTile tile = box.tile ? lay_out(kernel, machine, box.tile->front(), box.tile->back())
                                   : choose(kernel, machine, cores);
  CopySchedule schedule;
  schedule.tile = {tile.rows, tile.piece};
  schedule.tiles = ceil_div(kernel.rows, tile.rows) * ceil_div(kernel.count, tile.piece);
  schedule.end = tile.end;
  const std::int64_t used = std::min<std::int64_t>(cores, schedule.tiles);
  return {{std::move(schedule)}, static_cast<int>(used)};
}

Program emit_row_gather(const RowGatherKernel& kernel, const CopyPlan& plan,
                        const Machine& machine) {
  const std::vector<std::int64_t>& steps = plan.boxes.front().tile;
  const GatherTile tile = lay_out(kernel, machine, steps.front(), steps.back());
  Builder builder(vector_kind(machine));
  const Val data = builder.argument(0), index = builder.argument(1), out = builder.argument(2);
  const std::array dims = {kernel.rows, kernel.count};
  TileWalk walk(builder, dims, steps);
  const std::size_t begin = builder.code().size();
  const TilePosition position = walk.begin();
  const std::int64_t size = size_of(kernel.dtype), index_size = size_of(kernel.index_type);
  const Val rows = position.extent[0], count = position.extent[1];
  const Val index_rows = kernel.shared ? Val(1) : rows;
  const std::array table_stride = {kernel.size, std::int64_t{0}};
  const std::array index_stride = {kernel.shared ? 0 : kernel.count, std::int64_t{1}};
  const std::array out_stride = {kernel.count, std::int64_t{1}};
  load(builder, {address(builder, data, position, table_stride, size), tile.table, tile.table_pitch,
                 kernel.size * size, kernel.size * size, rows});
  load(builder,
       {address(builder, index, position, index_stride, index_size), tile.given, tile.given_pitch,
        kernel.count * index_size, builder.compute(Op::smul, count, index_size), index_rows});
  prepare_numbers(builder, kernel, tile, count, index_rows);
  builder.add<Op::vgather>({{"dtype", code(kernel.dtype)},
                            {"dst", tile.out},
                            {"a", tile.table},
                            {"index", tile.moved},
                            {"count", count},
                            {"rows", rows},
                            {"limit", kernel.size},
                            {"dstride", tile.out_pitch},
                            {"astride", tile.table_pitch},
                            {"istride", kernel.shared ? 0 : tile.index_pitch}});
  store(builder, {address(builder, out, position, out_stride, size), tile.out, tile.out_pitch,
                  kernel.count * size, builder.compute(Op::smul, count, size), rows});
  walk.end();
  add_loop(builder, begin, walk.count(), tile.ranges);
  using enum Argument::Kind;
  return finished(builder, kernel.name, {{Input, "data"}, {Input, "index"}, {Output, "out"}});
}

namespace {

/// Bytes of UB for the tiles of a sort.
std::int64_t sorting_room(const Machine& machine) {
  return machine.ub.size.count() - ub_begin(machine) - 4 * 512;
}

}  // namespace

std::int64_t longest_row(const TopKernel& kernel, const Machine& machine) {
  const std::int64_t left = sorting_room(machine) - pitch_of(kernel.count, DType::I64) - 3 * kBlock;
  return left / (2 * size_of(kernel.dtype) + size_of(DType::I32));
}

Program emit_top(const TopKernel& kernel, const Machine& machine, int& cores) {
  const std::int64_t size = size_of(kernel.dtype);
  const std::int64_t pitch = pitch_of(kernel.size, kernel.dtype);
  const std::int64_t index_pitch = pitch_of(kernel.size, DType::I32);
  const std::int64_t place_pitch = pitch_of(kernel.count, DType::I64);
  const std::int64_t room = sorting_room(machine);
  const std::int64_t row = 2 * pitch + index_pitch + place_pitch;
  if (row > room) {
    throw Error(fmt::format(
        "node '{}': sorts rows of {} elements, but a row, its order and its places must fit the "
        "{} bytes of UB; take fewer of them",
        kernel.name, kernel.size, room));
  }
  const std::int64_t tile_rows =
      std::min({share(kernel.rows, cores), room / row, std::int64_t{64}});
  Buffers buffers(machine);
  const std::int64_t given = buffers.take(tile_rows, pitch),
                     sorted = buffers.take(tile_rows, pitch);
  const std::int64_t order = buffers.take(tile_rows, index_pitch);
  const std::int64_t places = buffers.take(tile_rows, place_pitch);
  Builder builder(vector_kind(machine));
  const Val data = builder.argument(0), values = builder.argument(1), where = builder.argument(2);
  const std::array dims = {kernel.rows}, steps = {tile_rows};
  TileWalk walk(builder, dims, steps);
  const std::size_t begin = builder.code().size();
  const TilePosition position = walk.begin();
  const Val rows = position.extent[0];
  const std::array whole = {kernel.size}, part = {kernel.count};
  load(builder, {address(builder, data, position, whole, size), given, pitch, kernel.size * size,
                 kernel.size * size, rows});
  const auto negate = [&](std::int64_t at, std::int64_t count) {
    if (kernel.largest) return;
    builder.add<Op::vneg>({{"dtype", code(kernel.dtype)},
                           {"dst", at},
                           {"a", at},
                           {"count", count},
                           {"rows", rows},
                           {"dstride", pitch},
                           {"astride", pitch}});
  };
  negate(given, kernel.size);
  builder.add<Op::vsort>({{"dtype", code(kernel.dtype)},
                          {"dst", sorted},
                          {"index", order},
                          {"a", given},
                          {"count", kernel.size},
                          {"rows", rows},
                          {"dstride", pitch},
                          {"istride", index_pitch},
                          {"astride", pitch}});
  negate(sorted, kernel.count);
  convert(builder, DType::I32, DType::I64, places, place_pitch, order, index_pitch, kernel.count,
          rows);
  store(builder, {address(builder, values, position, part, size), sorted, pitch,
                  kernel.count * size, kernel.count * size, rows});
  store(builder, {address(builder, where, position, part, 8), places, place_pitch, kernel.count * 8,
                  kernel.count * 8, rows});
  walk.end();
  add_loop(builder, begin, walk.count(), buffers.ranges());
  cores = static_cast<int>(std::min<std::int64_t>(cores, ceil_div(kernel.rows, tile_rows)));
  using enum Argument::Kind;
  return finished(builder, kernel.name, {{Input, "data"}, {Output, "values"}, {Output, "places"}});
}

}  // namespace dvmsim
