// For which sizes the code of a tracing compiler holds. The first sizes are compiled as they are;
// once a size has changed it is a symbol in what is compiled next, except 0 and 1, which always get
// code of their own. Beyond a number of versions nothing more is compiled.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace dvmsim {

class Specializations {
 public:
  enum class Verdict : std::uint8_t { Known, Compile, GiveUp };

  /// `symbols`: a size that changed becomes one. `limit`: versions of a graph at most.
  Specializations(bool symbols, int limit) : symbols_(symbols), limit_(limit) {}

  /// Is there code of the graph `path` for these sizes, and if not, does it come into being now?
  /// What is compiled is remembered.
  Verdict ask(const std::string& path, const std::vector<std::int64_t>& sizes);

 private:
  using Version = std::vector<std::optional<std::int64_t>>;  // a number, or any from 2 on
  struct Versions {
    std::vector<std::int64_t> last{};  // sizes that were compiled for
    std::vector<bool> changed{};
    std::vector<Version> all{};
  };
  static bool holds(const Version& version, const std::vector<std::int64_t>& sizes);

  bool symbols_;
  int limit_;
  std::map<std::string, Versions> of_{};  // by path
};

}  // namespace dvmsim
