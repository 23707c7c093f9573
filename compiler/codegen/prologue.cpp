#include "compiler/codegen/prologue.h"

#include <algorithm>
#include <array>
#include <bit>

#include "compiler/codegen/builder.h"
#include "compiler/codegen/sync.h"
#include "compiler/codegen/tile_move.h"
#include "compiler/codegen/tiles.h"
#include "compiler/codegen/ub_addresses.h"
#include "compiler/codegen/vector_steps.h"
#include "compiler/schedule/block_place.h"
#include "vm/base/error.h"
#include "vm/base/rounding.h"

namespace dvmsim {
namespace {

using isa::Op;

/// Of each cube core: one is loaded, one is full and one is filled, and one more evens out what
/// memory delays.
constexpr std::int64_t kSlots = 4;
// Flags between the cores of a group, as the macro uses them.
constexpr int kBlockFull = 2, kBlockFree = 3;
constexpr int kConstantsFlag = 2;             // what is loaded before the loop is there
constexpr std::size_t kRow = 2, kColumn = 3;  // dimensions of the kernel

/// Rows and columns of a block of the operand as it is stored.
struct Block {
  std::int64_t rows = 0, columns = 0;
};

Block block_of(const PrologueKernel& kernel, const MatmulSchedule& schedule) {
  const std::int64_t other = kernel.of_a ? schedule.tile_m : schedule.tile_n;
  return kernel.k_in_row() ? Block{other, schedule.tile_k} : Block{schedule.tile_k, other};
}

std::int64_t slot_bytes(const PrologueKernel& kernel, const MatmulSchedule& schedule) {
  const Block block = block_of(kernel, schedule);
  return block.rows * block.columns * size_of(kernel.product.in);
}

/// No code of a kernel is longer: of instructions of at most eight words those of the kernel, three
/// for the address of each input, and what finds the block.
std::int64_t code_bytes(const VectorKernel& kernel) {
  const std::size_t instructions = kernel.steps.size() + 3 * kernel.inputs.size() + 96;
  return round_up(static_cast<std::int64_t>(8 * 8 * instructions), 512);
}

/// A core's share of a block is one tile.
std::optional<VectorSchedule> share_of(const PrologueKernel& kernel, const MatmulSchedule& schedule,
                                       const Machine& machine) {
  const std::int64_t code = code_bytes(kernel.prologue);
  const Block block = block_of(kernel, schedule);
  const std::int64_t begin = machine.ub.size.count() - machine.ub_for_tiles(Bytes(code)).count();
  return place_block(kernel.prologue,
                     {ceil_div(block.rows, machine.cores.per_group), block.columns}, machine,
                     begin);
}

/// Code of one vector core: makes its share of the blocks of its cube core, in their order.
class Preparer {
 public:
  Preparer(const PrologueKernel& kernel, const MatmulSchedule& schedule, const Machine& machine,
           const VectorSchedule& share)
      : made_(kernel),
        kernel_(kernel.prologue),
        product_(kernel.product),
        schedule_(schedule),
        share_(share),
        members_(machine.cores.per_group) {}

  void write(Program& program);

 private:
  void load_constants();
  void body();
  void locate();
  void store();
  void cross(Op op, int id);
  void move_in(std::size_t input, KnownPlaces* known = nullptr);
  [[nodiscard]] bool invariant(const KernelTensor& tensor) const {
    return is_invariant(kernel_, tensor, share_.tile);
  }

