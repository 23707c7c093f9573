#include "compiler/codegen/shared_product.h"

#include <bit>

#include "compiler/codegen/builder.h"
#include "compiler/codegen/sync.h"
#include "compiler/codegen/tiles.h"
#include "compiler/codegen/vector_steps.h"
#include "compiler/schedule/matmul_shared.h"
#include "compiler/schedule/vector.h"
#include "vm/base/error.h"

namespace dvmsim {

namespace {

using isa::Op;

constexpr int kPiecesDone = 0;  // from the cube core of the group, as the macro uses it

/// Code of one vector core: its rows of one shared tile.
class Finisher {
 public:
  Finisher(const MatmulSpec& spec, const MatmulSchedule& schedule, const SharedFinish& finish,
           const VectorKernel& kernel, const VectorSchedule& layout)
      : spec_(spec),
        schedule_(schedule),
        finish_(finish),
        kernel_(kernel),
        layout_(layout),
        members_(finish.members) {}

  void write(Program& program);

 private:
  void find_tile();
  void rows();

  const MatmulSpec& spec_;
  const MatmulSchedule& schedule_;
  const SharedFinish& finish_;
  const VectorKernel& kernel_;
  const VectorSchedule& layout_;
  std::int64_t members_;
  Builder code_{CoreKind::Vector};
  SharedPart part_{};
  Reg from_{}, to_{}, left_{};
};

void Finisher::write(Program& program) {
  from_ = code_.reg();
  to_ = code_.reg();
  left_ = code_.reg();
  find_tile();
  code_.add<Op::xwait>({{"pipe", static_cast<int>(Pipe::MTE2)},
                        {"id", kPiecesDone},
                        {"mode", static_cast<int>(isa::CrossMode::Group)}});
  rows();
  code_.link(program);
}

void Finisher::find_tile() {
  part_ = locate_shared(code_, spec_, schedule_, members_, members_ * schedule_.shared);
  code_.assign(from_, Op::mov, part_.from, 0);
  const TileRegisters& tile = part_.tile;
  const Val c = batch_address(code_, code_.argument(2), tile, spec_.c_batch0, spec_.c_batch1);
  const Val column = offset_by(code_, c, tile.n0, size_of(spec_.out));
  const Val row = code_.compute(Op::sadd, tile.m0, part_.first);
  code_.assign(to_, Op::mov, offset_by(code_, column, row, spec_.c_stride), 0);
  code_.assign(left_, Op::mov, part_.rows, 0);
}

/// The core's rows, some at a time: those of all pieces lie side by side, each as one long row.
void Finisher::rows() {
  const std::int64_t high = finish_.rows, width = schedule_.tile_n;
  const Val count = code_.compute(Op::sdiv, code_.compute(Op::sadd, part_.rows, high - 1), high);
  const std::size_t begin = code_.code().size();
  const Val height = code_.compute(Op::smin, left_, high);
  const Val elements = code_.compute(Op::smul, height, width);
  const auto buffer = [&](int value) {
    return layout_.buffers[static_cast<std::size_t>(value)].base;
  };
  code_.add<Op::load>({{"dst", buffer(kernel_.inputs[0].value)},
                       {"src", from_},
                       {"len", code_.compute(Op::smul, elements, 4)},
                       {"rows", part_.pieces},
                       {"dstride", layout_.pitch * 4},
                       {"sstride", constant(code_, piece_bytes(schedule_))}});
  VectorSteps(code_, kernel_, layout_, part_.pieces, elements).emit();
  const std::int64_t size = size_of(spec_.out);
  code_.add<Op::store>({{"dst", to_},
                        {"src", buffer(kernel_.outputs[0].value)},
                        {"len", code_.compute(Op::smul, part_.tile.n, size)},
                        {"rows", height},
                        {"dstride", constant(code_, spec_.c_stride)},
                        {"sstride", width * size}});
  code_.assign(from_, Op::sadd, from_, high * width * 4);
  const Val down = code_.compute(Op::smul, constant(code_, spec_.c_stride), high);
  code_.assign(to_, Op::sadd, to_, down);
  code_.assign(left_, Op::ssub, left_, high);
  std::vector<UbRange> ranges;
  for (const UbBuffer& used : layout_.buffers) {
    if (used.base >= 0) ranges.push_back({used.base, used.size});
  }
  add_loop(code_, begin, count, ranges);
}

/// Rows of all pieces become one, rectified and converted.
VectorKernel sum_of_pieces(const MatmulSpec& spec, std::int64_t pieces, std::int64_t elements) {
  VectorKernel kernel;
  kernel.name = "pieces";
  kernel.dims = {pieces, elements};
  kernel.whole_rows = true;
  kernel.values = {{DType::F32, Extent::Full}};
  kernel.inputs = {{0, {elements, 1}, "pieces"}};
  const auto step = [&](Op op, DType result) {
    KernelStep next;
    next.op = op;
    next.dtype = DType::F32;
    next.source[0] = static_cast<int>(kernel.values.size()) - 1;
    next.result = static_cast<int>(kernel.values.size());
    next.pick = static_cast<int>(isa::Reduction::Sum);
    next.label = "pieces";
    kernel.values.push_back({result, Extent::Row});
    kernel.steps.push_back(next);
  };
  step(Op::vredy, DType::F32);
  if (spec.post == isa::Post::Relu) step(Op::vrelu, DType::F32);
  if (spec.out != DType::F32) step(Op::vcvt, spec.out);
  kernel.outputs = {{kernel.steps.back().result, {0, 1}, "c"}};
  return kernel;
}

}  // namespace

SharedPart locate_shared(Builder& code, const MatmulSpec& spec, const MatmulSchedule& schedule,
                         std::int64_t members, std::int64_t cores) {
  const isa::SharedTiles shared = shared_tiles(spec, schedule);
  const auto fresh = [&] { return code.reg(); };
  SharedPart part{
      {fresh(), fresh(), fresh(), fresh(), fresh(), fresh()}, fresh(), fresh(), fresh(), fresh()};
  const auto keep = [&](const Val& at, const Val& value) {
    code.assign(Reg{at.lane.reg}, Op::mov, value, 0);
  };
  // Registers are few: what leads to the results is given back.
  const int mark = code.registers();
  const Reg core{isa::kCoreIndexReg};
  Val number = code.compute(Op::sdiv, core, members), takes_part = 1;
  if (members * shared.tiles < cores) {
    takes_part = code.compute(Op::slt, number, shared.tiles);
    number = code.compute(Op::smin, number, shared.tiles - 1);
  }
  const int numbers = code.registers();
  const Val zero = code.compute(Op::smul, number, shared.blocks);
  const Val end = code.compute(Op::sadd, zero, shared.blocks - 1);
  const Val before = code.compute(Op::sdiv, zero, shared.range());
  const Val last = code.compute(Op::sdiv, end, shared.range());
  keep(part.pieces, code.compute(Op::sadd, code.compute(Op::ssub, last, before), 1));
  const std::int64_t slots = shared.most_pieces() * piece_bytes(schedule);
  keep(part.from, offset_by(code, code.argument(kPieces), number, slots));
  code.free_registers(numbers);

  const std::int64_t whole = tiles_of(spec, schedule) - shared.tiles;
  const TileRegisters tile =
      locate_tile(code, spec, schedule, code.compute(Op::sadd, number, whole));
  keep(part.tile.batch0, tile.batch0);
  keep(part.tile.batch1, tile.batch1);
  keep(part.tile.m0, tile.m0);
  keep(part.tile.n0, tile.n0);
  keep(part.tile.m, tile.m);
  keep(part.tile.n, tile.n);
  code.free_registers(numbers);

  const Val rows = part.tile.m, member = code.compute(Op::smod, core, members);
  const Val even = code.compute(Op::sdiv, code.compute(Op::sadd, rows, members - 1), members);
  keep(part.first, code.compute(Op::smin, code.compute(Op::smul, even, member), rows));
  const Val left = code.compute(Op::smin, even, code.compute(Op::ssub, rows, part.first));
  keep(part.rows, code.compute(Op::smul, left, takes_part));
  keep(part.from, offset_by(code, part.from, part.first, schedule.tile_n * 4));
  code.free_registers(mark);
  return part;
}

void describe_shared(const MatmulSpec& spec, const MatmulSchedule& schedule, Program& program) {
  program.arguments.push_back({Argument::Kind::Scalar, "shared", 0});
  program.arguments.push_back(
      {Argument::Kind::Workspace, "pieces", shared_workspace_bytes(spec, schedule)});
}

Program shared_program(const MatmulSpec& spec, const MatmulSchedule& schedule,
                       const Machine& machine) {
  DVMSIM_ASSERT(shares(spec, schedule, machine), "a schedule is legal where it is used");
  const SharedFinish finish = finish_of(spec, schedule, machine);
  const std::int64_t pieces = shared_tiles(spec, schedule).most_pieces();
  const VectorKernel kernel = sum_of_pieces(spec, pieces, finish.rows * schedule.tile_n);
  const std::int64_t begin =
      machine.ub.size.count() - machine.ub_for_tiles(Bytes(kFinisherCode)).count();
  const VectorSchedule layout = place(kernel, {pieces, kernel.columns()}, begin);
  DVMSIM_ASSERT(layout.ub_end <= machine.ub.size.count(), "rows of the pieces fit UB");
  Program program = matmul_program(spec, schedule, machine);
  describe_shared(spec, schedule, program);
  Finisher(spec, schedule, finish, kernel, layout).write(program);
  DVMSIM_ASSERT(static_cast<std::int64_t>(8 * program.vector.size()) <= kFinisherCode,
                "the code of a finisher hardly depends on the product");
  return program;
}

std::vector<std::uint64_t> shared_arguments(const MatmulSpec& spec, const MatmulSchedule& schedule,
                                            const MatmulAddresses& addresses,
                                            std::uint64_t workspace) {
  std::vector<std::uint64_t> words = matmul_arguments(spec, schedule, addresses);
  words.push_back(static_cast<std::uint64_t>(schedule.shared));
  words.push_back(workspace);
  return words;
}

}  // namespace dvmsim
