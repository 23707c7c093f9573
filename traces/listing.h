// The instructions of a run, line by line, with what each cost: how often a command came of it, how
// long it held its pipe, and what its pipe waited for before it. A listener. Lines that only the
// firmware performs (arithmetic, loops) have no commands and so no cycles of their own: they are
// the work of the scalar unit.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "vm/observe/span.h"
#include "vm/program/program.h"

namespace dvmsim {

struct ListingReport {
  struct Line {
    CoreKind core{};                      // whose code: Cube or Vector
    std::uint32_t pc = 0;                 // word
    std::string mark{};                   // "operator softmax" or "tile rows", if one begins here
    std::string text{};                   // as the assembler takes it
    std::int64_t commands = 0, busy = 0;  // of all cores; busy: cycles of work
    std::array<std::int64_t, kReasons> waits{};  // cycles, by Reason; wait-memory is its own
  };
  struct Code {
    std::string name{};
    std::int64_t launches = 0, bytes = 0, busy = 0;
    std::vector<Line> lines{};  // empty: left out, the listing is full
  };
  std::vector<Code> programs{};  // those that worked longest first
};

class Listing final : public Probe {
 public:
  /// Lines of all programs together at most.
  explicit Listing(std::size_t most_lines = 4000) : most_lines_(most_lines) {}

  void on_launch_begin(const LaunchMark& mark, const Program& program) override;
  void on_span(const Span& span) override;

  [[nodiscard]] ListingReport report() const;

 private:
  struct Cost {
    std::int64_t commands = 0, busy = 0;
    std::array<std::int64_t, kReasons> waits{};
  };
  struct Known {
    Program program{};  // a copy: the caller's may be gone by the end of the run
    std::int64_t launches = 0;
    std::array<std::vector<Cost>, 2> costs{};  // cube and vector code, by word
  };
  struct Row {
    Cost* last = nullptr;                        // of the command before
    std::array<std::int64_t, kReasons> waits{};  // since then
  };

  std::size_t most_lines_;
  std::vector<Known> programs_{};
  std::multimap<std::size_t, std::size_t> by_size_{};  // of the code: numbers of programs
  std::size_t current_ = 0;
  std::array<std::vector<std::array<Row, kPipes>>, 3> cores_{};  // by CoreKind, then index
};

}  // namespace dvmsim
