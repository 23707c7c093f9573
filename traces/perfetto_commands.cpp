// The part of the Perfetto writer that draws commands: operands, flag arrows, UB in use.
#include <fmt/format.h>

#include <algorithm>

#include "traces/perfetto.h"
#include "traces/tracks.h"
#include "vm/base/error.h"
#include "vm/isa/footprint.h"
#include "vm/isa/unit_flag.h"

namespace dvmsim {
namespace {

int token_key(Pipe from, Pipe to, int id) {
  return (static_cast<int>(from) * kPipes + static_cast<int>(to)) * 16 + id;
}

/// A tile passes granule by granule: its arrow goes from the writer's begin to the reader's end.
bool is_shared(const isa::Command& command, const isa::FlagRef& flag) {
  return command.unit && isa::is_unit_pair(flag.pipe, command.pipe);
}

}  // namespace

void Perfetto::draw_instruction(Row& row, const Span& span, const Drawn& flows) {
  const isa::Command& command = *span.command;
  const CodeMap& map = map_of(span.row.core.kind);
  const std::int32_t part = map.at(command.pc).part;
  {
    auto event = packets_.begin(row.track, span.begin);
    event.named(names_of(command.op).name, instructions_);
    add_operands(event, command);
    event.arg(latency_arg_, (std::max(span.visible, span.end) - span.begin).count());
    event.arg(pc_arg_, command.pc).arg(iteration_arg_, command.iteration);
    if (part >= 0) {
      const std::string& name = map.operators()[static_cast<std::size_t>(part)];
      event.arg(operator_arg_, packets_.text(name));
    }
    for (std::size_t i = 0; i < flows.in.size(); ++i) {
      if (flows.in[i] != FlowId{} && !is_shared(command, command.wait[i])) {
        event.terminating_flow(flows.in[i]);
      }
      if (flows.out[i] != FlowId{} && is_shared(command, command.set[i])) event.flow(flows.out[i]);
    }
  }
  auto event = packets_.end(row.track, span.end);
  for (std::size_t i = 0; i < flows.in.size(); ++i) {
    if (flows.in[i] != FlowId{} && is_shared(command, command.wait[i])) {
      event.terminating_flow(flows.in[i]);
    }
    if (flows.out[i] != FlowId{} && !is_shared(command, command.set[i])) event.flow(flows.out[i]);
  }
}

const Perfetto::OpNames& Perfetto::names_of(isa::Op op) {
  OpNames& names = op_names_[static_cast<std::size_t>(op)];
  if (names.known) return names;
  const isa::Row& row = isa::row_of(op);
  names.known = true;
  names.name = packets_.name(row.mnemonic);
  for (std::size_t i = 0; i < row.all().size(); ++i) {
    names.args[i] = packets_.arg(row.operand[i].name);
  }
  return names;
}

void Perfetto::add_operands(Packets::Event& event, const isa::Command& command) {
  const isa::Row& row = isa::row_of(command.op);
  const OpNames& names = names_of(command.op);
  for (std::size_t i = 0; i < row.all().size(); ++i) {
    const isa::Operand& operand = row.operand[i];
    const std::int64_t value = command.operand[i];
    const auto at = static_cast<std::size_t>(value);
    if (operand.kind == isa::OperandKind::Type && at < kDTypes.size()) {
      event.arg(names.args[i], packets_.text(name_of(static_cast<DType>(value))));
    } else if (operand.kind == isa::OperandKind::Pick && at < spellings(operand.picks).size()) {
      event.arg(names.args[i], packets_.text(spellings(operand.picks)[at]));
    } else if (operand.kind == isa::OperandKind::Memory || value != operand.fallback) {
      event.arg(names.args[i], value);
    }
  }
}

/// One command takes the oldest token of each of its waits and leaves one for each of its sets.
Perfetto::Drawn Perfetto::take_flows(Core& core, const isa::Command& command, bool drawn) {
  Drawn flows;
  for (std::size_t i = 0; i < command.wait.size(); ++i) {
    const isa::FlagRef& flag = command.wait[i];
    if (!flag.valid) continue;
    auto& tokens = core.tokens[token_key(flag.pipe, command.pipe, flag.id)];
    if (tokens.empty()) continue;
    if (drawn) flows.in[i] = tokens.front();
    tokens.pop_front();
  }
  for (std::size_t i = 0; i < command.set.size(); ++i) {
    const isa::FlagRef& flag = command.set[i];
    if (!flag.valid || flag.pipe == Pipe::Scalar) continue;  // the scalar unit's: see on_flag
    if (drawn) flows.out[i] = next_flow();
    core.tokens[token_key(command.pipe, flag.pipe, flag.id)].push_back(flows.out[i]);
  }
  return flows;
}

void Perfetto::on_flag(const FlagEdge& edge) {
  const bool scalar = edge.from.pipe == Pipe::Scalar || edge.to.pipe == Pipe::Scalar;
  const bool between_commands = edge.from.core == edge.to.core && !scalar;
  if (between_commands || options_.level != TraceLevel::Instruction) return;
  if (!inside(edge.set, edge.set + Cycles(1)) || !inside(edge.taken, edge.taken + Cycles(1)))
    return;
  DVMSIM_ASSERT(edge.set <= edge.taken, "a flag is set before it is taken");
  if (!allow(tracks::kInstructionShare, edge.set)) return;
  ++totals_.slices;  // both ends
  const FlowId flow = next_flow();
  const TrackId from = row_of(edge.from).track, to = row_of(edge.to).track;
  packets_.instant(from, edge.set)
      .named(packets_.name(fmt::format("flag {} seen", edge.id)), instructions_)
      .flow(flow);
  packets_.instant(to, edge.taken)
      .named(packets_.name(fmt::format("flag {} taken", edge.id)), instructions_)
      .terminating_flow(flow);
}

/// The highest UB address in use is what the tiler has to fit; how many bytes live below is not
/// known.
void Perfetto::note_ub(Core& core, const Span& span) {
  if (options_.level == TraceLevel::Op) return;
  const isa::Regions regions = isa::regions(*span.command);
  std::int64_t highest = 0;
  for (int i = 0; i < regions.count; ++i) {
    const isa::Region& region = regions.region[i];
    if (region.space == Space::UB && region.rows > 0) highest = std::max(highest, region.last());
  }
  if (highest == 0) return;
  if (!core.ub)
    core.ub.emplace(Series::Kind::Max, options_.from, tracks::kWindow, tracks::kUbWindows);
  core.ub->add(span.begin, std::max(span.visible, span.end), highest);
}

}  // namespace dvmsim
