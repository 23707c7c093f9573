// An output file that appears only when it is complete: written beside its name, renamed at the
// end.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

struct gzFile_s;

namespace dvmsim {

class OutputFile {
 public:
  /// Opens the file for writing now, so that a bad path is found before work is done. A name ending
  /// in .gz is compressed. Throws Error naming the file.
  explicit OutputFile(std::string path);
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  /// Without commit nothing remains.
  ~OutputFile();

  void write(std::string_view bytes);
  /// The file has its name now. Throws Error if anything could not be written.
  void commit();
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  [[noreturn]] void fail(const std::string& what) const;
  bool close();

  std::string path_, partial_;
  std::FILE* plain_ = nullptr;
  gzFile_s* packed_ = nullptr;
};

}  // namespace dvmsim
