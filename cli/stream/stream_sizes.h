// The sizes of every step of a stream file, known before anything runs: what is carried from step
// to step has the shape that the model gives it. Owns that, and what of a stream cannot be known.
#pragma once

#include <vector>

#include "cli/stream/stream.h"
#include "compiler/graph/graph.h"

namespace dvmsim {

struct RecordedSizes {
  std::vector<Bindings> steps{};
  Named state{};              // pairs of an output and an input of the model
  std::vector<bool> fresh{};  // by step: what was carried is forgotten; empty without state
};

/// `graph` is shaped. Throws Error for state whose size values decide, and for sizes that do not
/// fit.
[[nodiscard]] RecordedSizes recorded_sizes(const Stream& stream, const Graph& graph);

}  // namespace dvmsim
