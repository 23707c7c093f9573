#include "compiler/schedule/vector_kernel.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace dvmsim {

std::string_view name_of(Extent extent) {
  constexpr std::string_view kNames[] = {"full", "row", "column", "scalar"};
  return kNames[static_cast<int>(extent)];
}

std::int64_t VectorKernel::outer() const {
  std::int64_t product = 1;
  for (std::size_t i = 0; i + 2 < dims.size(); ++i) product *= dims[i];
  return product;
}

bool have_same_work(const VectorKernel& a, const VectorKernel& b) {
  const auto same = [](const auto& from, const auto& to, const auto& equal) {
    return std::equal(from.begin(), from.end(), to.begin(), to.end(), equal);
  };
  const auto values = [](const KernelValue& x, const KernelValue& y) {
    return x.dtype == y.dtype && x.extent == y.extent && x.uniform == y.uniform;
  };
  const auto tensors = [](const KernelTensor& x, const KernelTensor& y) {
    return x.value == y.value && x.stride == y.stride && x.view == y.view && x.offset == y.offset;
  };
  const auto steps = [](const KernelStep& x, const KernelStep& y) {
    return x.op == y.op && x.dtype == y.dtype && x.result == y.result && x.source == y.source &&
           x.scalar == y.scalar && x.pick == y.pick;
  };
  return a.dims == b.dims && a.whole_columns == b.whole_columns && a.whole_rows == b.whole_rows &&
         same(a.values, b.values, values) && same(a.inputs, b.inputs, tensors) &&
         same(a.outputs, b.outputs, tensors) && same(a.steps, b.steps, steps);
}

std::string to_text(const VectorKernel& kernel) {
  std::string text =
      fmt::format("vector {} over [{}]\n", kernel.name, fmt::join(kernel.dims, ", "));
  auto out = std::back_inserter(text);
  const auto tensor = [&](const char* what, const KernelTensor& t) {
    const KernelValue& value = kernel.values[static_cast<std::size_t>(t.value)];
    fmt::format_to(out, "  {} v{} {} {} '{}' strides [{}]", what, t.value, name_of(value.dtype),
                   name_of(value.extent), t.name, fmt::join(t.stride, ", "));
    text += t.offset != 0 ? fmt::format(" from {}\n", t.offset) : "\n";
  };
  for (const KernelTensor& input : kernel.inputs) tensor("load ", input);
  for (const KernelStep& step : kernel.steps) {
    const KernelValue& result = kernel.values[static_cast<std::size_t>(step.result)];
    fmt::format_to(out, "  v{} = {}.{}", step.result, isa::row_of(step.op).mnemonic,
                   name_of(step.dtype));
    for (int source : step.source) {
      if (source >= 0) fmt::format_to(out, " v{}", source);
    }
    fmt::format_to(out, "  -> {} {}  ; {}\n", name_of(result.dtype), name_of(result.extent),
                   step.label);
  }
  for (const KernelTensor& output : kernel.outputs) tensor("store", output);
  return text;
}

}  // namespace dvmsim
