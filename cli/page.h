// A report as an HTML page: one file that holds its data, its script and its style.
#pragma once

#include <string>
#include <string_view>

namespace dvmsim {

/// Throws Error if this binary was built without the page.
void require_page(const std::string& option);

/// `json`: what --json writes for run, op, compare or sweep; `where` names it in errors. Throws
/// Error for anything else. Same JSON, same bytes.
[[nodiscard]] std::string page_of(std::string_view json, const std::string& where);

}  // namespace dvmsim
