#include "compiler/codegen/mix.h"

#include <algorithm>
#include <array>
#include <bit>
#include <optional>
#include <utility>

#include "compiler/codegen/builder.h"
#include "compiler/codegen/shared_product.h"
#include "compiler/codegen/sync.h"
#include "compiler/codegen/tiles.h"
#include "compiler/codegen/vector_steps.h"
#include "compiler/schedule/matmul_shared.h"
#include "compiler/schedule/vector.h"
#include "vm/base/error.h"

namespace dvmsim {

namespace {

using isa::Op;

constexpr std::int64_t kSlots = 2;  // per cube core: one is filled while the other is finished
// Flags between the cores of a group, as the macro uses them.
constexpr int kSlotFull = 0, kSlotFree = 1;
constexpr std::size_t kRow = 2, kColumn = 3;  // dimensions of the kernel

std::int64_t slot_bytes(const MatmulSchedule& schedule) {
  return schedule.tile_m * schedule.tile_n * 4;
}

std::int64_t share_of(std::int64_t rows, std::int64_t members) {
  return (rows + members - 1) / members;
}

/// The tallest piece of a core's rows whose values fit UB behind `begin`, at most half of them so
/// that loads and stores overlap. Rows 0: not even one fits.
VectorSchedule piece(const VectorKernel& kernel, const MatmulSchedule& schedule,
                     const Machine& machine, std::int64_t begin) {
  const std::int64_t share = share_of(schedule.tile_m, machine.cores.per_group);
  for (std::int64_t pieces = std::min<std::int64_t>(2, share); pieces <= 2 * share; pieces *= 2) {
    const VectorTile tile{std::max<std::int64_t>(1, share_of(share, pieces)), schedule.tile_n};
    VectorSchedule placed = place(kernel, tile, begin);
    if (placed.ub_end <= machine.ub.size.count()) return placed;
  }
  return VectorSchedule{.tile = {0, 0}};
}

/// The pieces of shared tiles, as far as UB holds them, behind the values of their rows.
struct Pieces {
  VectorSchedule rows{};
  std::int64_t base = 0, bytes = 0;  // in UB
  std::int64_t members = 0;          // vector cores a tile
};

/// As piece(), for the rows of shared tiles. Nullopt: not one row of all pieces fits, or rows do
/// not follow one another.
std::optional<Pieces> pieces_of(const MixKernel& kernel, const MatmulSchedule& schedule,
                                const Machine& machine, std::int64_t begin) {
  Pieces pieces;
  pieces.members = schedule.cores * machine.cores.per_group / schedule.shared;
  const std::int64_t share = share_of(schedule.tile_m, pieces.members);
  const std::int64_t most = shared_tiles(kernel.product, schedule).most_pieces();
  for (std::int64_t rows = share; rows > 0; rows /= 2) {
    pieces.rows = place(kernel.epilogue, {rows, schedule.tile_n}, begin);
    pieces.base = (pieces.rows.ub_end + 31) / 32 * 32;
    pieces.bytes = most * rows * schedule.tile_n * 4;
    const bool fits = pieces.base + pieces.bytes <= machine.ub.size.count();
    if (fits && pieces.rows.pitch == schedule.tile_n) return pieces;
  }
  return std::nullopt;
}

/// Code of one vector core: its rows of a shared tile, if there are any, then the tiles of its cube
/// core.
class Finisher {
 public:
  Finisher(const MixKernel& kernel, const MatmulSchedule& schedule, const Machine& machine,
           const VectorSchedule& piece, const std::optional<Pieces>& pieces)
      : kernel_(kernel.epilogue),
        product_(kernel.product),
        schedule_(schedule),
        piece_(piece),
        pieces_(pieces),
        members_(machine.cores.per_group) {}

  void write(Program& program);

 private:
  /// A tensor and the register that holds the address of the core's first row in the tile.
  struct Stream {
    const KernelTensor* tensor = nullptr;
    Reg address{};
    int argument = 0;
  };

