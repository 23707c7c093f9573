#include "cli/c_kernel.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>

namespace dvmsim {
namespace {

struct Spelling {
  Op op;
  std::string_view text;  // {0} and {1}: the operands
};
constexpr Spelling kSpellings[] = {{Op::Add, "{0} + {1}"},
                                   {Op::Sub, "{0} - {1}"},
                                   {Op::Mul, "{0} * {1}"},
                                   {Op::Div, "{0} / {1}"},
                                   {Op::Max, "fmaxf({0}, {1})"},
                                   {Op::Min, "fminf({0}, {1})"},
                                   {Op::Neg, "-{0}"},
                                   {Op::Abs, "fabsf({0})"},
                                   {Op::Exp, "expf({0})"},
                                   {Op::Log, "logf({0})"},
                                   {Op::Sqrt, "sqrtf({0})"},
                                   {Op::Tanh, "tanhf({0})"},
                                   {Op::Erf, "erff({0})"},
                                   {Op::Relu, "fmaxf({0}, 0.0f)"},
                                   {Op::Rsqrt, "1.0f / sqrtf({0})"},
                                   {Op::Sigmoid, "1.0f / (1.0f + expf(-{0}))"}};

std::string name_of(ValueId id) {
  return "v" + std::to_string(id);
}

}  // namespace

std::optional<std::string> c_kernel(const Graph& graph) {
  const Dims& whole = *graph.value(graph.outputs.front()).type.shape;
  std::string parameters = "long n", body;
  for (std::size_t i = 0; i < graph.values.size(); ++i) {
    const Value& value = graph.values[i];
    if (value.type.dtype != DType::F32) return std::nullopt;
    if (value.kind == ValueKind::Constant) {
      if (!element_count(*value.type.shape).is(1)) return std::nullopt;
      body +=
          fmt::format("    const float v{} = {:.9e}f;\n", i, constant_tensor(value).floats()[0]);
    } else if (*value.type.shape != whole) {
      return std::nullopt;
    } else if (value.kind == ValueKind::Input) {
      parameters += fmt::format(", const float *restrict p{}", i);
      body += fmt::format("    const float v{0} = p{0}[i];\n", i);
    }
  }
  for (const Node& node : graph.nodes) {
    const auto* spelling = std::find_if(std::begin(kSpellings), std::end(kSpellings),
                                        [&](const Spelling& each) { return each.op == node.op; });
    if (spelling == std::end(kSpellings)) return std::nullopt;
    const std::string a = name_of(node.inputs[0]);
    const std::string b = node.inputs.size() > 1 ? name_of(node.inputs[1]) : "";
    body += fmt::format("    const float {} = {};\n", name_of(node.outputs[0]),
                        fmt::format(fmt::runtime(spelling->text), a, b));
  }
  for (ValueId id : graph.outputs) {
    parameters += fmt::format(", float *restrict r{}", id);
    body += fmt::format("    r{0}[i] = v{0};\n", id);
  }
  return fmt::format(
      "#include <math.h>\nvoid kernel({}) {{\n  for (long i = 0; i < n; ++i) {{\n{}  }}\n}}\n",
      parameters, body);
}

}  // namespace dvmsim
