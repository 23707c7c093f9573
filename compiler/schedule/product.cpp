#include "compiler/schedule/product.h"

#include "compiler/schedule/lower.h"

namespace dvmsim {
namespace {

using Sizes = std::vector<std::int64_t>;

/// A run of leading dimensions that all three matrices step through alike. Strides in elements.
struct Batch {
  std::int64_t count = 1;
  std::array<std::int64_t, 3> stride{};  // a, b, c
  std::vector<std::size_t> dims{};       // of the result
};

/// An operand or the result: its matrix, and how its leading dimensions step.
struct Matrix {
  Sizes lead{};         // sizes of the leading dimensions
  Sizes lead_stride{};  // of them
  std::int64_t rows = 1, columns = 1;
  std::int64_t pitch = 0;  // elements between rows
  bool turned = false;     // its columns are stored as rows
  std::int64_t offset = 0;
};

/// `row`: a vector is a row; otherwise a column.
std::optional<Matrix> matrix_of(const Graph& graph, ValueId id, const Views& views, Sizes shape,
                                bool row, bool column) {
  StridedView place = views.place_of(graph, id);
  const auto insert = [&](std::ptrdiff_t from_end) {
    shape.insert(shape.end() - from_end, 1);
    place.stride.insert(place.stride.end() - from_end, 0);
  };
  if (column) insert(0);
  if (row) insert(1);
  Matrix matrix;
  const std::size_t lead = shape.size() - 2;
  matrix.lead.assign(shape.begin(), shape.begin() + static_cast<std::ptrdiff_t>(lead));
  for (std::size_t i = 0; i < lead; ++i) {
    matrix.lead_stride.push_back(shape[i] == 1 ? 0 : place.stride[i]);
  }
  matrix.rows = shape[lead];
  matrix.columns = shape[lead + 1];
  matrix.offset = place.offset;
  const std::int64_t down = place.stride[lead], along = place.stride[lead + 1];
  if (matrix.columns == 1 || along == 1) {
    matrix.pitch = matrix.rows == 1 || views.find(id) == nullptr ? matrix.columns : down;
  } else if (matrix.rows == 1 || down == 1) {
    matrix.turned = true;
    matrix.pitch = along;
  } else {
    return std::nullopt;
  }
  if (matrix.pitch < (matrix.turned ? matrix.rows : matrix.columns)) return std::nullopt;
  return matrix;
}

/// Strides of leading dimensions, right-aligned to `rank`; 0 where there is one element.
Sizes aligned_strides(const Matrix& matrix, std::size_t rank) {
  Sizes strides(rank - matrix.lead.size(), 0);
  strides.insert(strides.end(), matrix.lead_stride.begin(), matrix.lead_stride.end());
  return strides;
}

std::vector<Batch> batches_of(const std::array<Matrix, 3>& matrices) {
  const Sizes& c = matrices[2].lead;
  std::array<Sizes, 3> strides;
  for (std::size_t t = 0; t < 3; ++t) strides[t] = aligned_strides(matrices[t], c.size());
  std::vector<Batch> batches;
  for (std::size_t i = 0; i < c.size(); ++i) {
    if (c[i] == 1) continue;
    const std::array step = {strides[0][i], strides[1][i], strides[2][i]};
    bool merges = !batches.empty();
    for (std::size_t t = 0; t < 3 && merges; ++t) {
      merges = batches.back().stride[t] == step[t] * c[i];
    }
    if (!merges) batches.push_back({});
    batches.back().count *= c[i];
    batches.back().stride = step;
    batches.back().dims.push_back(i);
  }
  return batches;
}

/// Are the batches of A and C more of their rows, with one B for all? A single row has any pitch.
bool continues_rows(const Batch& batch, std::array<Matrix, 3>& matrices) {
  if (batch.stride[1] != 0 || matrices[0].turned || matrices[2].turned) return false;
  for (const std::size_t t : {0, 2}) {
    const Matrix& matrix = matrices[t];
    if (matrix.rows != 1 && batch.stride[t] != matrix.rows * matrix.pitch) return false;
    if (matrix.rows == 1 && batch.stride[t] < matrix.columns) return false;
  }
  for (const std::size_t t : {0, 2}) {
    if (matrices[t].rows == 1) matrices[t].pitch = batch.stride[t];
  }
  return true;
}

std::vector<std::array<std::int64_t, 3>> launches_of(const std::vector<Batch>& batches,
                                                     const std::array<std::int64_t, 3>& first,
                                                     const std::array<std::int64_t, 3>& size) {
  std::vector<std::array<std::int64_t, 3>> launches = {first};
  for (std::size_t i = 0; i + 2 < batches.size(); ++i) {
    std::vector<std::array<std::int64_t, 3>> more;
    for (const auto& base : launches) {
      for (std::int64_t index = 0; index < batches[i].count; ++index) {
        auto offset = base;
        for (std::size_t t = 0; t < 3; ++t) offset[t] += index * batches[i].stride[t] * size[t];
        more.push_back(offset);
      }
    }
    launches = std::move(more);
  }
  return launches;
}

/// Sizes, types and transpositions.
MatmulSpec spec_of(const Graph& graph, const Node& node, const std::array<Matrix, 3>& matrices) {
  const Matrix &a = matrices[0], &c = matrices[2];
  MatmulSpec spec;
  const bool trans_a = node.int_of("trans_a") != 0, trans_b = node.int_of("trans_b") != 0;
  spec.trans_a = trans_a != a.turned;
  spec.trans_b = trans_b != matrices[1].turned;
  spec.m = c.rows;
  spec.n = c.columns;
  spec.k = trans_a ? a.rows : a.columns;
  spec.in = graph.value(node.inputs[0]).type.dtype;
  spec.out = graph.value(node.outputs[0]).type.dtype;
  spec.bias = node.input(2) != kNoValue;
  if (spec.bias) spec.bias_type = graph.value(node.inputs[2]).type.dtype;
  return spec;
}

}  // namespace

std::optional<Product> product_of(const Graph& graph, const Node& node, const Views& views,
                                  ValueId result) {
  const Sizes a = known_shape(graph.value(node.inputs[0])),
              b = known_shape(graph.value(node.inputs[1]));
  const Sizes c = known_shape(graph.value(node.outputs[0]));
  const bool row = a.size() == 1,
             column = b.size() == 1;  // vectors: a dimension of one is left out
  const auto made = [&](ValueId id, const Sizes& shape, bool add_row, bool add_column) {
    return matrix_of(graph, id, views, shape, add_row, add_column);
  };
  const auto first = made(node.inputs[0], a, row, false),
             second = made(node.inputs[1], b, false, column),
             third = made(result == kNoValue ? node.outputs[0] : result, c, row, column);
  if (!first || !second || !third || third->turned) return std::nullopt;
  if (node.input(2) != kNoValue && views.find(node.inputs[2]) != nullptr) return std::nullopt;
  std::array<Matrix, 3> matrices = {*first, *second, *third};

  Product product;
  MatmulSpec& spec = product.spec;
  spec = spec_of(graph, node, matrices);
  std::vector<Batch> batches = batches_of(matrices);
  if (!row) product.dims[2] = {c.size() - (column ? 1 : 2)};
  if (!column) product.dims[3] = {c.size() - 1};
  if (batches.size() == 1 && !spec.trans_a && continues_rows(batches[0], matrices)) {
    spec.m *= batches[0].count;
    product.dims[2].insert(product.dims[2].begin(), batches[0].dims.begin(), batches[0].dims.end());
    batches.clear();
  }
  spec = packed(spec);
  const std::array<std::int64_t, 3> size = {size_of(spec.in), size_of(spec.in), size_of(spec.out)};
  spec.a_stride = matrices[0].pitch * size[0];
  spec.b_stride = matrices[1].pitch * size[1];
  spec.c_stride = matrices[2].pitch * size[2];
  const auto inner = [&](std::size_t from_end, std::int64_t& count, std::int64_t& sa,
                         std::int64_t& sb, std::int64_t& sc, std::vector<std::size_t>& dims) {
    if (batches.size() < from_end) return;
    const Batch& batch = batches[batches.size() - from_end];
    count = batch.count;
    sa = batch.stride[0] * size[0];
    sb = batch.stride[1] * size[1];
    sc = batch.stride[2] * size[2];
    dims = batch.dims;
  };
  inner(1, spec.batch1, spec.a_batch1, spec.b_batch1, spec.c_batch1, product.dims[1]);
  inner(2, spec.batch0, spec.a_batch0, spec.b_batch0, spec.c_batch0, product.dims[0]);
  product.launches = launches_of(
      batches,
      {matrices[0].offset * size[0], matrices[1].offset * size[1], matrices[2].offset * size[2]},
      size);
  return product;
}

Product product_of(const Graph& graph, const Node& node) {
  return *product_of(graph, node, {});
}

}  // namespace dvmsim
