#include "vm/isa/isa.h"

#include "vm/base/error.h"
#include "vm/isa/rows.h"

namespace dvmsim::isa {
namespace {

using table::kRows;

constexpr bool ascending() {
  for (std::size_t i = 1; i < std::size(kRows); ++i) {
    if (kRows[i - 1].op >= kRows[i].op) return false;
  }
  return true;
}
static_assert(ascending(), "codes are unique and ascend");

constexpr bool measure_known(const Row& row, const Measure& measure) {
  return measure.operand.empty() || row.find(measure.operand) >= 0;
}
constexpr bool footprints_known() {
  for (const Row& row : kRows) {
    for (const Operand& operand : row.all()) {
      const Footprint& f = operand.footprint;
      const bool is_memory = operand.kind == OperandKind::Memory;
      if (is_memory != (f.shape != Shape::None)) return false;
      if (is_memory && operand.access == Access::None) return false;
      if (f.shape == Shape::Nd) continue;  // its stride is a letter
      for (const Measure& m :
           {f.length, f.width, f.rows, f.stride, f.row0, f.column0, f.transpose}) {
        if (!measure_known(row, m)) return false;
      }
    }
  }
  return true;
}
static_assert(footprints_known(), "a footprint names operands of its own row");

constexpr bool memory_only_where_read() {
  for (const Row& row : kRows) {
    for (const Operand& operand : row.all()) {
      if (operand.kind == OperandKind::Memory && row.pipe == Pipe::Scalar && row.op != Op::ldgm &&
          row.op != Op::ldub) {
        return false;
      }
      if (operand.kind == OperandKind::Type && row.dtypes == 0) return false;
    }
    if (row.named_pipe && row.operand[0].kind != OperandKind::Pick) return false;
  }
  return true;
}
static_assert(memory_only_where_read(), "scalar rows touch memory only through ldgm and ldub");

constexpr std::array<std::int16_t, 256> index_by_code() {
  std::array<std::int16_t, 256> index{};
  for (auto& slot : index) slot = -1;
  for (std::size_t i = 0; i < std::size(kRows); ++i) {
    index[static_cast<std::size_t>(kRows[i].op)] = static_cast<std::int16_t>(i);
  }
  return index;
}
constexpr auto kIndex = index_by_code();

constexpr std::string_view kPipeNames[] = {"scalar", "mte1",   "mte2", "mte3",
                                           "cube",   "vector", "fix"};
constexpr std::string_view kCrossModeNames[] = {"all", "pair", "group"};
constexpr std::string_view kInitNames[] = {"zero", "accumulate", "bias"};
constexpr std::string_view kPostNames[] = {"none", "relu"};
constexpr std::string_view kAtomicNames[] = {"none", "add", "max", "min"};
constexpr std::string_view kOrderNames[] = {"eq", "ne", "lt", "le", "gt", "ge"};
constexpr std::string_view kReductionNames[] = {"sum", "max", "min", "prod"};

constexpr std::uint64_t mix(std::uint64_t hash, std::uint64_t value) {
  return (hash ^ value) * 0x100000001b3u;  // FNV-1a step
}
constexpr std::uint64_t mix(std::uint64_t hash, std::string_view text) {
  for (char c : text) hash = mix(hash, static_cast<std::uint64_t>(static_cast<unsigned char>(c)));
  return mix(hash, text.size());
}
constexpr std::uint64_t hash_rows() {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const Row& row : kRows) {
    hash = mix(mix(hash, static_cast<std::uint64_t>(row.op)), row.mnemonic);
    hash = mix(mix(mix(hash, row.cores), static_cast<std::uint64_t>(row.pipe)), row.dtypes);
    for (const Operand& operand : row.all()) {
      hash = mix(mix(hash, static_cast<std::uint64_t>(operand.kind)), operand.name);
      hash = mix(hash, static_cast<std::uint64_t>(static_cast<std::uint32_t>(operand.fallback)));
      hash = mix(hash, static_cast<std::uint64_t>(operand.space));
    }
  }
  return hash;
}

}  // namespace

std::span<const Row> rows() {
  return kRows;
}

const Row* find_row(std::uint8_t code) {
  const auto index = kIndex[code];
  return index < 0 ? nullptr : &kRows[index];
}

const Row* find_row(std::string_view mnemonic) {
  for (const Row& row : kRows) {
    if (row.mnemonic == mnemonic) return &row;
  }
  return nullptr;
}

const Row& row_of(Op op) {
  const Row* row = find_row(static_cast<std::uint8_t>(op));
  DVMSIM_ASSERT(row != nullptr, "every Op has a row");
  return *row;
}

std::span<const std::string_view> spellings(PickSet set) {
  switch (set) {
    case PickSet::kPipe:
      return kPipeNames;
    case PickSet::kCrossMode:
      return kCrossModeNames;
    case PickSet::kInit:
      return kInitNames;
    case PickSet::kPost:
      return kPostNames;
    case PickSet::kAtomic:
      return kAtomicNames;
    case PickSet::kOrder:
      return kOrderNames;
    case PickSet::kReduction:
      return kReductionNames;
  }
  return {};
}

std::uint64_t table_hash() {
  static constexpr std::uint64_t kHash = hash_rows();
  return kHash;
}

}  // namespace dvmsim::isa
