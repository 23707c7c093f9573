#include <algorithm>
#include <limits>

#include "compiler/pass/pass.h"
#include "compiler/pass/rewrite.h"
#include "compiler/schedule/long_reduce.h"
#include "compiler/schedule/lower.h"
#include "compiler/schedule/vector.h"

namespace dvmsim {
namespace {

using Sizes = std::vector<std::int64_t>;

std::vector<bool> reduced_dims(const Node& node, std::size_t rank) {
  std::vector<bool> reduced(rank, node.dims_of("axes") == nullptr);
  for (std::int64_t axis : node.ints_of("axes")) {
    reduced[static_cast<std::size_t>(axis < 0 ? axis + static_cast<std::int64_t>(rank) : axis)] =
        true;
  }
  return reduced;
}

/// Largest divisor of `size` that is at most `limit`.
std::int64_t divisor(std::int64_t size, std::int64_t limit) {
  for (std::int64_t d = std::min(size, limit); d > 1; --d) {
    if (size % d == 0) return d;
  }
  return 1;
}

class Splitter {
 public:
  Splitter(const Graph& graph, const PassContext& context) : rewrite_(graph), context_(context) {}

  Graph run() {
    for (const Node& node : rewrite_.nodes()) {
      if (join_of_reduction(node.op)) {
        split(node);
      } else {
        rewrite_.keep(node);
      }
    }
    return rewrite_.done();
  }

 private:
  void split(const Node& node) {
    Graph& graph = rewrite_.graph();
    const DType given = given_ = graph.value(node.inputs[0]).type.dtype;
    Dims shape = *graph.value(node.inputs[0]).type.shape;
    const std::vector<bool> reduced = reduced_dims(node, shape.size());
    ValueId current = node.inputs[0];
    DType dtype = given;
    if (sums(node.op) && (given == DType::F16 || given == DType::BF16) &&
        in_parts(given, shape, reduced)) {
      dtype = DType::F32;  // parts go through memory: they keep their range and digits
      current = rewrite_.make(dtype, shape, Op::Cast, {current}, {{"to", dtype}}, node.name);
    }
    // Runs of adjacent reduced dimensions, the innermost first; dimensions of one element join any
    // run.
    for (std::size_t end = shape.size(); end > 0;) {
      if (!reduced[end - 1] || is_one(shape[end - 1])) {
        --end;
        continue;
      }
      std::size_t begin = end;
      while (begin > 0 && (reduced[begin - 1] || is_one(shape[begin - 1]))) --begin;
      current = reduce_run(node, dtype, current, shape, begin, end);
      end = begin;
    }
    if (dtype != given) {
      current = rewrite_.make(given, shape, Op::Cast, {current}, {{"to", given}}, node.name);
    }
    const ValueId result = node.outputs[0];
    const Dims wanted = *graph.value(result).type.shape;
    if (current != node.inputs[0] && context_.equal(shape, wanted)) {
      rewrite_.rename_last(result);
    } else {
      rewrite_.make(result, Op::Reshape, {current}, {{"shape", wanted}}, node.name);
    }
  }

  [[nodiscard]] bool is_one(const Dim& dim) const { return context_.equal(dim, 1); }
  static bool sums(Op op) { return op == Op::ReduceSum || op == Op::ReduceProd; }

  /// Does it take more than one reduction?
  [[nodiscard]] bool in_parts(DType dtype, const Dims& shape,
                              const std::vector<bool>& reduced) const {
    int runs = 0;
    bool open = false;
    Dim size = 1, inner = 1;
    for (std::size_t i = shape.size(); i-- > 0;) {
      if (is_one(shape[i])) continue;
      runs += reduced[i] && !open ? 1 : 0;
      open = reduced[i];
      Dim& product = reduced[i] ? size : inner;
      product = product * shape[i];
    }
    return runs > 1 || !context_.at_most(size, longest(dtype, inner));
  }

