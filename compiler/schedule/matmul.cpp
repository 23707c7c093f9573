#include "compiler/schedule/matmul.h"

#include <algorithm>
#include <array>

#include "compiler/schedule/matmul_legal.h"
#include "vm/base/error.h"

namespace dvmsim {

namespace {

/// Bytes of a rows x columns matrix as fractals.
std::int64_t nz_bytes(std::int64_t rows, std::int64_t columns, std::int64_t size) {
  return round_up(rows, kFractal) * round_up(columns * size, kFractalBytes);
}

}  // namespace

void refuse_matmul(const MatmulSpec& spec, const Machine& machine, const char* why) {
  throw Error("matmul " + std::to_string(spec.m) + "x" + std::to_string(spec.k) + "x" +
              std::to_string(spec.n) + " " + std::string(name_of(spec.in)) + " on " + machine.name +
              ": " + why);
}

void check_matmul(const MatmulSpec& spec, const Machine& machine) {
  if (machine.step(spec.in).k == 0) {
    refuse_matmul(spec, machine, "cube.step of this type is 0x0x0; convert the operands");
  }
  if (std::min({spec.m, spec.n, spec.k, spec.batch0, spec.batch1}) < 1) {
    refuse_matmul(spec, machine, "every size must be at least 1");
  }
}

int cores_for(const MatmulSpec& spec, const MatmulSchedule& schedule, const Machine& machine) {
  return static_cast<int>(std::min<std::int64_t>(tiles_of(spec, schedule), machine.cores.cube));
}

MatmulSpec packed(MatmulSpec spec) {
  const std::int64_t in = size_of(spec.in), out = size_of(spec.out);
  spec.a_stride = (spec.trans_a ? spec.m : spec.k) * in;
  spec.b_stride = (spec.trans_b ? spec.k : spec.n) * in;
  spec.c_stride = spec.n * out;
  spec.a_batch1 = spec.m * spec.k * in;
  spec.b_batch1 = spec.k * spec.n * in;
  spec.c_batch1 = spec.m * spec.n * out;
  spec.a_batch0 = spec.a_batch1 * spec.batch1;
  spec.b_batch0 = spec.b_batch1 * spec.batch1;
  spec.c_batch0 = spec.c_batch1 * spec.batch1;
  return spec;
}

std::span<const LoopName> loop_names() {
  static constexpr LoopName kLoops[] = {
      {isa::kShuffleK, "shuffle-k"},      {isa::kKeepOperands, "keep"},
      {isa::kUnitFlags, "unit-flags"},    {isa::kDrainSmall, "drain-small"},
      {isa::kDrainAll, "drain-all"},      {isa::kDrainBlocks, "drain-blocks"},
      {isa::kOneAccumulator, "one-tile"}, {isa::kContiguous, "ranges"},
      {isa::kEvenParts, "even-parts"}};
  return kLoops;
}

std::string to_string(const MatmulSchedule& schedule) {
  std::string text = std::to_string(schedule.tile_m) + "x" + std::to_string(schedule.tile_n) + "x" +
                     std::to_string(schedule.tile_k) + " " + isa::name_of(schedule.swizzle) +
                     std::to_string(schedule.width) + " " + std::to_string(schedule.cores) +
                     " cores";
  for (const LoopName& loop : loop_names()) {
    if ((schedule.loop & loop.bit) != 0) text += " " + std::string(loop.name);
  }
  if (schedule.shared != 0) text += " " + std::to_string(schedule.shared) + " shared";
  return text;
}

std::int64_t k_unit(const Machine& machine, DType in) {
  return std::max<std::int64_t>(kFractal, machine.cube.fractal_row.count() / size_of(in));
}

std::int64_t part_k(const MatmulSpec& spec, const MatmulSchedule& schedule,
                    const Machine& machine) {
  const std::int64_t size = size_of(spec.in);
  const std::int64_t a = machine.l0a.size.count() / 2 / (schedule.tile_m * size);
  const std::int64_t b = machine.l0b.size.count() / 2 / (schedule.tile_n * size);
  const std::int64_t unit = k_unit(machine, spec.in);
  const std::int64_t most = std::min(round_down(std::min(a, b), unit), schedule.tile_k);
  if ((schedule.loop & isa::kEvenParts) == 0 || most == 0) return most;
  return round_up(ceil_div(schedule.tile_k, ceil_div(schedule.tile_k, most)), unit);
}

std::int64_t a_block_bytes(const MatmulSpec& spec, const MatmulSchedule& schedule) {
  return spec.trans_a ? nz_bytes(schedule.tile_k, schedule.tile_m, size_of(spec.in))
                      : nz_bytes(schedule.tile_m, schedule.tile_k, size_of(spec.in));
}

std::int64_t b_block_bytes(const MatmulSpec& spec, const MatmulSchedule& schedule) {
  return spec.trans_b ? nz_bytes(schedule.tile_n, schedule.tile_k, size_of(spec.in))
                      : nz_bytes(schedule.tile_k, schedule.tile_n, size_of(spec.in));
}

bool fits(const MatmulSpec& spec, const MatmulSchedule& schedule, const Machine& machine) {
  if (schedule.tile_m % kFractal != 0 || schedule.tile_n % kFractal != 0) return false;
  if (schedule.tile_k < 1 || schedule.tile_k % k_unit(machine, spec.in) != 0) return false;
  if (spec.whole_rows && schedule.tile_n < spec.n) return false;
  if (schedule.tile_m * schedule.tile_n * 4 > machine.l0c.size.count()) return false;
  if (spec.bias && schedule.tile_n * 4 > machine.bt.size.count()) return false;
  const std::int64_t blocks = a_block_bytes(spec, schedule) + b_block_bytes(spec, schedule);
  const std::int64_t bias = spec.bias ? machine.bt.size.count() : 0;
  if (kStages * (blocks + bias) > machine.l1.size.count()) return false;
  return part_k(spec, schedule, machine) > 0;
}

std::int64_t tiles_m(const MatmulSpec& spec, const MatmulSchedule& schedule) {
  return ceil_div(spec.m, schedule.tile_m);
}
std::int64_t tiles_n(const MatmulSpec& spec, const MatmulSchedule& schedule) {
  return ceil_div(spec.n, schedule.tile_n);
}
std::int64_t tiles_of(const MatmulSpec& spec, const MatmulSchedule& schedule) {
  return spec.batch0 * spec.batch1 * tiles_m(spec, schedule) * tiles_n(spec, schedule);
}

isa::TilePlace place_of(const MatmulSpec& spec, const MatmulSchedule& schedule,
                        std::int64_t index) {
  return isa::place_of(index, tiles_m(spec, schedule), tiles_n(spec, schedule), schedule.swizzle,
                       schedule.width);
}

std::optional<Tiling> parse_tiling(std::string_view name) {
  constexpr std::array<std::string_view, 5> kNames = {"cost", "dvm", "dvm-v1", "dvm-v2", "dvm-v3"};
  const auto* found = std::find(kNames.begin(), kNames.end(), name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<Tiling>(found - kNames.begin());
}

}  // namespace dvmsim
