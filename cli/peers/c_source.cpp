#include "cli/peers/c_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>

#include "cli/peers/loop_emitter.h"
#include "vm/base/error.h"

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
                                   {Op::Reciprocal, "1.0f / {0}"},
                                   {Op::Sigmoid, "1.0f / (1.0f + expf(-{0}))"},
                                   {Op::ReduceSum, "{0} + {1}"},
                                   {Op::ReduceMax, "fmaxf({0}, {1})"},
                                   {Op::ReduceMin, "fminf({0}, {1})"}};

std::string spelled(Op op, const std::string& a, const std::string& b) {
  const auto* found = std::find_if(std::begin(kSpellings), std::end(kSpellings),
                                   [&](const Spelling& each) { return each.op == op; });
  DVMSIM_ASSERT(found != std::end(kSpellings), "an operator of a loop kernel has a spelling in C");
  return fmt::format(fmt::runtime(found->text), a, b);
}

std::string name_of(ValueId id) {
  return id == kNoValue ? "" : "v" + std::to_string(id);
}

std::string element(std::size_t array, LoopKernel::Reach reach) {
  switch (reach) {
    case LoopKernel::Reach::Whole:
      return fmt::format("p{}[i * columns + j]", array);
    case LoopKernel::Reach::Column:
      return fmt::format("p{}[j]", array);
    case LoopKernel::Reach::Row:
      break;
  }
  return fmt::format("p{}[i]", array);
}

class Writer final : public LoopEmitter {
 public:
  void number(ValueId result, float value) override {
    line(fmt::format("const float {} = {:.9e}f;", name_of(result), value));
  }
  void load(std::size_t array, Reach reach, ValueId result) override {
    line(fmt::format("const float {} = {};", name_of(result), element(array, reach)));
  }
  void store(std::size_t array, Reach reach, ValueId from) override {
    line(fmt::format("{} = {};", element(array, reach), name_of(from)));
  }
  void step(Op op, ValueId a, ValueId b, ValueId result) override {
    line(fmt::format("const float {} = {};", name_of(result), spelled(op, name_of(a), name_of(b))));
  }
  void begin_reduction(Op op, ValueId result) override {
    const char* first = op == Op::ReduceSum   ? "0.0f"
                        : op == Op::ReduceMax ? "-INFINITY"
                                              : "INFINITY";
    line(fmt::format("float {} = {};", name_of(result), first));
  }
  void reduce(Op op, ValueId from, ValueId result) override {
    line(fmt::format("{} = {};", name_of(result), spelled(op, name_of(result), name_of(from))));
  }
  void end_reduction(ValueId) override {}
  void begin_rows() override { open("for (long i = 0; i < rows; ++i) {"); }
  void end_rows() override { close(); }
  void begin_columns() override { open("for (long j = 0; j < columns; ++j) {"); }
  void end_columns() override { close(); }

  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  void line(const std::string& what) { text_ += std::string(indent_, ' ') + what + "\n"; }
  void open(const std::string& what) {
    line(what);
    indent_ += 2;
  }
  void close() {
    indent_ -= 2;
    line("}");
  }

  std::string text_{};
  std::size_t indent_ = 2;
};

}  // namespace

std::string c_source(const LoopKernel& kernel) {
  Writer writer;
  emit(kernel, writer);
  std::string parameters = "long rows, long columns";
  for (std::size_t i = 0; i < LoopKernel::kMostArrays; ++i) {
    parameters += fmt::format(", float *restrict p{}", i);
  }
  return fmt::format("#include <math.h>\nvoid kernel({}) {{\n{}}}\n", parameters, writer.text());
}

}  // namespace dvmsim
