// The state of lowering one group: internal to this folder. lower.cpp finds the iteration domain,
// loads and stores; lower_node.cpp turns operators into steps.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "compiler/schedule/expansion.h"
#include "compiler/schedule/lower.h"
#include "compiler/schedule/lower_rules.h"

namespace dvmsim {

using lower_rules::VOp;

/// Which dimensions of the domain (bit 0: the innermost) a value has.
using Mask = std::uint32_t;

class Lowering {
 public:
  Lowering(const Graph& graph, std::span<const NodeId> nodes, std::span<const ValueId> outputs,
           const ProductFrame* frame, const Views& views, bool reorders)
      : graph_(graph),
        nodes_(nodes),
        outputs_(outputs),
        frame_(frame),
        views_(views),
        reorders_(reorders),
        widen_(frame != nullptr && !frame->operand) {}

  std::optional<LoweredKernel> run(std::string* why);

 private:
  bool find_domain();
  bool merge_dimensions();
  void add_dimension(const std::vector<std::size_t>& dims);
  [[nodiscard]] std::int64_t known_size(ValueId id, std::size_t axis) const;
  bool frame_dimensions();
  bool place_reductions();
  void lower_node(const Node& node);
  void lower_binary(const Node& node, const lower_rules::BinaryRule& rule);
  bool lower_constant_power(const Node& node);
  void lower_integer_power(const Node& node);
  void lower_compare(const Node& node, const lower_rules::CompareRule& rule);
  void lower_reduce(const Node& node, const lower_rules::ReduceRule& rule);
  void lower_scan(const Node& node, std::size_t axis);

  int new_value(DType dtype, Extent extent) {
    made_.kernel.values.push_back({dtype, extent});
    return static_cast<int>(made_.kernel.values.size()) - 1;
  }
  int emit(VOp op, DType dtype, int result, std::array<int, 3> sources, std::int32_t scalar = 0,
           int pick = 0);
  [[nodiscard]] StepWriter writer(DType dtype, Extent extent) {
    return {dtype, [this, extent](VOp op, DType of, DType to, std::array<int, 3> sources,
                                  int scalar, int pick) {
              return emit(op, of, new_value(to, extent), sources, scalar, pick);
            }};
  }
  /// The type a value of this type is computed in by the node that is lowered now.
  [[nodiscard]] DType compute_type(DType dtype) const {
    const bool wide = widen_ && !stays_narrow_;
    return dtype == DType::BF16 || (dtype == DType::F16 && wide) ? DType::F32 : dtype;
  }
  /// In a kernel that computes in F32: may the node be computed in F16, as the model says? What it
  /// reads is there in F16, and its one rounding is the model's own.
  [[nodiscard]] bool is_narrow(const Node& node) const;
  [[nodiscard]] DType type_of(ValueId id) const {
    return compute_type(graph_.value(id).type.dtype);
  }
  [[nodiscard]] Extent extent_of(Mask mask) const;
  [[nodiscard]] Mask mask_of(const std::vector<std::int64_t>& shape) const;
  [[nodiscard]] Mask mask_of(ValueId id) const { return mask_.at(id); }
  /// The kernel value of a graph value in its compute_type(), loaded or converted the first time.
  int read(ValueId id);
  int load(ValueId id);
  void load_accumulators();
  /// The same spread out so that it can stand beside values of `extent`.
  int spread(int value, Extent extent);
  int read(ValueId id, Extent extent) { return spread(read(id), extent); }
  /// The immediate of a one-element constant in the compute type.
  [[nodiscard]] std::optional<std::int32_t> immediate(ValueId id) const;
  [[nodiscard]] KernelTensor tensor_of(ValueId id, int value, Mask mask);
  void find_views();
  /// Tiles are as tall as one dimension: the longest, if nothing is reduced over another.
  void put_longest_last_but_one();
  /// Do the two dimensions of the domain step through every view as one?
  [[nodiscard]] bool views_join(std::size_t outer, std::size_t inner) const;
  [[nodiscard]] bool repeats(const KernelTensor& tensor) const;

  const Graph& graph_;
  std::span<const NodeId> nodes_;
  std::span<const ValueId> outputs_;
  const ProductFrame* frame_;
  const Views& views_;
  bool reorders_;
  bool widen_;                 // f16 is computed in f32
  bool stays_narrow_ = false;  // but not by this node
  LoweredKernel made_{};
  std::string why_{};
  std::string label_{};
  std::vector<std::int64_t> domain_{};              // outermost first, as broadcast
  std::vector<DimSource> sources_{};                // a value that has the dimension, whole
  std::vector<std::vector<std::size_t>> merged_{};  // kernel dim -> domain dims
  std::map<NodeId, std::size_t> scanned_{};  // running sums: along which dimension of the domain
  std::map<ValueId, Mask> mask_{};           // over domain_ positions (bit i: dimension i)
  std::map<ValueId, std::vector<std::int64_t>> shape_{};        // aligned to the domain's rank
  std::map<ValueId, std::vector<std::int64_t>> view_stride_{};  // of views, aligned likewise
  std::map<ValueId, int> known_{};                              // graph value -> kernel value
  std::map<ValueId, int> narrow_{};                             // the same, of those in F16
  std::map<std::pair<int, Extent>, int> spread_{};
};

}  // namespace dvmsim
