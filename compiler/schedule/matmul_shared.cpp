#include "compiler/schedule/matmul_shared.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "compiler/schedule/matmul_estimate.h"
#include "compiler/schedule/matmul_legal.h"

namespace dvmsim {
namespace {

double real(std::int64_t value) {
  return static_cast<double>(value);
}

double cycles_of(Picoseconds time, const Machine& machine) {
  return real(cycles_in(time, machine.clock.core).count());
}

/// Among the cube cores, and from one to its vector cores.
double hop_cycles(const Machine& machine) {
  return real(machine.xflag.latency.cycles().count());
}

}  // namespace

bool can_share(const MatmulSpec& spec, const Machine& machine) {
  const bool apart = !machine.cores.unified && machine.cores.per_group > 0 &&
                     machine.cores.vector >= machine.cores.cube * machine.cores.per_group;
  const bool floats = spec.in != DType::I8 && spec.out != DType::I32;
  return apart && floats && spec.atomic == isa::Atomic::None && machine.xflag.ids > 2;
}

std::int64_t left_over(const MatmulSpec& spec, const MatmulSchedule& schedule) {
  return tiles_of(spec, schedule) % schedule.cores;
}

isa::SharedTiles shared_tiles(const MatmulSpec& spec, const MatmulSchedule& schedule) {
  return {schedule.shared, ceil_div(spec.k, schedule.tile_k), schedule.cores};
}

std::int64_t piece_bytes(const MatmulSchedule& schedule) {
  return schedule.tile_m * schedule.tile_n * 4;
}

std::int64_t shared_workspace_bytes(const MatmulSpec& spec, const MatmulSchedule& schedule) {
  return schedule.shared * shared_tiles(spec, schedule).most_pieces() * piece_bytes(schedule);
}

SharedFinish finish_of(const MatmulSpec& spec, const MatmulSchedule& schedule,
                       const Machine& machine) {
  SharedFinish finish;
  const std::int64_t all = schedule.cores * machine.cores.per_group;
  const std::int64_t high = std::min(schedule.tile_m, spec.m);
  // Each core more takes time to start, and makes the others' part shorter.
  const double one = real(shared_tiles(spec, schedule).most_pieces() * high * schedule.tile_n * 4) /
                     machine.mte2.gm_to_ub.per_cycle().value();
  const double start = cycles_of(machine.launch.per_core, machine) * real(schedule.shared);
  const auto even = static_cast<std::int64_t>(std::sqrt(one / std::max(1.0, start)));
  finish.members = std::clamp<std::int64_t>(even, 1, std::min(high, all / schedule.shared));
  // Pieces, their sum, and the sum rectified and converted, each on rows of their own banks.
  constexpr std::int64_t kValues = 3, kBanks = 1024;
  const std::int64_t values = shared_tiles(spec, schedule).most_pieces() + kValues;
  const std::int64_t room = machine.ub_for_tiles(Bytes(kFinisherCode)).count();
  const std::int64_t fit = (room / values - kBanks) / (schedule.tile_n * 4);
  finish.rows = std::clamp<std::int64_t>(fit, 0, ceil_div(high, finish.members));
  return finish;
}

int finishing_cores(const MatmulSpec& spec, const MatmulSchedule& schedule,
                    const Machine& machine) {
  return static_cast<int>(finish_of(spec, schedule, machine).members * schedule.shared);
}

double finish_cycles(const MatmulSpec& spec, const MatmulSchedule& schedule,
                     const Machine& machine) {
  const SharedFinish finish = finish_of(spec, schedule, machine);
  const std::int64_t rows = ceil_div(std::min(schedule.tile_m, spec.m), finish.members);
  const double elements = real(rows * schedule.tile_n);
  const double pieces = real(shared_tiles(spec, schedule).most_pieces());
  double latency = 2 * hop_cycles(machine);
  for (const Cycles each : {machine.mte2.latency, machine.l2.read_latency.cycles(),
                            machine.mte3.latency, machine.l2.write_latency.cycles()}) {
    latency += real(each.count());
  }
  // Adding keeps up with loading.
  return latency + 4 * pieces * elements / machine.mte2.gm_to_ub.per_cycle().value() +
         real(size_of(spec.out)) * elements / machine.mte3.ub_to_gm.per_cycle().value();
}

double finish_start_cycles(const MatmulSpec& spec, const MatmulSchedule& schedule,
                           const Machine& machine) {
  return cycles_of(machine.launch.mix, machine) - cycles_of(machine.launch.cube, machine) +
         cycles_of(machine.launch.per_core, machine) * finishing_cores(spec, schedule, machine);
}

namespace {

/// Looks for a tile, and a k block, with which sharing takes less.
class SharedSearch {
 public:
  SharedSearch(const MatmulSpec& spec, const Machine& machine, const MatmulSchedule& alone,
               int cores, Finishers finishers)
      : spec_(spec),
        machine_(machine),
        estimate_(spec, machine),
        best_(alone),
        cores_(cores),
        own_(finishers == Finishers::Own) {
    start_ = cycles_of(machine.launch.per_core, machine);
    least_ = kGain * (estimate_.of_order(alone).total + start_ * alone.cores);
  }

