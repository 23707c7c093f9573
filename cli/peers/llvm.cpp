// LLVM as a library: IR built by its API, the pipeline of -O2 for this computer's processor, and
// code from ORC's LLJIT.
#include <llvm-c/Core.h>
#include <llvm-c/Error.h>
#include <llvm-c/LLJIT.h>
#include <llvm-c/Target.h>
#include <llvm-c/TargetMachine.h>
#include <llvm-c/Transforms/PassBuilder.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "cli/peers/peer.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

constexpr const char* kName = "kernel";

void check(LLVMErrorRef error) {
  if (error == nullptr) return;
  char* text = LLVMGetErrorMessage(error);
  const std::string message = text;
  LLVMDisposeErrorMessage(text);
  throw Error("llvm: " + message);
}

LLVMTargetMachineRef host_machine() {
  char* triple = LLVMGetDefaultTargetTriple();
  char* cpu = LLVMGetHostCPUName();
  char* features = LLVMGetHostCPUFeatures();
  LLVMTargetRef target = nullptr;
  char* message = nullptr;
  if (LLVMGetTargetFromTriple(triple, &target, &message) != 0) {
    throw Error("llvm: " + std::string(message));
  }
  LLVMTargetMachineRef machine =
      LLVMCreateTargetMachine(target, triple, cpu, features, LLVMCodeGenLevelDefault,
                              LLVMRelocDefault, LLVMCodeModelJITDefault);
  for (char* text : {triple, cpu, features}) LLVMDisposeMessage(text);
  return machine;
}

/// Writes a kernel as a function of `module`.
class IrWriter final : public LoopEmitter {
 public:
  IrWriter(LLVMContextRef context, LLVMModuleRef module);
  ~IrWriter() override { LLVMDisposeBuilder(b_); }
  IrWriter(const IrWriter&) = delete;
  IrWriter& operator=(const IrWriter&) = delete;

  void number(ValueId result, float value) override { values_[result] = constant(value); }
  void load(std::size_t array, Reach reach, ValueId result) override {
    values_[result] = LLVMBuildLoad2(b_, f32_, element(array, reach), "");
  }
  void store(std::size_t array, Reach reach, ValueId from) override {
    LLVMBuildStore(b_, values_.at(from), element(array, reach));
  }
  void step(Op op, ValueId a, ValueId b, ValueId result) override {
    values_[result] = computed(op, values_.at(a), b == kNoValue ? nullptr : values_.at(b));
  }
  void begin_reduction(Op op, ValueId result) override;
  void reduce(Op op, ValueId from, ValueId result) override;
  void end_reduction(ValueId result) override {
    values_[result] = LLVMBuildLoad2(b_, f32_, sums_.at(result), "");
  }
  void begin_rows() override { begin(row_); }
  void end_rows() override { end(row_, 0); }
  void begin_columns() override { begin(column_); }
  void end_columns() override { end(column_, 1); }
  void finish() { LLVMBuildRetVoid(b_); }

 private:
  struct Loop {
    LLVMBasicBlockRef body = nullptr;
    LLVMValueRef index = nullptr;
  };
  void begin(Loop& loop);
  /// `limit`: which parameter of the function.
  void end(Loop& loop, unsigned limit);
  [[nodiscard]] LLVMValueRef constant(float value) { return LLVMConstReal(f32_, value); }
  [[nodiscard]] LLVMValueRef element(std::size_t array, Reach reach);
  [[nodiscard]] LLVMValueRef computed(Op op, LLVMValueRef a, LLVMValueRef b);
  [[nodiscard]] LLVMValueRef intrinsic(const char* name, LLVMValueRef a, LLVMValueRef b = nullptr);
  [[nodiscard]] LLVMValueRef library(const char* name, LLVMValueRef a);

  LLVMContextRef context_;
  LLVMModuleRef module_;
  LLVMBuilderRef b_;
  LLVMTypeRef f32_, i64_;
  LLVMValueRef function_{};
  LLVMBasicBlockRef entry_{};
  Loop row_{}, column_{};
  std::map<ValueId, LLVMValueRef> values_{}, sums_{};
};

IrWriter::IrWriter(LLVMContextRef context, LLVMModuleRef module)
    : context_(context),
      module_(module),
      b_(LLVMCreateBuilderInContext(context)),
      f32_(LLVMFloatTypeInContext(context)),
      i64_(LLVMInt64TypeInContext(context)) {
  std::vector<LLVMTypeRef> parameters(2 + LoopKernel::kMostArrays,
                                      LLVMPointerTypeInContext(context, 0));
  parameters[0] = parameters[1] = i64_;
  const LLVMTypeRef type = LLVMFunctionType(LLVMVoidTypeInContext(context), parameters.data(),
                                            static_cast<unsigned>(parameters.size()), 0);
  function_ = LLVMAddFunction(module, kName, type);
  const std::string apart = "noalias";
  const unsigned kind = LLVMGetEnumAttributeKindForName(apart.data(), apart.size());
  for (unsigned i = 0; i < LoopKernel::kMostArrays; ++i) {
    LLVMAddAttributeAtIndex(function_, 3 + i, LLVMCreateEnumAttribute(context, kind, 0));
  }
  entry_ = LLVMAppendBasicBlockInContext(context, function_, "entry");
  LLVMPositionBuilderAtEnd(b_, entry_);
}

