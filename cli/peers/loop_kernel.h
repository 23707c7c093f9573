// A fused graph as what other compilers are given: loops over the rows of one iteration space, in a
// row one loop over its columns for each reduction and one more, all in f32. Owns what happens in
// which loop; how a compiler is told is loop_emitter.h's users.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "compiler/graph/graph.h"

namespace dvmsim {

struct LoopKernel {
  /// What an array or a value has an element for: everything, each column, or each row.
  enum class Reach : std::uint8_t { Whole, Column, Row };
  struct Array {
    ValueId value = 0;
    Reach reach = Reach::Whole;
  };
  struct Number {
    ValueId result = 0;
    float value = 0;
  };
  /// result = op(a, b); b is kNoValue if op takes one.
  struct Step {
    Op op{};
    ValueId a = 0, b = kNoValue, result = 0;
  };
  /// result = the sum, maximum or minimum over a row of `from`.
  struct Reduction {
    Op op{};
    ValueId from = 0, result = 0;
  };
  struct Load {
    std::size_t array = 0;  // place in `arrays`
    ValueId result = 0;
  };
  struct Store {
    std::size_t array = 0;
    ValueId from = 0;
  };
  /// What is done once a row, then a loop over the row's columns.
  struct Nest {
    std::vector<Load> row_loads{};
    std::vector<Step> row_steps{};
    std::vector<Load> loads{};
    std::vector<Step> steps{};
    std::vector<Reduction> reductions{};
    std::vector<Store> stores{};
  };

  static constexpr std::size_t kMostArrays = 8;

  std::int64_t rows = 1, columns = 1;
  std::vector<Array> arrays{};  // the inputs, then the outputs
  std::vector<Number> numbers{};
  std::vector<Nest> nests{};
  std::vector<Step> last_steps{};  // once a row, after the last loop
  std::vector<Store> row_stores{};

  [[nodiscard]] Reach reach_of(const Load& load) const { return arrays[load.array].reach; }
  [[nodiscard]] Reach reach_of(const Store& store) const { return arrays[store.array].reach; }
};

/// Nullopt for a graph that is not of f32 elementwise primitives and reductions over the last axis,
/// or whose shapes are more than rows and columns of one space. Sizes are numbers.
[[nodiscard]] std::optional<LoopKernel> loop_kernel(const Graph& graph);

}  // namespace dvmsim
