#include "vm/isa/vector_cost.h"

#include <algorithm>
#include <bit>
#include <initializer_list>
#include <string>

#include "vm/base/error.h"
#include "vm/base/rounding.h"

namespace dvmsim::isa {
namespace {

constexpr std::int64_t kMostRepeats = 255;  // of one hardware instruction
constexpr std::int64_t kBlock = 32;         // bytes

/// So many fifths of a cycle.
const std::array<Rational, 11> kFifths = [] {
  std::array<Rational, 11> all{};
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = Rational(static_cast<std::int64_t>(i), 5);
  return all;
}();

/// Types a class may work on instead, nearest first; conversions to and from it are paid for.
std::array<DType, 2> instead(DType type) {
  using enum DType;
  switch (type) {
    case Bool:
    case I8:
    case U8:
      return {F16, F32};
    case I64:
    case I32:
      return {I32, F32};
    case F16:
      return {F32, F32};
    case BF16:
    case F32:
      return {F32, F16};
  }
  return {F32, F32};
}

/// The class that combines two values of a reduction.
constexpr VectorClass combining(Reduction how) {
  return how == Reduction::Prod  ? VectorClass::multiply
         : how == Reduction::Sum ? VectorClass::simple
                                 : VectorClass::minmax;
}

/// 64-bit integers are computed as halves of 32 bits: add and carry, or cross products. Assumed.
constexpr int kTimesForWide = 4;

/// Where a vector row keeps what a cost needs; -1: it has no such operand.
struct Lanes {
  int dst = -1, a = -1, b = -1, count = -1, rows = -1, dstride = -1, astride = -1, bstride = -1,
      how = -1;
  int dst_bytes = 0;  // of an element of dst; 0: the type's
};

Lanes lanes_of(const Row& row) {
  Lanes lanes{row.find("dst"),     row.find("a"),       row.find("b"),
              row.find("count"),   row.find("rows"),    row.find("dstride"),
              row.find("astride"), row.find("bstride"), row.find("how")};
  const Measure& width = row.operand[static_cast<std::size_t>(lanes.dst)].footprint.width;
  if (width.operand.empty()) lanes.dst_bytes = static_cast<int>(width.constant);
  return lanes;
}

const std::array<Lanes, 256> kLanes = [] {
  std::array<Lanes, 256> all{};
  for (const Row& row : rows()) {
    if (row.pipe == Pipe::Vector) all[static_cast<std::size_t>(row.op)] = lanes_of(row);
  }
  return all;
}();

const Lanes& lanes(const Command& command) {
  return kLanes[static_cast<std::size_t>(command.op)];
}

std::int64_t value(const Command& command, int lane, std::int64_t none) {
  return lane < 0 ? none : command.at(lane);
}

/// Rows follow each other without a gap in every operand of this width: one long row.
bool is_joined(const Command& command, int width) {
  const Lanes& l = lanes(command);
  const std::int64_t count = command.at(l.count);
  if (value(command, l.rows, 1) <= 1) return true;
  const auto packed = [&](int lane, int bytes) {
    return lane < 0 || command.at(lane) == count * bytes;
  };
  return packed(l.dstride, l.dst_bytes > 0 ? l.dst_bytes : width) && packed(l.astride, width) &&
         packed(l.bstride, width);
}

}  // namespace

VectorCost::VectorCost(const Machine& machine)
    : machine_(&machine), repeat_(machine.vector.repeat.count()) {
  find_routes();
  for (int c = 0; c < kVectorClasses; ++c) {
    for (const DType type : kDTypes) {
      lowered_[static_cast<std::size_t>(c)][static_cast<std::size_t>(type)] =
          lower(static_cast<VectorClass>(c), type);
    }
  }
}

std::int64_t VectorCost::fixed(VectorClass which) const {
  return (machine_->vector.fixed + machine_->vector_class(which).extra).count();
}

Rational VectorCost::per_repeat(VectorClass which, DType type) const {
  return Rational(repeat_ / size_of(type)) / machine_->rate(which, type);
}

bool VectorCost::has(VectorClass which, DType type) const {
  return machine_->supports(which, type) && machine_->rate(which, type).num() > 0;
}

VectorCost::Lowered VectorCost::lower(VectorClass which, DType type) const {
  if (has(which, type)) return {per_repeat(which, type), type, 1, fixed(which)};
  for (const DType as : instead(type)) {
    if (!has(which, as)) continue;
    return {per_repeat(which, as), as, type == DType::I64 ? kTimesForWide : 1, fixed(which)};
  }
  for (const DType as : kDTypes) {
    if (has(which, as)) return {per_repeat(which, as), as, 1, fixed(which)};
  }
  throw Error("vector.types: a class of vector operations has no type with a rate; give it one");
}

/// Conversions the hardware has (the guide's throughput table); others go by way of these.
void VectorCost::find_routes() {
  using enum DType;
  struct Pair {
    DType a, b;
  };
  constexpr Pair kDirect[] = {{I8, F16},   {U8, F16},   {Bool, F16}, {F16, F32}, {F16, I32},
                              {F32, BF16}, {BF16, I32}, {F32, I32},  {F32, I64}, {I32, I64}};
  const auto& rates = machine_->vector_class(VectorClass::convert).by_width;
  const auto hop = [&](DType a, DType b) {
    const int width = std::max(size_of(a), size_of(b));
    const bool is_byte = std::min(size_of(a), size_of(b)) == 1;
    const Rational rate = rates[width == 8 ? 3 : width == 4 ? 2 : is_byte ? 0 : 1];
    return Hop{width, Rational(repeat_ / width) / rate};
  };
  // Breadth first from each type: fewest conversions, earlier pairs first.
  for (const DType from : kDTypes) {
    auto& routes = route_[static_cast<std::size_t>(from)];
    std::array<bool, 8> seen{};
    seen[static_cast<std::size_t>(from)] = true;
    std::array<DType, 8> queue{from};
    for (std::size_t head = 0, end = 1; head < end; ++head) {
      const DType at = queue[head];
      for (const Pair& pair : kDirect) {
        if (pair.a != at && pair.b != at) continue;
        const DType next = pair.a == at ? pair.b : pair.a;
        if (seen[static_cast<std::size_t>(next)]) continue;
        seen[static_cast<std::size_t>(next)] = true;
        Route route = routes[static_cast<std::size_t>(at)];
        route.hop[static_cast<std::size_t>(route.hops++)] = hop(at, next);
        routes[static_cast<std::size_t>(next)] = route;
        queue[end++] = next;
      }
    }
  }
}

/// An instruction handles up to 255 repeats: of one run, or one of every row. Rows longer than a
/// repeat go column by column, or row by row if that is fewer.
VectorCost::Pieces VectorCost::pieces(std::int64_t rows, std::int64_t count, int width,
                                      bool joined) const {
  if (rows <= 0 || count <= 0) return {1, 0};
  if (joined) {
    const std::int64_t repeats = ceil_div(rows * count * width, repeat_);
    return {ceil_div(repeats, kMostRepeats), repeats};
  }
  const std::int64_t columns = ceil_div(count * width, repeat_);
  return {std::min(columns * ceil_div(rows, kMostRepeats), rows * ceil_div(columns, kMostRepeats)),
          rows * columns};
}

std::int64_t VectorCost::cycles(Pieces pieces, Rational per_repeat, std::int64_t fixed) const {
  return pieces.instructions * fixed + per_repeat.times_up(pieces.repeats);
}

std::int64_t VectorCost::hops(DType from, DType to, std::int64_t rows, std::int64_t count,
                              bool joined) const {
  std::int64_t sum = 0;
  const Route& way = route(from, to);
  for (int i = 0; i < way.hops; ++i) {
    const Hop& hop = way.hop[static_cast<std::size_t>(i)];
    sum +=
        cycles(pieces(rows, count, hop.width, joined), hop.per_repeat, fixed(VectorClass::convert));
  }
  return sum;
}

std::int64_t VectorCost::over(VectorClass which, DType type, std::int64_t rows, std::int64_t count,
                              bool joined) const {
  const Lowered& how = lowered(which, type);
  return how.times *
         cycles(pieces(rows, count, size_of(how.as), joined), how.per_repeat, how.fixed);
}

/// The read ports and the write port give each bank group one row of 32 B a cycle. Two sources in
/// one group take a second cycle; a write that falls into the bank and group of the next repeat's
/// reads stalls it. Measured (1000 additions of 64 repeats in ticks of 20 ns at 1.85 GHz): 88.4
/// cycles, with read-read conflict 154.2, with read-write conflict 138.8, that is 0.8 cycles more
/// per repeat. Writes trail reads by one repeat, so a result in the place of its source, or a bank
/// above, is free; so is one that finds room in the second cycle of a read-read conflict. The first
/// row stands for all.
std::int64_t VectorCost::bank_fifths(const Command& command) const {
  constexpr std::int64_t kCycle = 5, kWriteStall = 4;
  const Lanes& l = lanes(command);
  if (l.a < 0) return kCycle;
  const auto& ub = machine_->ub;
  const std::int64_t groups = ub.bank_groups, blocks = repeat_ / kBlock;
  const std::int64_t bank_bytes = groups * kBlock * ub.bank_rows;
  const int width = size_of(command.dtype());
  const std::int64_t rows = value(command, l.rows, 1), row = command.at(l.count) * width;
  const std::int64_t run = is_joined(command, width) ? rows * row : row;
  const std::int64_t used = std::min(blocks, ceil_div(std::max<std::int64_t>(run, 1), kBlock));
  const auto overlap = [&](std::int64_t from, std::int64_t to) {
    const std::int64_t apart = ((to - from) / kBlock % groups + groups) % groups;
    return apart < used || groups - apart < used;
  };
  const std::int64_t a = command.at(l.a), dst = command.at(l.dst);
  const bool has_b = l.b >= 0;
  const std::int64_t b = has_b ? command.at(l.b) : a;
  const auto stalls = [&](std::int64_t source) {
    const bool same_bank = source / bank_bytes == dst / bank_bytes;
    return same_bank && rows * row > repeat_ && overlap(dst, source + blocks * kBlock);
  };
  if (has_b && overlap(a, b)) return 2 * kCycle;
  return stalls(a) || (has_b && stalls(b)) ? kCycle + kWriteStall : kCycle;
}

std::int64_t VectorCost::steps(const Recipe& recipe, const Command& command) const {
  const Lanes& l = lanes(command);
  const std::int64_t count = command.at(l.count), rows = value(command, l.rows, 1);
  const DType type = command.dtype();
  const bool joined = is_joined(command, size_of(type));
  if (recipe.bits) {  // as 16-bit words, whatever the type
    const std::int64_t halves = ceil_div(count * size_of(type), 2);
    return recipe.step[0].times * over(VectorClass::simple, DType::F16, rows, halves, joined);
  }
  std::int64_t sum = 0;
  DType computed = type;
  for (int i = 0; i < recipe.steps; ++i) {
    const Step& step = recipe.step[static_cast<std::size_t>(i)];
    const DType at = step.width == Step::Width::Own ? type : DType::F16;
    if (step.which == VectorClass::convert && step.width == Step::Width::Byte) {
      sum += step.times * hops(DType::F16, DType::Bool, rows, count, joined);
    } else {
      sum += step.times * over(step.which, at, rows, count, joined);
    }
    const DType as = lowered(step.which, type).as;
    if (step.width == Step::Width::Own && as != type && step.which != VectorClass::convert)
      computed = as;
  }
  if (computed != type && type != DType::I64) {
    const int sources = (l.a >= 0 ? 1 : 0) + (l.b >= 0 ? 1 : 0);
    sum += sources * hops(type, computed, rows, count, joined);
    // Bool results have their way out in the recipe.
    if (command.op != Op::vcmp && command.op != Op::vcmps) {
      sum += hops(computed, type, rows, count, joined);
    }
  }
  if (recipe.steps != 1 || recipe.step[0].times != 1 || computed != type) return sum;
  const Lowered& how = lowered(recipe.step[0].which, type);
  if (how.times != 1) return sum;
  const Rational banks = kFifths[static_cast<std::size_t>(bank_fifths(command))];
  if (!(how.per_repeat < banks)) return sum;
  return cycles(pieces(rows, count, size_of(type), joined), banks, how.fixed);
}

std::int64_t VectorCost::convert(const Command& command) const {
  const Lanes& l = lanes(command);
  const std::int64_t count = command.at(l.count), rows = value(command, l.rows, 1);
  const DType from = command.dtype(0), to = command.dtype(1);
  const bool joined = rows <= 1 || (command.at(l.astride) == count * size_of(from) &&
                                    command.at(l.dstride) == count * size_of(to));
  if (from == to) return over(VectorClass::copy, from, rows, count, joined);
  if (to != DType::Bool) return hops(from, to, rows, count, joined);
  // x != 0 as a bit, then a half, then a byte.
  const DType as = lowered(VectorClass::compare, from).as;
  return hops(from, as, rows, count, joined) + over(VectorClass::compare, as, rows, count, joined) +
         over(VectorClass::select, DType::F16, rows, count, joined) +
         hops(DType::F16, DType::Bool, rows, count, joined);
}

/// A block of 32 bytes for each element, then blocks to rows.
std::int64_t VectorCost::broadcast(const Command& command) const {
  const Lanes& l = lanes(command);
  const std::int64_t count = command.at(l.count), rows = value(command, l.rows, 1);
  const DType type = command.dtype(), as = lowered(VectorClass::broadcast, type).as;
  const bool joined = is_joined(command, size_of(type));
  std::int64_t sum = over(VectorClass::broadcast, type, 1, rows * (kBlock / size_of(as)), true);
  if (as != type) sum += hops(type, as, 1, rows, true) + hops(as, type, rows, count, joined);
  return count * size_of(type) <= kBlock ? sum
                                         : sum + over(VectorClass::copy, type, rows, count, joined);
}

/// Whole squares of 16 elements.
std::int64_t VectorCost::transpose(const Command& command) const {
  const Lanes& l = lanes(command);
  const std::int64_t columns = ceil_div(command.at(l.count), 16) * 16;
  const std::int64_t rows = ceil_div(value(command, l.rows, 1), 16) * 16;
  return over(VectorClass::transpose, command.dtype(), 1, rows * columns, true);
}

/// rows x count becomes rows x (count / 2).
std::int64_t VectorCost::fold(DType type, Reduction how, std::int64_t rows, std::int64_t count,
                              bool joined) const {
  return over(combining(how), type, rows, count, joined);
}

/// Halves are combined until a row is one repeat; then the hardware reduces each repeat to one
/// element. Products and types without that go on halving.
std::int64_t VectorCost::reduce_halves(DType type, Reduction how, std::int64_t rows,
                                       std::int64_t count) const {
  const bool has_whole = how != Reduction::Prod && has(VectorClass::reduce_repeat, type);
  const std::int64_t least = has_whole ? repeat_ / size_of(type) : 1;
  std::int64_t sum = 0;
  while (count > least) {
    count = ceil_div(count, 2);
    sum += fold(type, how, rows, count, false);
  }
  if (!has_whole) return std::max(sum, fixed(combining(how)));
  const Lowered& whole = lowered(VectorClass::reduce_repeat, type);
  return sum + cycles({ceil_div(rows, kMostRepeats), rows}, whole.per_repeat, whole.fixed);
}

/// Blocks of 32 B to one element each, which follow one another: the next step is shorter, and runs
/// over all rows at once. The vendor's guide measures it as the fastest way for F32 (one step of
/// blocks, then one of repeats: 8.4 us for 256 elements a hundred times, two of repeats 13 us).
/// Rows must go on beginning at a block, unless pairs finish them; what is left is halved.
std::int64_t VectorCost::reduce_blocks(DType type, Reduction how, std::int64_t rows,
                                       std::int64_t count, bool joined) const {
  const std::int64_t block = kBlock / size_of(type);
  const bool is_power =
      std::has_single_bit(static_cast<std::uint64_t>(count)) && has(VectorClass::reduce_pair, type);
  std::int64_t sum = 0;
  while (count % (is_power ? block : block * block) == 0) {
    sum += over(VectorClass::reduce_block, type, rows, count, joined);
    count /= block;
    joined = true;
  }
  if (!is_power) return sum + reduce_halves(type, how, rows, count);
  for (; count > 1; count /= 2) sum += over(VectorClass::reduce_pair, type, rows, count, true);
  return sum;
}

/// The cheaper of both ways. 16-bit floats are summed as F32.
std::int64_t VectorCost::reduce_row(const Command& command) const {
  const Lanes& l = lanes(command);
  const auto how = static_cast<Reduction>(command.at(l.how));
  const std::int64_t rows = value(command, l.rows, 1), count = command.at(l.count);
  std::int64_t sum = 0;
  DType type = command.dtype();
  const bool is_sum = how == Reduction::Sum || how == Reduction::Prod;
  const bool joined = rows <= 1 || command.at(l.astride) == count * size_of(type);
  const DType as = is_sum && is_float(type) ? DType::F32 : lowered(combining(how), type).as;
  if (as != type && type != DType::I64) {
    sum += hops(type, as, rows, count, joined) + hops(as, type, 1, rows, true);
    type = as;
  }
  const std::int64_t halves = reduce_halves(type, how, rows, count);
  const std::int64_t block = kBlock / size_of(type);
  const bool has_blocks = how != Reduction::Prod && has(VectorClass::reduce_block, type) &&
                          count >= block && count % block == 0;
  if (!has_blocks) return sum + halves;
  return sum + std::min(halves, reduce_blocks(type, how, rows, count, joined));
}

/// Half of the rows are added to the other half, until one is left.
std::int64_t VectorCost::reduce_rows(const Command& command) const {
  const Lanes& l = lanes(command);
  const auto how = static_cast<Reduction>(command.at(l.how));
  const std::int64_t count = command.at(l.count);
  std::int64_t rows = value(command, l.rows, 1), sum = 0;
  DType type = command.dtype();
  const bool is_sum = how == Reduction::Sum || how == Reduction::Prod;
  const bool joined = rows <= 1 || command.at(l.astride) == count * size_of(type);
  const DType as = is_sum && is_float(type) ? DType::F32 : lowered(combining(how), type).as;
  if (as != type && type != DType::I64) {
    sum += hops(type, as, rows, count, joined) + hops(as, type, 1, count, true);
    type = as;
  }
  if (rows == 1) return sum + over(VectorClass::copy, type, 1, count, true);
  while (rows > 1) {
    const std::int64_t half = rows / 2;
    sum += fold(type, how, half, count, joined);
    rows -= half;
  }
  return sum;
}

/// Byte offsets from the indices, then single elements, a row at a time.
std::int64_t VectorCost::gather(const Command& command) const {
  const Lanes& l = lanes(command);
  const std::int64_t count = command.at(l.count), rows = value(command, l.rows, 1);
  const DType type = command.dtype(), as = lowered(VectorClass::gather, type).as;
  std::int64_t sum = over(VectorClass::multiply, DType::I32, rows, count, false) +
                     rows * over(VectorClass::gather, type, 1, count, true);
  if (as != type && type != DType::I64) sum += hops(as, type, rows, count, false);
  return sum;
}

std::int64_t VectorCost::running(DType type, std::int64_t steps, std::int64_t width) const {
  const DType as = is_float(type) ? DType::F32 : lowered(VectorClass::simple, type).as;
  std::int64_t sum = 0;
  if (as != type && type != DType::I64) {
    sum += hops(type, as, steps, width, true) + hops(as, type, steps, width, true);
    type = as;
  }
  const std::int64_t each =
      over(VectorClass::simple, type, 1, width, true) + machine_->vector.tail.count();
  return sum + std::max<std::int64_t>(steps, 1) * each;
}

/// Rows become columns, so that a step adds all rows at once, and columns rows again.
std::int64_t VectorCost::scan_row(const Command& command) const {
  const Lanes& l = lanes(command);
  return 2 * transpose(command) +
         running(command.dtype(), command.at(l.count), value(command, l.rows, 1));
}

std::int64_t VectorCost::scan_rows(const Command& command) const {
  const Lanes& l = lanes(command);
  return running(command.dtype(), value(command, l.rows, 1), command.at(l.count));
}

/// Pairs of value and index in lists of 32; merges of four lists into one; values and indices
/// apart. A row at a time.
std::int64_t VectorCost::sort(const Command& command) const {
  const Lanes& l = lanes(command);
  const std::int64_t count = command.at(l.count), rows = value(command, l.rows, 1);
  const DType type = command.dtype();
  std::int64_t sum = over(VectorClass::duplicate, DType::I32, 1, count, true);  // the indices
  std::int64_t row = over(VectorClass::sort, type, 1, count, true);
  for (std::int64_t list = 32; list < count; list *= 4) {
    row += over(VectorClass::sort, type, 1, count, true);
  }
  row += 2 * over(VectorClass::gather_mask, DType::I32, 1, 2 * count, true);
  const DType as = lowered(VectorClass::sort, type).as;
  if (as != type) sum += hops(type, as, rows, count, false) + hops(as, type, rows, count, false);
  return sum + rows * row;
}

Cost VectorCost::of(const Recipe& recipe, const Command& command) const {
  const auto& vector = machine_->vector;
  const auto work = [&] {
    switch (recipe.work) {
      case Work::Convert:
        return convert(command);
      case Work::Broadcast:
        return broadcast(command);
      case Work::Transpose:
        return transpose(command);
      case Work::ReduceRow:
        return reduce_row(command);
      case Work::ReduceRows:
        return reduce_rows(command);
      case Work::Gather:
        return gather(command);
      case Work::ScanRow:
        return scan_row(command);
      case Work::ScanRows:
        return scan_rows(command);
      case Work::Sort:
        return sort(command);
      default:
        return steps(recipe, command);
    }
  };
  return {vector.head, Cycles(work()), vector.tail};
}

}  // namespace dvmsim::isa
