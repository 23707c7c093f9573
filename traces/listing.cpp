#include "traces/listing.h"

#include <algorithm>
#include <numeric>

#include "vm/isa/codec.h"
#include "vm/isa/text.h"

namespace dvmsim {
namespace {

std::string mark_at(const Program& program, CoreKind core, std::uint32_t pc) {
  std::string text;
  for (const DebugMark& mark : program.marks) {
    if (mark.core != core || mark.pc != pc) continue;
    if (!text.empty()) text += ", ";
    text += (mark.kind == DebugMark::Kind::Tile ? "tile " : "operator ") + mark.name;
  }
  return text;
}

}  // namespace

void Listing::on_launch_begin(const LaunchMark&, const Program& program) {
  for (auto& cores : cores_) cores.clear();
  const std::size_t size = program.cube.size() + program.vector.size();
  const auto [first, last] = by_size_.equal_range(size);
  const auto same = std::find_if(first, last, [&](const auto& entry) {
    const Program& known = programs_[entry.second].program;
    return known.name == program.name && known.cube == program.cube &&
           known.vector == program.vector;
  });
  if (same != last) {
    current_ = same->second;
  } else {
    current_ = programs_.size();
    by_size_.emplace(size, current_);
    Known& known = programs_.emplace_back();
    known.program = program;
    known.costs = {std::vector<Cost>(program.cube.size()),
                   std::vector<Cost>(program.vector.size())};
  }
  ++programs_[current_].launches;
}

void Listing::on_span(const Span& span) {
  if (programs_.empty()) return;
  auto& cores = cores_[static_cast<std::size_t>(span.row.core.kind)];
  const auto index = static_cast<std::size_t>(span.row.core.index);
  if (index >= cores.size()) cores.resize(index + 1);
  Row& row = cores[index][static_cast<std::size_t>(span.row.pipe)];
  const std::int64_t cycles = (span.end - span.begin).count();
  if (span.command != nullptr) {
    const bool vector = span.row.core.kind == CoreKind::Vector;
    auto& costs = programs_[current_].costs[vector ? 1 : 0];
    if (span.command->pc >= costs.size()) return;
    Cost& cost = costs[span.command->pc];
    ++cost.commands;
    cost.busy += cycles;
    for (std::size_t i = 0; i < row.waits.size(); ++i) cost.waits[i] += row.waits[i];
    row = {&cost, {}};
  } else if (span.reason == Reason::WaitMemory && row.last != nullptr) {
    row.last->waits[static_cast<std::size_t>(span.reason)] += cycles;  // follows its command
  } else if (span.reason != Reason::Idle && span.reason != Reason::Work) {
    row.waits[static_cast<std::size_t>(span.reason)] += cycles;
  }
}

ListingReport Listing::report() const {
  ListingReport report;
  std::vector<std::size_t> order(programs_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto busy_of = [this](std::size_t number) {
    std::int64_t busy = 0;
    for (const auto& costs : programs_[number].costs) {
      for (const Cost& cost : costs) busy += cost.busy;
    }
    return busy;
  };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return busy_of(a) > busy_of(b); });
  std::size_t room = most_lines_;
  for (const std::size_t number : order) {
    const Known& known = programs_[number];
    ListingReport::Code code{
        known.program.name, known.launches, known.program.bytes(), busy_of(number), {}};
    for (const CoreKind core : {CoreKind::Cube, CoreKind::Vector}) {
      const auto words = known.program.code(core);
      const auto& costs = known.costs[core == CoreKind::Vector ? 1 : 0];
      for (std::size_t pc = 0; pc < words.size();) {
        isa::Inst inst;
        isa::DecodeError error;
        const int length = isa::decode(words, pc, inst, error);
        if (length == 0) break;
        const auto word = static_cast<std::uint32_t>(pc);
        const Cost& cost = costs[pc];
        code.lines.push_back({core, word, mark_at(known.program, core, word), isa::print(inst),
                              cost.commands, cost.busy, cost.waits});
        pc += static_cast<std::size_t>(length);
      }
    }
    if (code.lines.size() > room) code.lines.clear();
    room -= code.lines.size();
    report.programs.push_back(std::move(code));
  }
  return report;
}

}  // namespace dvmsim
