// The state of compiling one graph: internal to this folder. compile.cpp orders the groups and
// makes kernels of them, compile_product.cpp matrix products, compile_grouped.cpp those of a list
// of groups, compile_moves.cpp what only moves data; compile_overridden.cpp is what a user has
// decided about kernels of any kind.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "compiler/codegen/copy.h"
#include "compiler/codegen/mix.h"
#include "compiler/codegen/order.h"
#include "compiler/codegen/window.h"
#include "compiler/module/compile.h"
#include "compiler/module/known_schedules.h"
#include "compiler/module/memory_plan.h"
#include "compiler/module/plan.h"
#include "compiler/module/repeats.h"
#include "compiler/module/task_table.h"
#include "compiler/pass/mix_group.h"
#include "compiler/schedule/attention.h"
#include "compiler/schedule/conv_tiles.h"
#include "compiler/schedule/copy.h"
#include "compiler/schedule/grouped.h"
#include "compiler/schedule/long_reduce.h"
#include "compiler/schedule/lower.h"
#include "compiler/schedule/matmul.h"
#include "compiler/schedule/matmul_tactics.h"
#include "compiler/schedule/vector.h"
#include "vm/base/error.h"

namespace dvmsim {

using Sizes = std::vector<std::int64_t>;

class ModuleCompiler {
 public:
  /// `known`: the schedules of the plan, if sizes alike are to be cut alike.
  /// `measure`: filled when it is first needed.
  ModuleCompiler(const Machine& machine, const CompileOptions& options, CompileWork& work,
                 VectorMeasure& measure, KnownSchedules* known = nullptr)
      : machine_(machine), options_(options), work_(work), known_(known), measure_(measure) {}

  Module run(const PlannedGraph& planned) {
    const Graph& graph = planned.graph;
    module_.name = graph.name;
    module_.machine = options_.machine_hash != 0 ? options_.machine_hash : hash_of(machine_);
    Scope scope(planned);
    module_.tensors.reserve(graph.inputs.size() + planned.partition.groups.size());
    for (ValueId input : graph.inputs) {
      const int tensor = add_tensor(ModuleTensor::Kind::Input, graph.value(input));
      module_.inputs.push_back(tensor);
      scope.tensor(input) = tensor;
    }
    steps_ = &module_.steps;
    compile_graph(scope, planned);
    name_outputs(scope);
    module_.output_names = graph.output_names;
    link();
    work_.launches += launches_of(module_.steps);
    work_.operators += static_cast<std::int64_t>(module_.operators.size());
    return std::move(module_);
  }

 private:
  /// Ranking a product's tiles takes the host about as long as ranking so many of a vector kernel.
  static constexpr std::int64_t kTilesOfAProduct = 64;
  struct ProductOperands {
    ModuleArgument a{}, b{}, bias{};
  };
  /// A graph being compiled and where its values are.
  struct Scope {
    explicit Scope(const PlannedGraph& of)
        : graph(&of.graph), views(&of.views), tensors(of.graph.values.size(), -1) {}
    std::map<std::string, int> operators{};  // of the module, by the name of their nodes
    [[nodiscard]] int& tensor(ValueId id) { return tensors[static_cast<std::size_t>(id)]; }
    const Graph* graph;
    const Views* views;
    std::vector<int> tensors;  // by value; -1: none yet
  };

  [[nodiscard]] int vector_cores() const {
    if (machine_.cores.unified) return cube_cores();
    const int all = machine_.cores.vector;
    return options_.cores > 0
               ? std::min(all, options_.cores * std::max(1, machine_.cores.per_group))
               : all;
  }
  [[nodiscard]] Packing packing() const {
    return options_.features.has(Feature::Buffers) ? Packing::BestFit : Packing::InOrder;
  }
  [[nodiscard]] const VectorMeasure& measure();
  /// For mixes; null: their buffers are in order.
  [[nodiscard]] const VectorMeasure* packed() {
    return options_.features.has(Feature::Buffers) ? &measure() : nullptr;
  }
  [[nodiscard]] int cube_cores() const {
    return options_.cores > 0 ? std::min(machine_.cores.cube, options_.cores) : machine_.cores.cube;
  }
  /// For the product that is compiled now.
  [[nodiscard]] int product_cores() const { return share_ > 0 ? share_ : cube_cores(); }

