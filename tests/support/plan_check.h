// A plan and what it must give: for other sizes the module that compiling the graph with these
// sizes written in gives.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "compiler/graph/shape.h"
#include "compiler/graph/text.h"
#include "compiler/module/plan.h"
#include "vm/base/error.h"

namespace dvmsim::plan_check {

using Sizes = std::vector<std::int64_t>;

inline const Machine& machine() {
  static const Machine made = default_machine();
  return made;
}

inline CompileOptions with(Features features) {
  CompileOptions options;
  options.features = features;
  return options;
}

inline Features only(Feature feature) {
  Features features;
  features.set(feature, true);
  return features;
}

/// Without `parametric`, which cuts sizes as others like them.
inline Features all_but_parametric() {
  Features features = Features::all();
  features.set(Feature::Parametric, false);
  return features;
}

/// Nullopt where these sizes are an error.
inline std::optional<Module> written_in(const Graph& graph, const Sizes& sizes,
                                        Features features = {}) {
  try {
    return compile(specialize(graph, bindings_of(graph, sizes)), machine(), with(features));
  } catch (const Error&) {
    return std::nullopt;
  }
}

inline Graph graph_of(const std::string& lines) {
  return infer_shapes(parse_graph("graph g\n" + lines, "test"));
}

/// The plan of the first sizes, bound to the others.
inline void expect_reused(const std::string& lines, const std::vector<Sizes>& all,
                          Features features = {}) {
  const Graph graph = graph_of(lines);
  Plan plan(graph, all.front(), machine(), with(features));
  for (const Sizes& sizes : all) {
    SCOPED_TRACE(testing::PrintToString(sizes));
    ASSERT_TRUE(plan.bind(sizes));
    EXPECT_EQ(plan.compile(), written_in(graph, sizes, features));
  }
}

inline void expect_other(const std::string& lines, const Sizes& first, const Sizes& second,
                         Features features = {}) {
  const Graph graph = graph_of(lines);
  Plan plan(graph, first, machine(), with(features));
  EXPECT_FALSE(plan.bind(second)) << testing::PrintToString(second);
}

}  // namespace dvmsim::plan_check
