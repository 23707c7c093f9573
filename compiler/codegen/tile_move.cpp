#include "compiler/codegen/tile_move.h"

#include <algorithm>

namespace dvmsim {

using isa::Op;

namespace {

/// Bursts in GM and in UB: their number, and from one to the next in bytes. Rows that follow one
/// another on both sides are one.
struct Bursts {
  Val count = 1;
  std::int64_t gm_stride = 0, ub_stride = 0;
  bool rows_apart = false;
};

Bursts bursts_of(const MovedTile& tile, const KernelTensor& tensor) {
  const KernelValue& moved = tile.kernel.values[static_cast<std::size_t>(tensor.value)];
  if (moved.extent != Extent::Full) return {};
  const std::int64_t size = size_of(moved.dtype);
  const std::int64_t gm = tensor.stride[tile.kernel.dims.size() - 2] * size,
                     ub = tile.schedule.pitch * size;
  if (gm == ub && tile.schedule.tile.columns == tile.schedule.pitch) return {};
  return {tile.position.extent[tile.position.extent.size() - 2], gm, ub, true};
}

Val length_of(Builder& builder, const MovedTile& tile, const KernelTensor& tensor) {
  const KernelValue& moved = tile.kernel.values[static_cast<std::size_t>(tensor.value)];
  const Val rows = tile.position.extent[tile.position.extent.size() - 2],
            columns = tile.position.extent.back();
  const std::int64_t size = size_of(moved.dtype);
  switch (moved.extent) {
    case Extent::Full: {
      const Val row = builder.compute(Op::smul, columns, size);
      return bursts_of(tile, tensor).rows_apart ? row : builder.compute(Op::smul, row, rows);
    }
    case Extent::Row:
      return builder.compute(Op::smul, columns, size);
    case Extent::Column:
      return builder.compute(Op::smul, rows, size);
    case Extent::Scalar:
      break;
  }
  return size;
}

bool lie_alike(const VectorKernel& kernel, const KernelTensor& a, const KernelTensor& b) {
  const KernelValue &of_a = kernel.values[static_cast<std::size_t>(a.value)],
                    &of_b = kernel.values[static_cast<std::size_t>(b.value)];
  return a.stride == b.stride && of_a.extent == of_b.extent &&
         size_of(of_a.dtype) == size_of(of_b.dtype);
}

}  // namespace

void move_tile(Builder& builder, const MovedTile& tile, const KernelTensor& tensor, Val ub,
               Val base, bool in, KnownPlaces* known) {
  const std::int64_t size =
      size_of(tile.kernel.values[static_cast<std::size_t>(tensor.value)].dtype);
  KnownPlaces own;
  if (known == nullptr) known = &own;
  auto place = std::find_if(known->places.begin(), known->places.end(), [&](const auto& each) {
    return lie_alike(tile.kernel, *each.tensor, tensor);
  });
  const int outer = builder.registers();
  if (place == known->places.end()) {
    known->places.push_back({&tensor, address(builder, 0, tile.position, tensor.stride, size),
                             length_of(builder, tile, tensor)});
    place = known->places.end() - 1;
  }
  const int mark = known == &own ? outer : builder.registers();
  Val gm = builder.compute(Op::sadd, base, place->offset);
  if (tensor.offset != 0) gm = builder.compute(Op::sadd, gm, tensor.offset * size);
  const Val length = place->length;
  const auto [count, gm_stride, ub_stride, apart] = bursts_of(tile, tensor);
  const bool one = !apart || count.is(1);
  if (in) {
    builder.add<Op::load>({{"dst", ub},
                           {"src", gm},
                           {"len", length},
                           {"rows", count},
                           {"dstride", one ? 0 : ub_stride},
                           {"sstride", one ? 0 : gm_stride}});
  } else {
    builder.add<Op::store>({{"dst", gm},
                            {"src", ub},
                            {"len", length},
                            {"rows", count},
                            {"dstride", one ? 0 : gm_stride},
                            {"sstride", one ? 0 : ub_stride}});
  }
  builder.free_registers(mark);  // the firmware has read them
}

}  // namespace dvmsim
