// The remarks of a compilation as JSON, for scripts.
#pragma once

#include <string>
#include <vector>

#include "compiler/module/remarks.h"

namespace dvmsim {

[[nodiscard]] std::string to_json(const std::string& model,
                                  const std::vector<GraphRemarks>& remarks);

}  // namespace dvmsim
