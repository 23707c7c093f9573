#include "cli/sweep/result_log.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <thread>
#include <vector>

#include "cli/text/files.h"
#include "cli/text/hash.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

namespace fs = std::filesystem;
constexpr const char* kNames[] = {"ok", "refused", "fault", "aborted", "missing"};
constexpr int kStatuses = 4;  // that are written

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(separator, at), text.size());
    parts.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

template <class Number>
bool read_number(std::string_view text, Number& number) {
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, number);
  return result.ec == std::errc() && result.ptr == end;
}
bool read_hex(std::string_view text, std::uint64_t& number) {
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, number, 16);
  return result.ec == std::errc() && result.ptr == end;
}

bool read_figures(std::string_view text, Figures& figures) {
  for (const std::string_view word : split(text, ' ')) {
    const std::size_t equals = word.find('=');
    double value = 0;
    if (equals == std::string_view::npos || !read_number(word.substr(equals + 1), value)) {
      return false;
    }
    figures[std::string(word.substr(0, equals))] = value;
  }
  return true;
}

bool read_line(std::string_view line, std::uint64_t& key, PointResult& result) {
  const auto parts = split(line, '\t');
  std::uint64_t sum = 0;
  if (parts.size() != 4 || !read_hex(parts[0], key) || !read_hex(parts[3], sum)) return false;
  if (fnv1a(line.substr(0, line.size() - parts[3].size())) != sum) return false;
  const auto name = std::find(kNames, kNames + kStatuses, parts[1]);
  if (name == kNames + kStatuses) return false;
  result.status = static_cast<PointResult::Status>(name - kNames);
  if (result.status == PointResult::Status::Ok) return read_figures(parts[2], result.figures);
  result.reason = parts[2];
  return true;
}

}  // namespace

const char* name_of(PointResult::Status status) {
  return kNames[static_cast<std::size_t>(status)];
}

std::string line_of(std::uint64_t key, const PointResult& result) {
  std::string text;
  for (const auto& [name, value] : result.figures) {
    text += fmt::format("{}{}={}", text.empty() ? "" : " ", name, value);
  }
  if (result.status != PointResult::Status::Ok) {
    text = result.reason;
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c == '\n' || c == '\t'; }, ' ');
  }
  std::string line = fmt::format("{:016x}\t{}\t{}\t", key, name_of(result.status), text);
  return line + fmt::format("{:016x}\n", fnv1a(line));
}

ResultLog::ResultLog(const std::string& path) : path_(path) {
  file_ = open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
  if (file_ < 0) throw Error(path + ": cannot be written: " + std::strerror(errno));
  // Workers of a sweep that was killed take a moment to end.
  for (int wait = 0; flock(file_, LOCK_EX | LOCK_NB) != 0; ++wait) {
    if (wait == 100) {
      close(file_);
      throw Error(path + ": another sweep is writing it; wait for it, or take another --output");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

ResultLog::~ResultLog() {
  close(file_);
}

void ResultLog::append(std::uint64_t key, const PointResult& result) {
  // An end of line before it, too: what stands there may be torn.
  const std::string line = "\n" + line_of(key, result);
  const ssize_t written = write(file_, line.data(), line.size());
  if (written != static_cast<ssize_t>(line.size())) {
    throw Error(path_ + ": cannot be written; is the disk full?");
  }
}

void read_results(const std::string& text, PointResults& results) {
  for (const std::string_view line : split(text, '\n')) {
    std::uint64_t key = 0;
    PointResult result;
    if (read_line(line, key, result)) results.try_emplace(key, std::move(result));
  }
}

PointResults results_in(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code fault;
  for (const auto& entry : fs::directory_iterator(folder, fault)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("results") && name.ends_with(".log")) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  PointResults results;
  for (const std::string& file : files) read_results(read_text(file), results);
  return results;
}

}  // namespace dvmsim
