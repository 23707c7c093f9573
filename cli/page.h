// A report as an HTML page: one file that holds its data, its script and its style.
#pragma once

#include <string>
#include <string_view>

#include "traces/output.h"

namespace dvmsim {

/// A page that is opened before the work, so that a bad path costs nothing, and written after it.
class PageFile {
 public:
  /// Throws Error naming --html if it cannot be written, or if this binary was built without the
  /// page.
  explicit PageFile(const std::string& path);
  /// As page_of.
  void write(std::string_view json, const std::string& where = "the report");
  [[nodiscard]] const std::string& path() const { return file_.path(); }

 private:
  OutputFile file_;
};

/// `json`: what --json writes for run, op, compare or sweep; `where` names it in errors. Throws
/// Error for anything else. Same JSON, same bytes.
[[nodiscard]] std::string page_of(std::string_view json, const std::string& where);

}  // namespace dvmsim
