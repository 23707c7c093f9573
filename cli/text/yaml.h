// A YAML document as a tree of plain values that know their line, for strict readers: whatever a
// reader does not ask for or cannot understand is an Error "file:line: what is wrong; what to do".
// The only user of yaml-cpp in cli/.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace dvmsim {

struct YamlEntry;

class Yaml {
 public:
  enum class Kind : std::uint8_t { Empty, Text, List, Map };

  [[nodiscard]] Kind kind() const { return kind_; }
  [[nodiscard]] bool is_text() const { return kind_ == Kind::Text; }
  [[nodiscard]] bool is_list() const { return kind_ == Kind::List; }
  [[nodiscard]] bool is_map() const { return kind_ == Kind::Map; }
  [[nodiscard]] const std::string& file() const { return file_; }
  [[nodiscard]] int line() const { return line_; }
  [[noreturn]] void fail(const std::string& why) const;

  // What the value must be; `what` names it in the Error if it is something else.
  [[nodiscard]] const std::string& text(const std::string& what) const&;
  [[nodiscard]] std::int64_t integer(const std::string& what) const;
  /// A whole number of at least `least`.
  [[nodiscard]] std::int64_t integer(const std::string& what, std::int64_t least) const;
  [[nodiscard]] double number(const std::string& what) const;
  /// true or false.
  [[nodiscard]] bool flag(const std::string& what) const;
  /// Not empty.
  [[nodiscard]] const std::vector<Yaml>& list(const std::string& what) const&;
  /// Keys and values in the order of the file; no key stands twice.
  [[nodiscard]] const std::vector<YamlEntry>& map(const std::string& what) const&;
  void each(const std::string& what, const std::function<void(const YamlEntry&)>& use) const;
  // What they return lives as long as the value does.
  const std::string& text(const std::string& what) const&& = delete;
  const std::vector<Yaml>& list(const std::string& what) const&& = delete;
  const std::vector<YamlEntry>& map(const std::string& what) const&& = delete;
  /// The value of a key, or null if there is no such key.
  [[nodiscard]] const Yaml* find(const std::string& key) const;

 private:
  friend class YamlBuilder;
  Kind kind_ = Kind::Empty;
  std::string file_{}, text_{};
  int line_ = 1;
  std::vector<Yaml> items_{};
  std::vector<YamlEntry> entries_;
};

struct YamlEntry {
  std::string key{};
  int line = 1;
  Yaml value{};

  /// At the line of the key.
  [[noreturn]] void fail(const std::string& why) const;
  /// Refuses a key that is not one of `known`, which is "a, b and c".
  [[noreturn]] void unknown(const std::string& owner, const std::string& known) const;
};

/// Throws Error "file:line: ..." for what is not YAML. An empty text is an empty value.
[[nodiscard]] Yaml parse_yaml(const std::string& text, const std::string& file);
/// The file, read.
[[nodiscard]] Yaml load_yaml(const std::string& path);

}  // namespace dvmsim
