// ONNX TfIdfVectorizer on numbers: every n-gram of the pool is compared with every place at once.
#include <algorithm>
#include <numeric>

#include "compiler/import/lower.h"

namespace dvmsim::onnx_import {
namespace {

/// The n-grams of one length, and where their counts go.
struct Pool {
  std::int64_t length = 1;
  std::vector<std::int64_t> numbers{};  // n-gram after n-gram
  std::vector<std::int64_t> order{};    // of the n-grams in the whole pool
};

std::vector<Pool> pools_of(Lower& l) {
  const std::vector<std::int64_t> starts = l.ints_of("ngram_counts");
  const std::vector<std::int64_t> all = l.ints_of("pool_int64s");
  if (all.empty()) l.fail("works on strings, which the machine has not; map them to numbers");
  const std::int64_t least = l.int_of("min_gram_length", 1), most = l.int_of("max_gram_length", 1);
  std::vector<Pool> pools;
  std::int64_t place = 0;
  for (std::size_t i = 0; i < starts.size(); ++i) {
    Pool pool;
    pool.length = static_cast<std::int64_t>(i) + 1;
    const std::int64_t end = i + 1 < starts.size() ? starts[i + 1] : std::ssize(all);
    if (starts[i] < 0 || end < starts[i] || end > std::ssize(all))
      l.fail("ngram_counts do not fit");
    pool.numbers.assign(all.begin() + starts[i], all.begin() + end);
    for (std::int64_t at = starts[i]; at + pool.length <= end; at += pool.length) {
      pool.order.push_back(place++);
    }
    if (pool.length >= least && pool.length <= most && !pool.order.empty()) pools.push_back(pool);
  }
  return pools;
}

/// [batch, n-grams]: at how many places of the rows each n-gram stands.
ValueId counted(Lower& l, ValueId rows, const Pool& pool, std::int64_t step) {
  const Dim batch = l.shape(rows)[0], size = l.shape(rows)[1];
  const auto grams = static_cast<std::int64_t>(pool.order.size());
  const Dim places = size - Dim((pool.length - 1) * step);
  ValueId hit = kNoValue;
  for (std::int64_t j = 0; j < pool.length; ++j) {
    std::vector<std::int64_t> wanted;
    for (std::int64_t g = 0; g < grams; ++g) {
      wanted.push_back(pool.numbers[static_cast<std::size_t>(g * pool.length + j)]);
    }
    const ValueId part =
        l.reshape(l.slice(rows, 1, j * step, j * step + places), {batch, 1, places});
    const ValueId same =
        l.op(Op::Eq, {part, l.constant(Tensor::of_ints(DType::I64, {1, grams, 1}, wanted))});
    hit = hit == kNoValue ? same : l.op(Op::And, {hit, same});
  }
  return l.op(Op::ReduceSum, {l.cast(hit, DType::F32)},
              {{"axes", Dims{2}}, {"keepdims", std::int64_t{0}}});
}

void tf_idf(Lower& l) {
  const ValueId x = l.in(0);
  const Dims shape = l.shape(x);
  if (shape.empty() || shape.size() > 2 || !shape.back().is_known()) {
    l.fail("takes one or several sequences of known length");
  }
  const std::string mode = l.string_of("mode", "TF");
  if (mode != "TF" && mode != "IDF" && mode != "TFIDF") l.fail("mode '" + mode + "' is not known");
  const Dim batch = shape.size() == 2 ? shape[0] : Dim(1);
  const ValueId rows = l.reshape(l.cast(x, DType::I64), {batch, shape.back()});
  const std::vector<std::int64_t> columns = l.ints_of("ngram_indexes");
  const std::vector<float> weights = l.floats_of("weights");
  const std::vector<Pool> pools = pools_of(l);
  const auto [least, most] = std::minmax_element(columns.begin(), columns.end());
  constexpr std::int64_t kMostColumns = 1 << 24;
  if (columns.empty() || *least < 0 || *most >= kMostColumns) l.fail("ngram_indexes do not fit");
  const std::int64_t outputs = *most + 1;
  std::vector<ValueId> parts;
  std::vector<std::int64_t> from(static_cast<std::size_t>(outputs), -1);
  std::int64_t made = 0;
  for (const Pool& pool : pools) {
    ValueId sum = kNoValue;
    const std::int64_t skips = pool.length == 1 ? 0 : l.int_of("max_skip_count", 0);
    for (std::int64_t skip = 0; skip <= skips; ++skip) {
      if ((pool.length - 1) * (skip + 1) >= shape.back().value()) break;
      const ValueId count = counted(l, rows, pool, skip + 1);
      sum = sum == kNoValue ? count : l.op(Op::Add, {sum, count});
    }
    if (sum == kNoValue) continue;
    parts.push_back(sum);
    for (const std::int64_t gram : pool.order) {
      if (gram >= std::ssize(columns)) l.fail("ngram_indexes are fewer than n-grams");
      from[static_cast<std::size_t>(columns[static_cast<std::size_t>(gram)])] = made++;
    }
  }
  // Columns in the order asked for; what no n-gram counts is zero.
  parts.push_back(l.op(Op::Expand, {l.number(DType::F32, 0)}, {{"shape", Dims{batch, 1}}}));
  for (std::int64_t& place : from) place = place < 0 ? made : place;
  const ValueId all = l.op(Op::Concat, parts, {{"axis", std::int64_t{1}}});
  ValueId result = l.op(Op::Gather, {all, l.constant(Tensor::of_ints(DType::I64, {outputs}, from))},
                        {{"axis", std::int64_t{1}}});
  if (mode == "IDF") {
    result = l.cast(l.op(Op::Gt, {result, l.number(DType::F32, 0)}), DType::F32);
  }
  if (mode != "TF" && !weights.empty()) {
    std::vector<float> by_column(static_cast<std::size_t>(outputs), 0);
    for (std::size_t i = 0; i < columns.size() && i < weights.size(); ++i) {
      by_column[static_cast<std::size_t>(columns[i])] = weights[i];
    }
    result =
        l.op(Op::Mul, {result, l.constant(Tensor::of_floats(DType::F32, {outputs}, by_column))});
  }
  l.out(0, shape.size() == 2 ? result : l.reshape(result, {outputs}));
}

constexpr Entry kTable[] = {{"TfIdfVectorizer", tf_idf}};

}  // namespace

std::span<const Entry> text_table() {
  return kTable;
}

}  // namespace dvmsim::onnx_import
