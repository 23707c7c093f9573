#include "compiler/graph/text_lexer.h"

#include <charconv>
#include <cstdlib>
#include <utility>

#include "vm/base/error.h"

namespace dvmsim {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool begins_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool in_name(char c) {
  return begins_name(c) || is_digit(c) || c == '.';
}

}  // namespace

Lexer::Lexer(std::string_view text, std::string file) : text_(text), file_(std::move(file)) {
  advance();
}

void Lexer::fail(const std::string& why) const {
  throw Error(file_ + ":" + std::to_string(next_.line) + ": " + why);
}

void Lexer::advance() {
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == '#') {
      while (at_ < text_.size() && text_[at_] != '\n') ++at_;
    } else if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
      if (c == '\n') ++line_;
      ++at_;
    } else {
      break;
    }
  }
  next_ = Token{Token::Kind::End, "", line_};
  if (at_ >= text_.size()) return;
  const std::size_t begin = at_;
  const char c = text_[at_];
  if (c == '"') return read_quoted();
  if (begins_name(c)) {
    while (at_ < text_.size() && in_name(text_[at_])) ++at_;
    next_.kind = Token::Kind::Name;
  } else if (is_digit(c)) {
    while (at_ < text_.size() &&
           (is_digit(text_[at_]) || text_[at_] == '.' || text_[at_] == 'e' ||
            ((text_[at_] == '-' || text_[at_] == '+') && text_[at_ - 1] == 'e'))) {
      ++at_;
    }
    next_.kind = Token::Kind::Number;
  } else {
    ++at_;
    next_.kind = Token::Kind::Sign;
  }
  next_.text = std::string(text_.substr(begin, at_ - begin));
}

void Lexer::read_quoted() {
  next_.kind = Token::Kind::Quoted;
  for (++at_; at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\n'; ++at_) {
    if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
    next_.text += text_[at_];
  }
  if (at_ >= text_.size() || text_[at_] != '"') fail("a quoted name does not end on its line");
  ++at_;
}

Token Lexer::take() {
  Token token = std::move(next_);
  advance();
  return token;
}

bool Lexer::at(std::string_view text) const {
  return next_.kind != Token::Kind::Quoted && next_.kind != Token::Kind::End && next_.text == text;
}

bool Lexer::skip(std::string_view text) {
  if (!at(text)) return false;
  advance();
  return true;
}

void Lexer::expect(std::string_view text) {
  if (skip(text)) return;
  const std::string found = next_.kind == Token::Kind::End ? "the end" : "'" + next_.text + "'";
  fail("expected '" + std::string(text) + "', found " + found);
}

std::string Lexer::take_name(const char* what) {
  if (next_.kind != Token::Kind::Name && next_.kind != Token::Kind::Quoted) {
    fail(std::string("expected ") + what + ", found '" + next_.text + "'");
  }
  return take().text;
}

std::int64_t Lexer::take_int() {
  const bool negative = skip("-");
  std::int64_t value = 0;
  const std::string text = (negative ? "-" : "") + next_.text;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (next_.kind != Token::Kind::Number || error != std::errc() ||
      end != text.data() + text.size()) {
    fail("expected an integer, found '" + next_.text + "'");
  }
  advance();
  return value;
}

double Lexer::take_number() {
  const double sign = skip("-") ? -1.0 : 1.0;
  const bool named = at("inf") || at("nan");
  double value = 0;
  const char* begin = next_.text.data();
  const auto [end, error] = std::from_chars(begin, begin + next_.text.size(), value);
  if ((next_.kind != Token::Kind::Number && !named) || error != std::errc() ||
      end != begin + next_.text.size()) {
    fail("expected a number, found '" + next_.text + "'");
  }
  advance();
  return sign * value;
}

}  // namespace dvmsim
