#include "compiler/codegen/tile_move.h"

namespace dvmsim {

using isa::Op;

void move_tile(Builder& builder, const MovedTile& tile, const KernelTensor& tensor, Val ub,
               Val base, bool in) {
  const KernelValue& moved = tile.kernel.values[static_cast<std::size_t>(tensor.value)];
  const Val rows = tile.position.extent[tile.position.extent.size() - 2],
            columns = tile.position.extent.back();
  const std::int64_t size = size_of(moved.dtype);
  const int mark = builder.registers();
  Val gm = address(builder, base, tile.position, tensor.stride, size);
  if (tensor.offset != 0) gm = builder.compute(Op::sadd, gm, tensor.offset * size);
  Val length = size, count = 1;
  std::int64_t gm_stride = 0, ub_stride = 0;
  switch (moved.extent) {
    case Extent::Full:
      length = builder.compute(Op::smul, columns, size);
      count = rows;
      gm_stride = tensor.stride[tile.kernel.dims.size() - 2] * size;
      ub_stride = tile.schedule.pitch * size;
      if (gm_stride == ub_stride && tile.schedule.tile.columns == tile.schedule.pitch) {
        length = builder.compute(Op::smul, length, count);
        count = 1;
      }
      break;
    case Extent::Row:
      length = builder.compute(Op::smul, columns, size);
      break;
    case Extent::Column:
      length = builder.compute(Op::smul, rows, size);
      break;
    case Extent::Scalar:
      break;
  }
  const bool one = count.is(1);
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
