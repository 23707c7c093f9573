#include "compiler/codegen/sync.h"

#include <algorithm>
#include <array>

#include "vm/base/error.h"
#include "vm/isa/rows.h"

namespace dvmsim {
namespace {

using boost::container::small_vector;
using isa::Inst;

/// What an instruction touches in UB.
struct Touch {
  std::int64_t begin = 0, end = 0;
  bool writes = false;
};

/// One instruction of the body that runs on a queue, and its flags before they are split over its
/// head and explicit instructions.
struct Node {
  std::size_t at = 0;  // in the code
  Pipe pipe{};
  small_vector<Touch, 4> touches{};
  small_vector<isa::FlagRef, 2> waits{}, sets{};
};
using Nodes = small_vector<Node, 32>;

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

/// The operands of a row that are in UB.
struct UbLanes {
  struct One {
    int lane = 0;
    isa::Access access{};
  };
  int count = 0;
  std::array<One, 4> all{};
};

constexpr auto kUbLanes = [] {
  std::array<UbLanes, 256> lanes{};
  for (const isa::Row& row : isa::table::kRows) {
    UbLanes& found = lanes[static_cast<std::size_t>(row.op)];
    for (int i = 0; i < row.operands; ++i) {
      const isa::Operand& operand = row.operand[static_cast<std::size_t>(i)];
      if (operand.kind != isa::OperandKind::Memory || operand.space != Space::UB) continue;
      found.all[static_cast<std::size_t>(found.count++)] = {i, operand.access};
    }
  }
  return lanes;
}();

Nodes nodes_of(std::span<const Inst> body, std::size_t begin, std::span<const UbRange> ranges) {
  Nodes nodes;
  for (std::size_t at = 0; at < body.size(); ++at) {
    const isa::Row& row = isa::row_of(body[at].op);
    if (row.pipe == Pipe::Scalar) continue;
    Node& node = nodes.emplace_back();
    node.at = begin + at;
    node.pipe = row.pipe;
    const UbLanes& lanes = kUbLanes[static_cast<std::size_t>(row.op)];
    for (int i = 0; i < lanes.count; ++i) {
      const auto& [lane, access] = lanes.all[static_cast<std::size_t>(i)];
      const isa::Lane& operand = body[at].lane[static_cast<std::size_t>(lane)];
      Touch touch = touch_of(address_of(operand, ranges), false, ranges);
      if (access != isa::Access::Write) node.touches.push_back(touch);
      touch.writes = true;
      if (access != isa::Access::Read) node.touches.push_back(touch);
    }
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
using Edges = small_vector<Edge, 16>;

/// The dependences of one pipe's nodes on another's that no other implies (one that leaves no
/// earlier and arrives no later does), by `from`, which is `least` or more: inside an iteration to
/// later nodes, else to earlier ones of the next.
Edges essential(const Nodes& nodes, Pipe from, Pipe to, bool inside, std::size_t least = 0) {
  Edges edges;
  std::size_t first = nodes.size();  // that a node seen so far must come before
  for (std::size_t i = nodes.size(); i-- > least;) {
    if (nodes[i].pipe != from) continue;
    const std::size_t begin = inside ? i + 1 : 0, end = std::min(first, inside ? first : i);
    for (std::size_t j = begin; j < end; ++j) {
      if (nodes[j].pipe != to || !conflict(nodes[i], nodes[j])) continue;
      edges.push_back({i, j});
      first = j;
      break;
    }
  }
  std::reverse(edges.begin(), edges.end());
  return edges;
}

/// Flags of an ordered pair of pipes from one iteration to the next.
struct Carried {
  Pipe from{}, to{};
  int count = 0;
};

constexpr std::array kQueues = {Pipe::MTE2, Pipe::Vector, Pipe::MTE3};

bool touches(const Node& node, std::int64_t base) {
  return std::any_of(node.touches.begin(), node.touches.end(), [base](const Touch& touch) {
    return touch.begin <= base && base < touch.end;
  });
}

/// The last instruction that reads what is loaded tells the next load, a store the first that
/// writes there again.
void connect(Nodes& nodes, const StreamedBuffer& buffer) {
  const Pipe mover = buffer.loaded ? Pipe::MTE2 : Pipe::MTE3;
  Node *moves = nullptr, *works = nullptr;
  for (Node& node : nodes) {
    if (!touches(node, buffer.base)) continue;
    if (node.pipe == mover) moves = &node;
    if (node.pipe == Pipe::Vector && (buffer.loaded || works == nullptr)) works = &node;
  }
  if (moves == nullptr) return;
  DVMSIM_ASSERT(works != nullptr, "what is moved is read or made by the vector pipe");
  const auto id = static_cast<std::uint8_t>(buffer.id);
  Node &from = buffer.loaded ? *works : *moves, &to = buffer.loaded ? *moves : *works;
  from.sets.push_back({true, to.pipe, id});
  to.waits.push_back({true, from.pipe, id});
}

/// Once: there is no next iteration. How many flags go into it.
int connect(Nodes& nodes, Pipe from, Pipe to, bool once) {
  const Edges forward = essential(nodes, from, to, true);
  // What a forward flag of this iteration already orders needs no flag into the next one.
  const std::size_t ordered = forward.empty() ? 0 : forward.back().from + 1;
  const Edges backward = once ? Edges() : essential(nodes, from, to, false, ordered);
  const auto flag = [&](const Edges& edges, int id) {
    for (const Edge& edge : edges) {
      nodes[edge.from].sets.push_back({true, to, static_cast<std::uint8_t>(id)});
      nodes[edge.to].waits.push_back({true, from, static_cast<std::uint8_t>(id)});
    }
  };
  flag(forward, kForwardFlag);
  flag(backward, kBackwardFlag);
  return static_cast<int>(backward.size());
}

/// Sets the drain bit where a vector instruction reads what an earlier one wrote, this iteration or
/// the one before: results are visible only after the pipe's tail.
void drain_vector(const Nodes& nodes, Code& code) {
  small_vector<std::size_t, 32> in_flight;
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

/// Two waits and two sets in the head; more of them beside it. The last node first: the places of
/// the others stay.
void place_flags(const Nodes& nodes, Builder& builder) {
  for (std::size_t n = nodes.size(); n-- > 0;) {
    const Node& node = nodes[n];
    Inst& inst = builder.code()[node.at];
    for (std::size_t i = 0; i < node.waits.size() && i < 2; ++i) inst.waits[i] = node.waits[i];
    for (std::size_t i = 0; i < node.sets.size() && i < 2; ++i) inst.sets[i] = node.sets[i];
    for (std::size_t i = node.sets.size(); i-- > 2;) {
      builder.insert(node.at, Builder::Side::After,
                     explicit_flag(isa::Op::set, node.pipe, node.sets[i]));
    }
    for (std::size_t i = node.waits.size(); i-- > 2;) {
      builder.insert(node.at, Builder::Side::Before,
                     explicit_flag(isa::Op::wait, node.pipe, node.waits[i]));
    }
  }
}

}  // namespace

void add_loop(Builder& builder, std::size_t begin, Val count, std::span<const UbRange> ranges,
              UbCopies copies, std::span<const StreamedBuffer> streamed) {
  Code& code = builder.code();
  Nodes nodes = nodes_of({code.data() + begin, code.size() - begin}, begin, ranges);
  small_vector<Carried, 6> carried;
  for (Pipe from : kQueues) {
    for (Pipe to : kQueues) {
      if (from == to) continue;
      const bool apart = !streamed.empty() && (to == Pipe::MTE2 || from == Pipe::MTE3);
      const int flags = connect(nodes, from, to, apart);
      const int turns = to == Pipe::MTE2 ? copies.loads : from == Pipe::MTE3 ? copies.stores : 1;
      if (flags != 0) carried.push_back({from, to, flags * turns});
    }
  }
  for (const StreamedBuffer& buffer : streamed) connect(nodes, buffer);
  drain_vector(nodes, code);
  place_flags(nodes, builder);
  const std::size_t end = code.size();
  for (const auto& [from, to, flags] : carried) {
    for (int i = 0; i < flags; ++i) builder.set(from, to, kBackwardFlag);
  }
  builder.mark(DebugMark::Kind::Tile, "tile");
  builder.begin_loop(count);
  builder.bring_forward(begin, end);
  builder.end_loop();
  for (const auto& [from, to, flags] : carried) {
    for (int i = 0; i < flags; ++i) builder.wait(to, from, kBackwardFlag);
  }
}

void add_once(Builder& builder, std::size_t begin, std::span<const UbRange> ranges) {
  Code& code = builder.code();
  Nodes nodes = nodes_of({code.data() + begin, code.size() - begin}, begin, ranges);
  for (Pipe from : kQueues) {
    for (Pipe to : kQueues) {
      if (from != to) (void)connect(nodes, from, to, true);
    }
  }
  drain_vector(nodes, code);
  place_flags(nodes, builder);
  const std::size_t end = code.size();
  builder.mark(DebugMark::Kind::Tile, "tile");
  builder.bring_forward(begin, end);
}

void drain_once(Builder& builder, std::size_t begin, std::span<const UbRange> ranges) {
  Code& code = builder.code();
  const Nodes nodes = nodes_of({code.data() + begin, code.size() - begin}, begin, ranges);
  DVMSIM_ASSERT(std::all_of(nodes.begin(), nodes.end(),
                            [](const Node& node) { return node.pipe == Pipe::Vector; }),
                "what is computed once runs on the vector pipe alone");
  drain_vector(nodes, code);
}

void drain_first(Builder& builder, std::size_t begin) {
  Code& code = builder.code();
  for (std::size_t at = begin; at < code.size(); ++at) {
    const isa::Row& row = isa::row_of(code[at].op);
    if (row.pipe != Pipe::Vector || row.named_pipe) continue;
    code[at].drain = true;
    return;
  }
}

}  // namespace dvmsim
