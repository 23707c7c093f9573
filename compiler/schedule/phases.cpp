#include "compiler/schedule/phases.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <iterator>
#include <limits>
#include <map>

namespace dvmsim {
namespace {

using isa::Op;
using isa::Reduction;

Op combining(Reduction how) {
  constexpr Op kOps[] = {Op::vadd, Op::vmax, Op::vmin, Op::vmul};
  return kOps[static_cast<int>(how)];
}

/// A sum of exp(x - max(x)), and the steps between its maximum and itself.
struct Followed {
  int maximum = -1;        // the value
  bool broadcast = false;  // the maximum is spread over the tile by an instruction
};

class Phaser {
 public:
  explicit Phaser(const VectorKernel& kernel) : given_(kernel) {
    made_.kernel = kernel;
    made_.kernel.steps.clear();
    made_.over_columns = kernel.whole_columns;
  }

  std::optional<PhasedKernel> run(std::string* why) {
    const std::string problem = obstacle();
    if (!problem.empty()) {
      if (why != nullptr) *why = problem;
      return std::nullopt;
    }
    for (const KernelValue& value : given_.values) made_.is_long.push_back(extends(value.extent));
    find_producers();
    find_levels();
    made_.phases.resize(static_cast<std::size_t>(last_) + 1);
    for (int phase = 0; phase <= last_; ++phase) fill(phase);
    place_short();
    return std::move(made_);
  }

 private:
  [[nodiscard]] std::string obstacle() const {
    if (given_.whole_columns == given_.whole_rows) {
      return given_.whole_rows ? "it reduces over rows and over columns" : "it reduces nothing";
    }
    for (const KernelStep& step : given_.steps) {
      if (step.op == Op::vscanx || step.op == Op::vscany) return "it has running sums";
    }
    return {};
  }

  /// Does a value of this extent have the long dimension?
  [[nodiscard]] bool extends(Extent extent) const {
    return extent == Extent::Full || extent == (made_.over_columns ? Extent::Row : Extent::Column);
  }
  [[nodiscard]] bool is_long(int value) const {
    return made_.is_long[static_cast<std::size_t>(value)];
  }
  [[nodiscard]] bool reduces(const KernelStep& step) const {
    return (step.op == Op::vredx || step.op == Op::vredy) && is_long(step.source[0]);
  }
  [[nodiscard]] const KernelStep* maker(int value) const {
    const int step = producer_[static_cast<std::size_t>(value)];
    return step < 0 ? nullptr : &given_.steps[static_cast<std::size_t>(step)];
  }
  [[nodiscard]] int& level(int value) { return level_[static_cast<std::size_t>(value)]; }

  void find_producers() {
    producer_.assign(given_.values.size(), -1);
    for (std::size_t i = 0; i < given_.steps.size(); ++i) {
      producer_[static_cast<std::size_t>(given_.steps[i].result)] = static_cast<int>(i);
    }
    for (std::size_t i = 0; i < given_.steps.size(); ++i) {
      if (const auto found = following(given_.steps[i])) followed_[static_cast<int>(i)] = *found;
    }
  }

  [[nodiscard]] std::optional<Followed> following(const KernelStep& sum) const {
    if (!reduces(sum) || static_cast<Reduction>(sum.pick) != Reduction::Sum) return std::nullopt;
    const KernelStep* exp = maker(sum.source[0]);
    if (exp == nullptr || exp->op != Op::vexp) return std::nullopt;
    const KernelStep* difference = maker(exp->source[0]);
    if (difference == nullptr || difference->op != Op::vsub) return std::nullopt;
    const KernelStep* maximum = maker(difference->source[1]);
    Followed found;
    if (maximum != nullptr && maximum->op == Op::vbrc) {
      found.broadcast = true;
      maximum = maker(maximum->source[0]);
    }
    const bool follows = maximum != nullptr && reduces(*maximum) &&
                         static_cast<Reduction>(maximum->pick) == Reduction::Max &&
                         maximum->source[0] == difference->source[0];
    if (!follows) return std::nullopt;
    found.maximum = maximum->result;
    return found;
  }

  /// The phase in which a value can be computed.
  void find_levels() {
    level_.assign(given_.values.size(), 0);
    for (std::size_t i = 0; i < given_.steps.size(); ++i) {
      const KernelStep& step = given_.steps[i];
      int found = 0;
      for (int source : step.source) found = std::max(found, source < 0 ? 0 : level(source));
      if (reduces(step)) {
        const auto follows = followed_.find(static_cast<int>(i));
        const int own = follows == followed_.end() ? found : level(follows->second.maximum) - 1;
        last_ = std::max(last_, own);
        found = own + 1;
      }
      level(step.result) = found;
    }
    for (const KernelTensor& output : given_.outputs) {
      if (is_long(output.value)) last_ = std::max(last_, level(output.value));
    }
  }

