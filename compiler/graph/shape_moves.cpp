// Shape rules of the operators that move data.
#include <algorithm>
#include <limits>

#include "compiler/graph/shape.h"
#include "compiler/graph/shape_rules.h"

namespace dvmsim {
namespace shape_rules {
namespace {

Types one(DType dtype, std::optional<Dims> shape) {
  return {ValueType{dtype, std::move(shape), std::nullopt}};
}

bool surely_negative(const Dim& a) {
  const std::optional<std::int64_t> bound = lower_bound(Dim(-1) - a);
  return bound && *bound >= 0;
}

bool surely_not_negative(const Dim& a) {
  const std::optional<std::int64_t> bound = lower_bound(a);
  return bound && *bound >= 0;
}

constexpr std::int64_t kFar = std::numeric_limits<std::int32_t>::max();

/// A position counted from the start; far outside becomes `before` or `behind`.
std::optional<Dim> place(const Dim& at, const Dim& size, const Dim& before, const Dim& behind) {
  if (at.is_known() && at.value() >= kFar) return behind;
  if (at.is_known() && at.value() <= -kFar) return before;
  if (surely_negative(at)) return size + at;
  return surely_not_negative(at) ? std::optional<Dim>(at) : std::nullopt;
}

/// Clamps only what changes the elements taken: a start behind the end takes none anyway.
std::optional<SliceAxis> slice_axis(const Dim& start, const Dim& end, std::int64_t step,
                                    const Dim& size) {
  const std::optional<Dim> first = place(start, size, -1, size);
  const std::optional<Dim> last = place(end, size, -1, size);
  if (!first || !last) return std::nullopt;
  if (step > 0) {
    const Dim from = max(0, *first);
    return SliceAxis{from, step, max(0, ceil_div(min(*last, size) - from, step))};
  }
  const Dim from = min(*first, size - 1);
  return SliceAxis{from, step, max(0, ceil_div(from - max(-1, *last), -step))};
}

struct SliceNumbers {
  Dims starts;
  Dims ends;
  Dims axes;
  Dims steps;
};

std::optional<SliceNumbers> slice_numbers(const Use& use) {
  const Numbers starts = numbers(use, "starts", 1);
  const Numbers ends = numbers(use, "ends", 2);
  const Numbers axes = numbers(use, "axes", 3);
  const Numbers steps = numbers(use, "steps", 4);
  if (!starts.given || !ends.given) use.fail("needs starts and ends");
  if (!starts.values || !ends.values || (axes.given && !axes.values) ||
      (steps.given && !steps.values)) {
    return std::nullopt;
  }
  SliceNumbers result{*starts.values, *ends.values, {}, Dims(starts.values->size(), 1)};
  for (std::size_t i = 0; i < result.starts.size(); ++i) {
    result.axes.emplace_back(static_cast<std::int64_t>(i));
  }
  if (axes.given) result.axes = *axes.values;
  if (steps.given) result.steps = *steps.values;
  const std::size_t count = result.starts.size();
  if (result.ends.size() != count || result.axes.size() != count || result.steps.size() != count) {
    use.fail("starts, ends, axes and steps differ in length");
  }
  return result;
}

}  // namespace

std::optional<std::vector<SliceAxis>> slice_axes_of(const Use& use) {
  const std::optional<SliceNumbers> given = slice_numbers(use);
  if (!given) return std::nullopt;
  std::vector<SliceAxis> result;
  for (const Dim& dim : use.shape(0)) result.push_back({0, 1, dim});
  for (std::size_t i = 0; i < given->starts.size(); ++i) {
    if (!given->axes[i].is_known() || !given->steps[i].is_known()) return std::nullopt;
    const int axis = use.axis(given->axes[i].value(), use.rank(0));
    SliceAxis& out = result[static_cast<std::size_t>(axis)];
    const Dim& size = use.shape(0)[static_cast<std::size_t>(axis)];
    const std::int64_t step = given->steps[i].value();
    if (step == 0) use.fail("a step is 0");
    const std::optional<SliceAxis> taken = slice_axis(given->starts[i], given->ends[i], step, size);
    if (!taken) return std::nullopt;
    out = *taken;
  }
  return result;
}

std::optional<std::vector<PadAxis>> pad_axes_of(const Use& use) {
  const Numbers pads = numbers(use, "pads", 1);
  const Numbers axes = numbers(use, "axes", 3);
  if (!pads.given) use.fail("needs pads");
  if (!pads.values || (axes.given && !axes.values)) return std::nullopt;
  const auto rank = static_cast<std::size_t>(use.rank(0));
  const std::size_t count = axes.given ? axes.values->size() : rank;
  if (pads.values->size() != 2 * count) {
    use.fail("has " + std::to_string(pads.values->size()) + " pads for " + std::to_string(count) +
             " axes");
  }
  std::vector<PadAxis> result(rank);
  for (std::size_t i = 0; i < count; ++i) {
    std::size_t axis = i;
    if (axes.given) {
      if (!(*axes.values)[i].is_known()) return std::nullopt;
      axis = static_cast<std::size_t>(use.axis((*axes.values)[i].value(), use.rank(0)));
    }
    result[axis] = {(*pads.values)[i], (*pads.values)[i + count]};
  }
  return result;
}

namespace {

void check_same_but(const Use& use, const Dims& a, const Dims& b, std::size_t axis) {
  bool fits = a.size() == b.size();
  for (std::size_t i = 0; fits && i < a.size(); ++i) {
    fits = i == axis || a[i] == b[i] || !a[i].is_known() || !b[i].is_known();
  }
  if (!fits) use.fail("cannot join " + to_text(a) + " and " + to_text(b));
}

std::vector<ValueType> input_types(const Graph& graph, const Node& node) {
  std::vector<ValueType> types;
  for (ValueId id : node.inputs) {
    types.push_back(id == kNoValue ? ValueType{} : graph.value(id).type);
  }
  return types;
}

}  // namespace

Types reshape(const Use& use) {
  const Numbers wanted = numbers(use, "shape", 1);
  if (!wanted.given) use.fail("needs a shape");
  const DType dtype = use.in(0).dtype;
  if (!wanted.values) return one(dtype, std::nullopt);
  Dims shape = *wanted.values;
  const Dim total = element_count(use.shape(0));
  std::optional<std::size_t> inferred;
  Dim others = 1;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i].is(0) && use.node.int_of("allow_zero") == 0) {
      if (i >= use.shape(0).size()) use.fail("copies a dimension the input does not have");
      shape[i] = use.shape(0)[i];
    }
    if (shape[i].is(-1)) {
      if (inferred) use.fail("leaves two dimensions to be inferred: " + to_text(shape));
      inferred = i;
    } else {
      others = others * shape[i];
    }
  }
  const std::string why = "cannot reshape " + to_text(use.shape(0)) + " to " + to_text(shape);
  if (inferred) {
    if (others.is(0)) use.fail(why);
    shape[*inferred] = floor_div(total, others);
  }
  const Dim count = element_count(shape);
  if (count.is_known() && total.is_known() && !(count == total)) use.fail(why);
  return one(dtype, std::move(shape));
}