void IrWriter::begin(Loop& loop) {
  const LLVMBasicBlockRef before = LLVMGetInsertBlock(b_);
  loop.body = LLVMAppendBasicBlockInContext(context_, function_, "");
  LLVMBuildBr(b_, loop.body);
  LLVMPositionBuilderAtEnd(b_, loop.body);
  loop.index = LLVMBuildPhi(b_, i64_, "");
  LLVMValueRef zero = LLVMConstInt(i64_, 0, 0);
  LLVMBasicBlockRef from = before;
  LLVMAddIncoming(loop.index, &zero, &from, 1);
}

/// No loop of a kernel is empty: the test is at the end.
void IrWriter::end(Loop& loop, unsigned limit) {
  LLVMValueRef next = LLVMBuildNSWAdd(b_, loop.index, LLVMConstInt(i64_, 1, 0), "");
  LLVMBasicBlockRef latch = LLVMGetInsertBlock(b_);
  LLVMAddIncoming(loop.index, &next, &latch, 1);
  const LLVMValueRef more = LLVMBuildICmp(b_, LLVMIntSLT, next, LLVMGetParam(function_, limit), "");
  const LLVMBasicBlockRef after = LLVMAppendBasicBlockInContext(context_, function_, "");
  LLVMBuildCondBr(b_, more, loop.body, after);
  LLVMPositionBuilderAtEnd(b_, after);
}

LLVMValueRef IrWriter::element(std::size_t array, Reach reach) {
  LLVMValueRef index = reach == Reach::Row ? row_.index : column_.index;
  if (reach == Reach::Whole) {
    const LLVMValueRef row = LLVMBuildNSWMul(b_, row_.index, LLVMGetParam(function_, 1), "");
    index = LLVMBuildNSWAdd(b_, row, column_.index, "");
  }
  const LLVMValueRef base = LLVMGetParam(function_, 2 + static_cast<unsigned>(array));
  return LLVMBuildInBoundsGEP2(b_, f32_, base, &index, 1, "");
}

/// A variable in the entry block, which the optimiser turns into a value.
void IrWriter::begin_reduction(Op op, ValueId result) {
  const LLVMBasicBlockRef here = LLVMGetInsertBlock(b_);
  LLVMPositionBuilderBefore(b_, LLVMGetBasicBlockTerminator(entry_));
  sums_[result] = LLVMBuildAlloca(b_, f32_, "");
  LLVMPositionBuilderAtEnd(b_, here);
  const float first = op == Op::ReduceSum ? 0 : op == Op::ReduceMax ? -HUGE_VALF : HUGE_VALF;
  LLVMBuildStore(b_, constant(first), sums_[result]);
}

void IrWriter::reduce(Op op, ValueId from, ValueId result) {
  const LLVMValueRef so_far = LLVMBuildLoad2(b_, f32_, sums_.at(result), "");
  LLVMBuildStore(b_, computed(op, so_far, values_.at(from)), sums_.at(result));
}

LLVMValueRef IrWriter::intrinsic(const char* name, LLVMValueRef a, LLVMValueRef b) {
  const unsigned id = LLVMLookupIntrinsicID(name, std::char_traits<char>::length(name));
  LLVMTypeRef overloaded = f32_;
  const LLVMValueRef function = LLVMGetIntrinsicDeclaration(module_, id, &overloaded, 1);
  LLVMValueRef operands[] = {a, b};
  return LLVMBuildCall2(b_, LLVMGlobalGetValueType(function), function, operands,
                        b == nullptr ? 1 : 2, "");
}

LLVMValueRef IrWriter::library(const char* name, LLVMValueRef a) {
  LLVMTypeRef operand = f32_;
  const LLVMTypeRef type = LLVMFunctionType(f32_, &operand, 1, 0);
  LLVMValueRef function = LLVMGetNamedFunction(module_, name);
  if (function == nullptr) function = LLVMAddFunction(module_, name, type);
  return LLVMBuildCall2(b_, type, function, &a, 1, "");
}

