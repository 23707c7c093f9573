#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "compiler/codegen/order.h"
#include "compiler/pass/pass.h"
#include "compiler/pass/rewrite.h"
#include "vm/base/rounding.h"

namespace dvmsim {
namespace {

using Sizes = std::vector<std::int64_t>;

Dims moved(const Dims& shape, const Sizes& perm) {
  Dims result;
  for (std::int64_t from : perm) result.push_back(shape[static_cast<std::size_t>(from)]);
  return result;
}

class LastAxes {
 public:
  LastAxes(const Graph& graph, const PassContext& context) : rewrite_(graph), context_(context) {}

  Graph run() {
    for (const Node& node : rewrite_.nodes()) {
      name_ = node.name;
      if (node.op == Op::GatherElements) {
        gather(node);
      } else if (node.op == Op::TopK) {
        top(node);
      } else if (node.op == Op::CumSum) {
        sum(node);
      } else {
        rewrite_.keep(node);
      }
    }
    return rewrite_.done();
  }

 private:
  [[nodiscard]] Dims shape_of(ValueId id) { return *rewrite_.graph().value(id).type.shape; }
  [[nodiscard]] DType type_of(ValueId id) { return rewrite_.graph().value(id).type.dtype; }
  static std::size_t axis_of(const Node& node, const Dims& shape) {
    const std::int64_t axis = node.int_of("axis");
    return static_cast<std::size_t>(axis < 0 ? axis + std::ssize(shape) : axis);
  }
  /// Is there more than one element for each place along the axis?
  [[nodiscard]] bool has_inner(const Dims& shape, std::size_t axis) const {
    const auto behind = shape.begin() + static_cast<std::ptrdiff_t>(axis) + 1;
    return !context_.equal(element_count({behind, shape.end()}), 1);
  }
  /// How many lines there are along the axis.
  static Dim lines_along(Dims shape, std::size_t axis) {
    shape[axis] = 1;
    return element_count(shape);
  }

  /// All axes but this one in order, then this one.
  static Sizes to_last(std::size_t axis, std::size_t rank) {
    Sizes perm(rank);
    std::iota(perm.begin(), perm.end(), 0);
    std::rotate(perm.begin() + static_cast<std::ptrdiff_t>(axis),
                perm.begin() + static_cast<std::ptrdiff_t>(axis) + 1, perm.end());
    return perm;
  }
  static Sizes inverse(const Sizes& perm) {
    Sizes result(perm.size());
    for (std::size_t i = 0; i < perm.size(); ++i) {
      result[static_cast<std::size_t>(perm[i])] = static_cast<std::int64_t>(i);
    }
    return result;
  }
  ValueId make(DType dtype, const Dims& shape, Op op, std::vector<ValueId> inputs,
               AttributeMap attributes = {}) {
    return rewrite_.make(dtype, shape, op, std::move(inputs), std::move(attributes), name_);
  }
  ValueId reshaped(ValueId id, const Dims& shape) {
    return make(type_of(id), shape, Op::Reshape, {id}, {{"shape", shape}});
  }
  ValueId turned(ValueId id, const Sizes& perm) {
    return make(type_of(id), moved(shape_of(id), perm), Op::Transpose, {id},
                {{"perm", as_dims(perm)}});
  }
  void turn_back(ValueId output, ValueId id, const Sizes& perm) {
    rewrite_.make(output, Op::Transpose, {id}, {{"perm", as_dims(inverse(perm))}}, name_);
  }
  ValueId sliced(ValueId id, std::int64_t axis, const Dim& begin, const Dim& end) {
    Dims shape = shape_of(id);
    shape[static_cast<std::size_t>(axis)] = end - begin;
    return make(
        type_of(id), shape, Op::Slice, {id},
        {{"starts", Dims{begin}}, {"ends", Dims{end}}, {"axes", Dims{axis}}, {"steps", Dims{1}}});
  }

  /// Data no wider than the indices but along the axis; the axis last; rows that fit UB.
  void gather(const Node& node) {
    ValueId data = node.inputs[0], indices = node.inputs[1];
    const Dims wanted = shape_of(indices);
    if (wanted.empty()) return rewrite_.keep(node);
    const std::size_t axis = axis_of(node, wanted);
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      const Dim given = shape_of(data)[i];
      if (i == axis || context_.equal(given, wanted[i])) continue;
      (void)context_.at_most(wanted[i] - given, 0);  // shape deduction wants it
      data = sliced(data, static_cast<std::int64_t>(i), 0, wanted[i]);
    }
    const Sizes perm = to_last(axis, wanted.size());
    const bool turns = has_inner(wanted, axis);
    if (turns) {
      data = turned(data, perm);
      indices = turned(indices, perm);
    }
    const Dims shape = shape_of(indices);
    const std::size_t last = turns ? shape.size() - 1 : axis;
    const Dim size = shape_of(data)[last];
    const RowGatherKernel row{name_, type_of(data), type_of(indices)};
    const ValueId result = context_.at_most(size, longest_row(row, context_.machine))
                               ? make(type_of(data), shape, Op::GatherElements, {data, indices},
                                      {{"axis", static_cast<std::int64_t>(last)}})
                               : by_flat_number(data, indices, last);
    if (turns) {
      turn_back(node.outputs[0], result, perm);
    } else {
      rewrite_.rename_last(node.outputs[0]);
    }
  }