  const PrologueKernel& made_;
  const VectorKernel& kernel_;
  const MatmulSpec& product_;
  const MatmulSchedule& schedule_;
  const VectorSchedule& share_;
  std::int64_t members_;
  Builder code_{CoreKind::Vector};
  std::optional<UbAddresses> addresses_{};
  std::vector<Val> bases_{};
  TilePosition position_{};
  Reg number_{}, k0_{}, slot_{}, slots_{};
  Val first_row_{};  // of the core's share in the block
};

void Preparer::write(Program& program) {
  int argument = static_cast<int>(program.arguments.size() - kernel_.inputs.size());
  for (std::size_t i = 0; i < kernel_.inputs.size(); ++i) {
    bases_.push_back(code_.argument(argument++));
  }
  for (Reg* reg : {&number_, &k0_, &slot_, &slots_}) *reg = code_.reg();
  addresses_.emplace(code_, share_);
  const Reg group{isa::kGroupReg};
  const Val cubes = code_.compute(Op::sdiv, Reg{isa::kCoreCountReg}, members_);
  const Val workspace = code_.argument(made_.of_a ? 0 : 1);
  const std::int64_t bytes = slot_bytes(made_, schedule_);
  code_.assign(slots_, Op::mov, offset_by(code_, workspace, group, kSlots * bytes), 0);
  code_.assign(number_, Op::mov, group, 0);
  code_.assign(k0_, Op::mov, 0, 0);
  code_.assign(slot_, Op::mov, 0, 0);
  load_constants();
  const Val tiles = tiles_of_core(code_, tiles_of(product_, schedule_), group, cubes);
  const std::int64_t blocks = ceil_div(product_.k, schedule_.tile_k);
  const Val count = code_.compute(Op::smul, tiles, blocks);

  const std::size_t begin = code_.code().size();
  body();
  // The next slot, the next block along k, and after the last of a tile the next tile.
  code_.assign(slot_, Op::sadd, slot_, 1);
  code_.assign(slot_, Op::smod, slot_, kSlots);
  code_.assign(k0_, Op::sadd, k0_, schedule_.tile_k);
  const Val on = code_.compute(Op::sdiv, k0_, blocks * schedule_.tile_k);
  code_.assign(number_, Op::sadd, number_, code_.compute(Op::smul, on, cubes));
  code_.assign(k0_, Op::smod, k0_, blocks * schedule_.tile_k);
  add_loop(code_, begin, count, addresses_->ranges(), {share_.depth.loads, share_.depth.stores});
  code_.link(program);
}

void Preparer::move_in(std::size_t input, KnownPlaces* known) {
  const KernelTensor& tensor = kernel_.inputs[input];
  move_tile(code_, {kernel_, share_, position_}, tensor, addresses_->of(tensor.value),
            bases_[input], true, known);
}

void Preparer::load_constants() {
  position_.index.assign(4, 0);
  position_.extent = {1, 1, share_.tile.rows, std::min(share_.tile.columns, kernel_.columns())};
  bool constants = false;
  for (std::size_t i = 0; i < kernel_.inputs.size(); ++i) {
    if (!invariant(kernel_.inputs[i])) continue;
    move_in(i);
    constants = true;
  }
  if (!constants) return;
  code_.set(Pipe::MTE2, Pipe::Vector, kConstantsFlag);
  code_.wait(Pipe::Vector, Pipe::MTE2, kConstantsFlag);
}

/// Where the core's share of the block lies in the operand.
void Preparer::locate() {
  const TileRegisters tile = locate_tile(code_, product_, schedule_, number_);
  const bool whole_k = product_.k % schedule_.tile_k == 0;
  const Val left =
      whole_k ? Val(schedule_.tile_k)
              : code_.compute(Op::smin, code_.compute(Op::ssub, product_.k, k0_), schedule_.tile_k);
  const Val others = made_.of_a ? tile.m : tile.n, other0 = made_.of_a ? tile.m0 : tile.n0;
  const bool k_in_row = made_.k_in_row();
  const Val rows = k_in_row ? others : left;
  const Val even = code_.compute(Op::sdiv, code_.compute(Op::sadd, rows, members_ - 1), members_);
  first_row_ = code_.compute(Op::smin, code_.compute(Op::smul, even, Reg{isa::kMemberReg}), rows);
  const Val height = code_.compute(Op::smin, even, code_.compute(Op::ssub, rows, first_row_));
  position_.index = {tile.batch0, tile.batch1,
                     code_.compute(Op::sadd, k_in_row ? other0 : Val(k0_), first_row_),
                     k_in_row ? Val(k0_) : other0};
  position_.extent = {1, 1, height, k_in_row ? left : others};
}

void Preparer::body() {
  locate();
  KnownPlaces known;
  for (std::size_t i = 0; i < kernel_.inputs.size(); ++i) {
    if (!invariant(kernel_.inputs[i])) move_in(i, &known);
  }
  VectorSteps(code_, kernel_, share_, *addresses_, position_.extent[kRow],
              position_.extent[kColumn])
      .emit();
  cross(Op::xwait, kBlockFree);
  store();
  cross(Op::xset, kBlockFull);
}

void Preparer::cross(Op op, int id) {
  code_.add(op, {{"pipe", static_cast<int>(Pipe::MTE3)},
                 {"id", id},
                 {"mode", static_cast<int>(isa::CrossMode::Group)}});
}

void Preparer::store() {
  const int value = kernel_.outputs[0].value;
  const std::int64_t size = size_of(product_.in);
  const std::int64_t row = block_of(made_, schedule_).columns * size;
  const Val slot = offset_by(code_, slots_, slot_, slot_bytes(made_, schedule_));
  code_.add<Op::store>({{"dst", offset_by(code_, slot, first_row_, row)},
                        {"src", addresses_->of(value)},
                        {"len", code_.compute(Op::smul, position_.extent[kColumn], size)},
                        {"rows", position_.extent[kRow]},
                        {"dstride", row},
                        {"sstride", share_.pitch * size}});
}

Program written(const PrologueKernel& kernel, const MatmulSchedule& schedule,
                const Machine& machine) {
  Program head = matmul_program(kernel.product, schedule, machine);
  head.name = kernel.prologue.name;
  head.arguments[kernel.of_a ? 0 : 1] = {Argument::Kind::Workspace, "slots",
                                         prologue_workspace_bytes(kernel, schedule)};
  for (const KernelTensor& input : kernel.prologue.inputs) {
    head.arguments.push_back({Argument::Kind::Input, input.name, 0});
  }
  const auto share = share_of(kernel, schedule, machine);
  DVMSIM_ASSERT(share.has_value(), "prologue_schedule finds blocks that fit UB");
  Preparer(kernel, schedule, machine, *share).write(head);
  DVMSIM_ASSERT(static_cast<std::int64_t>(8 * head.vector.size()) <= code_bytes(kernel.prologue),
                "the code of a kernel's nodes has room before its tiles");
  return head;
}

}  // namespace

std::string prologue_problem(const PrologueKernel& kernel, const Machine& machine) {
  if (machine.cores.unified || machine.cores.per_group < 1) {
    return "the machine has no vector cores apart from its cube cores";
  }
  const VectorKernel& made = kernel.prologue;
  const MatmulSpec& product = kernel.product;
  const std::int64_t other = kernel.of_a ? product.m : product.n;
  const std::int64_t rows = kernel.k_in_row() ? other : product.k;
  if (made.dims.size() != 4 || made.dims[kRow] != rows ||
      made.dims[kColumn] * rows != other * product.k) {
    return "the kernel's dims are not those of the operand";
  }
  if (made.outputs.size() != 1) return "the kernel makes more than the operand";
  const KernelValue& out = made.values[static_cast<std::size_t>(made.outputs[0].value)];
  if (out.dtype != product.in || out.extent != Extent::Full) {
    return "an operand of a product is not repeated from fewer elements";
  }
  for (const KernelStep& step : made.steps) {
    if (step.op == Op::vredx || step.op == Op::vredy) return "the kernel reduces over a tile";
  }
  return {};
}

std::optional<MatmulSchedule> prologue_schedule(const PrologueKernel& kernel,
                                                MatmulSchedule schedule, const Machine& machine) {
  schedule.loop &= ~(isa::kShuffleK | isa::kKeepOperands | isa::kContiguous);
  const std::int64_t unit = k_unit(machine, kernel.product.in);
  const std::int64_t longest = std::min(schedule.tile_k, round_up(kernel.product.k, unit));
  for (const int copies : {2, 1}) {  // with two, loads and stores overlap the arithmetic
    for (schedule.tile_k = longest;; schedule.tile_k = round_up(schedule.tile_k / 2, unit)) {
      const auto share = share_of(kernel, schedule, machine);
      if (share && share->depth.loads >= copies) return schedule;
      if (schedule.tile_k <= unit) break;
    }
  }
  return std::nullopt;
}

Program prologue_program(const PrologueKernel& kernel, const MatmulSchedule& schedule,
                         const Machine& machine) {
  return written(kernel, schedule, machine);
}

std::int64_t prologue_workspace_bytes(const PrologueKernel& kernel,
                                      const MatmulSchedule& schedule) {
  return schedule.cores * kSlots * slot_bytes(kernel, schedule);
}

std::vector<std::uint64_t> prologue_arguments(const PrologueKernel& kernel,
                                              const MatmulSchedule& schedule,
                                              const MatmulAddresses& addresses,
                                              const std::vector<std::uint64_t>& tensors) {
  isa::MatmulArguments words = matmul_words(kernel.product, schedule, addresses, {});
  (kernel.of_a ? words.trans_a : words.trans_b) |= isa::kFromSlots;
  (kernel.of_a ? words.a_stride : words.b_stride) =
      block_of(kernel, schedule).columns * size_of(kernel.product.in);
  (kernel.of_a ? words.a_batch0 : words.b_batch0) = kSlots;
  (kernel.of_a ? words.a_batch1 : words.b_batch1) = slot_bytes(kernel, schedule);
  const auto all = std::bit_cast<std::array<std::uint64_t, isa::kMatmulWords>>(words);
  std::vector<std::uint64_t> arguments(all.begin(), all.end());
  arguments.insert(arguments.end(), tensors.begin(), tensors.end());
  return arguments;
}

}  // namespace dvmsim