LLVMValueRef IrWriter::computed(Op op, LLVMValueRef a, LLVMValueRef b) {
  switch (op) {
    case Op::Add:
    case Op::ReduceSum:
      return LLVMBuildFAdd(b_, a, b, "");
    case Op::Sub:
      return LLVMBuildFSub(b_, a, b, "");
    case Op::Mul:
      return LLVMBuildFMul(b_, a, b, "");
    case Op::Div:
      return LLVMBuildFDiv(b_, a, b, "");
    case Op::Max:
    case Op::ReduceMax:
      return intrinsic("llvm.maxnum", a, b);
    case Op::Min:
    case Op::ReduceMin:
      return intrinsic("llvm.minnum", a, b);
    case Op::Relu:
      return intrinsic("llvm.maxnum", a, constant(0));
    case Op::Neg:
      return LLVMBuildFNeg(b_, a, "");
    case Op::Abs:
      return intrinsic("llvm.fabs", a);
    case Op::Sqrt:
      return intrinsic("llvm.sqrt", a);
    case Op::Rsqrt:
      return LLVMBuildFDiv(b_, constant(1), intrinsic("llvm.sqrt", a), "");
    case Op::Reciprocal:
      return LLVMBuildFDiv(b_, constant(1), a, "");
    case Op::Exp:
      return library("expf", a);
    case Op::Log:
      return library("logf", a);
    case Op::Tanh:
      return library("tanhf", a);
    case Op::Erf:
      return library("erff", a);
    case Op::Sigmoid: {
      const LLVMValueRef power = library("expf", LLVMBuildFNeg(b_, a, ""));
      return LLVMBuildFDiv(b_, constant(1), LLVMBuildFAdd(b_, constant(1), power, ""), "");
    }
    default:
      throw Error("llvm: no such operator in a loop kernel");
  }
}

/// A kernel's part of the JIT's code.
class LlvmLoop final : public CompiledLoop {
 public:
  LlvmLoop(LLVMOrcLLJITRef jit, LLVMOrcThreadSafeModuleRef module) {
    tracker_ = LLVMOrcJITDylibCreateResourceTracker(LLVMOrcLLJITGetMainJITDylib(jit));
    check(LLVMOrcLLJITAddLLVMIRModuleWithRT(jit, tracker_, module));
    LLVMOrcExecutorAddress address = 0;
    check(LLVMOrcLLJITLookup(jit, &address, kName));
    function_ = reinterpret_cast<LoopFunction>(address);
  }
  ~LlvmLoop() override {
    LLVMConsumeError(LLVMOrcResourceTrackerRemove(tracker_));
    LLVMOrcReleaseResourceTracker(tracker_);
  }
  LlvmLoop(const LlvmLoop&) = delete;
  LlvmLoop& operator=(const LlvmLoop&) = delete;
  [[nodiscard]] LoopFunction function() const override { return function_; }

 private:
  LLVMOrcResourceTrackerRef tracker_{};
  LoopFunction function_{};
};

class Llvm final : public PeerCompiler {
 public:
  Llvm() {
    LLVMInitializeNativeTarget();
    LLVMInitializeNativeAsmPrinter();
    machine_ = host_machine();
    LLVMOrcLLJITBuilderRef builder = LLVMOrcCreateLLJITBuilder();
    LLVMOrcLLJITBuilderSetJITTargetMachineBuilder(
        builder, LLVMOrcJITTargetMachineBuilderCreateFromTargetMachine(host_machine()));
    check(LLVMOrcCreateLLJIT(&jit_, builder));
    LLVMOrcDefinitionGeneratorRef process = nullptr;  // where expf and the like are
    check(LLVMOrcCreateDynamicLibrarySearchGeneratorForProcess(
        &process, LLVMOrcLLJITGetGlobalPrefix(jit_), nullptr, nullptr));
    LLVMOrcJITDylibAddGenerator(LLVMOrcLLJITGetMainJITDylib(jit_), process);
  }
  ~Llvm() override {
    LLVMConsumeError(LLVMOrcDisposeLLJIT(jit_));
    LLVMDisposeTargetMachine(machine_);
  }
  Llvm(const Llvm&) = delete;
  Llvm& operator=(const Llvm&) = delete;

  std::unique_ptr<CompiledLoop> compile(const LoopKernel& kernel) override {
    LLVMOrcThreadSafeContextRef guarded = LLVMOrcCreateNewThreadSafeContext();
    LLVMContextRef context = LLVMOrcThreadSafeContextGetContext(guarded);
    LLVMModuleRef module = LLVMModuleCreateWithNameInContext(kName, context);
    LLVMSetTarget(module, LLVMOrcLLJITGetTripleString(jit_));
    LLVMSetDataLayout(module, LLVMOrcLLJITGetDataLayoutStr(jit_));
    {
      IrWriter writer(context, module);
      emit(kernel, writer);
      writer.finish();
    }
    LLVMPassBuilderOptionsRef options = LLVMCreatePassBuilderOptions();
    LLVMErrorRef failed = LLVMRunPasses(module, "default<O2>", machine_, options);
    LLVMDisposePassBuilderOptions(options);
    check(failed);
    LLVMOrcThreadSafeModuleRef owned = LLVMOrcCreateNewThreadSafeModule(module, guarded);
    LLVMOrcDisposeThreadSafeContext(guarded);  // the module holds it
    return std::make_unique<LlvmLoop>(jit_, owned);
  }

 private:
  LLVMTargetMachineRef machine_{};
  LLVMOrcLLJITRef jit_{};
};

}  // namespace
}  // namespace dvmsim

int main(int argc, char** argv) {
  dvmsim::Llvm compiler;
  return dvmsim::peer_main(argc, argv, compiler);
}