Types transpose(const Use& use) {
  const int rank = use.rank(0);
  std::vector<std::int64_t> perm = use.node.ints_of("perm");
  if (use.node.find("perm") == nullptr) {
    for (int i = rank - 1; i >= 0; --i) perm.push_back(i);
  }
  std::vector<std::int64_t> sorted = perm;
  std::sort(sorted.begin(), sorted.end());
  Dims shape;
  for (std::size_t i = 0; i < perm.size(); ++i) {
    if (static_cast<int>(perm.size()) != rank || sorted[i] != static_cast<std::int64_t>(i)) {
      use.fail("perm is not a permutation of the axes of " + to_text(use.shape(0)));
    }
    shape.push_back(use.shape(0)[static_cast<std::size_t>(perm[i])]);
  }
  if (perm.empty() && rank != 0) use.fail("perm is empty");
  return one(use.in(0).dtype, std::move(shape));
}

Types slice(const Use& use) {
  const std::optional<std::vector<SliceAxis>> axes = slice_axes_of(use);
  if (!axes) return one(use.in(0).dtype, std::nullopt);
  Dims shape;
  for (const SliceAxis& axis : *axes) shape.push_back(axis.count);
  return one(use.in(0).dtype, std::move(shape));
}

Types concat(const Use& use) {
  const auto axis = static_cast<std::size_t>(use.axis(use.node.int_of("axis"), use.rank(0)));
  Dims shape = use.shape(0);
  for (int i = 1; i < static_cast<int>(use.inputs.size()); ++i) {
    check_same_but(use, shape, use.shape(i), axis);
    if (use.in(i).dtype != use.in(0).dtype) use.fail("inputs have different element types");
    for (std::size_t d = 0; d < shape.size(); ++d) {
      if (d == axis) {
        shape[d] = shape[d] + use.shape(i)[d];
      } else if (!shape[d].is_known()) {
        shape[d] = use.shape(i)[d].is_known() ? use.shape(i)[d] : shape[d];
      }
    }
  }
  return one(use.in(0).dtype, std::move(shape));
}

