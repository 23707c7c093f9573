#include "compiler/codegen/vector.h"

#include <algorithm>
#include <map>

#include "compiler/codegen/sync.h"
#include "compiler/codegen/tile_walk.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

using isa::Op;

/// The flag that tells the vector pipe that what is loaded once, before the loop, is there.
constexpr int kConstantsFlag = 2;

class VectorEmitter {
 public:
  VectorEmitter(const VectorKernel& kernel, const VectorSchedule& schedule)
      : kernel_(kernel), schedule_(schedule) {
    for (const UbBuffer& buffer : schedule.buffers) {
      if (buffer.base >= 0) ranges_.push_back({buffer.base, buffer.size});
    }
  }

  Program emit(std::uint64_t machine);

 private:
  /// Rows, columns and strides of an elementwise step.
  struct Grid {
    Val count{}, rows{1};
    bool strided = false;
  };

  void prologue();
  void body();
  void move(const KernelTensor& tensor, Val base, bool in);
  void step(const KernelStep& step);
  void reduce(const KernelStep& step);
  void broadcast(const KernelStep& step);
  [[nodiscard]] Grid grid_of(const KernelStep& step);
  [[nodiscard]] bool invariant(const KernelTensor& tensor) const;

  [[nodiscard]] const KernelValue& value(int id) const {
    return kernel_.values[static_cast<std::size_t>(id)];
  }
  [[nodiscard]] std::int64_t at(int id) const {
    return schedule_.buffers[static_cast<std::size_t>(id)].base;
  }
  /// Bytes between rows of a value in UB; 0 repeats its only row.
  [[nodiscard]] std::int64_t row_stride(int id) const {
    return value(id).extent == Extent::Full ? schedule_.pitch * size_of(value(id).dtype) : 0;
  }
  [[nodiscard]] Val rows() const { return position_.extent[position_.extent.size() - 2]; }
  [[nodiscard]] Val columns() const { return position_.extent.back(); }
  /// Elements of all rows of a Full value, gaps between rows included.
  [[nodiscard]] Val flat() {
    if (rows().is(1)) return columns();
    if (!flat_known_) flat_ = builder_.compute(Op::smul, rows(), schedule_.pitch);
    flat_known_ = true;
    return flat_;
  }

  const VectorKernel& kernel_;
  const VectorSchedule& schedule_;
  Builder builder_{CoreKind::Vector};
  std::vector<UbRange> ranges_{};
  std::vector<Val> bases_{};
  TilePosition position_{};
  Val flat_{};
  bool flat_known_ = false;
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
    case Extent::Row: length = builder_.compute(Op::smul, columns(), size); break;
    case Extent::Column: length = builder_.compute(Op::smul, rows(), size); break;
    case Extent::Scalar: break;
  }
  const bool one = count.is(1);
  if (in) {
    builder_.add(Op::load, {{"dst", at(tensor.value)}, {"src", gm}, {"len", length}, {"rows", count},
                            {"dstride", one ? 0 : ub_stride}, {"sstride", one ? 0 : gm_stride}});
  } else {
    builder_.add(Op::store, {{"dst", gm}, {"src", at(tensor.value)}, {"len", length},
                             {"rows", count}, {"dstride", one ? 0 : gm_stride},
                             {"sstride", one ? 0 : ub_stride}});
  }
  builder_.free_registers(mark);  // the firmware has read them
}

VectorEmitter::Grid VectorEmitter::grid_of(const KernelStep& step) {
  switch (value(step.result).extent) {
    case Extent::Row: return {columns()};
    case Extent::Column: return {rows()};
    case Extent::Scalar: return {1};
    case Extent::Full: break;
  }
  const bool repeats_row = std::any_of(step.source.begin(), step.source.end(), [&](int source) {
    return source >= 0 && value(source).extent != Extent::Full;
  });
  if (!repeats_row || rows().is(1)) return {flat()};
  return {columns(), rows(), true};
}

void VectorEmitter::reduce(const KernelStep& step) {
  const int source = step.source[0];
  // A value without rows of its own is one row.
  const bool by_row = value(source).extent == Extent::Full;
  const Val count = value(source).extent == Extent::Column ? rows() : columns();
  builder_.add(step.op, {{"dtype", static_cast<int>(step.dtype)}, {"dst", at(step.result)},
                         {"a", at(source)}, {"count", count}, {"rows", by_row ? rows() : Val(1)},
                         {"astride", by_row && !rows().is(1) ? row_stride(source) : 0},
                         {"how", step.pick}});
}

void VectorEmitter::broadcast(const KernelStep& step) {
  const KernelValue& result = value(step.result);
  const bool full = result.extent == Extent::Full && value(step.source[0]).extent == Extent::Column;
  const Val count = result.extent == Extent::Column ? rows() : columns();
  builder_.add(Op::vbrc, {{"dtype", static_cast<int>(step.dtype)}, {"dst", at(step.result)},
                          {"a", at(step.source[0])}, {"count", count},
                          {"rows", full ? rows() : Val(1)},
                          {"dstride", full && !rows().is(1) ? row_stride(step.result) : 0}});
}

void VectorEmitter::step(const KernelStep& step) {
  if (step.op == Op::vredx || step.op == Op::vredy) return reduce(step);
  if (step.op == Op::vbrc) return broadcast(step);
  const Grid grid = grid_of(step);
  const isa::Row& row = isa::row_of(step.op);
  isa::Inst& inst = builder_.add(step.op);
  const auto put = [&](std::string_view name, Val operand) {
    const int index = row.find(name);
    DVMSIM_ASSERT(index >= 0, "the step's instruction has the operand");
    inst.lane[static_cast<std::size_t>(index)] = operand.lane;
  };
  put("dtype", static_cast<int>(step.dtype));
  if (step.op == Op::vcvt) put("to", static_cast<int>(value(step.result).dtype));
  put("dst", at(step.result));
  put("count", grid.count);
  put("rows", grid.rows);
  if (grid.strided) put("dstride", row_stride(step.result));
  const bool masked = step.op == Op::vsel;
  const char* names[] = {masked ? "mask" : "a", masked ? "a" : "b", "b"};
  const char* strides[] = {masked ? "mstride" : "astride", masked ? "astride" : "bstride", "bstride"};
  for (std::size_t i = 0; i < 3 && step.source[i] >= 0; ++i) {
    put(names[i], at(step.source[i]));
    if (grid.strided) put(strides[i], row_stride(step.source[i]));
  }
  if (row.find("s") >= 0) put("s", step.scalar);
  if (row.find("order") >= 0) put("order", step.pick);
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
  const std::string* label = nullptr;
  for (const KernelStep& each : kernel_.steps) {
    if (each.op != Op::vbrc && each.op != Op::vcvt && (label == nullptr || *label != each.label)) {
      builder_.mark(DebugMark::Kind::Operator, each.label);
      label = &each.label;
    }
    step(each);
  }
  for (std::size_t i = 0; i < kernel_.outputs.size(); ++i) {
    move(kernel_.outputs[i], bases_[kernel_.inputs.size() + i], false);
  }
}

Program VectorEmitter::emit(std::uint64_t machine) {
  Program program;
  program.name = kernel_.name;
  program.machine = machine;
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

Program emit_vector(const VectorKernel& kernel, const VectorSchedule& schedule,
                    const Machine& machine) {
  return VectorEmitter(kernel, schedule).emit(hash_of(machine));
}

}  // namespace dvmsim