  int add_tensor(ModuleTensor::Kind kind, const std::string& name, DType dtype, Sizes shape) {
    ModuleTensor tensor{kind, name, dtype, std::move(shape), 0, 0};
    constexpr std::int64_t kMost = std::int64_t{1} << 50;  // no memory is that large
    tensor.bytes = size_of(dtype);
    for (std::int64_t dim : tensor.shape) {
      if (dim > 0 && tensor.bytes > kMost / dim) {
        throw Error(
            fmt::format("value '{}' of shape [{}] is larger than any memory; use smaller "
                        "dimensions",
                        name, fmt::join(tensor.shape, ", ")));
      }
      tensor.bytes *= dim;
    }
    module_.tensors.push_back(std::move(tensor));
    return static_cast<int>(module_.tensors.size()) - 1;
  }
  int add_tensor(ModuleTensor::Kind kind, const Value& value) {
    return add_tensor(kind, value.name, value.type.dtype, known_shape(value));
  }
  int workspace(const std::string& name, DType dtype, Sizes shape) {
    return add_tensor(ModuleTensor::Kind::Workspace, name, dtype, std::move(shape));
  }

  /// The tensor of a value: constants come into being when somebody reads them.
  int tensor_of(Scope& scope, ValueId id) {
    DVMSIM_ASSERT(scope.views->find(id) == nullptr, "a value that is a view has no tensor");
    int& known = scope.tensor(id);
    if (known >= 0) return known;
    const Value& value = scope.graph->value(id);
    if (value.kind == ValueKind::Constant) {
      const int tensor = add_tensor(ModuleTensor::Kind::Constant, value);
      module_.constants.push_back({tensor, value.tensor, value.fill});
      return known = tensor;
    }
    return known = add_tensor(ModuleTensor::Kind::Workspace, value);
  }

  /// The tensor in which the value lies.
  int base_of(Scope& scope, ValueId id) { return tensor_of(scope, scope.views->base_of(id)); }

  int add_program(Program program) {
    work_.words += static_cast<std::int64_t>(program.cube.size() + program.vector.size());
    for (std::size_t i = 0; i < module_.programs.size(); ++i) {
      const Program& known = module_.programs[i];
      if (known.cube == program.cube && known.vector == program.vector &&
          known.arguments.size() == program.arguments.size()) {
        return static_cast<int>(i);
      }
    }
    program.machine = module_.machine;
    module_.programs.push_back(std::move(program));
    return static_cast<int>(module_.programs.size()) - 1;
  }

  void launch(Program program, std::vector<ModuleArgument> arguments, int cube, int vector,
              const std::string& label) {
    launch_known(add_program(std::move(program)), std::move(arguments), cube, vector, label);
  }
  /// Launches a program of the module.
  void launch_known(int program, std::vector<ModuleArgument> arguments, int cube, int vector,
                    const std::string& label) {
    ModuleStep step;
    step.program = program;
    step.path = options_.path;
    // Unified cores are counted as cube cores, whatever they run.
    step.cube_cores = machine_.cores.unified ? cube + vector : cube;
    step.vector_cores = machine_.cores.unified ? 0 : vector;
    step.arguments = std::move(arguments);
    step.label = label;
    step.operation = operation_;
    steps_->push_back(std::move(step));
  }
  static ModuleArgument at(int tensor, std::int64_t offset = 0) {
    return {ModuleArgument::Kind::Tensor, tensor, offset};
  }
  static std::vector<ModuleArgument> scalars(const std::vector<std::uint64_t>& words) {
    std::vector<ModuleArgument> arguments;
    for (std::uint64_t word : words) {
      arguments.push_back({ModuleArgument::Kind::Scalar, 0, static_cast<std::int64_t>(word)});
    }
    return arguments;
  }
  /// A kernel's number, and the override that names it; null if none does.
  struct Overridden {
    int number = -1;
    const KernelOverride* by = nullptr;
    /// What it says; nothing if there is none.
    template <class Choice>
    [[nodiscard]] Choice choice() const {
      return by == nullptr ? Choice{} : std::get<Choice>(by->choice);
    }
  };
  Overridden overridden(const std::string& kernel, KernelKind kind);
  /// Does anybody ask what was decided?
  [[nodiscard]] bool is_asked(const Overridden& of) const {
    return options_.decisions != nullptr || of.by != nullptr;
  }
  void note_decision(const Overridden& of, ScheduleDecision decision);
  /// What the user has said about the kernel cannot be.
  [[noreturn]] static void refuse(const Overridden& of, const std::string& kernel,
                                  const std::string& why);
  /// The same, and what the compiler would have.
  [[noreturn]] static void refuse(const Overridden& of, const std::string& kernel,
                                  const std::string& why, const KernelChoice& own);
  /// The vector cores, which finish it, cannot hold a row of its tiles.
  [[noreturn]] static void refuse_wide(const Overridden& of, const std::string& kernel,
                                       const MatmulSchedule& tiles);
  VectorSchedule schedule_whole(const VectorKernel& kernel, Packing packs, const Overridden& of);
  void note_schedule(const VectorKernel& kernel, const VectorSchedule& schedule, Packing packs,
                     const Overridden& of);
  /// May tiles be shared along k, and who finishes them?
  enum class Sharing : std::uint8_t { No, Alone, Mixed };
  /// Tells apart what else than its sizes decides about a product's schedule.
  static int way_of(Sharing sharing, int cores) { return 3 * cores + static_cast<int>(sharing); }
  MatmulSchedule schedule_product(const MatmulSpec& spec, const std::string& label,
                                  const Overridden& of, Sharing sharing);
  void note_product(const MatmulSpec& spec, const std::string& kernel,
                    const MatmulSchedule& schedule, std::int64_t k_step, const Overridden& of);
  [[nodiscard]] MatmulSchedule cost_schedule(const MatmulSpec& spec, Sharing sharing, int cores);
  /// As sizes alike are cut.
  [[nodiscard]] MatmulSchedule schedule_alike(const MatmulSpec& spec, Sharing sharing, int cores);
  [[nodiscard]] std::vector<int> shares_of_cores(const PlannedGraph& planned);
  [[nodiscard]] const std::vector<int>& cores_beside(std::vector<MatmulSpec> specs);
  [[nodiscard]] int worthwhile_cores(const MatmulSpec& spec, MatmulSchedule schedule,
                                     int cores) const;
  void note(const std::string& text) {
    if (options_.schedules != nullptr) *options_.schedules += text;
  }