  MatmulSchedule best() {
    if (estimate_.bound() + overhead() >= least_) return best_;
    struct Bounded {
      double bound = 0;
      MatmulSchedule tile{};
    };
    std::vector<Bounded> few;
    for (const MatmulSchedule& tile : matmul_candidates(spec_, machine_)) {
      const std::int64_t tiles = tiles_of(spec_, tile);
      if (tiles % cores_ == 0) continue;
      const double rounds = real(ceil_div(tiles, tile.cores));
      const double bound = estimate_.bound(tile) / rounds * real(tiles) / cores_ + overhead();
      if (bound < least_) few.push_back({bound, tile});
    }
    const auto count = std::min(few.size(), kTries);
    std::partial_sort(few.begin(), few.begin() + static_cast<std::ptrdiff_t>(count), few.end(),
                      [](const Bounded& a, const Bounded& b) { return a.bound < b.bound; });
    for (std::size_t i = 0; i < count && few[i].bound < least_; ++i) share(few[i].tile);
    return best_;
  }

 private:
  /// What the estimate cannot tell apart is not shared.
  static constexpr double kGain = 0.97;
  static constexpr std::size_t kTries = 6;  // bounds tell the others well enough
  static constexpr std::int64_t kRanges = 4, kShortest = 64;

  /// At least so much later than what the cube cores do.
  [[nodiscard]] double overhead() const {
    const double mixed =
        cycles_of(machine_.launch.mix, machine_) - cycles_of(machine_.launch.cube, machine_);
    return 2 * hop_cycles(machine_) + (own_ ? mixed : 0) + start_ * cores_;
  }

  /// Ranges of as few blocks as can be and of some more, as long as blocks are not very short.
  void share(MatmulSchedule tile) {
    const std::int64_t unit = k_unit(machine_, spec_.in), widest = tile.tile_k;
    const std::int64_t line = machine_.l2.line.count() / size_of(spec_.in);
    tile.cores = cores_;
    tile.shared = left_over(spec_, tile);
    choose_order(spec_, machine_, tile);
    const std::int64_t least = ceil_div(tile.shared * spec_.k, cores_ * widest);
    for (std::int64_t range = least; range < least + kRanges; ++range) {
      const std::int64_t blocks = std::max<std::int64_t>(1, cores_ * range / tile.shared);
      const std::int64_t even = ceil_div(spec_.k, blocks);
      if (even < kShortest && range > 1) return;
      const std::int64_t cut = round_up(even, unit), whole = round_up(even, line);
      for (const std::int64_t tile_k : {cut, whole}) {
        if (tile_k > widest || tile_k % unit != 0 || tile_k == tile.tile_k) continue;
        tile.tile_k = tile_k;
        judge(tile);
      }
    }
  }

  void judge(const MatmulSchedule& tile) {
    if (!shares(spec_, tile, machine_)) return;
    const double time = estimate_.of(tile).total + start_ * tile.cores +
                        (own_ ? finish_start_cycles(spec_, tile, machine_) : 0);
    if (time >= least_) return;
    least_ = time;
    best_ = tile;
  }

  const MatmulSpec& spec_;
  const Machine& machine_;
  MatmulEstimate estimate_;
  MatmulSchedule best_;
  int cores_;
  bool own_;  // the vector cores take part for this alone
  double start_ = 0, least_ = 0;
};

}  // namespace

bool shares(const MatmulSpec& spec, const MatmulSchedule& schedule, const Machine& machine) {
  return schedule.shared > 0 && schedule.shared <= schedule.cores && can_share(spec, machine) &&
         fits(spec, schedule, machine) && finish_of(spec, schedule, machine).rows > 0;
}

MatmulSchedule choose_shared(const MatmulSpec& spec, const Machine& machine,
                             const MatmulSchedule& alone, int cores, Finishers finishers) {
  if (!can_share(spec, machine)) return alone;
  return SharedSearch(spec, machine, alone, cores, finishers).best();
}

}  // namespace dvmsim