Types split(const Use& use) {
  const std::size_t parts = use.node.outputs.size();
  const auto axis = static_cast<std::size_t>(use.axis(use.node.int_of("axis"), use.rank(0)));
  const Dim& size = use.shape(0)[axis];
  Dims sizes;
  const Numbers given = numbers(use, "sizes", 1);
  if (given.given) {
    if (!given.values) return Types(parts, ValueType{use.in(0).dtype, std::nullopt, std::nullopt});
    sizes = *given.values;
  } else {  // equal parts, the last one smaller
    const Dim part = ceil_div(size, static_cast<std::int64_t>(parts));
    sizes.assign(parts, part);
    sizes.back() = size - part * Dim(static_cast<std::int64_t>(parts) - 1);
  }
  Dim total = 0;
  for (const Dim& part : sizes) total = total + part;
  if (sizes.size() != parts || (total.is_known() && size.is_known() && !(total == size))) {
    use.fail("parts " + to_text(sizes) + " do not make up axis " + std::to_string(axis) + " of " +
             to_text(use.shape(0)));
  }
  Types result;
  for (const Dim& part : sizes) {
    if (part.is_known() && part.value() < 0) use.fail("parts are negative: " + to_text(sizes));
    result.push_back({use.in(0).dtype, use.shape(0), std::nullopt});
    (*result.back().shape)[axis] = part;
  }
  return result;
}

Types gather(const Use& use) {
  const auto axis = use.axis(use.node.int_of("axis"), use.rank(0));
  if (is_float(use.in(1).dtype) || use.in(1).dtype == DType::Bool) {
    use.fail("indices are not integers");
  }
  const Dims& data = use.shape(0);
  Dims shape(data.begin(), data.begin() + axis);
  shape.insert(shape.end(), use.shape(1).begin(), use.shape(1).end());
  shape.insert(shape.end(), data.begin() + axis + 1, data.end());
  return one(use.in(0).dtype, std::move(shape));
}

Types expand(const Use& use) {
  const Numbers wanted = numbers(use, "shape", 1);
  if (!wanted.given) use.fail("needs a shape");
  if (!wanted.values) return one(use.in(0).dtype, std::nullopt);
  const std::optional<Dims> shape = broadcast(use.shape(0), *wanted.values);
  if (!shape) {
    use.fail("cannot expand " + to_text(use.shape(0)) + " to " + to_text(*wanted.values));
  }
  return one(use.in(0).dtype, shape);
}

Types pad(const Use& use) {
  const std::string mode = use.node.string_of("mode");
  if (mode != "constant" && mode != "edge" && mode != "reflect") {
    use.fail("mode '" + mode + "' is not supported; use constant, edge or reflect");
  }
  const std::optional<std::vector<PadAxis>> axes = pad_axes_of(use);
  if (!axes) return one(use.in(0).dtype, std::nullopt);
  Dims shape = use.shape(0);
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const Dim& before = (*axes)[i].before;
    const Dim& after = (*axes)[i].after;
    const auto too_far = [&](const Dim& by, std::int64_t spare) {
      return by.is_known() && by.value() > 0 && shape[i].is_known() &&
             (shape[i].value() < 1 || (mode == "reflect" && by.value() > shape[i].value() - spare));
    };
    if (mode != "constant" && (too_far(before, 1) || too_far(after, 1))) {
      use.fail("pads " + to_text(use.shape(0)) + " by more than mode '" + mode + "' can");
    }
    shape[i] = shape[i] + before + after;
    if (shape[i].is_known() && shape[i].value() < 0) use.fail("cuts more than there is");
  }
  return one(use.in(0).dtype, std::move(shape));
}

}  // namespace shape_rules

std::vector<SliceAxis> slice_axes(const Graph& graph, const Node& node) {
  const std::vector<ValueType> types = shape_rules::input_types(graph, node);
  const shape_rules::Use use{graph, node, types};
  std::optional<std::vector<SliceAxis>> axes = shape_rules::slice_axes_of(use);
  if (!axes) use.fail("its bounds depend on data");
  return *std::move(axes);
}

std::vector<PadAxis> pad_axes(const Graph& graph, const Node& node) {
  const std::vector<ValueType> types = shape_rules::input_types(graph, node);
  const shape_rules::Use use{graph, node, types};
  std::optional<std::vector<PadAxis>> axes = shape_rules::pad_axes_of(use);
  if (!axes) use.fail("its pads depend on data");
  return *std::move(axes);
}

}  // namespace dvmsim
