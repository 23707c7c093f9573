#include "compiler/codegen/sync.h"

#include <algorithm>
#include <array>

#include "vm/base/error.h"

namespace dvmsim {
namespace {

using isa::Inst;

/// What an instruction touches in UB.
struct Touch {
  std::int64_t begin = 0, end = 0;
  bool writes = false;
};

/// One instruction of the body that runs on a queue.
struct Node {
  std::size_t at = 0;  // in the body
  Pipe pipe{};
  std::vector<Touch> touches{};
};

Touch touch_of(std::int64_t address, bool writes, std::span<const UbRange> ranges) {
  Touch touch{address, address + 1, writes};
  for (const UbRange& range : ranges) {
    if (address >= range.base && address < range.base + range.size) {
      touch.begin = std::min(touch.begin, range.base);
      touch.end = std::max(touch.end, range.base + range.size);
    }
  }
  return touch;
}

std::int64_t address_of(const isa::Lane& lane, std::span<const UbRange> ranges) {
  if (!lane.is_register) return lane.immediate;
  const auto found = std::find_if(ranges.begin(), ranges.end(),
                                  [&](const UbRange& range) { return range.reg == lane.reg; });
  DVMSIM_ASSERT(found != ranges.end(), "a tile body addresses UB by immediates or by a range");
  return found->base;
}

std::vector<Node> nodes_of(const Body& body, std::span<const UbRange> ranges) {
  std::vector<Node> nodes;
  for (std::size_t at = 0; at < body.code.size(); ++at) {
    const isa::Row& row = isa::row_of(body.code[at].op);
    if (row.pipe == Pipe::Scalar) continue;
    Node node{at, row.pipe, {}};
    for (std::size_t i = 0; i < row.all().size(); ++i) {
      const isa::Operand& operand = row.operand[i];
      if (operand.kind != isa::OperandKind::Memory || operand.space != Space::UB) continue;
      const std::int64_t address = address_of(body.code[at].lane[i], ranges);
      if (operand.access != isa::Access::Write) {
        node.touches.push_back(touch_of(address, false, ranges));
      }
      if (operand.access != isa::Access::Read) {
        node.touches.push_back(touch_of(address, true, ranges));
      }
    }
    nodes.push_back(std::move(node));
  }
  return nodes;
}

bool conflict(const Node& a, const Node& b) {
  for (const Touch& x : a.touches) {
    for (const Touch& y : b.touches) {
      if ((x.writes || y.writes) && x.begin < y.end && y.begin < x.end) return true;
    }
  }
  return false;
}

bool reads_what_is_written(const Node& writer, const Node& reader) {
  for (const Touch& x : writer.touches) {
    for (const Touch& y : reader.touches) {
      if (x.writes && !y.writes && x.begin < y.end && y.begin < x.end) return true;
    }
  }
  return false;
}

/// From node `from` to node `to`, indices into the nodes.
struct Edge {
  std::size_t from = 0, to = 0;
};

/// Keeps the edges that no other implies: one that leaves no earlier and arrives no later does.
std::vector<Edge> essential(const std::vector<Edge>& edges) {
  std::vector<Edge> kept;
  for (std::size_t i = 0; i < edges.size(); ++i) {
    bool implied = false;
    for (std::size_t j = 0; j < edges.size() && !implied; ++j) {
      const bool covers = edges[j].from >= edges[i].from && edges[j].to <= edges[i].to;
      const bool same = edges[j].from == edges[i].from && edges[j].to == edges[i].to;
      implied = j != i && covers && (!same || j < i);
    }
    if (!implied) kept.push_back(edges[i]);
  }
  std::sort(kept.begin(), kept.end(), [](Edge a, Edge b) { return a.from < b.from; });
  return kept;
}

/// Flags of one instruction, before they are split over its head and explicit instructions.
struct Flags {
  std::vector<isa::FlagRef> waits{}, sets{};
};

constexpr std::array kQueues = {Pipe::MTE2, Pipe::Vector, Pipe::MTE3};

void connect(const std::vector<Node>& nodes, Pipe from, Pipe to, std::vector<Flags>& flags,
             std::vector<SyncedBody::Carried>& carried) {
  std::vector<Edge> forward, backward;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    for (std::size_t j = 0; j < nodes.size(); ++j) {
      if (nodes[i].pipe != from || nodes[j].pipe != to || !conflict(nodes[i], nodes[j])) continue;
      (i < j ? forward : backward).push_back({i, j});
    }
  }
  forward = essential(forward);
  backward = essential(backward);
  // What a forward flag of this iteration already orders needs no flag into the next one.
  const std::size_t ordered = forward.empty() ? 0 : forward.back().from + 1;
  std::erase_if(backward, [&](Edge edge) { return edge.from < ordered; });
  const auto flag = [&](const std::vector<Edge>& edges, int id) {
    for (const Edge& edge : edges) {
      flags[edge.from].sets.push_back({true, to, static_cast<std::uint8_t>(id)});
      flags[edge.to].waits.push_back({true, from, static_cast<std::uint8_t>(id)});
    }
  };
  flag(forward, kForwardFlag);
  flag(backward, kBackwardFlag);
  if (!backward.empty()) carried.push_back({from, to, static_cast<int>(backward.size())});
}

/// Sets the drain bit where a vector instruction reads what an earlier one wrote, this iteration or
/// the one before: results are visible only after the pipe's tail.
void drain_vector(const std::vector<Node>& nodes, std::vector<Inst>& code) {
  std::vector<std::size_t> in_flight;
  for (int iteration = 0; iteration < 2; ++iteration) {
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      if (nodes[i].pipe != Pipe::Vector) continue;
      const bool hazard = std::any_of(in_flight.begin(), in_flight.end(), [&](std::size_t earlier) {
        return reads_what_is_written(nodes[earlier], nodes[i]);
      });
      if (hazard) code[nodes[i].at].drain = true;
      if (code[nodes[i].at].drain) in_flight.clear();
      in_flight.push_back(i);
    }
  }
}

