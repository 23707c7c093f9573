// A table as text: columns as wide as they need; the first row heads them.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace dvmsim {

class TextTable {
 public:
  /// Which columns begin at the left; the last answer holds for those to come.
  explicit TextTable(std::vector<bool> left = {false}) : left_(std::move(left)) {}

  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  [[nodiscard]] std::string text() const {
    std::vector<std::size_t> widths;
    for (const auto& row : rows_) {
      widths.resize(std::max(widths.size(), row.size()), 0);
      for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    }
    std::string text;
    for (const auto& row : rows_) {
      std::string line = " ";
      for (std::size_t i = 0; i < row.size(); ++i) {
        line += left_[std::min(i, left_.size() - 1)] ? fmt::format(" {:<{}} ", row[i], widths[i])
                                                     : fmt::format(" {:>{}} ", row[i], widths[i]);
      }
      line.erase(line.find_last_not_of(' ') + 1);
      text += line + "\n";
    }
    return text;
  }

 private:
  std::vector<bool> left_;
  std::vector<std::vector<std::string>> rows_{};
};

}  // namespace dvmsim
