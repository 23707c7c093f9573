// One line of assembly, cut into words: quotes, comments, numbers and named constants. Knows no
// instruction.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace dvmsim::isa {

using Constants = std::map<std::string, std::int64_t, std::less<>>;

/// Letters, digits and _, not beginning with a digit, and not the name of a register.
[[nodiscard]] bool is_constant_name(std::string_view text);

class Statement {
 public:
  /// `where` begins every message: "file:line". Throws Error on an open quote. `constants` outlive
  /// the statement.
  Statement(std::string_view line, std::string where, const Constants* constants = nullptr);

  [[nodiscard]] std::size_t words() const { return words_.size(); }
  /// A word as it was written; quoted ones with their quotes taken off.
  [[nodiscard]] std::string_view word(std::size_t index) const { return words_[index]; }
  [[nodiscard]] std::string name(std::size_t index) const { return words_[index]; }

  /// Decimal or 0x with an optional minus, or a sum of products of such numbers and constants,
  /// written without spaces: ROWS*COLS*2-64.
  [[nodiscard]] std::int64_t number(std::string_view text) const;
  /// A number in 0..most.
  [[nodiscard]] std::int64_t number(std::string_view text, std::int64_t most) const;
  [[nodiscard]] std::uint64_t hash(std::string_view text) const;
  [[nodiscard]] float number_f32(std::string_view text) const;
  void expect(std::size_t least, std::size_t most) const;
  [[noreturn]] void fail(const std::string& what) const;

 private:
  [[nodiscard]] std::int64_t factor(std::string_view text) const;
  [[nodiscard]] std::int64_t product(std::string_view text) const;

  std::vector<std::string> words_{};
  std::string where_;
  const Constants* constants_ = nullptr;
};

/// The text as one word that Statement reads back: bare if it can be, otherwise in quotes.
[[nodiscard]] std::string quoted(std::string_view text);

}  // namespace dvmsim::isa
