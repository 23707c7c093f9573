// configs/strategies.yaml, read strictly: the constants of strategies, each with its source, and
// changes of them from --set.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/options.h"
#include "compiler/runtime/strategy/constants.h"

namespace dvmsim {

struct StrategyConstant {
  std::string key{}, value{}, source{};  // "jit.workers", "8", the comment above it
  bool assumed = false;
};

struct ConstantsFile {
  StrategyConstants constants{};
  std::vector<StrategyConstant> all{};  // in the order of the file

  /// Those of a strategy that nobody published or measured: "jit.workers=8".
  [[nodiscard]] std::vector<std::string> assumed_of(std::string_view strategy) const;
};

/// Throws Error with file and line for whatever is not exactly right, and for a constant that is
/// missing or has no comment. `file` is for messages.
[[nodiscard]] ConstantsFile parse_constants(const std::string& text, const std::string& file);
/// The project's own, or the file if one is named, with every assignment applied.
[[nodiscard]] ConstantsFile constants_from(const std::string& file,
                                           const std::vector<std::string>& sets);

/// What options.sets and options.strategies make of them, if the strategy has constants; else all
/// zero. Error for a change of a constant that the strategy has not.
[[nodiscard]] StrategyConstants constants_of(const RunOptions& options);

/// A line for reports that names the constants without a source; none if the strategy has none.
[[nodiscard]] std::vector<std::string> assumptions_of(const RunOptions& options);

/// Does the assignment "key=value" change a strategy, not a machine?
[[nodiscard]] bool sets_strategy(std::string_view assignment);
/// The assignments that do, and the others.
[[nodiscard]] std::vector<std::string> strategy_sets(const std::vector<std::string>& sets);
[[nodiscard]] std::vector<std::string> machine_sets(const std::vector<std::string>& sets);

}  // namespace dvmsim
