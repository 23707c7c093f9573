#include "compiler/schedule/long_reduce.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/container/small_vector.hpp>
#include <iterator>
#include <limits>
#include <optional>

#include "compiler/schedule/buffer_place.h"
#include "compiler/schedule/line_traffic.h"
#include "compiler/schedule/long_join.h"
#include "compiler/schedule/vector_parts.h"
#include "vm/base/rounding.h"
#include "vm/machine/derived.h"

namespace dvmsim {
namespace {

using isa::Op;

/// Steps and moves, for the size of the code; joins included.
std::size_t steps_of(const PhasedKernel& phased) {
  std::size_t steps =
      phased.start.size() + 2 * (phased.kernel.inputs.size() + phased.kernel.outputs.size() + 4);
  for (const Phase& phase : phased.phases) {
    steps += phase.steps.size() + phase.finish.size() + 6 * phase.accumulators.size() +
             2 * (phase.inputs.size() + phase.outputs.size()) + 8;
  }
  return steps;
}

BufferPlacer placer_of(const PhasedKernel& phased) {
  boost::container::small_vector<std::span<const KernelStep>, 8> stretches;
  for (const Phase& phase : phased.phases) stretches.emplace_back(phase.steps);
  std::vector<bool> is_short = phased.is_long;
  is_short.flip();
  return {phased.kernel, std::span(stretches.data(), stretches.size()), is_short};
}

double rate(Rate r) {
  return r.per_cycle().value();
}
double cycles(Cycles c) {
  return static_cast<double>(c.count());
}

/// The machine's numbers as the estimate needs them: cycles, and bytes a cycle.
struct Numbers {
  explicit Numbers(const Machine& machine)
      : load_latency(cycles(machine.mte2.latency + machine.l2.read_latency.cycles() +
                            machine.hbm.latency.cycles())),
        store_latency(cycles(machine.mte3.latency + machine.l2.write_latency.cycles())),
        hop(cycles(machine.xflag.latency.cycles())),
        gap(cycles(machine.mte2.issue_gap)),
        fixed(cycles(machine.vector.fixed)),
        step(cycles(machine.vector.fixed + machine.vector.tail)),
        repeat(static_cast<double>(machine.vector.repeat.count())),
        per_core(cycles(cycles_in(machine.launch.per_core, machine.clock.core))),
        hbm(rate(machine.hbm.peak) * machine.hbm.efficiency.value()),
        l2_read(rate(machine.l2.read)),
        load(rate(load_rate(machine, Space::UB, true))),
        load_again(rate(machine.mte2.gm_to_ub)),
        store(rate(machine.mte3.ub_to_gm)),
        write_cost(machine.hbm.write_cost.value()) {}
  double load_latency, store_latency, hop, gap, fixed, step, repeat, per_core;
  double hbm, l2_read, load, load_again, store, write_cost;
};

/// Tries tiles, lengths of a piece, and cores to a row.
class LongScheduler {
 public:
  /// What takes `limit` cycles or more is not looked at.
  LongScheduler(const PhasedKernel& phased, const Machine& machine, int cores,
                const VectorChoice& choice = {}, double limit = std::numeric_limits<double>::max())
      : phased_(phased),
        kernel_(phased.kernel),
        machine_(machine),
        numbers_(machine),
        written_back_(written_back_share(phased.kernel, machine)),
        lines_(machine),
        placer_(placer_of(phased)),
        begin_(ub_begin(machine, steps_of(phased))),
        choice_(choice),
        cores_(choice.cores.value_or(cores)),
        limit_(limit),
        has_other_(limit < std::numeric_limits<double>::max()),
        code_(decode_cycles(machine, steps_of(phased))) {
    for (const Phase& phase : phased.phases) {
      latency_ += numbers_.load_latency + (phase.outputs.empty() ? 0 : numbers_.store_latency);
      for (const KernelStep& step : phase.steps) {
        const bool reduces = step.op == Op::vredx || step.op == Op::vredy;
        const KernelValue& value =
            kernel_.values[static_cast<std::size_t>(reduces ? step.source[0] : step.result)];
        if (value.extent != Extent::Full || value.uniform) continue;
        element_ += size_of(value.dtype) / numbers_.repeat * weight(step.op);
      }
    }
  }