  void compile_graph(Scope& scope, const PlannedGraph& planned);
  [[nodiscard]] int operator_of(Scope& scope, const PlannedGraph& planned, const Node& node);
  void compile_group(Scope& scope, const Group& group);
  void compile_vector(Scope& scope, const LoweredKernel& lowered, std::size_t group);
  void make_vector(const VectorKernel& kernel, std::vector<ModuleArgument> arguments,
                   std::size_t group, const Overridden& of);
  void repeat_vector(const Repeats::Known& known, const std::string& label,
                     std::vector<ModuleArgument> arguments);
  void charge_again(std::int64_t tiles, std::int64_t words);
  /// As sizes alike are cut, if that is to be and fits.
  [[nodiscard]] std::optional<VectorSchedule> vector_alike(const VectorKernel& kernel,
                                                           std::size_t group);
  [[nodiscard]] std::optional<LongSchedule> schedule_phases(const PhasedKernel& phased, double most,
                                                            const Overridden& of);
  bool compile_long(const VectorKernel& kernel, std::vector<ModuleArgument> arguments, double most,
                    const Overridden& of);
  /// The schedules of a kernel of moves within limits, by `schedule` or as a user has decided.
  using ScheduleMoves = std::function<CopyPlan(int cores, const CopyChoice& choice)>;
  CopyPlan plan_moves(const std::string& kernel, std::span<const CopyLimits> limits,
                      const std::string& note, const ScheduleMoves& schedule);
  void compile_copies(Scope& scope, const Group& group);
  void compile_gather(Scope& scope, const Group& group);
  void compile_row_gather(Scope& scope, const Group& group);
  void compile_top(Scope& scope, const Group& group);
  void compile_scatter(Scope& scope, const Group& group);
  bool gather_elements(const GatherKernel& kernel, const Sizes& numbers, int from, int to);
  void row_gather(const RowGatherKernel& kernel, int data, int index, int out);
  void compile_product(Scope& scope, const Group& group);
  void compile_mix(Scope& scope, const Group& group);
  template <class Known, class Make>
  [[nodiscard]] int known_program(std::deque<Known>& known, Known one, const Make& make);
  [[nodiscard]] int program_of(MixKernel kernel, const MatmulSchedule& schedule);
  [[nodiscard]] int program_of(const MatmulSpec& spec, const MatmulSchedule& schedule);
  void compile_prologue(Scope& scope, const Group& group);
  void compile_chain(Scope& scope, const Group& group);
  void compile_conv(Scope& scope, const Group& group);
  ConvSchedule schedule_conv(const ConvTask& task, const std::string& kernel, const Overridden& of);
  void note_conv(const ConvTask& task, const std::string& kernel, const ConvSchedule& schedule,
                 const Overridden& of);
  void compile_windows(Scope& scope, const Group& group);
  void compile_window_mix(Scope& scope, const Group& group, MixGroup mix);
  void compile_grouped(Scope& scope, const Group& group);
  [[nodiscard]] MatmulSchedule schedule_groups(const GroupedSpec& spec, const std::string& label,
                                               const Overridden& of);
  void compile_attention(Scope& scope, const Group& group);
  /// As sizes alike are cut, if that is to be.
  [[nodiscard]] AttentionSchedule attention_schedule(const AttentionSpec& spec);
  AttentionSchedule attention_as_chosen(const AttentionSpec& spec, const Overridden& of);
  void note_attention(const AttentionSpec& spec, const AttentionSchedule& schedule,
                      const Overridden& of);
  void compile_pool(Scope& scope, const Group& group);
  [[nodiscard]] WindowProgram program_of(const WindowTask& task, const std::string& kernel,
                                         const Overridden& of);
  void compile_branch(Scope& scope, const Group& group);
  void copy(const std::string& label, DType dtype, const std::vector<int>& inputs,
            const std::vector<int>& outputs, const std::vector<ViewCopy>& copies);
  void copy_whole(const std::string& label, int from, int to);
  void multiply(const MatmulSpec& spec, const std::string& label, ModuleArgument a,
                ModuleArgument b, ModuleArgument c, int bias);
  [[nodiscard]] MatmulTactics tactics_of(const MatmulSpec& spec, const Overridden& of);
  [[nodiscard]] MatmulTactics chosen_tactics(const MatmulSpec& spec);
  MatmulSpec prepare(const MatmulSpec& spec, const MatmulTactics& tactics, const std::string& label,
                     ProductOperands& operands);
  void cast(const std::string& label, std::int64_t count, DType from_type, ModuleArgument from,
            DType to_type, ModuleArgument to, isa::Post post = isa::Post::None);
  void multiply_once(const MatmulSpec& spec, const std::string& label,
                     const ProductOperands& operands, ModuleArgument c, const Overridden& of);
  void multiply_in_steps(const MatmulSpec& spec, std::int64_t step, const std::string& label,
                         const ProductOperands& operands, ModuleArgument c, const Overridden& of);
  void name_outputs(Scope& scope);
  void link();

