// Inside the text form: tokens with their lines. Included by text_parse.cpp only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace dvmsim {

struct Token {
  enum class Kind : std::uint8_t { Name, Quoted, Number, Sign, End };
  Kind kind = Kind::End;
  std::string text;  // of Quoted: without quotes and escapes
  int line = 1;
};

/// One token of lookahead over a text; `#` starts a comment.
class Lexer {
 public:
  Lexer(std::string_view text, std::string file);

  [[nodiscard]] const Token& peek() const { return next_; }
  Token take();
  [[nodiscard]] bool at(std::string_view text) const;  // a name or sign, not quoted
  bool skip(std::string_view text);
  void expect(std::string_view text);
  [[nodiscard]] std::string take_name(const char* what);  // a name or a quoted one
  [[nodiscard]] std::int64_t take_int();
  [[nodiscard]] double take_number();  // also inf, nan
  [[noreturn]] void fail(const std::string& why) const;

 private:
  void advance();
  void read_quoted();

  std::string_view text_;
  std::string file_;
  std::size_t at_ = 0;
  int line_ = 1;
  Token next_;
};

}  // namespace dvmsim
