#include "compiler/codegen/vector.h"

#include <optional>

#include "compiler/codegen/sync.h"
#include "compiler/codegen/tile_move.h"
#include "compiler/codegen/tile_walk.h"
#include "compiler/codegen/vector_steps.h"
#include "compiler/schedule/steps_once.h"

namespace dvmsim {
namespace {

using isa::Op;

/// The flag that tells the vector pipe that what is loaded once, before the loop, is there.
constexpr int kConstantsFlag = 2;

class VectorEmitter {
 public:
  VectorEmitter(const VectorKernel& kernel, const VectorSchedule& schedule, CoreKind kind)
      : kernel_(kernel), schedule_(schedule), builder_(kind) {}

  Program emit();

 private:
  void prologue();
  void once();
  void body();
  void move(const KernelTensor& tensor, Val base, bool in, KnownPlaces* known = nullptr) {
    move_tile(builder_, {kernel_, schedule_, position_}, tensor, addresses_->of(tensor.value), base,
              in, known);
  }
  [[nodiscard]] bool invariant(const KernelTensor& tensor) const {
    return is_invariant(kernel_, tensor, schedule_.tile);
  }

  [[nodiscard]] Val rows() const { return position_.extent[position_.extent.size() - 2]; }
  [[nodiscard]] Val columns() const { return position_.extent.back(); }

  const VectorKernel& kernel_;
  const VectorSchedule& schedule_;
  Builder builder_;
  std::optional<UbAddresses> addresses_{};
  boost::container::small_vector<Val, 8> bases_{};
  TilePosition position_{};
};

void VectorEmitter::prologue() {
  int argument = 0;
  const std::size_t count = kernel_.inputs.size() + kernel_.outputs.size();
  bases_.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    bases_.push_back(builder_.argument(argument++));
  }
  addresses_.emplace(builder_, schedule_);
}

void VectorEmitter::body() {
  KnownPlaces known;
  for (std::size_t i = 0; i < kernel_.inputs.size(); ++i) {
    if (!invariant(kernel_.inputs[i])) move(kernel_.inputs[i], bases_[i], true, &known);
  }
  VectorSteps steps(builder_, kernel_, schedule_, *addresses_, rows(), columns());
  if (schedule_.once.empty()) {
    steps.emit();
  } else {
    steps.emit(steps_of(kernel_, schedule_, false));
  }
  for (std::size_t i = 0; i < kernel_.outputs.size(); ++i) {
    move(kernel_.outputs[i], bases_[kernel_.inputs.size() + i], false, &known);
  }
}

/// What all tiles need the same of, from what is loaded once.
void VectorEmitter::once() {
  const std::size_t begin = builder_.code().size();
  VectorSteps(builder_, kernel_, schedule_, *addresses_, rows(), columns())
      .emit(steps_of(kernel_, schedule_, true));
  drain_once(builder_, begin, addresses_->ranges());
}

Program VectorEmitter::emit() {
  Program program;
  program.name = kernel_.name;
  prologue();
  ByDim<std::int64_t> tile(kernel_.dims.size(), 1);
  tile[tile.size() - 2] = schedule_.tile.rows;
  tile.back() = schedule_.tile.columns;
  TileWalk walk(builder_, kernel_.dims, {tile.data(), tile.size()}, Reg{isa::kCoreIndexReg},
                schedule_.cores);

  position_.index.assign(kernel_.dims.size(), 0);
  position_.extent.assign(tile.begin(), tile.end());
  bool constants = false;
  for (std::size_t i = 0; i < kernel_.inputs.size(); ++i) {
    if (!invariant(kernel_.inputs[i])) continue;
    move(kernel_.inputs[i], bases_[i], true);
    constants = true;
  }
  if (constants) {
    builder_.set(Pipe::MTE2, Pipe::Vector, kConstantsFlag);
    builder_.wait(Pipe::Vector, Pipe::MTE2, kConstantsFlag);
  }
  if (!schedule_.once.empty()) once();
  const std::size_t begin = builder_.code().size();
  position_ = walk.begin_in_tiles();
  body();
  if (!schedule_.once.empty()) drain_first(builder_, begin);
  if (walk.count().is(1) && schedule_.depth.loads == 1 && schedule_.depth.stores == 1) {
    add_once(builder_, begin, addresses_->ranges());
  } else {
    walk.end();
    add_loop(builder_, begin, walk.count(), addresses_->ranges(),
             {schedule_.depth.loads, schedule_.depth.stores});
  }
  builder_.link(program);

  program.arguments.reserve(bases_.size());
  for (const KernelTensor& input : kernel_.inputs) {
    program.arguments.push_back({Argument::Kind::Input, input.name, 0});
  }
  for (const KernelTensor& output : kernel_.outputs) {
    program.arguments.push_back({Argument::Kind::Output, output.name, 0});
  }
  return program;
}

}  // namespace

Program emit_vector(const VectorKernel& kernel, const VectorSchedule& schedule, CoreKind kind) {
  return VectorEmitter(kernel, schedule, kind).emit();
}

}  // namespace dvmsim
