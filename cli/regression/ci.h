// Results of `dvmsim regress` for continuous integration.
#pragma once

#include <string>
#include <vector>

#include "cli/regression/judge.h"

namespace dvmsim {

/// A test suite with a test per case; what did not pass is a failure, what could not be run an
/// error. Without times: the same results are the same bytes.
[[nodiscard]] std::string to_junit(const std::vector<CaseResult>& results, const std::string& suite,
                                   std::size_t most);
/// A page: what did not pass in a table, the details folded below it.
[[nodiscard]] std::string to_markdown(const std::vector<CaseResult>& results,
                                      const std::string& suite, std::size_t most);

}  // namespace dvmsim
