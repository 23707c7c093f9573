// GCC as a library: libgccjit at -O2. It writes assembly and runs the assembler and the linker as
// processes.
#include <libgccjit.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "cli/peers/peer.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

constexpr const char* kName = "kernel";

/// Writes a kernel as a function of the context. What is computed is assigned to a variable at
/// once: a value of libgccjit is a tree, computed anew wherever it is used.
class Writer final : public LoopEmitter {
 public:
  explicit Writer(gcc_jit_context* context);

  void number(ValueId result, float value) override { keep(result, constant(value)); }
  void load(std::size_t array, Reach reach, ValueId result) override {
    keep(result, gcc_jit_lvalue_as_rvalue(element(array, reach)));
  }
  void store(std::size_t array, Reach reach, ValueId from) override {
    assign(element(array, reach), value(from));
  }
  void step(Op op, ValueId a, ValueId b, ValueId result) override {
    keep(result, computed(op, value(a), b == kNoValue ? nullptr : value(b)));
  }
  void begin_reduction(Op op, ValueId result) override {
    keep(result, constant(op == Op::ReduceSum ? 0.0 : op == Op::ReduceMax ? -HUGE_VAL : HUGE_VAL));
  }
  void reduce(Op op, ValueId from, ValueId result) override {
    assign(values_.at(result), computed(op, value(result), value(from)));
  }
  void end_reduction(ValueId) override {}
  void begin_rows() override { begin(row_); }
  void end_rows() override { end(row_, 0); }
  void begin_columns() override { begin(column_); }
  void end_columns() override { end(column_, 1); }
  void finish() { gcc_jit_block_end_with_void_return(block_, nullptr); }

 private:
  struct Loop {
    gcc_jit_lvalue* index = nullptr;
    gcc_jit_block* body = nullptr;
  };
  void begin(Loop& loop);
  /// `limit`: which parameter of the function. No loop of a kernel is empty.
  void end(Loop& loop, int limit);
  void assign(gcc_jit_lvalue* to, gcc_jit_rvalue* what) {
    gcc_jit_block_add_assignment(block_, nullptr, to, what);
  }
  void keep(ValueId result, gcc_jit_rvalue* what) {
    const std::string name = "v" + std::to_string(result) + "_" + std::to_string(variables_++);
    values_[result] = gcc_jit_function_new_local(function_, nullptr, f32_, name.c_str());
    assign(values_[result], what);
  }
  [[nodiscard]] gcc_jit_rvalue* value(ValueId id) {
    return gcc_jit_lvalue_as_rvalue(values_.at(id));
  }
  [[nodiscard]] gcc_jit_rvalue* parameter(int index) {
    return gcc_jit_param_as_rvalue(gcc_jit_function_get_param(function_, index));
  }
  [[nodiscard]] gcc_jit_rvalue* constant(double number) {
    return gcc_jit_context_new_rvalue_from_double(context_, f32_, number);
  }
  [[nodiscard]] gcc_jit_lvalue* element(std::size_t array, Reach reach);
  [[nodiscard]] gcc_jit_rvalue* binary(gcc_jit_binary_op op, gcc_jit_rvalue* a, gcc_jit_rvalue* b) {
    return gcc_jit_context_new_binary_op(context_, nullptr, op, f32_, a, b);
  }
  [[nodiscard]] gcc_jit_rvalue* unary(gcc_jit_unary_op op, gcc_jit_rvalue* a) {
    return gcc_jit_context_new_unary_op(context_, nullptr, op, f32_, a);
  }
  [[nodiscard]] gcc_jit_rvalue* call(const char* name, gcc_jit_rvalue* a,
                                     gcc_jit_rvalue* b = nullptr) {
    gcc_jit_rvalue* operands[] = {a, b};
    return gcc_jit_context_new_call(context_, nullptr,
                                    gcc_jit_context_get_builtin_function(context_, name),
                                    b == nullptr ? 1 : 2, operands);
  }
  [[nodiscard]] gcc_jit_rvalue* computed(Op op, gcc_jit_rvalue* a, gcc_jit_rvalue* b);

  gcc_jit_context* context_;
  gcc_jit_type *f32_, *long_;
  gcc_jit_function* function_{};
  gcc_jit_block* block_{};  // where code is added
  Loop row_{}, column_{};
  std::map<ValueId, gcc_jit_lvalue*> values_{};
  int variables_ = 0;
};

Writer::Writer(gcc_jit_context* context)
    : context_(context),
      f32_(gcc_jit_context_get_type(context, GCC_JIT_TYPE_FLOAT)),
      long_(gcc_jit_context_get_type(context, GCC_JIT_TYPE_LONG)) {
  std::vector<gcc_jit_param*> parameters;
  for (std::size_t i = 0; i < 2 + LoopKernel::kMostArrays; ++i) {
    gcc_jit_type* type = i < 2 ? long_ : gcc_jit_type_get_pointer(f32_);
    const std::string name = "p" + std::to_string(i);
    parameters.push_back(gcc_jit_context_new_param(context, nullptr, type, name.c_str()));
  }
  function_ =
      gcc_jit_context_new_function(context, nullptr, GCC_JIT_FUNCTION_EXPORTED,
                                   gcc_jit_context_get_type(context, GCC_JIT_TYPE_VOID), kName,
                                   static_cast<int>(parameters.size()), parameters.data(), 0);
  block_ = gcc_jit_function_new_block(function_, nullptr);
}