  void shared();
  void tile();
  void place_streams(const TileRegisters& tile);
  void add_offset(Reg address, Val count, std::int64_t stride);
  void rows();
  void move(const Stream& stream, bool in);
  void load_accumulators();
  void add_pieces();
  [[nodiscard]] const VectorSchedule& layout() const { return in_pieces_ ? pieces_->rows : piece_; }
  [[nodiscard]] const KernelValue& value(int id) const {
    return kernel_.values[static_cast<std::size_t>(id)];
  }
  [[nodiscard]] std::int64_t buffer(int id) const {
    return layout().buffers[static_cast<std::size_t>(id)].base;
  }

  const VectorKernel& kernel_;
  const MatmulSpec& product_;
  const MatmulSchedule& schedule_;
  const VectorSchedule& piece_;
  const std::optional<Pieces>& pieces_;
  std::int64_t members_;
  bool in_pieces_ = false;  // the rows are those of a shared tile
  Val count_{};             // its pieces
  Builder code_{CoreKind::Vector};
  std::vector<Stream> inputs_{}, outputs_{};
  Reg number_{}, slot_{}, slots_{}, from_{}, row_{}, left_{}, offset_{}, at_{};
  Val first_row_{}, share_{}, columns_{}, height_{};
};

void Finisher::write(Program& program) {
  const std::size_t tensors = kernel_.inputs.size() - 1 + kernel_.outputs.size();
  int argument = static_cast<int>(program.arguments.size() - tensors);
  for (std::size_t i = 1; i < kernel_.inputs.size(); ++i) {
    inputs_.push_back({&kernel_.inputs[i], code_.reg(), argument++});
  }
  for (const KernelTensor& output : kernel_.outputs) {
    outputs_.push_back({&output, code_.reg(), argument++});
  }
  for (Reg* reg : {&number_, &slot_, &slots_, &from_, &row_, &left_, &offset_, &at_}) {
    *reg = code_.reg();
  }
  if (pieces_) shared();
  const Reg group{isa::kGroupReg};
  const Val cubes = code_.compute(Op::sdiv, Reg{isa::kCoreCountReg}, members_);
  const Val workspace = code_.argument(2);
  const Val slots = offset_by(code_, workspace, group, kSlots * slot_bytes(schedule_));
  code_.assign(slots_, Op::mov, slots, 0);
  code_.assign(number_, Op::mov, group, 0);
  code_.assign(slot_, Op::mov, 0, 0);
  const std::int64_t whole = tiles_of(product_, schedule_) - schedule_.shared;
  const Val count = tiles_of_core(code_, whole, group, cubes);
  code_.begin_loop(count);
  tile();
  code_.assign(number_, Op::sadd, number_, cubes);
  code_.assign(slot_, Op::sxor, slot_, slot_bytes(schedule_));
  code_.end_loop();
  code_.link(program);
}

/// The rows of all tiles but these are the same in code that follows the cube core.
void Finisher::shared() {
  const int mark = code_.registers();
  const std::int64_t own = std::exchange(members_, pieces_->members);
  const std::int64_t cores = schedule_.cores * own;
  const SharedPart part = locate_shared(code_, product_, schedule_, members_, cores);
  in_pieces_ = true;
  first_row_ = part.first;
  share_ = part.rows;
  columns_ = part.tile.n;
  count_ = part.pieces;
  place_streams(part.tile);
  code_.assign(row_, Op::sadd, first_row_, part.tile.m0);
  code_.assign(left_, Op::mov, share_, 0);
  code_.assign(from_, Op::mov, part.from, 0);
  code_.add<Op::xwait>({{"pipe", static_cast<int>(Pipe::MTE2)},
                        {"id", kSlotFull},
                        {"mode", static_cast<int>(isa::CrossMode::Group)}});
  rows();
  // The tiles that follow have their buffers elsewhere.
  for (const Pipe pipe : {Pipe::MTE2, Pipe::Vector, Pipe::MTE3}) {
    code_.add<Op::drain>({{"pipe", static_cast<int>(pipe)}});
  }
  in_pieces_ = false;
  members_ = own;
  code_.free_registers(mark);
}

/// All pieces of the rows, each as one long row, become the accumulators.
void Finisher::add_pieces() {
  const Val elements = code_.compute(Op::smul, height_, schedule_.tile_n);
  const std::int64_t apart = pieces_->rows.tile.rows * schedule_.tile_n * 4;
  code_.add<Op::load>({{"dst", pieces_->base},
                       {"src", from_},
                       {"len", code_.compute(Op::smul, elements, 4)},
                       {"rows", count_},
                       {"dstride", apart},
                       {"sstride", slot_bytes(schedule_)}});
  code_.add<Op::vredy>({{"dtype", static_cast<int>(DType::F32)},
                        {"dst", buffer(kernel_.inputs[0].value)},
                        {"a", pieces_->base},
                        {"count", elements},
                        {"rows", count_},
                        {"astride", apart},
                        {"how", static_cast<int>(isa::Reduction::Sum)}});
}

void Finisher::tile() {
  const TileRegisters tile = locate_tile(code_, product_, schedule_, number_);
  const Reg member{isa::kMemberReg};
  const Val even = code_.compute(Op::sdiv, code_.compute(Op::sadd, tile.m, members_ - 1), members_);
  first_row_ = code_.compute(Op::smin, code_.compute(Op::smul, even, member), tile.m);
  share_ = code_.compute(Op::smin, even, code_.compute(Op::ssub, tile.m, first_row_));
  columns_ = tile.n;
  place_streams(tile);
  code_.assign(row_, Op::sadd, first_row_, tile.m0);
  code_.assign(left_, Op::mov, share_, 0);
  code_.assign(from_, Op::sadd, slots_, slot_);
  add_offset(from_, first_row_, schedule_.tile_n * 4);

  code_.add<Op::xwait>({{"pipe", static_cast<int>(Pipe::MTE2)},
                        {"id", kSlotFull},
                        {"mode", static_cast<int>(isa::CrossMode::Group)}});
  rows();
  code_.add<Op::xset>({{"pipe", static_cast<int>(Pipe::MTE2)},
                       {"id", kSlotFree},
                       {"mode", static_cast<int>(isa::CrossMode::Group)}});
}

void Finisher::add_offset(Reg address, Val count, std::int64_t stride) {
  if (stride == 0 || count.is(0)) return;
  code_.assign(offset_, Op::smul, count, constant(code_, stride));
  code_.assign(address, Op::sadd, address, offset_);
}

/// Addresses of the tile's first column in each tensor; rows are added piece by piece.
void Finisher::place_streams(const TileRegisters& tile) {
  for (const auto* list : {&inputs_, &outputs_}) {
    for (const Stream& stream : *list) {
      const std::int64_t size = size_of(value(stream.tensor->value).dtype);
      const std::vector<std::int64_t>& stride = stream.tensor->stride;
      code_.add<Op::ldarg>({{"rd", stream.address}, {"index", stream.argument}});
      if (stream.tensor->offset != 0) {
        code_.assign(stream.address, Op::sadd, stream.address,
                     constant(code_, stream.tensor->offset * size));
      }
      add_offset(stream.address, tile.batch0, stride[0] * size);
      add_offset(stream.address, tile.batch1, stride[1] * size);
      add_offset(stream.address, tile.n0, stride[kColumn] * size);
    }
  }
}

/// The core's rows of the tile, a piece at a time.
void Finisher::rows() {
  const std::int64_t high = layout().tile.rows;
  const Val count = code_.compute(Op::sdiv, code_.compute(Op::sadd, share_, high - 1), high);
  const std::size_t begin = code_.code().size();
  const std::int64_t full_share = share_of(schedule_.tile_m, members_);
  const bool whole = product_.m % schedule_.tile_m == 0 && schedule_.tile_m % members_ == 0 &&
                     full_share % high == 0;
  height_ = whole ? Val(high) : code_.compute(Op::smin, left_, high);
  if (in_pieces_) {
    add_pieces();
  } else {
    load_accumulators();
  }
  for (const Stream& stream : inputs_) move(stream, true);
  VectorSteps(code_, kernel_, layout(), height_, columns_).emit();
  for (const Stream& stream : outputs_) move(stream, false);
  code_.assign(from_, Op::sadd, from_, high * schedule_.tile_n * 4);
  code_.assign(row_, Op::sadd, row_, high);
  if (!whole) code_.assign(left_, Op::ssub, left_, high);

  std::vector<UbRange> ranges;
  if (in_pieces_) ranges.push_back({pieces_->base, pieces_->bytes});
  for (const UbBuffer& used : layout().buffers) {
    if (used.base >= 0) ranges.push_back({used.base, used.size});
  }
  add_loop(code_, begin, count, ranges);
}

void Finisher::load_accumulators() {
  const std::int64_t pitch = layout().pitch * 4;
  code_.add<Op::load>({{"dst", buffer(kernel_.inputs[0].value)},
                       {"src", from_},
                       {"len", code_.compute(Op::smul, columns_, 4)},
                       {"rows", height_},
                       {"dstride", height_.is(1) ? 0 : pitch},
                       {"sstride", height_.is(1) ? 0 : schedule_.tile_n * 4}});
}

void Finisher::move(const Stream& stream, bool in) {
  const KernelValue& moved = value(stream.tensor->value);
  const std::int64_t size = size_of(moved.dtype);
  const std::int64_t gm = stream.tensor->stride[kRow] * size, ub = layout().pitch * size;
  code_.assign(at_, Op::mov, stream.address, 0);
  add_offset(at_, row_, gm);
  Val length = size, count = 1;
  if (moved.extent == Extent::Full) {
    length = code_.compute(Op::smul, columns_, size);
    count = height_;
  } else if (moved.extent == Extent::Row) {
    length = code_.compute(Op::smul, columns_, size);
  } else if (moved.extent == Extent::Column) {
    length = code_.compute(Op::smul, height_, size);
  }
  const bool one = count.is(1);
  const std::int64_t buffer_at = buffer(stream.tensor->value);
  code_.add(in ? Op::load : Op::store, {{"dst", in ? Val(buffer_at) : Val(at_)},
                                        {"src", in ? Val(at_) : Val(buffer_at)},
                                        {"len", length},
                                        {"rows", count},
                                        {"dstride", one  ? 0
                                                    : in ? ub
                                                         : gm},
                                        {"sstride", one  ? 0
                                                    : in ? gm
                                                         : ub}});
}

/// Argument words behind the macro's.
void describe_tensors(const VectorKernel& kernel, Program& program) {
  for (std::size_t i = 1; i < kernel.inputs.size(); ++i) {
    program.arguments.push_back({Argument::Kind::Input, kernel.inputs[i].name, 0});
  }
  for (const KernelTensor& output : kernel.outputs) {
    program.arguments.push_back({Argument::Kind::Output, output.name, 0});
  }
}

std::string shape_problem(const MixKernel& kernel) {
  const VectorKernel& epilogue = kernel.epilogue;
  const MatmulSpec& product = kernel.product;
  const std::vector<std::int64_t> dims = {product.batch0, product.batch1, product.m, product.n};
  if (epilogue.dims != dims) return "the kernel's dims are not {batch0, batch1, m, n}";
  if (epilogue.inputs.empty()) return "the kernel has no input for the accumulators";
  const KernelValue& first = epilogue.values[static_cast<std::size_t>(epilogue.inputs[0].value)];
  const DType accumulator = product.in == DType::I8 ? DType::I32 : DType::F32;
  if (first.dtype != accumulator || first.extent != Extent::Full) {
    return "the kernel's first input is not the accumulators";
  }
  for (const KernelStep& step : epilogue.steps) {
    if (step.op == Op::vredx || step.op == Op::vredy) return "the kernel reduces over a tile";
  }
  return {};
}

}  // namespace

namespace {

/// Nullopt if no row fits UB.
std::optional<Program> finish(Program program, const MixKernel& kernel,
                              const MatmulSchedule& schedule, const Machine& machine) {
  program.name = kernel.epilogue.name;
  program.arguments[2] = {Argument::Kind::Workspace, "slots", mix_workspace_bytes(schedule)};
  const bool shares = schedule.shared > 0;
  if (shares) describe_shared(kernel.product, schedule, program);
  describe_tensors(kernel.epilogue, program);
  const Program head = program;
  // Where tiles begin depends on the size of the code, which hardly depends on where tiles begin.
  for (std::int64_t code = 2048;; code *= 2) {
    const std::int64_t begin = machine.ub.size.count() - machine.ub_for_tiles(Bytes(code)).count();
    const VectorSchedule rows = piece(kernel.epilogue, schedule, machine, begin);
    if (rows.tile.rows == 0) return std::nullopt;
    const auto pieces = shares ? pieces_of(kernel, schedule, machine, begin) : std::nullopt;
    if (shares && !pieces) return std::nullopt;
    program = head;
    Finisher(kernel, schedule, machine, rows, pieces).write(program);
    if (static_cast<std::int64_t>(8 * program.vector.size()) <= code) return program;
  }
}

}  // namespace

std::string mix_problem(const MixKernel& kernel, const Machine& machine) {
  if (machine.cores.unified || machine.cores.per_group < 1) {
    return "the machine has no vector cores apart from its cube cores";
  }
  return shape_problem(kernel);
}

std::int64_t mix_workspace_bytes(const MatmulSchedule& schedule) {
  return schedule.cores * kSlots * slot_bytes(schedule);
}

std::vector<std::uint64_t> mix_arguments(const MixKernel& kernel, const MatmulSchedule& schedule,
                                         const MatmulAddresses& addresses,
                                         const std::vector<std::uint64_t>& tensors,
                                         std::uint64_t pieces) {
  using Words = std::array<std::uint64_t, isa::kMatmulWords>;
  MatmulSpec product = kernel.product;
  product.post = isa::Post::None;
  const auto words =
      std::bit_cast<Words>(matmul_words(product, schedule, addresses, mix_slots(schedule)));
  std::vector<std::uint64_t> all(words.begin(), words.end());
  if (schedule.shared > 0) {
    all.push_back(static_cast<std::uint64_t>(schedule.shared));
    all.push_back(pieces);
  }
  all.insert(all.end(), tensors.begin(), tensors.end());
  return all;
}

MatmulSlots mix_slots(const MatmulSchedule& schedule) {
  return {kSlots, slot_bytes(schedule)};
}

Program mix_program(const MixKernel& kernel, const MatmulSchedule& schedule,
                    const Machine& machine) {
  DVMSIM_ASSERT(mix_problem(kernel, machine).empty(), "mix_program gets what mix_problem allows");
  return finished_program(matmul_program(kernel.product, schedule, machine), kernel, schedule,
                          machine);
}

bool mix_fits(const MixKernel& kernel, const MatmulSchedule& schedule, const Machine& machine) {
  return finish(matmul_program(kernel.product, schedule, machine), kernel, schedule, machine)
      .has_value();
}

Program finished_program(Program program, const MixKernel& kernel, const MatmulSchedule& schedule,
                         const Machine& machine) {
  auto finished = finish(std::move(program), kernel, schedule, machine);
  DVMSIM_ASSERT(finished.has_value(), "a row of the tile with its operands fits UB");
  return std::move(*finished);
}

}  // namespace dvmsim
