// The code of one kind of core as the verifier sees it: its instructions with their loops and jumps
// found, and a place for findings.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "vm/isa/isa.h"
#include "vm/isa/verify.h"

namespace dvmsim::isa {

struct Line {
  std::uint32_t at = 0, end = 0;  // words
  Inst inst{};
  int loop = -1;    // the line of the innermost loop around it; an endloop lies in the loop it ends
  int depth = 0;    // loops around it
  int target = -1;  // of a jump: the line it goes to
};

class Flow {
 public:
  /// Decodes, and finds loops and jumps. Not sound() if that already fails.
  Flow(std::span<const std::uint64_t> code, CoreKind kind, std::vector<Finding>& findings);

  [[nodiscard]] bool sound() const { return sound_; }
  [[nodiscard]] const std::vector<Line>& lines() const { return lines_; }
  [[nodiscard]] CoreKind kind() const { return kind_; }
  void report(const Line& line, std::string text) { add(line.at, std::move(text)); }

 private:
  bool decode_all(std::span<const std::uint64_t> code);
  void find_loops();
  void find_jumps();
  void add(std::uint32_t offset, std::string text) {
    findings_->push_back({kind_, offset, std::move(text)});
  }

  CoreKind kind_;
  std::vector<Finding>* findings_;
  std::vector<Line> lines_{};
  bool sound_ = false;
};

/// Flags are neutral over loop bodies and branch arms, primed before they are waited for, and back
/// at zero at halt; every path ends in halt. For sound code.
void check_flags(Flow& flow, const Machine& machine);

}  // namespace dvmsim::isa
