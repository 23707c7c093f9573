#include "vm/isa/flow.h"

#include <fmt/format.h>
#include <algorithm>

#include "vm/isa/codec.h"

namespace dvmsim::isa {

Flow::Flow(std::span<const std::uint64_t> code, CoreKind kind, std::vector<Finding>& findings)
    : kind_(kind), findings_(&findings) {
  const std::size_t before = findings.size();
  if (!decode_all(code)) return;
  find_loops();
  find_jumps();
  sound_ = findings.size() == before;
}

bool Flow::decode_all(std::span<const std::uint64_t> code) {
  for (std::size_t at = 0; at < code.size();) {
    Line line;
    DecodeError error;
    const int words = decode(code, at, line.inst, error);
    if (words == 0) {
      add(static_cast<std::uint32_t>(at), std::string(error.text));
      return false;
    }
    line.at = static_cast<std::uint32_t>(at);
    at += static_cast<std::size_t>(words);
    line.end = static_cast<std::uint32_t>(at);
    lines_.push_back(line);
  }
  return true;
}

void Flow::find_loops() {
  std::vector<int> open;
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    Line& line = lines_[i];
    line.loop = open.empty() ? -1 : open.back();
    line.depth = static_cast<int>(open.size());
    if (line.inst.op == Op::loop) {
      if (line.depth == kMaxLoopDepth) report(line, "more than 8 loops in one another");
      open.push_back(static_cast<int>(i));
    } else if (line.inst.op == Op::endloop) {
      if (open.empty()) {
        report(line, "an endloop without its loop");
      } else {
        open.pop_back();
      }
    }
  }
  for (const int i : open)
    report(lines_[static_cast<std::size_t>(i)], "a loop without its endloop");
}

void Flow::find_jumps() {
  for (Line& line : lines_) {
    if (line.inst.op != Op::jz && line.inst.op != Op::jnz) continue;
    const std::int64_t target = std::int64_t{line.end} + line.inst.lane[1].immediate;
    const auto found = std::find_if(lines_.begin(), lines_.end(), [&](const Line& other) {
      return std::int64_t{other.at} == target;
    });
    if (target < line.end) {
      report(line, "a jump goes forward only");
    } else if (found == lines_.end()) {
      report(line, fmt::format("a jump to word {}, where no instruction begins", target));
    } else if (found->loop != line.loop) {
      report(line, "a jump into or out of a loop");
    } else {
      line.target = static_cast<int>(found - lines_.begin());
    }
  }
}

}  // namespace dvmsim::isa