void Writer::begin(Loop& loop) {
  const std::string name = "i" + std::to_string(variables_++);
  loop.index = gcc_jit_function_new_local(function_, nullptr, long_, name.c_str());
  assign(loop.index, gcc_jit_context_zero(context_, long_));
  loop.body = gcc_jit_function_new_block(function_, nullptr);
  gcc_jit_block_end_with_jump(block_, nullptr, loop.body);
  block_ = loop.body;
}

void Writer::end(Loop& loop, int limit) {
  gcc_jit_block_add_assignment_op(block_, nullptr, loop.index, GCC_JIT_BINARY_OP_PLUS,
                                  gcc_jit_context_one(context_, long_));
  gcc_jit_rvalue* more =
      gcc_jit_context_new_comparison(context_, nullptr, GCC_JIT_COMPARISON_LT,
                                     gcc_jit_lvalue_as_rvalue(loop.index), parameter(limit));
  gcc_jit_block* after = gcc_jit_function_new_block(function_, nullptr);
  gcc_jit_block_end_with_conditional(block_, nullptr, more, loop.body, after);
  block_ = after;
}

gcc_jit_lvalue* Writer::element(std::size_t array, Reach reach) {
  const auto index_of = [](const Loop& loop) { return gcc_jit_lvalue_as_rvalue(loop.index); };
  gcc_jit_rvalue* index = nullptr;
  if (reach == Reach::Whole) {
    gcc_jit_rvalue* row = gcc_jit_context_new_binary_op(context_, nullptr, GCC_JIT_BINARY_OP_MULT,
                                                        long_, index_of(row_), parameter(1));
    index = gcc_jit_context_new_binary_op(context_, nullptr, GCC_JIT_BINARY_OP_PLUS, long_, row,
                                          index_of(column_));
  } else {
    index = index_of(reach == Reach::Row ? row_ : column_);
  }
  return gcc_jit_context_new_array_access(context_, nullptr, parameter(2 + static_cast<int>(array)),
                                          index);
}

gcc_jit_rvalue* Writer::computed(Op op, gcc_jit_rvalue* a, gcc_jit_rvalue* b) {
  switch (op) {
    case Op::Add:
    case Op::ReduceSum:
      return binary(GCC_JIT_BINARY_OP_PLUS, a, b);
    case Op::Sub:
      return binary(GCC_JIT_BINARY_OP_MINUS, a, b);
    case Op::Mul:
      return binary(GCC_JIT_BINARY_OP_MULT, a, b);
    case Op::Div:
      return binary(GCC_JIT_BINARY_OP_DIVIDE, a, b);
    case Op::Max:
    case Op::ReduceMax:
      return call("__builtin_fmaxf", a, b);
    case Op::Min:
    case Op::ReduceMin:
      return call("__builtin_fminf", a, b);
    case Op::Relu:
      return call("__builtin_fmaxf", a, constant(0));
    case Op::Neg:
      return unary(GCC_JIT_UNARY_OP_MINUS, a);
    case Op::Abs:
      return unary(GCC_JIT_UNARY_OP_ABS, a);
    case Op::Sqrt:
      return call("__builtin_sqrtf", a);
    case Op::Rsqrt:
      return binary(GCC_JIT_BINARY_OP_DIVIDE, constant(1), call("__builtin_sqrtf", a));
    case Op::Reciprocal:
      return binary(GCC_JIT_BINARY_OP_DIVIDE, constant(1), a);
    case Op::Exp:
      return call("__builtin_expf", a);
    case Op::Log:
      return call("__builtin_logf", a);
    case Op::Tanh:
      return call("__builtin_tanhf", a);
    case Op::Erf:
      return call("__builtin_erff", a);
    case Op::Sigmoid: {
      gcc_jit_rvalue* power = call("__builtin_expf", unary(GCC_JIT_UNARY_OP_MINUS, a));
      return binary(GCC_JIT_BINARY_OP_DIVIDE, constant(1),
                    binary(GCC_JIT_BINARY_OP_PLUS, constant(1), power));
    }
    default:
      throw Error("libgccjit: no such operator in a loop kernel");
  }
}

class GccLoop final : public CompiledLoop {
 public:
  explicit GccLoop(gcc_jit_context* context) : result_(gcc_jit_context_compile(context)) {
    const char* error = gcc_jit_context_get_first_error(context);
    if (result_ == nullptr || error != nullptr) {
      throw Error(std::string("libgccjit: ") + (error != nullptr ? error : "no code"));
    }
  }
  ~GccLoop() override { gcc_jit_result_release(result_); }
  GccLoop(const GccLoop&) = delete;
  GccLoop& operator=(const GccLoop&) = delete;
  [[nodiscard]] LoopFunction function() const override {
    return reinterpret_cast<LoopFunction>(gcc_jit_result_get_code(result_, kName));
  }

 private:
  gcc_jit_result* result_;
};

class GccJit final : public PeerCompiler {
 public:
  std::unique_ptr<CompiledLoop> compile(const LoopKernel& kernel) override {
    const std::unique_ptr<gcc_jit_context, decltype(&gcc_jit_context_release)> context(
        gcc_jit_context_acquire(), gcc_jit_context_release);
    gcc_jit_context_set_int_option(context.get(), GCC_JIT_INT_OPTION_OPTIMIZATION_LEVEL, 2);
    Writer writer(context.get());
    emit(kernel, writer);
    writer.finish();
    return std::make_unique<GccLoop>(context.get());
  }
};

}  // namespace
}  // namespace dvmsim

int main(int argc, char** argv) {
  dvmsim::GccJit compiler;
  return dvmsim::peer_main(argc, argv, compiler);
}