  /// What a phase walks: the sources of its reductions and its outputs, and all they are made of.
  [[nodiscard]] std::vector<char> wanted_in(int phase) {
    std::vector<char> wanted(given_.values.size(), 0);
    const auto want = [&](int value) {
      if (value >= 0 && is_long(value)) wanted[static_cast<std::size_t>(value)] = 1;
    };
    for (const KernelTensor& output : given_.outputs) {
      if (level(output.value) == phase) want(output.value);
    }
    for (std::size_t i = given_.steps.size(); i-- > 0;) {
      const KernelStep& step = given_.steps[i];
      if (reduces(step)) {
        const bool follows = followed_.contains(static_cast<int>(i));
        if (level(step.result) == phase + 1 && !follows) want(step.source[0]);
      } else if (wanted[static_cast<std::size_t>(step.result)] != 0) {
        for (int source : step.source) want(source);
      }
    }
    return wanted;
  }

  void fill(int phase) {
    const std::vector<char> wanted = wanted_in(phase);
    current_ = &made_.phases[static_cast<std::size_t>(phase)];
    const auto is_wanted = [&](int value) { return wanted[static_cast<std::size_t>(value)] != 0; };
    for (std::size_t i = 0; i < given_.inputs.size(); ++i) {
      if (is_wanted(given_.inputs[i].value)) current_->inputs.push_back(static_cast<int>(i));
    }
    for (std::size_t i = 0; i < given_.outputs.size(); ++i) {
      const int value = given_.outputs[i].value;
      if (is_long(value) && level(value) == phase) current_->outputs.push_back(static_cast<int>(i));
    }
    for (std::size_t i = 0; i < given_.steps.size(); ++i) {
      const KernelStep& step = given_.steps[i];
      if (reduces(step)) {
        if (level(step.result) == phase + 1) accumulate(static_cast<int>(i));
      } else if (is_wanted(step.result)) {
        current_->steps.push_back(step);
      }
    }
  }

  int new_value(DType dtype, Extent extent, bool uniform = false) {
    made_.kernel.values.push_back({dtype, extent, uniform});
    made_.is_long.push_back(extends(extent));
    return static_cast<int>(made_.kernel.values.size()) - 1;
  }
  int new_like(int value) {
    const KernelValue like = made_.kernel.values[static_cast<std::size_t>(value)];
    return new_value(like.dtype, like.extent, like.uniform);
  }

  void accumulate(int index) {
    const KernelStep& step = given_.steps[static_cast<std::size_t>(index)];
    const auto followed = followed_.find(index);
    if (followed != followed_.end()) return accumulate_scaled(step, followed->second);
    const auto how = static_cast<Reduction>(step.pick);
    const int partial = new_like(step.result);
    KernelStep part = step;
    part.result = partial;
    add(part);
    add({combining(how), step.dtype, step.result, {step.result, partial, -1}, 0, 0, step.label});
    begin_with_neutral(step, how);
    current_->accumulators.push_back({step.result, how, step.dtype, -1});
  }

  /// The sum so far was of exp(x - old maximum): it is multiplied by exp(old - new). Both are taken
  /// no less than the least number, so that a row that begins with -infinity scales by a number.
  void accumulate_scaled(const KernelStep& step, Followed followed) {
    const DType dtype = step.dtype;
    const auto least = std::bit_cast<std::int32_t>(std::numeric_limits<float>::lowest());
    const int scale = new_like(step.result), now = new_like(step.result),
              factor = new_like(step.result), partial = new_like(step.result);
    const KernelStep& exp = *maker(step.source[0]);
    const KernelStep& difference = *maker(exp.source[0]);
    const int shifted = new_like(exp.source[0]), raised = new_like(step.source[0]);
    const auto put = [&](Op op, int result, std::array<int, 3> sources, std::int32_t scalar = 0) {
      add({op, dtype, result, sources, scalar, 0, step.label});
    };
    put(Op::vmaxs, now, {followed.maximum, -1, -1}, least);
    put(Op::vsub, factor, {scale, now, -1});
    put(Op::vexp, factor, {factor, -1, -1});
    put(Op::vcopy, scale, {now, -1, -1});
    int spread = scale;
    if (followed.broadcast) {
      spread = new_like(difference.source[1]);
      put(Op::vbrc, spread, {scale, -1, -1});
    }
    put(Op::vsub, shifted, {difference.source[0], spread, -1});
    put(Op::vexp, raised, {shifted, -1, -1});
    KernelStep part = step;
    part.source[0] = raised;
    part.result = partial;
    add(part);
    put(Op::vmul, step.result, {step.result, factor, -1});
    put(Op::vadd, step.result, {step.result, partial, -1});
    start_with(scale, dtype, least, step.label);
    start_with(step.result, dtype, 0, step.label);
    current_->accumulators.push_back({step.result, Reduction::Sum, dtype, scale});
  }

