// Values that lie inside another value's tensor: what a move would have copied out of it, or into
// it. Owns where they lie; which moves are done this way is decided in module/fold_views.h.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "compiler/graph/graph.h"

namespace dvmsim {

/// Element i of the value is element offset + sum i*stride of the tensor of `base`.
struct StridedView {
  ValueId base = kNoValue;
  std::int64_t offset = 0;
  std::vector<std::int64_t> stride{};  // by dimension of the value
  friend bool operator==(const StridedView&, const StridedView&) = default;
};

/// The same elements in the same order by dimensions of another shape; nullopt if no strides say
/// it.
[[nodiscard]] std::optional<StridedView> reshaped(const StridedView& view,
                                                  const std::vector<std::int64_t>& from,
                                                  const std::vector<std::int64_t>& to);

class Views {
 public:
  /// Null: the value is dense in a tensor of its own.
  [[nodiscard]] const StridedView* find(ValueId id) const {
    const auto found = views_.find(id);
    return found == views_.end() ? nullptr : &found->second;
  }
  /// In any case.
  [[nodiscard]] StridedView place_of(const Graph& graph, ValueId id) const;
  [[nodiscard]] ValueId base_of(ValueId id) const {
    const StridedView* view = find(id);
    return view == nullptr ? id : view->base;
  }
  void set(ValueId id, StridedView view) { views_[id] = std::move(view); }
  void erase(ValueId id) { views_.erase(id); }
  [[nodiscard]] bool empty() const { return views_.empty(); }

 private:
  std::map<ValueId, StridedView> views_{};
};

}  // namespace dvmsim