  /// Reduces shape[begin, end) and leaves ones there.
  ValueId reduce_run(const Node& node, DType dtype, ValueId input, Dims& shape, std::size_t begin,
                     std::size_t end) {
    Dim all = 1, after = 1, before = 1;
    for (std::size_t i = 0; i < shape.size(); ++i) {
      Dim& product = i < begin ? before : i < end ? all : after;
      product = product * shape[i];
    }
    Sizes axes;
    for (std::size_t i = begin; i < end; ++i) axes.push_back(static_cast<std::int64_t>(i));
    std::fill(shape.begin() + static_cast<std::ptrdiff_t>(begin),
              shape.begin() + static_cast<std::ptrdiff_t>(end), 1);
    const std::int64_t limit = longest(given_, after);
    if (context_.at_most(all, limit)) return one(node, dtype, input, shape, axes);
    std::int64_t size = context_.value(all);
    const Dim &inner = after, &outer = before;
    while (size > limit) {  // in pieces of equal length, then the pieces
      const std::int64_t piece = divisor(size, limit);
      if (piece == 1) return reduce_uneven(node, dtype, input, shape, {outer, size, inner}, limit);
      const Dims cut = {outer, size / piece, piece, inner};
      const ValueId pieces =
          rewrite_.make(dtype, cut, Op::Reshape, {input}, {{"shape", cut}}, node.name);
      input = one(node, dtype, pieces, {outer, size / piece, 1, inner}, {2});
      size /= piece;
    }
    const Dims left = {outer, size, inner};
    const ValueId flat =
        rewrite_.make(dtype, left, Op::Reshape, {input}, {{"shape", left}}, node.name);
    const ValueId sum = one(node, dtype, flat, {outer, 1, inner}, {1});
    return rewrite_.make(dtype, shape, Op::Reshape, {sum}, {{"shape", shape}}, node.name);
  }

  /// A prime number of elements: all but the last `size % limit`, and those, apart; then the two.
  ValueId reduce_uneven(const Node& node, DType dtype, ValueId input, const Dims& shape,
                        const Dims& flat, std::int64_t limit) {
    const std::int64_t all = flat[1].value(), head = all - all % limit;
    const ValueId whole =
        rewrite_.make(dtype, flat, Op::Reshape, {input}, {{"shape", flat}}, node.name);
    const auto part = [&](std::int64_t from, std::int64_t to) {
      const Dims piece = {flat[0], to - from, flat[2]};
      const ValueId slice = rewrite_.make(dtype, piece, Op::Slice, {whole},
                                          {{"starts", as_dims({from})},
                                           {"ends", as_dims({to})},
                                           {"axes", as_dims({1})},
                                           {"steps", as_dims({1})}},
                                          node.name);
      Dims unit = piece;
      return reduce_run(node, dtype, slice, unit, 1, 2);
    };
    const ValueId a = part(0, head), b = part(head, all);
    const ValueId both = rewrite_.make(dtype, Dims{flat[0], 1, flat[2]},
                                       *join_of_reduction(node.op), {a, b}, {}, node.name);
    return rewrite_.make(dtype, shape, Op::Reshape, {both}, {{"shape", shape}}, node.name);
  }

  ValueId one(const Node& node, DType dtype, ValueId input, const Dims& result, const Sizes& axes) {
    return rewrite_.make(dtype, result, node.op, {input},
                         {{"axes", as_dims(axes)}, {"keepdims", std::int64_t{1}}}, node.name);
  }

  /// Elements along the reduced dimension that fit a tile with their widened copy and the result.
  [[nodiscard]] std::int64_t longest(DType dtype, const Dim& inner) const {
    if (context_.features.has(Feature::LongReduce) && context_.machine.flag.ids >= kLongFlags) {
      return std::numeric_limits<std::int64_t>::max();
    }
    const std::int64_t room = context_.machine.ub.size.count() * 3 / 4;
    const std::int64_t wide = is_float(dtype) ? 4 : size_of(dtype);
    const std::int64_t copies = size_of(dtype) + (wide != size_of(dtype) ? wide : 0);
    const std::int64_t columns = is_one(inner) ? 1 : 32;  // a block at least
    return std::max<std::int64_t>(2, room / (copies * columns) - 64);
  }

  Rewrite rewrite_;
  DType given_{};  // of the reduction being split
  const PassContext& context_;
};

}  // namespace

Graph split_reductions(const Graph& graph, const PassContext& context) {
  return Splitter(graph, context).run();
}

}  // namespace dvmsim
