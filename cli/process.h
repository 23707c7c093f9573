// Other processes: what one costs or says, and work that may end its own.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace dvmsim {

/// CPU seconds of running the program (a path, or a name to look for) with these arguments, the
/// least of three; its output goes nowhere. Nullopt if it cannot be run or fails.
[[nodiscard]] std::optional<double> process_seconds(const std::string& program,
                                                    const std::vector<std::string>& arguments);
/// What it wrote to its standard output. Nullopt if it cannot be run or fails.
[[nodiscard]] std::optional<std::string> process_output(const std::string& program,
                                                        const std::vector<std::string>& arguments);

/// The exit code of a shell command with these words after it; 128 and the number of the signal
/// that ended it. Its output goes nowhere.
[[nodiscard]] int command_code(const std::string& command,
                               const std::vector<std::string>& arguments);
/// The same of work done in a copy of this process: it may abort or fault.
[[nodiscard]] int child_code(const std::function<int()>& work);

}  // namespace dvmsim
