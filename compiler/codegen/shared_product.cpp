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
        shared_(shared_tiles(spec, schedule)),
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
  isa::SharedTiles shared_;
  std::int64_t members_;
  Builder code_{CoreKind::Vector};
  TileRegisters tile_{};
  Val share_{};   // rows of this core
  Val pieces_{};  // of the tile
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

/// Cores take the tiles in turn, `members_` each.
void Finisher::find_tile() {
  const Reg core{isa::kCoreIndexReg};
  const Val shared = code_.compute(Op::sdiv, core, members_);
  const Val member = code_.compute(Op::smod, core, members_);
  const std::int64_t whole = tiles_of(spec_, schedule_) - shared_.tiles;
  tile_ = locate_tile(code_, spec_, schedule_, code_.compute(Op::sadd, shared, whole));
  const Val even =
      code_.compute(Op::sdiv, code_.compute(Op::sadd, tile_.m, members_ - 1), members_);
  const Val first = code_.compute(Op::smin, code_.compute(Op::smul, even, member), tile_.m);
  share_ = code_.compute(Op::smin, even, code_.compute(Op::ssub, tile_.m, first));

  const Val zero = code_.compute(Op::smul, shared, shared_.blocks);
  const Val end = code_.compute(Op::sadd, zero, shared_.blocks - 1);
  const Val before = code_.compute(Op::sdiv, zero, shared_.range());
  const Val last = code_.compute(Op::sdiv, end, shared_.range());
  pieces_ = code_.compute(Op::sadd, code_.compute(Op::ssub, last, before), 1);

  const std::int64_t slots = shared_.most_pieces() * piece_bytes(schedule_);
  const Val workspace = code_.argument(isa::kMatmulWords);
  const Val slot = offset_by(code_, workspace, shared, slots);
  code_.assign(from_, Op::mov, offset_by(code_, slot, first, schedule_.tile_n * 4), 0);
  const Val c = batch_address(code_, code_.argument(2), tile_, spec_.c_batch0, spec_.c_batch1);
  const Val column = offset_by(code_, c, tile_.n0, size_of(spec_.out));
  const Val row = code_.compute(Op::sadd, tile_.m0, first);
  code_.assign(to_, Op::mov, offset_by(code_, column, row, spec_.c_stride), 0);
  code_.assign(left_, Op::mov, share_, 0);
}

/// The core's rows, some at a time: those of all pieces lie side by side, each as one long row.
void Finisher::rows() {
  const std::int64_t high = finish_.rows, width = schedule_.tile_n;
  const Val count = code_.compute(Op::sdiv, code_.compute(Op::sadd, share_, high - 1), high);
  const std::size_t begin = code_.code().size();
  const Val height = code_.compute(Op::smin, left_, high);
  const Val elements = code_.compute(Op::smul, height, width);
  const auto buffer = [&](int value) {
    return layout_.buffers[static_cast<std::size_t>(value)].base;
  };
  code_.add<Op::load>({{"dst", buffer(kernel_.inputs[0].value)},
                       {"src", from_},
                       {"len", code_.compute(Op::smul, elements, 4)},
                       {"rows", pieces_},
                       {"dstride", layout_.pitch * 4},
                       {"sstride", constant(code_, piece_bytes(schedule_))}});
  VectorSteps(code_, kernel_, layout_, pieces_, elements).emit();
  const std::int64_t size = size_of(spec_.out);
  code_.add<Op::store>({{"dst", to_},
                        {"src", buffer(kernel_.outputs[0].value)},
                        {"len", code_.compute(Op::smul, tile_.n, size)},
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
  program.arguments.push_back(
      {Argument::Kind::Workspace, "pieces", shared_workspace_bytes(spec, schedule)});
  Finisher(spec, schedule, finish, kernel, layout).write(program);
  DVMSIM_ASSERT(static_cast<std::int64_t>(8 * program.vector.size()) <= kFinisherCode,
                "the code of a finisher hardly depends on the product");
  return program;
}

std::vector<std::uint64_t> shared_arguments(const MatmulSpec& spec, const MatmulSchedule& schedule,
                                            const MatmulAddresses& addresses,
                                            std::uint64_t workspace) {
  std::vector<std::uint64_t> words = matmul_arguments(spec, schedule, addresses);
  words.push_back(workspace);
  return words;
}

}  // namespace dvmsim