  void add(KernelStep step) { current_->steps.push_back(std::move(step)); }
  void start_with(int value, DType dtype, std::int32_t scalar, const std::string& label) {
    made_.start.push_back({Op::vdup, dtype, value, {-1, -1, -1}, scalar, 0, label});
  }

  void begin_with_neutral(const KernelStep& step, Reduction how) {
    const bool greatest = how == Reduction::Min, least = how == Reduction::Max;
    if (step.dtype == DType::I64 && (greatest || least)) {
      const int bits = new_like(step.result);
      start_with(step.result, step.dtype, 1, step.label);
      start_with(bits, step.dtype, 63, step.label);
      const auto put = [&](Op op, std::array<int, 3> sources) {
        made_.start.push_back({op, step.dtype, step.result, sources, 0, 0, step.label});
      };
      put(Op::vshl, {step.result, bits, -1});
      if (greatest) put(Op::vnot, {step.result, -1, -1});
      return;
    }
    start_with(step.result, step.dtype, neutral(step.dtype, how), step.label);
  }

  [[nodiscard]] static std::int32_t neutral(DType dtype, Reduction how) {
    if (how == Reduction::Sum) return 0;
    if (how == Reduction::Prod) {
      return is_float(dtype) ? std::bit_cast<std::int32_t>(1.0F) : 1;
    }
    const bool least = how == Reduction::Max;
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    switch (dtype) {
      case DType::U8:
        return least ? 0 : 255;
      case DType::I8:
        return least ? -128 : 127;
      case DType::I32:
        return least ? std::numeric_limits<std::int32_t>::min()
                     : std::numeric_limits<std::int32_t>::max();
      default:
        return std::bit_cast<std::int32_t>(least ? -kInfinity : kInfinity);
    }
  }

  /// What does not extend along the long dimension is moved and computed once.
  void place_short() {
    for (std::size_t i = 0; i < given_.inputs.size(); ++i) {
      if (!is_long(given_.inputs[i].value)) made_.short_inputs.push_back(static_cast<int>(i));
    }
    for (std::size_t i = 0; i < given_.outputs.size(); ++i) {
      if (!is_long(given_.outputs[i].value)) made_.short_outputs.push_back(static_cast<int>(i));
    }
    for (const KernelStep& step : given_.steps) {
      if (is_long(step.result) || reduces(step)) continue;
      const int at = level(step.result);
      auto& list = at == 0 ? made_.start : made_.phases[static_cast<std::size_t>(at - 1)].finish;
      list.push_back(step);
    }
  }

  const VectorKernel& given_;
  PhasedKernel made_{};
  Phase* current_ = nullptr;
  std::vector<int> producer_{};         // by value: its step, or -1
  std::map<int, Followed> followed_{};  // by step
  std::vector<int> level_{};            // by value
  int last_ = 0;
};

}  // namespace

std::optional<PhasedKernel> phases_of(const VectorKernel& kernel, std::string* why) {
  return Phaser(kernel).run(why);
}

std::string to_text(const PhasedKernel& phased) {
  VectorKernel part = phased.kernel;
  std::string text;
  const auto print = [&](std::string title, const std::vector<int>& inputs,
                         const std::vector<KernelStep>& steps, const std::vector<int>& outputs) {
    part.name = std::move(title);
    part.inputs.clear();
    part.outputs.clear();
    for (int i : inputs) part.inputs.push_back(phased.kernel.inputs[static_cast<std::size_t>(i)]);
    for (int i : outputs) {
      part.outputs.push_back(phased.kernel.outputs[static_cast<std::size_t>(i)]);
    }
    part.steps = steps;
    text += to_text(part);
  };
  const std::string& name = phased.kernel.name;
  print(name + ", once", phased.short_inputs, phased.start, {});
  for (std::size_t i = 0; i < phased.phases.size(); ++i) {
    const Phase& phase = phased.phases[i];
    print(fmt::format("{}, phase {}", name, i), phase.inputs, phase.steps, phase.outputs);
    print(fmt::format("{}, after phase {}", name, i), {}, phase.finish,
          i + 1 == phased.phases.size() ? phased.short_outputs : std::vector<int>{});
  }
  return text;
}

}  // namespace dvmsim
