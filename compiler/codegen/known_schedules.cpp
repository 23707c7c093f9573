#include "compiler/codegen/known_schedules.h"

#include <algorithm>

namespace dvmsim {
namespace {

/// The kernel at its representative sizes. Tensors that are no views are dense.
VectorKernel resized(VectorKernel kernel, const KnownSchedules::Varying& varying) {
  for (std::size_t i = 0; i < kernel.dims.size(); ++i) {
    if (varying[i]) kernel.dims[i] = alike(kernel.dims[i]);
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
  std::uint64_t hash = 14695981039346656037u;
  for (std::int64_t number : key) {
    hash = (hash ^ static_cast<std::uint64_t>(number)) * 1099511628211u;
    hash ^= hash >> 29;
  }
  return hash;
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

KnownSchedules::Found<MatmulSchedule> KnownSchedules::product(const MatmulSpec& spec,
                                                              const ChooseProduct& choose) {
  return find(products_, key_of(spec), choose);
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
  Key key{static_cast<std::int64_t>(group)};
  for (std::size_t i = 0; i < kernel.dims.size(); ++i) {
    key.push_back(varying[i] ? alike(kernel.dims[i]) : kernel.dims[i]);
  }
  return find(vectors_, key, [&] { return choose(resized(kernel, varying)); });
}

}  // namespace dvmsim