  /// With so many copies of what is moved.
  LongSchedule run(int copies) {
    copies_ = copies;
    best_ = {};
    compared_ = 0;
    const std::size_t moved = std::max(kernel_.inputs.size(), kernel_.outputs.size());
    const bool counts = copies_ == 1 || copies_ * static_cast<int>(moved) <= machine_.flag.max;
    if (machine_.flag.ids < kLongFlags || !counts) return {};
    const std::int64_t shorts = kernel_.dims[phased_.short_dim()];
    for (std::int64_t tile : tiles_of(shorts)) {
      longest_ = -1;
      const std::int64_t tiles = kernel_.outer() * ceil_div(shorts, tile);
      if (choice_.parts) {
        if (*choice_.parts == 1 || *choice_.parts <= cores_) try_parts(tile, tiles, *choice_.parts);
        continue;
      }
      try_parts(tile, tiles, 1);
      const std::int64_t most = cores_ / tiles;
      for (std::int64_t parts = most; parts > 1; parts /= 2) try_parts(tile, tiles, parts);
    }
    best_.candidates = compared_;
    return std::move(best_);
  }

  /// The same tiles with so many bytes left free before the first buffer; nothing if they do not
  /// fit there.
  [[nodiscard]] LongSchedule placed_again(LongSchedule schedule, std::int64_t skipped) const {
    schedule.phases = placer_.place(schedule.tile(), depth(), begin_ + skipped);
    schedule.joins.clear();
    schedule.workspace = 0;
    const bool fits = schedule.phases.front().ub_end <= machine_.ub.size.count();
    if (!fits || (schedule.parts > 1 && !add_joins(schedule))) return {};
    return schedule;
  }

  /// The estimate; the vector pipe's part as it is measured, if it is.
  void judge(LongSchedule& trial, const VectorMeasure* measure = nullptr) const;

  /// The layout with a piece of the least length.
  [[nodiscard]] bool has_tile() const {
    const VectorTile least = tile_of(least_short(), unit());
    return machine_.flag.ids >= kLongFlags &&
           placer_.end_of(least, {}, begin_) <= machine_.ub.size.count();
  }

 private:
  [[nodiscard]] BufferDepth depth() const { return {copies_, copies_}; }
  [[nodiscard]] std::int64_t least_short() const {
    return phased_.over_columns ? 1
                                : std::min<std::int64_t>(kernel_.dims[phased_.short_dim()], kBlock);
  }
  /// Long elements come in multiples of it.
  [[nodiscard]] std::int64_t unit() const { return long_unit(phased_); }
  [[nodiscard]] std::optional<std::int64_t> chosen(bool is_long) const {
    return is_long == phased_.over_columns ? choice_.columns : choice_.rows;
  }
  [[nodiscard]] VectorTile tile_of(std::int64_t shorts, std::int64_t longs) const {
    return phased_.over_columns ? VectorTile{shorts, longs} : VectorTile{longs, shorts};
  }

  [[nodiscard]] std::vector<std::int64_t> tiles_of(std::int64_t shorts) const {
    if (const auto only = chosen(false)) return {*only};
    std::vector<std::int64_t> found;
    found.reserve(32);
    const std::int64_t least = least_short();
    if (!phased_.over_columns) {
      for (std::int64_t size = shorts; size > least; size = ceil_div(size, 2)) {
        found.push_back(size);
      }
    }
    for (std::int64_t groups = 1; groups <= cores_; groups *= 2) {
      const std::int64_t spread = std::max<std::int64_t>(1, groups / kernel_.outer());
      found.push_back(std::min(shorts, round_up(ceil_div(shorts, spread), least)));
    }
    for (std::int64_t size = least; size <= 16 * least; size *= 2) {
      found.push_back(std::min(shorts, size));
    }
    found.push_back(std::min(shorts, round_up(ceil_div(shorts, cores_), least)));
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    return found;
  }

  /// The longest piece of a part that fits, or 0.
  [[nodiscard]] std::int64_t longest_piece(std::int64_t shorts, std::int64_t part) {
    if (longest_ < 0) longest_ = longest_piece(shorts);
    return std::min(longest_, round_up(part, unit()));
  }
  [[nodiscard]] std::int64_t longest_piece(std::int64_t shorts) const {
    const std::int64_t units = ceil_div(kernel_.dims[phased_.long_dim()], unit());
    return unit() * most_that_fit(units, machine_.ub.size.count(), [&](std::int64_t count) {
             return placer_.end_of(tile_of(shorts, count * unit()), depth(), begin_);
           });
  }