  /// Numbers in all of the data, whose rows are too long for a table. Where each row begins is a
  /// constant.
  ValueId by_flat_number(ValueId data, ValueId indices, std::size_t last) {
    const Dims shape = shape_of(indices);
    const Dim& count = shape[last];
    const std::int64_t rows = context_.value(lines_along(shape, last)),
                       size = context_.value(shape_of(data)[last]);
    const ValueId wide = make(DType::I64, shape, Op::Cast, {indices}, {{"to", DType::I64}});
    Graph& graph = rewrite_.graph();
    const ValueId negative =
        make(DType::Bool, shape, Op::Lt, {wide, graph.add_scalar(DType::I64, 0)});
    const ValueId moved_up = make(DType::I64, shape, Op::Add,
                                  {wide, graph.add_scalar(DType::I64, static_cast<double>(size))});
    const ValueId number =
        reshaped(make(DType::I64, shape, Op::Select, {negative, moved_up, wide}), {rows, count});
    Sizes starts;
    for (std::int64_t row = 0; row < rows; ++row) starts.push_back(row * size);
    const ValueId base =
        graph.add_constant(name_ + ".rows", Tensor::of_ints(DType::I64, {rows, 1}, starts));
    const ValueId flat = make(DType::I64, {rows, count}, Op::Add, {number, base});
    const ValueId found = make(type_of(data), {rows * count}, Op::Gather,
                               {reshaped(data, {rows * size}), reshaped(flat, {rows * count})},
                               {{"axis", std::int64_t{0}}});
    return reshaped(found, shape);
  }

  void top(const Node& node) {
    const Dims shape = shape_of(node.inputs[0]);
    if (shape.empty()) return rewrite_.keep(node);
    const std::size_t axis = axis_of(node, shape);
    const std::int64_t count = context_.value(shape_of(node.outputs[0])[axis]);
    const bool turns = has_inner(shape, axis);
    if (!turns && context_.at_most(shape[axis], longest(type_of(node.inputs[0]), count))) {
      return rewrite_.keep(node);
    }
    const Sizes perm = turns ? to_last(axis, shape.size()) : Sizes{};
    const ValueId given = turns ? turned(node.inputs[0], perm) : node.inputs[0];
    const bool largest = node.int_of("largest") != 0;
    const ValueId rows = reshaped(given, {lines_along(shape, axis), shape[axis]});
    const auto [values, places] = top_of_rows(rows, count, largest);
    const auto finish = [&](ValueId output, ValueId id) {
      const Dims whole = shape_of(output);
      if (!turns) {
        rewrite_.make(output, Op::Reshape, {id}, {{"shape", whole}}, name_);
      } else {
        turn_back(output, reshaped(id, moved(whole, perm)), perm);
      }
    };
    finish(node.outputs[0], values);
    finish(node.outputs[1], places);
  }

  struct Top {
    ValueId values = kNoValue, places = kNoValue;
  };
  [[nodiscard]] std::int64_t longest(DType dtype, std::int64_t count) const {
    return longest_row(TopKernel{name_, dtype, 1, 1, count}, context_.machine);
  }
  Top one_top(ValueId id, std::int64_t count, bool largest) {
    Dims shape = shape_of(id);
    shape.back() = count;
    Node node{Op::TopK, {id}, {}, {}, name_, {}};
    node.set("k", Dims{count});
    node.set("axis", std::int64_t{-1});
    node.set("largest", std::int64_t{largest});
    const Top top{new_value(type_of(id), shape), new_value(DType::I64, shape)};
    node.outputs = {top.values, top.places};
    rewrite_.keep(std::move(node));
    return top;
  }

