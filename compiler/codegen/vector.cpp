#include "compiler/codegen/vector.h"

#include "compiler/codegen/sync.h"
#include "compiler/codegen/tile_move.h"
#include "compiler/codegen/tile_walk.h"
#include "compiler/codegen/vector_steps.h"

namespace dvmsim {
namespace {

using isa::Op;

/// The flag that tells the vector pipe that what is loaded once, before the loop, is there.
constexpr int kConstantsFlag = 2;

class VectorEmitter {
 public:
  VectorEmitter(const VectorKernel& kernel, const VectorSchedule& schedule, CoreKind kind)
      : kernel_(kernel), schedule_(schedule), builder_(kind) {
    for (const UbBuffer& buffer : schedule.buffers) {
      if (buffer.base >= 0) ranges_.push_back({buffer.base, buffer.size});
    }
  }

  Program emit();

 private:
  void prologue();
  void body();
  void move(const KernelTensor& tensor, Val base, bool in) {
    move_tile(builder_, {kernel_, schedule_, position_}, tensor, at(tensor.value), base, in);
  }
  [[nodiscard]] bool invariant(const KernelTensor& tensor) const;

  [[nodiscard]] const KernelValue& value(int id) const {
    return kernel_.values[static_cast<std::size_t>(id)];
  }
  [[nodiscard]] std::int64_t at(int id) const {
    return schedule_.buffers[static_cast<std::size_t>(id)].base;
  }
  [[nodiscard]] Val rows() const { return position_.extent[position_.extent.size() - 2]; }
  [[nodiscard]] Val columns() const { return position_.extent.back(); }

  const VectorKernel& kernel_;
  const VectorSchedule& schedule_;
  Builder builder_;
  std::vector<UbRange> ranges_{};
  std::vector<Val> bases_{};
  TilePosition position_{};
};

bool VectorEmitter::invariant(const KernelTensor& tensor) const {
  const Extent extent = value(tensor.value).extent;
  if (extent == Extent::Full || extent == Extent::Column) return false;
  const std::size_t columns = kernel_.dims.size() - 1;
  for (std::size_t i = 0; i < columns; ++i) {
    if (tensor.stride[i] != 0) return false;
  }
  return tensor.stride[columns] == 0 || schedule_.tile.columns >= kernel_.columns();
}

void VectorEmitter::prologue() {
  int argument = 0;
  for (std::size_t i = 0; i < kernel_.inputs.size() + kernel_.outputs.size(); ++i) {
    bases_.push_back(builder_.argument(argument++));
  }
}

void VectorEmitter::body() {
  for (std::size_t i = 0; i < kernel_.inputs.size(); ++i) {
    if (!invariant(kernel_.inputs[i])) move(kernel_.inputs[i], bases_[i], true);
  }
  VectorSteps(builder_, kernel_, schedule_, rows(), columns()).emit();
  for (std::size_t i = 0; i < kernel_.outputs.size(); ++i) {
    move(kernel_.outputs[i], bases_[kernel_.inputs.size() + i], false);
  }
}

Program VectorEmitter::emit() {
  Program program;
  program.name = kernel_.name;
  prologue();
  std::vector<std::int64_t> tile(kernel_.dims.size(), 1);
  tile[tile.size() - 2] = schedule_.tile.rows;
  tile.back() = schedule_.tile.columns;
  TileWalk walk(builder_, kernel_.dims, tile);

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
  const std::size_t begin = builder_.code().size();
  position_ = walk.begin();
  body();
  walk.end();
  add_loop(builder_, walk.count(), synchronize(builder_.take(begin), ranges_));
  builder_.link(program);

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
