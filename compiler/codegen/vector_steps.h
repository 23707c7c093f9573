// The steps of a vector kernel on one tile, as instructions. Where the tile is, how it is loaded
// and stored, and the flags between, are the business of whoever walks the tiles.
#pragma once

#include <span>

#include "compiler/codegen/ub_addresses.h"
#include "compiler/schedule/vector.h"

namespace dvmsim {

class VectorSteps {
 public:
  /// All outlive it. `rows` and `columns`: how much of the schedule's tile is used.
  VectorSteps(Builder& builder, const VectorKernel& kernel, const VectorSchedule& schedule,
              Val rows, Val columns)
      : builder_(builder), kernel_(kernel), schedule_(schedule), rows_(rows), columns_(columns) {}
  /// The same in a loop over tiles, with buffers in copies.
  VectorSteps(Builder& builder, const VectorKernel& kernel, const VectorSchedule& schedule,
              const UbAddresses& addresses, Val rows, Val columns)
      : VectorSteps(builder, kernel, schedule, rows, columns) {
    addresses_ = &addresses;
  }

  /// Every step of the kernel, with a mark where a graph operator begins.
  void emit() { emit(kernel_.steps); }
  /// These steps, on values of the kernel.
  void emit(std::span<const KernelStep> steps);
  /// One of them, without a mark.
  void step(const KernelStep& step);

 private:
  /// Rows, columns and strides of an elementwise step.
  struct Grid {
    Val count{}, rows{1};
    bool strided = false;
    bool pieces = false;  // the rows are pieces of the tile's one row
  };
  void reduce(const KernelStep& step);
  void broadcast(const KernelStep& step);
  void scan(const KernelStep& step);
  [[nodiscard]] Grid grid_of(const KernelStep& step);
  /// Elements of all rows of a Full value, gaps between rows included.
  [[nodiscard]] Val flat();
  [[nodiscard]] const KernelValue& value(int id) const {
    return kernel_.values[static_cast<std::size_t>(id)];
  }
  [[nodiscard]] Val at(int id) const {
    if (addresses_ != nullptr) return addresses_->of(id);
    return schedule_.buffers[static_cast<std::size_t>(id)].base;
  }
  /// Bytes between rows of a value in UB; 0 repeats its only row.
  [[nodiscard]] std::int64_t row_stride(int id) const {
    return value(id).extent == Extent::Full ? schedule_.pitch * size_of(value(id).dtype) : 0;
  }
  [[nodiscard]] std::int64_t stride_in(const Grid& grid, int id) const {
    if (!grid.pieces) return row_stride(id);
    return value(id).uniform ? 0 : schedule_.piece * size_of(value(id).dtype);
  }

  Builder& builder_;
  const VectorKernel& kernel_;
  const VectorSchedule& schedule_;
  const UbAddresses* addresses_ = nullptr;
  Val rows_, columns_;
  Val flat_{};
  bool flat_known_ = false;
};

}  // namespace dvmsim
