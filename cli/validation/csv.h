// Comma-separated values as RFC 4180 has them, strictly: quoted fields with "" inside, LF or CRLF,
// an optional byte order mark. Lines that begin with # are comments. Knows nothing of what columns
// mean.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dvmsim {

struct CsvRecord {
  int line = 0;  // where it begins
  std::vector<std::string> fields{};
};

struct Csv {
  std::string name{};  // of the file, for messages
  CsvRecord header{};
  std::vector<CsvRecord> records{};   // each with as many fields as the header
  std::vector<CsvRecord> comments{};  // one field: the line without #

  /// Position of the column, if there is one.
  [[nodiscard]] std::optional<std::size_t> column(std::string_view title) const;
  /// The field, or "" if there is no such column.
  [[nodiscard]] const std::string& field(const CsvRecord& record, std::string_view title) const;
  [[noreturn]] void fail(int line, const std::string& what) const;
};

/// Throws Error "name:line: what is wrong; what to do".
[[nodiscard]] Csv parse_csv(std::string_view text, const std::string& name);

}  // namespace dvmsim
