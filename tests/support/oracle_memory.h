// The memory system of the oracle, brute force: explicit lists for L2, one busy time per channel,
// one granule after the other. It is asked in (arrival, core, queue) order; who asks when is
// oracle.h's business. Time inside is fixed point, 1/4096 cycle.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <vector>

#include "vm/machine/machine.h"

namespace dvmsim::testing {

/// What lies together inside one granule, and what a port moves for it.
struct OraclePiece {
  std::int64_t address = 0, bytes = 0, moved = 0;
};

class OracleMemory {
 public:
  /// Ideal: everything is in L2, and nobody is in anybody's way.
  OracleMemory(const Machine& machine, bool ideal);
  struct Answer {
    std::int64_t completion = 0;  // cycle
    std::int64_t missed = 0;      // bytes that a port moves of what was read from HBM
  };
  /// Pieces in the order of the transfer; calls in order of arrival.
  Answer access(std::int64_t arrival, int core, bool is_write, bool by_scalar,
                const std::vector<OraclePiece>& pieces);

 private:
  using Fixed = std::int64_t;
  struct Line {
    std::int64_t index = 0;  // address / line size
    bool dirty = false;
    Fixed free = 0;  // when its next access may begin
  };
  using Set = std::list<Line>;  // most recently used first

  Fixed read(const OraclePiece& piece, Fixed arrival, bool by_scalar, Answer& answer);
  Fixed write(const OraclePiece& piece, Fixed arrival);
  /// A piece's turn on L2's own bandwidth.
  Fixed begin_on_l2(Fixed arrival, Fixed transfer);
  /// The line if present, now the most recent of its set.
  Line* find(std::int64_t index);
  /// Puts the line in front of its set; the line driven out, if it was dirty, has to be written.
  void allocate(const Line& line, Fixed now);
  /// Until when the core's requests wait for pages.
  Fixed translate(int core, std::int64_t address, Fixed arrival);
  void write_back(std::int64_t index, std::int64_t bytes, Fixed now);
  [[nodiscard]] Rational channel_rate() const;
  [[nodiscard]] std::size_t channel_of(std::int64_t line) const;
  Fixed occupy(std::size_t channel, Fixed from, Fixed length);

  const Machine& machine_;
  bool ideal_;
  std::int64_t line_bytes_, sets_;
  std::map<std::int64_t, Set> l2_{};
  Fixed l2_free_ = 0;
  std::vector<Fixed> channel_free_;
  struct Pages {
    std::list<std::int64_t> used{};  // most recently first
    Fixed walked = 0;
  };
  std::map<int, Pages> pages_{};  // by core
};

}  // namespace dvmsim::testing
