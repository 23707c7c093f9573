// What another process costs or says, for measurements.
#pragma once

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

}  // namespace dvmsim