  void try_parts(std::int64_t shorts, std::int64_t tiles, std::int64_t parts) {
    const std::int64_t longs = kernel_.dims[phased_.long_dim()];
    const std::int64_t part = std::min(longs, round_up(ceil_div(longs, parts), 2 * unit()));
    parts = ceil_div(longs, part);
    // Cores of shared rows wait for all others once a row: each takes as many.
    const std::int64_t rows_each = ceil_div(tiles, std::max<std::int64_t>(1, cores_ / parts));
    if (parts > 1 && tiles % rows_each != 0) return;
    if (least_cycles(shorts, tiles, part, parts) >= std::min(limit_, best_total())) return;
    LongSchedule trial;
    trial.tiles = tiles;
    trial.parts = static_cast<int>(parts);
    trial.part = part;
    trial.copies = copies_;
    std::int64_t before = 0;
    for (std::int64_t length : pieces_of(shorts, part)) {
      ++compared_;
      if (length == before) continue;  // no better than it was
      before = length;
      // Whole rows are what a tile without phases has, and with less ado.
      if (parts == 1 && length >= part && has_other_) continue;
      const VectorTile tile = tile_of(shorts, length);
      const VectorSchedule sketch{
          .tile = tile, .pitch = pitch_of(kernel_, tile.columns), .piece = piece_of(kernel_, tile)};
      trial.phases.assign(phased_.phases.size(), sketch);
      judge(trial);
      // Only what would be the best so far is placed.
      if (trial.total >= best_total()) continue;
      if (placer_.end_of(tile, depth(), begin_) > machine_.ub.size.count()) continue;
      LongSchedule placed = trial;
      placed.phases = placer_.place(tile, depth(), begin_);
      if (parts > 1 && !add_joins(placed)) continue;
      best_ = std::move(placed);
    }
  }

  [[nodiscard]] double best_total() const {
    return best_.phases.empty() ? std::numeric_limits<double>::max() : best_.total;
  }
  /// What judge() finds in any pieces is no less.
  [[nodiscard]] double least_cycles(std::int64_t shorts, std::int64_t tiles, std::int64_t part,
                                    std::int64_t parts) const {
    const std::int64_t rounds = ceil_div(tiles, std::max<std::int64_t>(1, cores_ / parts));
    const auto used = static_cast<double>(ceil_div(tiles, rounds) * parts);
    const auto elements = static_cast<double>(shorts * part);
    return numbers_.per_core * used + code_ +
           static_cast<double>(rounds) * (latency_ + element_ * elements);
  }

  /// Lengths of a piece: the one chosen, or even shares not much shorter than the longest.
  [[nodiscard]] std::vector<std::int64_t> pieces_of(std::int64_t shorts, std::int64_t part) {
    if (const auto only = chosen(true)) return {*only};
    const std::int64_t most = longest_piece(shorts, part);
    if (most == 0) return {};
    const std::int64_t least = ceil_div(part, most);
    std::vector<std::int64_t> lengths;
    lengths.reserve(3);
    for (std::int64_t pieces : {least, least + 1, 2 * least}) {
      lengths.push_back(round_up(ceil_div(part, pieces), unit()));
    }
    return lengths;
  }

  bool add_joins(LongSchedule& trial) const {
    const VectorTile tile = trial.tile();
    trial.slot = round_up(8 * (phased_.over_columns ? tile.rows : tile.columns), kBlock);
    const std::int64_t all = trial.slot * trial.parts * trial.tiles;
    for (const Phase& phase : phased_.phases) {
      JoinMaker maker(phased_, trial.phases.front(), trial.parts);
      std::vector<PhaseJoin> joins;
      for (const Accumulator& one : phase.accumulators) {
        joins.push_back(maker.make(one));
        for (std::size_t i = 0; i < joins.back().accumulated.size(); ++i) {
          joins.back().offset.push_back(trial.workspace);
          trial.workspace += all;
        }
      }
      if (maker.end() > machine_.ub.size.count()) return false;
      trial.joins.push_back(std::move(joins));
    }
    return true;
  }

  [[nodiscard]] bool may_stream(const LongSchedule& trial) const;
  [[nodiscard]] double step_cycles(const KernelStep& step, const VectorSchedule& schedule) const;
  [[nodiscard]] double moved(const std::vector<int>& which,
                             const std::vector<KernelTensor>& tensors, VectorTile tile) const;

  [[nodiscard]] Fetched fetched(const std::vector<int>& inputs, VectorTile tile) const;

