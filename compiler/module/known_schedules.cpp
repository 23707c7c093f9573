#include "compiler/module/known_schedules.h"

#include <algorithm>
#include <bit>

namespace dvmsim {
namespace {

class Mixer {
 public:
  void add(std::int64_t number) {
    hash_ = (hash_ ^ static_cast<std::uint64_t>(number)) * 1099511628211u;
    hash_ ^= hash_ >> 29;
  }
  [[nodiscard]] std::uint64_t hash() const { return hash_; }

 private:
  std::uint64_t hash_ = 14695981039346656037u;
};

/// Everything about a kernel that its schedule depends on but sizes: what folds into it, and so its
/// steps, may differ from sizes to sizes.
std::int64_t structure_of(const VectorKernel& kernel) {
  Mixer mixer;
  const auto add = [&](auto... numbers) { (mixer.add(static_cast<std::int64_t>(numbers)), ...); };
  add(kernel.dims.size(), kernel.values.size(), kernel.steps.size(), kernel.inputs.size(),
      kernel.whole_columns, kernel.whole_rows);
  for (const KernelValue& value : kernel.values) add(value.dtype, value.extent, value.uniform);
  for (const auto* tensors : {&kernel.inputs, &kernel.outputs}) {
    for (const KernelTensor& tensor : *tensors) {
      add(tensor.value, tensor.view);
      for (std::int64_t stride : tensor.stride) add(stride == 0);
    }
  }
  for (const KernelStep& step : kernel.steps) {
    add(step.op, step.dtype, step.result, step.source[0], step.source[1], step.source[2],
        step.pick);
  }
  return static_cast<std::int64_t>(mixer.hash());
}

bool varies(const KnownSchedules::Varying& varying, std::size_t dim) {
  return dim >= varying.size() || varying[dim];
}

/// The kernel at its representative sizes. Tensors that are no views are dense.
VectorKernel resized(VectorKernel kernel, const KnownSchedules::Varying& varying) {
  for (std::size_t i = 0; i < kernel.dims.size(); ++i) {
    if (varies(varying, i)) kernel.dims[i] = alike(kernel.dims[i]);
  }
  for (auto* tensors : {&kernel.inputs, &kernel.outputs}) {
    for (KernelTensor& tensor : *tensors) {
      std::int64_t stride = 1;
      for (std::size_t i = kernel.dims.size(); i-- > 0 && !tensor.view;) {
        if (tensor.stride[i] == 0) continue;
        tensor.stride[i] = stride;
        stride *= kernel.dims[i];
      }
    }
  }
  return kernel;
}

}  // namespace

std::size_t KnownSchedules::Hash::operator()(const Key& key) const {
  Mixer mixer;
  for (std::int64_t number : key) mixer.add(number);
  return mixer.hash();
}

void KnownSchedules::vary(std::size_t group, Varying dims) {
  if (varying_.size() <= group) varying_.resize(group + 1);
  varying_[group] = std::move(dims);
}

template <class T, class Choose>
KnownSchedules::Found<T> KnownSchedules::find(Map<T>& map, const Key& key, const Choose& choose) {
  constexpr std::size_t kMost = 4096;
  const auto found = map.find(key);
  if (found != map.end()) return {found->second, true};
  if (map.size() >= kMost) map.clear();
  return {map.emplace(key, choose()).first->second, false};
}

KnownSchedules::Key KnownSchedules::key_of(const MatmulSpec& spec) {
  const auto number = [](auto value) { return static_cast<std::int64_t>(value); };
  const std::int64_t kind = number(spec.trans_a) | number(spec.trans_b) << 1 |
                            number(spec.bias) << 2 | number(spec.in) << 8 | number(spec.out) << 16 |
                            number(spec.bias_type) << 24 | number(spec.post) << 32 |
                            number(spec.atomic) << 40;
  return {spec.m,        spec.n,        spec.k,        spec.batch0,   spec.batch1,
          spec.a_stride, spec.b_stride, spec.c_stride, spec.a_batch0, spec.a_batch1,
          spec.b_batch0, spec.b_batch1, spec.c_batch0, spec.c_batch1, kind};
}

KnownSchedules::Key KnownSchedules::key_of(const AttentionSpec& spec) {
  const auto number = [](auto value) { return static_cast<std::int64_t>(value); };
  Key key = {number(spec.type), number(std::bit_cast<std::uint32_t>(spec.scale)),
             number(spec.causal), spec.reach, spec.mask ? number(*spec.mask) : -1};
  for (std::int64_t size : {spec.batch, spec.heads, spec.shared, spec.m, spec.n, spec.d, spec.e}) {
    key.push_back(size);
  }
  for (const AttentionStrides& strides : {spec.q, spec.k, spec.v, spec.out, spec.mask_strides}) {
    for (std::int64_t stride : {strides.batch, strides.head, strides.row}) key.push_back(stride);
  }
  return key;
}

KnownSchedules::Found<AttentionSchedule> KnownSchedules::attention(const AttentionSpec& spec,
                                                                   const ChooseAttention& choose) {
  return find(attentions_, key_of(spec), choose);
}

KnownSchedules::Found<MatmulSchedule> KnownSchedules::product(const MatmulSpec& spec, int sharing,
                                                              const ChooseProduct& choose) {
  Key key = key_of(spec);
  key.push_back(sharing);
  return find(products_, key, choose);
}

KnownSchedules::Found<MatmulTactics> KnownSchedules::tactics(const MatmulSpec& spec,
                                                             const ChooseTactics& choose) {
  return find(tactics_, key_of(spec), choose);
}

KnownSchedules::Found<std::optional<VectorCut>> KnownSchedules::vector(std::size_t group,
                                                                       const VectorKernel& kernel,
                                                                       const ChooseVector& choose) {
  if (group >= varying_.size() || varying_[group].empty()) return {};
  const Varying& varying = varying_[group];
  Key key{static_cast<std::int64_t>(group), structure_of(kernel)};
  for (std::size_t i = 0; i < kernel.dims.size(); ++i) {
    key.push_back(varies(varying, i) ? alike(kernel.dims[i]) : kernel.dims[i]);
  }
  return find(vectors_, key, [&] { return choose(resized(kernel, varying)); });
}

}  // namespace dvmsim
