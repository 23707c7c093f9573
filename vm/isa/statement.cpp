#include "vm/isa/statement.h"

#include <fmt/format.h>
#include <algorithm>
#include <cctype>
#include <charconv>

#include "vm/base/error.h"

namespace dvmsim::isa {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}
bool is_comment(char c) {
  return c == ';' || c == '#';
}

/// The text between quotes at the front of `line`, which is advanced past them. Escapes: \" \\ \n
/// \r.
std::string take_quoted(std::string_view& line, bool& closed) {
  std::string word;
  std::size_t i = 1;
  for (; i < line.size() && line[i] != '"'; ++i) {
    if (line[i] != '\\' || i + 1 == line.size()) {
      word += line[i];
      continue;
    }
    const char c = line[++i];
    word += c == 'n' ? '\n' : c == 'r' ? '\r' : c;
  }
  closed = i < line.size();
  line.remove_prefix(std::min(i + 1, line.size()));
  return word;
}

}  // namespace

bool is_constant_name(std::string_view text) {
  const auto is_letter = [](char c) {
    return c == '_' || (static_cast<unsigned char>(c) < 128 && std::isalnum(c) != 0);
  };
  if (text.empty() || std::isdigit(static_cast<unsigned char>(text[0])) != 0) return false;
  const bool is_register =
      text.size() > 1 && text[0] == 'r' && std::isdigit(static_cast<unsigned char>(text[1])) != 0;
  return !is_register && std::all_of(text.begin(), text.end(), is_letter);
}

Statement::Statement(std::string_view line, std::string where, const Constants* constants)
    : where_(std::move(where)), constants_(constants) {
  while (!line.empty() && !is_comment(line.front())) {
    if (is_space(line.front())) {
      line.remove_prefix(1);
    } else if (line.front() == '"') {
      bool closed = false;
      words_.push_back(take_quoted(line, closed));
      if (!closed) fail("a quote is not closed");
    } else {
      std::size_t end = 0;
      while (end < line.size() && !is_space(line[end]) && !is_comment(line[end])) ++end;
      words_.emplace_back(line.substr(0, end));
      line.remove_prefix(end);
    }
  }
}

std::uint64_t Statement::hash(std::string_view text) const {
  const bool is_hex = text.starts_with("0x");
  const std::string_view digits = is_hex ? text.substr(2) : text;
  std::uint64_t value = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value, is_hex ? 16 : 10);
  if (error != std::errc{} || end != digits.data() + digits.size()) {
    fail(fmt::format("'{}' is not a number; write 12 or 0x1f", text));
  }
  return value;
}

std::int64_t Statement::factor(std::string_view text) const {
  if (is_constant_name(text)) {
    const bool known = constants_ != nullptr && constants_->contains(text);
    if (!known)
      fail(fmt::format("no constant '{}' so far; write .let {} VALUE before", text, text));
    return constants_->find(text)->second;
  }
  const bool is_negative = text.starts_with("-");
  const std::uint64_t magnitude = hash(is_negative ? text.substr(1) : text);
  const std::uint64_t most = static_cast<std::uint64_t>(INT64_MAX) + (is_negative ? 1 : 0);
  if (magnitude > most) fail(fmt::format("'{}' does not fit 64 bits", text));
  return static_cast<std::int64_t>(is_negative ? 0 - magnitude : magnitude);
}

std::int64_t Statement::product(std::string_view text) const {
  std::int64_t value = 1;
  for (bool more = true; more;) {
    const auto star = text.find('*');
    more = star != std::string_view::npos;
    if (__builtin_mul_overflow(value, factor(text.substr(0, star)), &value)) {
      fail("a product does not fit 64 bits");
    }
    if (more) text.remove_prefix(star + 1);
  }
  return value;
}

std::int64_t Statement::number(std::string_view text) const {
  std::int64_t value = 0;
  bool minus = false;
  for (bool more = true; more;) {
    // The sign of a term's first number belongs to that number.
    const auto sign = text.find_first_of("+-", text.starts_with('-') ? 1 : 0);
    more = sign != std::string_view::npos;
    const std::int64_t term = product(text.substr(0, sign));
    const bool over = minus ? __builtin_sub_overflow(value, term, &value)
                            : __builtin_add_overflow(value, term, &value);
    if (over) fail("a sum does not fit 64 bits");
    if (!more) break;
    minus = text[sign] == '-';
    text.remove_prefix(sign + 1);
  }
  return value;
}

std::int64_t Statement::number(std::string_view text, std::int64_t most) const {
  const std::int64_t value = number(text);
  if (value < 0 || value > most) fail(fmt::format("{} is not in 0..{}", value, most));
  return value;
}

float Statement::number_f32(std::string_view text) const {
  float value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) {
    fail(fmt::format("'{}' is not an f32; write f32:1.5", text));
  }
  return value;
}

void Statement::expect(std::size_t least, std::size_t most) const {
  if (words_.size() < least || words_.size() > most) {
    fail(fmt::format("'{}' takes {} to {} words", words_[0], least - 1, most - 1));
  }
}

void Statement::fail(const std::string& what) const {
  throw Error(where_ + ": " + what);
}

std::string quoted(std::string_view text) {
  bool is_bare = !text.empty();
  std::string word = "\"";
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    is_bare = is_bare && byte < 128 &&
              (std::isalnum(byte) != 0 || c == '_' || c == '.' || c == '-' || c == '/');
    if (c == '"' || c == '\\') word += '\\';
    word += c == '\n' ? "\\n" : c == '\r' ? "\\r" : std::string(1, c);
  }
  return is_bare ? std::string(text) : word + '"';
}

}  // namespace dvmsim::isa
