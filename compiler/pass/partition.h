// Which nodes become one launch. A partition depends on the structure of a graph and on what fits
// the machine; it is found once and reused for other shapes of the same graph while it still fits.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compiler/graph/graph.h"
#include "compiler/pass/feature.h"
#include "compiler/pass/fusion_hint.h"
#include "compiler/schedule/lower.h"
#include "compiler/schedule/product.h"
#include "vm/machine/machine.h"

namespace dvmsim {

enum class GroupKind : std::uint8_t {
  Vector,   // elementwise, broadcast and reduction nodes over one iteration domain
  Cube,     // a product or convolution, perhaps with elementwise nodes on its result (mix)
  Grouped,  // products of a list of groups
  Attention,
  Chain,   // two products, the first result kept in the core
  Conv,    // a convolution: copies and a product
  Window,  // a pool or a depthwise convolution
  Copy,    // one move
  Gather,
  RowGather,  // elements of rows by number
  Top,        // the largest of rows
  Scatter,    // rows by number
  Alias,      // its output is its input's bytes: no code
  View,       // a move whose readers, or writers, step through the other tensor: no code
  Branch,     // an If
};
[[nodiscard]] std::string_view name_of(GroupKind kind);

struct Group {
  GroupKind kind = GroupKind::Vector;
  std::vector<NodeId> nodes{};
};

/// Who may share a launch.
enum class Fusion : std::uint8_t {
  PerOperator,  // only nodes that came from one operator of the framework
  Pointwise,    // as Patterns, but products keep to themselves
  Patterns,     // whatever has a common domain and fits, and elementwise epilogues of products
  Captured,     // of those only values of one shape, and nothing after a reduction: DVM's rule for
                // calls that it sees one by one
};

/// A consumer that was, or was not, put into its producer's group, for people.
struct Remark {
  NodeId producer = -1, consumer = -1;
  std::string text{};    // "fused", or the kind of reason why not
  std::string detail{};  // its figures and names, if it has any
  bool fused = false;
};

/// A kernel that was asked about because a join depended on it.
struct FitCheck {
  LoweredKernel lowered{};
  bool fits = false;
};

/// A product and what makes its A or B, of which an estimate decided.
struct PrologueCheck {
  Group group{};
  bool is_finished = false;  // would vector cores else do what follows the product?
  bool pays = false;
};

/// Two products that could be a chain, of which an estimate decided.
struct ChainCheck {
  Group group{};
  bool is_finished = false;  // would vector cores else do what follows them?
  bool pays = false;
};

/// A product that is finished with reductions along its rows, or could be: does a tile hold them?
struct RowCheck {
  ValueId product = kNoValue;
  bool whole = false;
};

/// A convolution that vector cores finish, or could: are its tiles of the whole width of its map?
struct TileCheck {
  NodeId conv = -1;
  bool whole = false;
};

struct Partition {
  std::vector<Group> groups{};  // in an order in which they can run
  std::vector<Remark> remarks{};
  /// The groups are the same for other sizes if these say the same, and the same dimensions are 0,
  /// 1, and equal to those that they meet.
  std::vector<FitCheck> checks{};
  std::vector<PrologueCheck> prologues{};
  std::vector<ChainCheck> chains{};
  std::vector<RowCheck> rows{};
  std::vector<TileCheck> tiles{};
};

/// Can the kernel run: on tiles that hold what must be whole, or in phases?
[[nodiscard]] bool has_tile(const VectorKernel& kernel, const Machine& machine, Features features);

/// The graph comes from run_passes. Throws Error, naming the node, for what cannot be compiled, and
/// for a hint that cannot be followed. Edges of moves that may become views are left to those.
[[nodiscard]] Partition partition(const Graph& graph, const Machine& machine, Fusion fusion,
                                  Features features = {}, FusionHints hints = {});

/// Values of a group's nodes that something outside reads, in order.
[[nodiscard]] std::vector<ValueId> outputs_of(const Graph& graph, const Group& group);
/// The same; `users` is users_of(graph).
[[nodiscard]] std::vector<ValueId> outputs_of(const Graph& graph, const Group& group,
                                              const std::vector<std::vector<NodeId>>& users);
/// "softmax, add": the operators in it, once each.
[[nodiscard]] std::string label_of(const Graph& graph, const Group& group);

[[nodiscard]] std::string to_text(const Graph& graph, const Partition& partition);

}  // namespace dvmsim
