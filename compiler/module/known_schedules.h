// Schedules of a plan's kernels by what sizes alike share (schedule/alike.h), with the feature
// `parametric`. What is remembered is a function of the sizes asked for: forgetting it changes
// times, never a module.
#pragma once

#include <boost/container/small_vector.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <unordered_map>
#include <vector>

#include "compiler/schedule/alike.h"
#include "compiler/schedule/matmul_tactics.h"

namespace dvmsim {

class KnownSchedules {
 public:
  /// Which dimensions of a group's vector kernel depend on symbols, those beyond the last one too;
  /// empty: its schedule is chosen for each size anew.
  using Varying = std::vector<bool>;
  void vary(std::size_t group, Varying dims);

  /// Found, or chosen by the call and kept; `known` says which. Of products and attention
  /// `spec` is a representative.
  template <class T>
  struct Found {
    T value{};
    bool known = false;
  };
  using ChooseProduct = std::function<MatmulSchedule()>;
  /// `sharing` tells apart ways in which its tiles may be shared.
  [[nodiscard]] Found<MatmulSchedule> product(const MatmulSpec& spec, int sharing,
                                              const ChooseProduct& choose);
  using ChooseTactics = std::function<MatmulTactics()>;
  [[nodiscard]] Found<MatmulTactics> tactics(const MatmulSpec& spec, const ChooseTactics& choose);
  using ChooseAttention = std::function<AttentionSchedule()>;
  [[nodiscard]] Found<AttentionSchedule> attention(const AttentionSpec& spec,
                                                   const ChooseAttention& choose);
  /// `choose` is asked about the kernel at its representative sizes. Nullopt where these are not
  /// cut, or no dimension varies.
  using ChooseVector = std::function<std::optional<VectorCut>(const VectorKernel&)>;
  [[nodiscard]] Found<std::optional<VectorCut>> vector(std::size_t group,
                                                       const VectorKernel& kernel,
                                                       const ChooseVector& choose);

 private:
  using Key = boost::container::small_vector<std::int64_t, 24>;
  struct Hash {
    std::size_t operator()(const Key& key) const;
  };
  template <class T>
  using Map = std::unordered_map<Key, T, Hash>;
  template <class T, class Choose>
  static Found<T> find(Map<T>& map, const Key& key, const Choose& choose);
  [[nodiscard]] static Key key_of(const MatmulSpec& spec);
  [[nodiscard]] static Key key_of(const AttentionSpec& spec);

  std::vector<Varying> varying_{};  // by group
  Map<MatmulSchedule> products_{};
  Map<MatmulTactics> tactics_{};
  Map<AttentionSchedule> attentions_{};
  Map<std::optional<VectorCut>> vectors_{};
};

}  // namespace dvmsim
