#include "compiler/schedule/product.h"

#include "compiler/schedule/lower.h"

namespace dvmsim {
namespace {

using Sizes = std::vector<std::int64_t>;

/// A run of leading dimensions that all three matrices step through alike. Strides in matrices.
struct Batch {
  std::int64_t count = 1;
  std::array<std::int64_t, 3> stride{};  // a, b, c
  std::vector<std::size_t> dims{};       // of the result
};

/// Strides of leading dimensions, right-aligned to `rank`; 0 where there is one element.
Sizes aligned_strides(const Sizes& lead, std::size_t rank) {
  Sizes strides(rank, 0);
  std::int64_t step = 1;
  for (std::size_t i = lead.size(); i-- > 0;) {
    if (lead[i] != 1) strides[rank - lead.size() + i] = step;
    step *= lead[i];
  }
  return strides;
}

std::vector<Batch> batches_of(const Sizes& a, const Sizes& b, const Sizes& c) {
  const std::array strides = {aligned_strides(a, c.size()), aligned_strides(b, c.size()),
                              aligned_strides(c, c.size())};
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

Sizes without_matrix(const Sizes& shape) {
  return Sizes(shape.begin(), shape.end() - 2);
}

}  // namespace

Product product_of(const Graph& graph, const Node& node) {
  Sizes a = known_shape(graph.value(node.inputs[0])), b = known_shape(graph.value(node.inputs[1]));
  Sizes c = known_shape(graph.value(node.outputs[0]));
  const std::size_t rank = c.size();
  const bool row = a.size() == 1,
             column = b.size() == 1;  // vectors: a dimension of one is left out
  if (column) c.push_back(1);
  if (row) c.insert(c.end() - 1, 1);
  if (row) a.insert(a.begin(), 1);
  if (column) b.push_back(1);

  Product product;
  MatmulSpec& spec = product.spec;
  spec.trans_a = node.int_of("trans_a") != 0;
  spec.trans_b = node.int_of("trans_b") != 0;
  spec.m = c[c.size() - 2];
  spec.n = c.back();
  spec.k = spec.trans_a ? a[a.size() - 2] : a.back();
  spec.in = graph.value(node.inputs[0]).type.dtype;
  spec.out = graph.value(node.outputs[0]).type.dtype;
  spec.bias = node.input(2) != kNoValue;
  if (spec.bias) spec.bias_type = graph.value(node.inputs[2]).type.dtype;

  std::vector<Batch> batches = batches_of(without_matrix(a), without_matrix(b), without_matrix(c));
  if (!row) product.dims[2] = {rank - (column ? 1 : 2)};
  if (!column) product.dims[3] = {rank - 1};
  if (batches.size() == 1 && batches[0].stride[0] == 1 && batches[0].stride[1] == 0 &&
      !spec.trans_a) {
    spec.m *= batches[0].count;  // one right matrix for all: more rows
    product.dims[2].insert(product.dims[2].begin(), batches[0].dims.begin(), batches[0].dims.end());
    batches.clear();
  }
  spec = packed(spec);

  const std::array bytes = {a[a.size() - 2] * a.back() * size_of(spec.in),
                            b[b.size() - 2] * b.back() * size_of(spec.in),
                            spec.m * spec.n * size_of(spec.out)};
  const auto inner = [&](std::size_t from_end, std::int64_t& count, std::int64_t& sa,
                         std::int64_t& sb, std::int64_t& sc, std::vector<std::size_t>& dims) {
    if (batches.size() < from_end) return;
    const Batch& batch = batches[batches.size() - from_end];
    count = batch.count;
    sa = batch.stride[0] * bytes[0];
    sb = batch.stride[1] * bytes[1];
    sc = batch.stride[2] * bytes[2];
    dims = batch.dims;
  };
  inner(1, spec.batch1, spec.a_batch1, spec.b_batch1, spec.c_batch1, product.dims[1]);
  inner(2, spec.batch0, spec.a_batch0, spec.b_batch0, spec.c_batch0, product.dims[0]);

  product.launches = {{0, 0, 0}};
  for (std::size_t i = 0; i + 2 < batches.size(); ++i) {
    std::vector<std::array<std::int64_t, 3>> more;
    for (const auto& base : product.launches) {
      for (std::int64_t index = 0; index < batches[i].count; ++index) {
        auto offset = base;
        for (std::size_t t = 0; t < 3; ++t) offset[t] += index * batches[i].stride[t] * bytes[t];
        more.push_back(offset);
      }
    }
    product.launches = std::move(more);
  }
  return product;
}

}  // namespace dvmsim