Inst explicit_flag(isa::Op op, Pipe pipe, const isa::FlagRef& flag) {
  Builder one(CoreKind::Vector);
  return one.add(op, {{"pipe", static_cast<int>(pipe)},
                      {"other", static_cast<int>(flag.pipe)},
                      {"id", static_cast<int>(flag.id)}});
}

}  // namespace

SyncedBody synchronize(const Body& body, std::span<const UbRange> ranges, UbCopies copies) {
  const std::vector<Node> nodes = nodes_of(body, ranges);
  std::vector<Flags> flags(nodes.size());
  SyncedBody synced;
  for (Pipe from : kQueues) {
    for (Pipe to : kQueues) {
      if (from != to) connect(nodes, from, to, flags, synced.carried);
    }
  }
  for (SyncedBody::Carried& each : synced.carried) {
    each.count *= each.to == Pipe::MTE2     ? copies.loads
                  : each.from == Pipe::MTE3 ? copies.stores
                                            : 1;
  }
  std::vector<Inst> code = body.code;
  drain_vector(nodes, code);

  std::size_t next = 0;
  std::vector<std::size_t> moved(code.size() + 1, 0);
  for (std::size_t at = 0; at < code.size(); ++at) {
    moved[at] = synced.body.code.size();
    if (next == nodes.size() || nodes[next].at != at) {
      synced.body.code.push_back(code[at]);
      continue;
    }
    const Flags& own = flags[next];
    const Pipe pipe = nodes[next++].pipe;
    for (std::size_t i = 2; i < own.waits.size(); ++i) {
      synced.body.code.push_back(explicit_flag(isa::Op::wait, pipe, own.waits[i]));
    }
    for (std::size_t i = 0; i < own.waits.size() && i < 2; ++i) code[at].waits[i] = own.waits[i];
    for (std::size_t i = 0; i < own.sets.size() && i < 2; ++i) code[at].sets[i] = own.sets[i];
    synced.body.code.push_back(code[at]);
    for (std::size_t i = 2; i < own.sets.size(); ++i) {
      synced.body.code.push_back(explicit_flag(isa::Op::set, pipe, own.sets[i]));
    }
  }
  for (const auto& [at, mark] : body.marks) synced.body.marks.emplace_back(moved[at], mark);
  return synced;
}

void add_loop(Builder& builder, Val count, const SyncedBody& synced) {
  for (const auto& [from, to, flags] : synced.carried) {
    for (int i = 0; i < flags; ++i) builder.set(from, to, kBackwardFlag);
  }
  builder.mark(DebugMark::Kind::Tile, "tile");
  builder.begin_loop(count);
  builder.append(synced.body);
  builder.end_loop();
  for (const auto& [from, to, flags] : synced.carried) {
    for (int i = 0; i < flags; ++i) builder.wait(to, from, kBackwardFlag);
  }
}

}  // namespace dvmsim
