#include "compiler/codegen/vector.h"

#include "compiler/codegen/sync.h"
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
  void move(const KernelTensor& tensor, Val base, bool in);
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

void VectorEmitter::move(const KernelTensor& tensor, Val base, bool in) {
  const KernelValue& moved = value(tensor.value);
  const std::int64_t size = size_of(moved.dtype);
  const int mark = builder_.registers();
  const Val gm = address(builder_, base, position_, tensor.stride, size);
  Val length = size, count = 1;
  std::int64_t gm_stride = 0, ub_stride = 0;
  switch (moved.extent) {
    case Extent::Full:
      length = builder_.compute(Op::smul, columns(), size);
      count = rows();
      gm_stride = tensor.stride[kernel_.dims.size() - 2] * size;
      ub_stride = schedule_.pitch * size;
      if (gm_stride == ub_stride && schedule_.tile.columns == schedule_.pitch) {
        length = builder_.compute(Op::smul, length, count);
        count = 1;
      }
      break;
    case Extent::Row:
      length = builder_.compute(Op::smul, columns(), size);
      break;
    case Extent::Column:
      length = builder_.compute(Op::smul, rows(), size);
      break;
    case Extent::Scalar:
      break;
  }
  const bool one = count.is(1);
  if (in) {
    builder_.add<Op::load>({{"dst", at(tensor.value)},
                            {"src", gm},
                            {"len", length},
                            {"rows", count},
                            {"dstride", one ? 0 : ub_stride},
                            {"sstride", one ? 0 : gm_stride}});
  } else {
    builder_.add<Op::store>({{"dst", gm},
                             {"src", at(tensor.value)},
                             {"len", length},
                             {"rows", count},
                             {"dstride", one ? 0 : gm_stride},
                             {"sstride", one ? 0 : ub_stride}});
  }
  builder_.free_registers(mark);  // the firmware has read them
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
  add_loop(builder_, begin, walk.count(), ranges_);
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
