// What a user has chosen about a program of moves, and what is wrong with it in words and numbers.
#include <fmt/format.h>

#include <algorithm>

#include "compiler/schedule/copy.h"

namespace dvmsim {
namespace {

template <class Value>
std::optional<Value> one_of(const std::optional<std::vector<Value>>& values, std::size_t box) {
  if (!values) return std::nullopt;
  return values->size() == 1 ? values->front() : (*values)[box];
}

/// One for all where they are the same.
template <class Value>
void fold(std::vector<Value>& values) {
  const bool same = std::all_of(values.begin(), values.end(),
                                [&](const Value& each) { return each == values.front(); });
  if (same && values.size() > 1) values.resize(1);
}

/// Which of several.
std::string prefix(std::size_t boxes, std::size_t box) {
  return boxes > 1 ? fmt::format("box {}: ", box) : "";
}

bool within(const std::vector<std::int64_t>& tile, const std::vector<std::int64_t>& most) {
  return tile.size() == most.size() &&
         std::equal(tile.begin(), tile.end(), most.begin(),
                    [](std::int64_t side, std::int64_t all) { return side >= 1 && side <= all; });
}

std::int64_t most_tiles(const CopyPlan& plan) {
  std::int64_t most = 0;
  for (const CopySchedule& box : plan.boxes) most = std::max(most, box.tiles);
  return most;
}

}  // namespace

BoxChoice box_of(const CopyChoice& choice, std::size_t box) {
  return {one_of(choice.tile, box), one_of(choice.turns, box)};
}

CopyChoice choice_of(const CopyPlan& plan) {
  CopyChoice choice;
  auto& tiles = choice.tile.emplace();
  auto& turns = choice.turns.emplace();
  for (const CopySchedule& box : plan.boxes) {
    tiles.push_back(box.tile);
    turns.push_back(box.turns);
  }
  fold(tiles);
  fold(turns);
  choice.cores = plan.cores;
  return choice;
}

int most_turns(const Machine& machine) {
  constexpr int kRotation = 7;  // of a lane: isa::Lane::modulo
  return std::clamp(machine.flag.max, 1, kRotation);
}

std::string impossible(std::span<const CopyLimits> boxes, int cores, const CopyChoice& choice) {
  const auto miscounted = [&](const char* key, std::size_t given) {
    return given == 1 || given == boxes.size()
               ? std::string()
               : fmt::format("{}: {} of them, but the kernel has {} boxes", key, given,
                             boxes.size());
  };
  std::string why = miscounted("tile", choice.tile ? choice.tile->size() : 1);
  if (why.empty()) why = miscounted("turns", choice.turns ? choice.turns->size() : 1);
  if (!why.empty()) return why;
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    const BoxChoice box = box_of(choice, i);
    if (box.tile && !within(*box.tile, boxes[i].tile)) {
      return fmt::format("{}tile: [{}], but at most [{}]", prefix(boxes.size(), i),
                         fmt::join(*box.tile, ", "), fmt::join(boxes[i].tile, ", "));
    }
    if (box.turns && (*box.turns < 1 || *box.turns > boxes[i].turns)) {
      return fmt::format("{}turns: {}, but at most {}", prefix(boxes.size(), i), *box.turns,
                         boxes[i].turns);
    }
  }
  if (choice.cores.value_or(1) > cores) {
    return fmt::format("cores: {} of {} vector cores", *choice.cores, cores);
  }
  return {};
}

std::string misfit(const CopyPlan& plan, const Machine& machine, const CopyChoice& choice) {
  const std::int64_t size = machine.ub.size.count();
  for (std::size_t i = 0; i < plan.boxes.size(); ++i) {
    const CopySchedule& box = plan.boxes[i];
    if (box.end <= size) continue;
    return fmt::format("{}tile: [{}] in {} turns reaches byte {} of UB's {}",
                       prefix(plan.boxes.size(), i), fmt::join(box.tile, ", "), box.turns, box.end,
                       size);
  }
  const std::int64_t tiles = most_tiles(plan);
  if (choice.cores.value_or(1) > tiles) {
    return fmt::format("cores: {}, but there are {} tiles", *choice.cores, tiles);
  }
  return {};
}

}  // namespace dvmsim
