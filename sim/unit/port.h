// The ports between a core and the memory system, as numbers: how fast, how far, how much in
// flight. What a port sustains is the least of its rates and outstanding * request / latency. The
// transfers that use them are sim/unit/dma.
#pragma once

#include <array>
#include <cstdint>

#include "vm/isa/isa.h"
#include "vm/isa/transfer_cost.h"
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

/// Bytes of GM per cycle: of what L2 holds, and of what comes from HBM.
struct PortRates {
  Rational hit{}, miss{};
};

/// What a queue adds to a copy, whatever it copies.
struct PortLimits {
  Path path{};
  Cycles issue_gap{};
  Cycles release{};  // after the hold, what was read on the core may be overwritten; Fix only
};
[[nodiscard]] PortLimits limits_of(const Machine& machine, Pipe pipe);

/// How transfers are cut.
struct Cutting {
  explicit Cutting(const Machine& machine);
  /// Of an address in its granule.
  [[nodiscard]] std::int64_t offset_of(std::int64_t address) const {
    return address & (granule - 1);
  }
  std::int64_t granule;            // the smaller of a request and an L2 line, a power of two
  std::int64_t least;              // the smallest request
  std::int64_t granules_of_chunk;  // in an arbitration unit
};

/// Looked up by instruction: does it cross a port to GM, at which rate, with how many requests?
class PortTable {
 public:
  explicit PortTable(const Machine& machine);
  [[nodiscard]] bool is_transfer(isa::Op op) const { return rows_[index(op)].transfer; }
  [[nodiscard]] bool is_write(isa::Op op) const { return rows_[index(op)].write; }
  [[nodiscard]] PortRates rates(const isa::Command& command) const;
  /// Granules that may be in flight.
  [[nodiscard]] std::int64_t outstanding(isa::Op op) const { return rows_[index(op)].outstanding; }
  /// Of the program's way to a core.
  [[nodiscard]] Rational program_rate(CoreKind kind) const;

 private:
  struct Row {
    bool transfer = false, write = false;
    Rational miss{};  // of a load
    std::int64_t outstanding = 1;
  };
  static std::size_t index(isa::Op op) { return static_cast<std::size_t>(op); }
  [[nodiscard]] Row row_of(const isa::Row& row) const;
  const Machine& machine_;
  isa::TransferCost cost_;
  std::array<Row, 256> rows_{};
};

}  // namespace dvmsim
