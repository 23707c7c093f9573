#include "compiler/schedule/view.h"

#include "compiler/schedule/copy.h"
#include "compiler/schedule/lower.h"

namespace dvmsim {
namespace {

using Sizes = std::vector<std::int64_t>;

/// A run of neighbouring dimensions that step through memory as one.
struct Run {
  std::int64_t count = 1, stride = 0;
};

std::vector<Run> runs_of(const StridedView& view, const Sizes& shape) {
  std::vector<Run> runs;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 1) continue;
    if (!runs.empty() && runs.back().stride == view.stride[i] * shape[i]) {
      runs.back().count *= shape[i];
      runs.back().stride = view.stride[i];
    } else {
      runs.push_back({shape[i], view.stride[i]});
    }
  }
  return runs;
}

}  // namespace

std::optional<StridedView> reshaped(const StridedView& view, const Sizes& from, const Sizes& to) {
  const std::vector<Run> runs = runs_of(view, from);
  StridedView result{view.base, view.offset, Sizes(to.size(), 0)};
  std::size_t run = runs.size();
  std::int64_t left = 1, stride = 0;  // of the current run, from its end
  for (std::size_t i = to.size(); i-- > 0;) {
    if (to[i] == 1) continue;
    if (left == 1) {
      if (run == 0) return std::nullopt;
      left = runs[--run].count;
      stride = runs[run].stride;
    }
    if (left % to[i] != 0) return std::nullopt;
    result.stride[i] = stride;
    stride *= to[i];
    left /= to[i];
  }
  return result;
}

StridedView Views::place_of(const Graph& graph, ValueId id) const {
  if (const StridedView* view = find(id)) return *view;
  return {id, 0, dense_strides(known_shape(graph.value(id)))};
}

}  // namespace dvmsim
