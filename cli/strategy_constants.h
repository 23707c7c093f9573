// configs/strategies.yaml, read strictly: the constants of strategies, each with its source, and
// changes of them from --set.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/options/options.h"
#include "compiler/runtime/strategy/constants.h"
#include "vm/machine/number.h"

namespace dvmsim {

struct StrategyConstant {
  std::string key{}, value{}, source{};  // "jit.workers", "8", the comment above it
  bool assumed = false;
};

struct ConstantsFile {
  StrategyConstants constants{};
  std::vector<StrategyConstant> all{};  // in the order of the file

  /// Those that a strategy rests on and that nobody published or measured: "jit.workers=8".
  [[nodiscard]] std::vector<std::string> assumed_of(std::string_view strategy) const;
  /// With other values of some, whose sources stay what they are: a study varies what it does not
  /// know.
  [[nodiscard]] ConstantsFile with(const std::vector<std::string>& assignments) const;
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

/// "jit.workers": is there such a constant?
[[nodiscard]] bool is_constant(std::string_view key);
/// Does the strategy's host or compiler depend on it? Also on constants of another section: what is
/// captured is inferred first, and buckets are compiled as a jit compiles.
[[nodiscard]] bool rests_on(std::string_view strategy, std::string_view key);
/// Throws Error for a value that the constant cannot have.
void check_constant(const std::string& key, const std::string& value);
/// The value in s, B or as a count; nothing for words and lists.
[[nodiscard]] std::optional<MachineNumber> constant_number(const std::string& key,
                                                           const std::string& value);
/// Is it a number that has no fractions?
[[nodiscard]] bool is_whole_constant(std::string_view key);

/// Does the assignment "key=value" change a strategy, not a machine?
[[nodiscard]] bool sets_strategy(std::string_view assignment);
/// The assignments that do, and the others.
[[nodiscard]] std::vector<std::string> strategy_sets(const std::vector<std::string>& sets);
[[nodiscard]] std::vector<std::string> machine_sets(const std::vector<std::string>& sets);

}  // namespace dvmsim
