// What became of every edge of a lowered graph, for people: a tensor that goes from the node that
// makes it to one that reads it is fused away, stays in its memory, is read or written through a
// view, or is missed: it goes through memory, for a reason. Owns the words and the count of bytes.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "compiler/graph/graph.h"
#include "compiler/pass/partition.h"
#include "compiler/pass/pass.h"
#include "vm/machine/machine.h"

namespace dvmsim {

struct PlannedGraph;

enum class EdgeFate : std::uint8_t {
  Fused,   // producer and consumer are in one kernel
  Alias,   // one of them does nothing: its output is its input's bytes
  View,    // a move that folded: its readers or its writers step through the other tensor
  Missed,  // the tensor goes through memory from kernel to kernel
};
[[nodiscard]] std::string_view name_of(EdgeFate fate);

struct EdgeRemark {
  NodeId producer = -1, consumer = -1;
  ValueId value = kNoValue;
  std::string from{}, to{}, tensor{};  // "softmax:exp", and the value's name
  EdgeFate fate = EdgeFate::Missed;
  std::string text{};    // the kernel, or the kind of reason
  std::string detail{};  // its figures and names, if it has any
  /// Read by the consumer, and written if this is the first edge that needs it to be: what the edge
  /// moves through memory.
  std::int64_t bytes = 0;
};

/// Of one graph, in its order: consumers, and of each its inputs. An edge that a consumer takes
/// twice is one edge.
struct GraphRemarks {
  std::string graph{};
  std::vector<EdgeRemark> edges{};
};

[[nodiscard]] GraphRemarks remarks_of(const PlannedGraph& planned);

/// Edges that the feature `attention`, which is not enabled, would have taken into one program say
/// so. `graph` is what was compiled, before its passes.
void note_attention(GraphRemarks& remarks, const Graph& graph, const PassContext& context);

/// How many edges there are of each fate and what they move; of the missed ones reasons, the
/// dearest first.
struct RemarkSummary {
  struct Share {
    std::int64_t edges = 0, bytes = 0;
  };
  std::map<EdgeFate, Share> fates{};
  std::vector<std::pair<std::string, Share>> reasons{};
  std::int64_t edges = 0;
};
[[nodiscard]] RemarkSummary summary_of(const std::vector<GraphRemarks>& remarks);

/// A line an edge, and the summary.
[[nodiscard]] std::string to_text(const std::vector<GraphRemarks>& remarks);

}  // namespace dvmsim
