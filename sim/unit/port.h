// The ports between a core and the memory system, as numbers: how fast, how far, how much in
// flight. A row of the machine table each; the transfers that use them are sim/unit/dma.
#pragma once

#include <array>
#include <cstdint>

#include "vm/isa/isa.h"
#include "vm/machine/machine.h"

namespace dvmsim {

/// The way to the memory system and back. One cycle of a latency is the way out, the same for all
/// ports: what a port decides once it knows an answer then arrives after the request it knows of.
struct Path {
  Cycles request{1}, response{};
};
[[nodiscard]] Path path_of(Cycles latency);
/// Of scalar reads: what firmware.load_gm leaves for it when L2 answers.
[[nodiscard]] Path scalar_path(const Machine& machine);
/// Of loads (MTE2) and of the program.
[[nodiscard]] Path load_path(const Machine& machine);

struct PortRates {
  Rational hit{}, miss{};  // bytes of GM per cycle; stores count as hits
};

/// What one queue may have in flight and how it starts copies.
struct PortLimits {
  Path path{};
  Cycles issue_gap{};
  std::int64_t outstanding = 1;  // granules
};
[[nodiscard]] PortLimits limits_of(const Machine& machine, Pipe pipe);

/// How transfers are cut.
struct Cutting {
  explicit Cutting(const Machine& machine);
  std::int64_t granule;         // the smaller of a request and an L2 line
  std::int64_t least;           // no piece moves less than this
  std::size_t pieces_of_chunk;  // granules in an arbitration unit
};

/// Looked up by instruction: does it cross a port to GM, and at which rate?
class PortTable {
 public:
  explicit PortTable(const Machine& machine);
  [[nodiscard]] bool is_transfer(isa::Op op) const { return rows_[index(op)].transfer; }
  [[nodiscard]] bool is_write(isa::Op op) const { return rows_[index(op)].write; }
  [[nodiscard]] PortRates rates(const isa::Command& command) const;
  /// Of the program's way to a core.
  [[nodiscard]] PortRates program_rates(CoreKind kind) const;

 private:
  enum class Side : std::uint8_t { L1, Ub, L0c };
  struct Row {
    bool transfer = false, write = false;
    Side side = Side::Ub;
    int columns_lane = -1;  // of a conversion to NZ
  };
  static std::size_t index(isa::Op op) { return static_cast<std::size_t>(op); }
  static Row row_of(const isa::Row& row);
  const Machine& machine_;
  std::array<Row, 256> rows_{};
  PortRates to_l1_, to_l1_unaligned_, to_ub_, from_ub_;
  std::array<PortRates, 3> from_l0c_;  // accumulators narrowed to 1, 2 and 4 bytes
};

}  // namespace dvmsim
