// Results of points as they come, one a line, in files that are only appended to. A process killed
// at any moment leaves whole lines and perhaps a torn one, which is passed over. Owns the form:
//
//   key <tab> ok|refused|fault|aborted <tab> figures "name=value ...", or the reason <tab> checksum
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "cli/validation/metric.h"

namespace dvmsim {

struct PointResult {
  enum class Status : std::uint8_t { Ok, Refused, Fault, Aborted, Missing };
  Status status = Status::Missing;
  std::string reason{};  // unless ok
  Figures figures{};     // if ok
};
[[nodiscard]] const char* name_of(PointResult::Status status);

/// By key.
using PointResults = std::map<std::uint64_t, PointResult>;

class ResultLog {
 public:
  /// Opens the file for appending; it is this process's and its children's until they end. Throws
  /// Error if it cannot be written, or if another sweep writes it.
  explicit ResultLog(const std::string& path);
  ResultLog(const ResultLog&) = delete;
  ResultLog& operator=(const ResultLog&) = delete;
  ~ResultLog();

  /// In one piece, from any process that has the log. Throws Error if the disk is full.
  void append(std::uint64_t key, const PointResult& result);

 private:
  std::string path_;
  int file_ = -1;
};

/// The line of a result, with its end.
[[nodiscard]] std::string line_of(std::uint64_t key, const PointResult& result);
/// What the text of a log holds; of two results of one key the first. Lines that are no results are
/// passed over.
void read_results(const std::string& text, PointResults& results);
/// Of all files results*.log in the folder.
[[nodiscard]] PointResults results_in(const std::string& folder);

}  // namespace dvmsim
