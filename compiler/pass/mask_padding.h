// A graph that may run at larger sizes than it was asked for: what would let the elements beyond
// the sizes asked for into a result is masked. Every dimension with a symbol counts as padded at
// its end, and the elements before that are right. Owns which operators keep that and what must be
// masked for it; the masks themselves are inputs that the caller makes for each set of sizes.
#pragma once

#include <string>
#include <vector>

#include "compiler/graph/graph.h"

namespace dvmsim {

/// An input that mask_padding adds: `size` of the sizes asked for tells what it holds.
struct PaddingInput {
  enum class Kind : std::uint8_t {
    Mask,   // bool [size when padded]: is the element before `size`?
    Ratio,  // one number: the padded size over `size`
  };
  Kind kind = Kind::Mask;
  Dim size{};
  DType dtype = DType::Bool;
  std::string name{};
};

/// Two sizes that meet in an elementwise node. What they are to one another (equal, or one of them
/// 1 and broadcast) must not change with padding; only numbers tell.
struct MeetingSizes {
  Dim a{}, b{};
  std::string node{};  // "node 'sum' (add)"
};

struct MaskedGraph {
  Graph graph{};  // its inputs: those of the graph, then these
  std::vector<PaddingInput> added{};
  std::vector<MeetingSizes> meeting{};
};

/// `graph` is shaped, with symbols. Error, naming the node, where padding would change what lies
/// before it and no mask helps.
[[nodiscard]] MaskedGraph mask_padding(const Graph& graph);

}  // namespace dvmsim