  /// Of rows too long to sort, the largest of pieces, then the largest of those.
  Top top_of_rows(ValueId id, std::int64_t count, bool largest) {
    const DType dtype = type_of(id);
    const std::int64_t most = longest(dtype, count);
    if (context_.at_most(shape_of(id)[1], most)) return one_top(id, count, largest);
    const Dim rows = shape_of(id)[0];
    const std::int64_t size = context_.value(shape_of(id)[1]);  // cut in as many pieces as it needs
    const std::int64_t pieces = most > 0 ? ceil_div(size, most) : 0;
    const std::int64_t piece = pieces > 0 ? ceil_div(size, pieces) : size;
    if (pieces * std::min(count, piece) >= size) return one_top(id, count, largest);
    const double worst = largest ? -std::numeric_limits<double>::infinity()
                                 : std::numeric_limits<double>::infinity();
    Graph& graph = rewrite_.graph();
    if (pieces * piece != size) {  // behind the elements, and no better than any: never taken
      id = make(dtype, {rows, pieces * piece}, Op::Pad,
                {id, kNoValue, graph.add_scalar(dtype, worst)},
                {{"pads", Dims{0, 0, 0, pieces * piece - size}}});
    }
    const std::int64_t taken = std::min(count, piece), candidates = pieces * taken;
    const Top parts = one_top(reshaped(id, {rows, pieces, piece}), taken, largest);
    Sizes starts;
    for (std::int64_t i = 0; i < pieces; ++i) starts.push_back(i * piece);
    const ValueId start =
        graph.add_constant(name_ + ".pieces", Tensor::of_ints(DType::I64, {pieces, 1}, starts));
    const ValueId numbers = make(DType::I64, {rows, pieces, taken}, Op::Add, {parts.places, start});
    const Top best = top_of_rows(reshaped(parts.values, {rows, candidates}), count, largest);
    const ValueId places =
        make(DType::I64, {rows, count}, Op::GatherElements,
             {reshaped(numbers, {rows, candidates}), best.places}, {{"axis", std::int64_t{1}}});
    return {best.values, places};
  }
  ValueId new_value(DType dtype, const Dims& shape) {
    Graph& graph = rewrite_.graph();
    Value value;
    value.name = name_ + "." + std::to_string(graph.values.size());
    value.type.dtype = dtype;
    value.type.shape = shape;
    graph.values.push_back(std::move(value));
    return static_cast<ValueId>(graph.values.size()) - 1;
  }

  /// Lines that a tile holds: over a few of its rows, or along them. A sum waits for the one before
  /// it, so longer lines are cut into as many pieces as a piece has elements.
  void sum(const Node& node) {
    const Dims shape = shape_of(node.inputs[0]);
    if (shape.empty()) return rewrite_.keep(node);
    const DType given = type_of(node.inputs[0]), wide = is_float(given) ? DType::F32 : given;
    const std::size_t axis = axis_of(node, shape);
    const bool inner = has_inner(shape, axis);
    const std::int64_t room = context_.machine.ub.size.count() / 2 / std::max(4, size_of(wide));
    const std::int64_t fitting = room / 3;
    if (context_.at_most(shape[axis], inner ? room / (32 * 4) : fitting)) {
      return rewrite_.keep(node);
    }
    const Sizes perm = to_last(axis, shape.size());
    ValueId lines = inner ? turned(node.inputs[0], perm) : node.inputs[0];
    lines = reshaped(lines, {lines_along(shape, axis), shape[axis]});
    if (wide != given) lines = cast(lines, wide);  // pieces keep their digits
    ValueId summed = context_.at_most(shape[axis], fitting)
                         ? scan(lines, 1)
                         : sum_in_pieces(lines, context_.value(shape[axis]), fitting);
    if (wide != given) summed = cast(summed, given);
    const ValueId back = reshaped(summed, inner ? moved(shape, perm) : shape);
    if (inner) {
      turn_back(node.outputs[0], back, perm);
    } else {
      rewrite_.rename_last(node.outputs[0]);
    }
  }

  ValueId cast(ValueId id, DType to) {
    return make(to, shape_of(id), Op::Cast, {id}, {{"to", to}});
  }
  ValueId scan(ValueId id, std::int64_t axis) {
    return make(type_of(id), shape_of(id), Op::CumSum, {id}, {{"axis", axis}});
  }

  ValueId sum_in_pieces(ValueId id, std::int64_t size, std::int64_t fitting) {
    const auto root = static_cast<std::int64_t>(std::sqrt(static_cast<double>(size))) + 16;
    return sum_rows(id, size, std::min(fitting, root));
  }
  /// Running sums of [rows, size]; longer rows than `most` in pieces, and the pieces' sums.
  ValueId sum_rows(ValueId id, std::int64_t size, std::int64_t most) {
    const Dim rows = shape_of(id)[0];
    if (size <= most) return scan(id, 1);
    const std::int64_t pieces = ceil_div(size, most), piece = ceil_div(size, pieces);
    ValueId whole = id;
    if (pieces * piece != size) {
      whole = make(type_of(id), {rows, pieces * piece}, Op::Pad, {id},
                   {{"pads", Dims{0, 0, 0, pieces * piece - size}}});
    }
    const ValueId inside_pieces = scan(reshaped(whole, {rows, pieces, piece}), 2);
    const ValueId totals = reshaped(sliced(inside_pieces, 2, piece - 1, piece), {rows, pieces});
    const ValueId before = make(type_of(id), {rows, pieces + 1}, Op::Pad,
                                {sum_rows(totals, pieces, most)}, {{"pads", Dims{0, 1, 0, 0}}});
    const ValueId offsets = reshaped(sliced(before, 1, 0, pieces), {rows, pieces, 1});
    const ValueId all =
        reshaped(make(type_of(id), {rows, pieces, piece}, Op::Add, {inside_pieces, offsets}),
                 {rows, pieces * piece});
    return pieces * piece == size ? all : sliced(all, 1, 0, size);
  }

  Rewrite rewrite_;
  const PassContext& context_;
  std::string name_{};
};

}  // namespace

Graph last_axes(const Graph& graph, const PassContext& context) {
  return LastAxes(graph, context).run();
}

}  // namespace dvmsim
