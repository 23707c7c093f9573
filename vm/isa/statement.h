// One line of assembly, cut into words: quotes, comments and numbers. Knows no instruction.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace dvmsim::isa {

class Statement {
 public:
  /// `where` begins every message: "file:line". Throws Error on an open quote.
  Statement(std::string_view line, std::string where);

  [[nodiscard]] std::size_t words() const { return words_.size(); }
  /// A word as it was written; quoted ones with their quotes taken off.
  [[nodiscard]] std::string_view word(std::size_t index) const { return words_[index]; }
  [[nodiscard]] std::string name(std::size_t index) const { return words_[index]; }

  /// Decimal or 0x, with an optional minus.
  [[nodiscard]] std::int64_t number(std::string_view text) const;
  /// A number in 0..most.
  [[nodiscard]] std::int64_t number(std::string_view text, std::int64_t most) const;
  [[nodiscard]] std::uint64_t hash(std::string_view text) const;
  [[nodiscard]] float number_f32(std::string_view text) const;
  void expect(std::size_t least, std::size_t most) const;
  [[noreturn]] void fail(const std::string& what) const;

 private:
  std::vector<std::string> words_{};
  std::string where_;
};

/// The text as one word that Statement reads back: bare if it can be, otherwise in quotes.
[[nodiscard]] std::string quoted(std::string_view text);

}  // namespace dvmsim::isa