  const Machine& machine_;
  const CompileOptions& options_;
  CompileWork& work_;
  KnownSchedules* known_;
  VectorMeasure& measure_;
  Module module_{};
  /// Attention programs so far: which depend on the kind of a spec and its schedule only.
  struct KnownAttention {
    AttentionSpec spec{};
    AttentionSchedule schedule{};
    int program = 0;
  };
  std::vector<KnownAttention> attentions_{};
  /// Products with an epilogue so far, if they may come again.
  struct KnownMix {
    MixKernel kernel{};
    MatmulSchedule schedule{};
    int program = 0;
    std::int64_t words = 0;
    [[nodiscard]] bool is_like(const KnownMix& other) const {
      return kernel.product == other.kernel.product && schedule == other.schedule &&
             have_same_work(kernel.epilogue, other.kernel.epilogue);
    }
  };
  std::deque<KnownMix> mixes_{};
  /// The same of products whose tiles are shared.
  struct KnownShared {
    MatmulSpec spec{};
    MatmulSchedule schedule{};
    int program = 0;
    std::int64_t words = 0;
    [[nodiscard]] bool is_like(const KnownShared& other) const {
      return spec == other.spec && schedule == other.schedule;
    }
  };
  std::deque<KnownShared> shared_{};
  /// The product that tactics were last chosen for, as they leave it, and its schedule.
  struct Ranked {
    MatmulSpec spec{};
    MatmulSchedule schedule{};
  };
  std::optional<Ranked> ranked_{};
  /// Sets of products so far that may run at the same time, and the cube cores of each.
  struct KnownSet {
    std::vector<MatmulSpec> specs{};
    std::vector<int> cores{};
  };
  std::deque<KnownSet> sets_{};
  /// There is more than one group, and nobody asks about kernels one by one.
  bool may_repeat_ = false;
  Repeats repeats_{};
  KnownSchedules repeated_{};  // of products, at their own sizes
  std::vector<ModuleStep>* steps_ = nullptr;
  int share_ = 0;       // of the cube cores, for the product that is compiled now; 0: all
  int kernels_ = 0;     // that an override may name, so far
  int operation_ = -1;  // whose launches are made now
};

}  // namespace dvmsim
