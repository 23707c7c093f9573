// The HTML report without its data: everything before and after the JSON that the page shows.
// Built from the sources beside this file; empty if the build had no node modules.
#pragma once

#include <string_view>

namespace dvmsim {

[[nodiscard]] std::string_view page_head();
[[nodiscard]] std::string_view page_tail();

}  // namespace dvmsim