  const PhasedKernel& phased_;
  const VectorKernel& kernel_;
  const Machine& machine_;
  Numbers numbers_;
  double written_back_;
  LineTraffic lines_;
  BufferPlacer placer_;
  std::int64_t begin_;
  VectorChoice choice_;
  int cores_, copies_ = 1;
  double limit_;
  bool has_other_;                    // a schedule of whole rows that takes about as long as that
  double code_;                       // cycles to decode all phases once
  double latency_ = 0, element_ = 0;  // cycles of a tile, and of each of its elements, at least
  std::int64_t longest_ = -1;         // piece of the tile that is tried; -1: not known yet
  LongSchedule best_{};
  int compared_ = 0;
};

/// Where large buffers lie in the banks of UB decides which reads and writes meet in one; a little
/// further on it may be others.
constexpr std::int64_t kSkipped = 2048;

double LongScheduler::step_cycles(const KernelStep& step, const VectorSchedule& schedule) const {
  const bool reduces = step.op == Op::vredx || step.op == Op::vredy;
  const auto shaped = static_cast<std::size_t>(reduces ? step.source[0] : step.result);
  const std::int64_t bytes =
      bytes_of(kernel_.values[shaped], schedule.tile, schedule.pitch, schedule.piece);
  return numbers_.step + static_cast<double>(bytes) / numbers_.repeat * weight(step.op);
}

double LongScheduler::moved(const std::vector<int>& which, const std::vector<KernelTensor>& tensors,
                            VectorTile tile) const {
  double bytes = 0;
  for (int i : which) {
    const KernelTensor& tensor = tensors[static_cast<std::size_t>(i)];
    const KernelValue& value = kernel_.values[static_cast<std::size_t>(tensor.value)];
    bytes += static_cast<double>(bytes_of(value, tile, tile.columns));
  }
  return bytes;
}

Fetched LongScheduler::fetched(const std::vector<int>& inputs, VectorTile tile) const {
  Fetched sum;
  for (int input : inputs) {
    const Fetched one = lines_.of(kernel_, kernel_.inputs[static_cast<std::size_t>(input)], tile);
    sum.bytes += one.bytes;
    sum.kept += one.kept;
  }
  return sum;
}

/// Every tensor that is moved in pieces has a flag of its own. Copies take turns from the first one
/// on in every phase: it must end with the last.
bool LongScheduler::may_stream(const LongSchedule& trial) const {
  constexpr std::size_t kMost = isa::kFlagIds - kLongFlags;
  const bool counts = kernel_.inputs.size() <= kMost && kernel_.outputs.size() <= kMost &&
                      machine_.flag.ids == isa::kFlagIds;
  const auto is_loaded = [&](const KernelTensor& output) {
    return std::any_of(kernel_.inputs.begin(), kernel_.inputs.end(),
                       [&](const KernelTensor& input) { return input.value == output.value; });
  };
  if (!counts || std::any_of(kernel_.outputs.begin(), kernel_.outputs.end(), is_loaded)) {
    return false;
  }
  if (copies_ == 1) return true;
  const std::int64_t length = phased_.over_columns ? trial.tile().columns : trial.tile().rows;
  return trial.parts == 1 && ceil_div(trial.part, length) % copies_ == 0;
}

/// As the estimate of vector.cpp, for each phase; what a later phase loads again comes from L2.
void LongScheduler::judge(LongSchedule& trial, const VectorMeasure* measure) const {
  const int copies = copies_;
  const std::int64_t rounds = ceil_div(trial.tiles, std::max(1, cores_ / trial.parts));
  const std::int64_t groups = ceil_div(trial.tiles, rounds);
  trial.cores = static_cast<int>(groups * trial.parts);
  const double used = trial.cores;
  const double load_latency = numbers_.load_latency, store_latency = numbers_.store_latency;
  const double gap = numbers_.gap, hbm = numbers_.hbm;
  const std::int64_t length = phased_.over_columns ? trial.tile().columns : trial.tile().rows;
  const auto pieces = static_cast<double>(ceil_div(trial.part, length));
  trial.streams = may_stream(trial);
  double once = 0, saved = 0;  // of a row; of that, where it does not wait for its loads
  double spare = 0;            // that vectors work since the last piece's buffer was free
  for (const KernelStep& step : phased_.start) once += step_cycles(step, trial.phases[0]);
  boost::container::small_vector<bool, 16> loaded(kernel_.inputs.size(), false);
  for (std::size_t i = 0; i < phased_.phases.size(); ++i) {
    const Phase& phase = phased_.phases[i];
    const VectorSchedule& schedule = trial.phases[i];
    const bool again = std::all_of(phase.inputs.begin(), phase.inputs.end(), [&](int input) {
      return loaded[static_cast<std::size_t>(input)];
    });
    for (int input : phase.inputs) loaded[static_cast<std::size_t>(input)] = true;
    const double in = moved(phase.inputs, kernel_.inputs, schedule.tile);
    const double out = moved(phase.outputs, kernel_.outputs, schedule.tile);
    const double load = std::max(in / (again ? numbers_.load_again : numbers_.load),
                                 gap * static_cast<double>(phase.inputs.size()));
    const double store =
        std::max(out / numbers_.store, gap * static_cast<double>(phase.outputs.size()));
    VectorPart part;
    if (measure != nullptr) {
      part = vector_part(*measure, kernel_, phase.steps, schedule);
    } else {
      for (const KernelStep& step : phase.steps) part.all += step_cycles(step, schedule);
      part.reading = part.writing = part.all;
    }
    const double vector = part.all;
    const Fetched lines = fetched(phase.inputs, schedule.tile);
    const double kept = again ? lines.kept : 0;
    const double memory = used * (kept / numbers_.l2_read + (lines.bytes - kept) / hbm +
                                  out * numbers_.write_cost * written_back_ / hbm);
    // Nothing else keeps memory busy while all cores load their first piece.
    const double first = std::max(load, used * (lines.bytes - kept) / hbm);
    const double there = load + load_latency + part.reading,
                 back = phase.outputs.empty() ? 0 : part.writing + store + store_latency;
    const double pace =
        pace_of(std::max({load, vector, store, there / copies, back / copies}), memory);
    once += load_latency + first + vector + store + (phase.outputs.empty() ? 0 : store_latency) +
            pace * (pieces - 1);
    const double asked = copies > 1 ? load_latency + first : std::min(spare, load_latency + first);
    saved += (i == 0 ? 0 : asked) + store + (phase.outputs.empty() ? 0 : store_latency);
    spare = vector - part.reading;
    for (const KernelStep& step : phase.finish) once += step_cycles(step, schedule);
    if (trial.parts > 1 && !phase.accumulators.empty()) {
      const double steps = static_cast<double>(phase.accumulators.size()) * 5;
      once += load_latency + store_latency + numbers_.hop + steps * numbers_.fixed;
    }
  }
  // Between rows as between phases: the last phase's spare time is the next row's.
  const double next = trial.streams ? saved + std::min(spare, load_latency) : 0;
  trial.total = numbers_.per_core * used + code_ + once * static_cast<double>(rounds) -
                next * static_cast<double>(rounds - 1) - (trial.streams ? saved : 0);
}

}  // namespace

std::int64_t long_unit(const PhasedKernel& phased) {
  return phased.over_columns ? kBankTurn / 4 : 1;
}

LongSchedule schedule_long(const PhasedKernel& phased, const Machine& machine, int cores,
                           double limit, const VectorChoice& choice) {
  const int copies = choice.loads.value_or(choice.stores.value_or(1));
  return LongScheduler(phased, machine, cores, choice, limit).run(copies);
}

LongSchedule schedule_long(const PhasedKernel& phased, const Machine& machine, int cores,
                           const VectorMeasure& measure, double limit, const VectorChoice& choice) {
  constexpr double kMeasuredLess = 0.75;  // of what is estimated; never seen
  LongSchedule best;
  int compared = 0;
  LongScheduler scheduler(phased, machine, cores, choice, limit / kMeasuredLess);
  const auto consider = [&](LongSchedule found) {
    if (found.phases.empty()) return;
    scheduler.judge(found, &measure);
    if (best.phases.empty() || found.total < best.total) best = std::move(found);
  };
  for (int copies = 1; copies <= 2; ++copies) {
    if (choice.loads.value_or(copies) != copies || choice.stores.value_or(copies) != copies) {
      continue;
    }
    const LongSchedule found = scheduler.run(copies);
    compared += found.candidates;
    if (found.phases.empty()) continue;
    consider(found);
    consider(scheduler.placed_again(found, kSkipped));
    ++compared;
  }
  best.candidates = compared;
  return best;
}

bool fits(const PhasedKernel& phased, const Machine& machine) {
  return LongScheduler(phased, machine, 1).has_tile();
}

std::string to_text(const LongSchedule& schedule) {
  const VectorTile tile = schedule.tile();
  return fmt::format(
      "{} tiles in {} parts of {} long elements, pieces of {} x {}, on {} cores, UB {} bytes\n"
      "  workspace {} bytes, {:.0f} cycles\n",
      schedule.tiles, schedule.parts, schedule.part, tile.rows, tile.columns, schedule.cores,
      schedule.phases.front().ub_end, schedule.workspace, schedule.total);
}

}  // namespace dvmsim
