// The text form of a graph: parse is the inverse of print.
//
//   graph encoder
//   dim seq
//   input x: f16[1, seq, 256]
//   const w: f16[256, 256] = random(7, 0.05)     random(seed, scale) | full(value) | [1, 2, 3]
//   h = matmul(x, w)                             a type after the name is optional: h: f16[1, seq]
//   a, b = split(h) {axis=-1, sizes=[128, 128]} @"where it came from"
//   y = if(c, a) then (p) { q = exp(p)  output q } else (p) { output p }
//   z = loop(n, c, a) {carried=1} do (i, go, p) { q = exp(p)  output go, q }
//   output y, b as "second"
//
// Layers are written once; print writes them out:
//
//   repeat layer 12 {            values and outputs are called layer0.h, layer1.h ...; each round
//     const w: ... = random(1, 0.1)   has seeds of its own
//     h = matmul(x, w)
//     next x = h                 x from outside is h in the next round, and after the last
//   }
#pragma once

#include <string>
#include <string_view>

#include "compiler/graph/graph.h"

namespace dvmsim {

/// Errors begin with "file:line: ". The result is verified at level Imported.
[[nodiscard]] Graph parse_graph(std::string_view text, const std::string& file);
[[nodiscard]] Graph load_graph(const std::string& path);

struct PrintOptions {
  bool types = true;             // of temporaries, where known
  bool elide_constants = false;  // more than 16 elements: a hash; such text cannot be parsed
};
[[nodiscard]] std::string print_graph(const Graph& graph, const PrintOptions& options = {});

}  // namespace dvmsim
