#include "cli/text/expression.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <span>

#include "vm/base/error.h"

namespace dvmsim {
namespace {

constexpr int kMostNesting = 50;

struct Unit {
  std::string_view name;
  double scale;
};
// Of units that begin alike, the longer one first.
constexpr Unit kUnits[] = {{"KiB", 1024.0},
                           {"MiB", 1048576.0},
                           {"GiB", 1073741824.0},
                           {"TiB", 1099511627776.0},
                           {"KB/s", 1e3},
                           {"MB/s", 1e6},
                           {"GB/s", 1e9},
                           {"TB/s", 1e12},
                           {"PB/s", 1e15},
                           {"B/s", 1},
                           {"B", 1},
                           {"kHz", 1e3},
                           {"MHz", 1e6},
                           {"GHz", 1e9},
                           {"Hz", 1},
                           {"ps", 1e-12},
                           {"ns", 1e-9},
                           {"us", 1e-6},
                           {"ms", 1e-3},
                           {"s", 1}};

struct Function {
  std::string_view name;
  std::size_t least, most;  // arguments
  double (*value)(std::span<const double> arguments);
};
constexpr Function kFunctions[] = {
    {"min", 1, 16, [](std::span<const double> x) { return *std::min_element(x.begin(), x.end()); }},
    {"max", 1, 16, [](std::span<const double> x) { return *std::max_element(x.begin(), x.end()); }},
    {"sqrt", 1, 1, [](std::span<const double> x) { return std::sqrt(x[0]); }},
    {"log2", 1, 1, [](std::span<const double> x) { return std::log2(x[0]); }},
    {"ceil", 1, 1, [](std::span<const double> x) { return std::ceil(x[0]); }},
    {"pow", 2, 2, [](std::span<const double> x) { return std::pow(x[0], x[1]); }}};

const Function* find_function(std::string_view name) {
  for (const Function& each : kFunctions) {
    if (each.name == name) return &each;
  }
  return nullptr;
}

bool in_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.';
}

}  // namespace

/// Recursive descent.
class Expression::Parser {
 public:
  Parser(std::string_view text, std::vector<Term>& terms) : text_(text), terms_(terms) {}

  void all() {
    skip();
    sum();
    if (!text_.empty()) fail("'" + std::string(text_) + "' is left over");
  }

 private:
  void sum() {
    product();
    for (;;) {
      if (take('+')) {
        product();
        terms_.push_back({Kind::Add});
      } else if (take('-')) {
        product();
        terms_.push_back({Kind::Subtract});
      } else {
        return;
      }
    }
  }
  void product() {
    factor();
    for (;;) {
      if (take('*')) {
        factor();
        terms_.push_back({Kind::Multiply});
      } else if (take('/')) {
        factor();
        terms_.push_back({Kind::Divide});
      } else {
        return;
      }
    }
  }
  void factor() {
    if (++depth_ > kMostNesting) fail("too many brackets");
    if (take('-')) {
      factor();
      terms_.push_back({Kind::Negate});
    } else if (take('(')) {
      sum();
      close();
    } else if (!text_.empty() && std::isdigit(static_cast<unsigned char>(text_[0])) != 0) {
      number();
    } else {
      name();
    }
    --depth_;
  }
  void number() {
    double value = 0;
    const auto [end, fault] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
    if (fault != std::errc()) fail("'" + std::string(text_) + "' begins with no number");
    text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
    for (const Unit& unit : kUnits) {
      if (!text_.starts_with(unit.name)) continue;
      if (text_.size() > unit.name.size() && in_name(text_[unit.name.size()])) continue;
      value *= unit.scale;
      text_.remove_prefix(unit.name.size());
      break;
    }
    if (!text_.empty() && in_name(text_[0])) {
      fail("'" + std::string(text_) + "' begins with no unit");
    }
    terms_.push_back({Kind::Number, value});
    skip();
  }
  void name() {
    const auto end = std::find_if_not(text_.begin(), text_.end(), in_name);
    const std::string word(text_.begin(), end);
    if (word.empty()) fail("a number or a name is missing before '" + std::string(text_) + "'");
    text_.remove_prefix(word.size());
    skip();
    if (take('(')) return call(word);
    terms_.push_back({Kind::Name, 0, word});
  }
  void call(const std::string& word) {
    const Function* function = find_function(word);
    if (function == nullptr) {
      fail("'" + word + "': no such function; there are min, max, sqrt, log2, ceil, pow");
    }
    std::size_t count = 1;
    sum();
    for (; take(','); ++count) sum();
    close();
    if (count < function->least || count > function->most) {
      fail(word + ": takes " + std::to_string(function->least) +
           (function->most > function->least ? " or more" : "") + " arguments");
    }
    terms_.push_back({Kind::Call, static_cast<double>(count), word});
  }
  void close() {
    if (!take(')')) fail("a bracket is not closed");
  }

  bool take(char c) {
    if (!text_.starts_with(c)) return false;
    text_.remove_prefix(1);
    skip();
    return true;
  }
  void skip() {
    while (text_.starts_with(' ')) text_.remove_prefix(1);
  }
  [[noreturn]] static void fail(const std::string& what) { throw Error(what); }

  std::string_view text_;
  std::vector<Term>& terms_;
  int depth_ = 0;
};

Expression::Expression(std::string_view text) : text_(text) {
  Parser(text, terms_).all();
}

std::vector<std::string> Expression::names() const {
  std::vector<std::string> result;
  for (const Term& term : terms_) {
    if (term.kind != Kind::Name) continue;
    if (std::find(result.begin(), result.end(), term.name) == result.end()) {
      result.push_back(term.name);
    }
  }
  return result;
}

double Expression::value(const Lookup& lookup) const {
  std::vector<double> stack;
  const auto two = [&stack](auto&& combine) {
    const double right = stack.back();
    stack.pop_back();
    stack.back() = combine(stack.back(), right);
  };
  for (const Term& term : terms_) {
    switch (term.kind) {
      case Kind::Number:
        stack.push_back(term.number);
        break;
      case Kind::Name:
        stack.push_back(lookup(term.name));
        break;
      case Kind::Add:
        two([](double a, double b) { return a + b; });
        break;
      case Kind::Subtract:
        two([](double a, double b) { return a - b; });
        break;
      case Kind::Multiply:
        two([](double a, double b) { return a * b; });
        break;
      case Kind::Divide:
        if (stack.back() == 0) throw Error("a division by zero");
        two([](double a, double b) { return a / b; });
        break;
      case Kind::Negate:
        stack.back() = -stack.back();
        break;
      case Kind::Call: {
        const auto count = static_cast<std::size_t>(term.number);
        const double result = find_function(term.name)->value(std::span(stack).last(count));
        stack.resize(stack.size() - count);
        stack.push_back(result);
        break;
      }
    }
  }
  if (stack.empty() || !std::isfinite(stack.back())) {
    throw Error("'" + text_ + "' is no finite number");
  }
  return stack.back();
}

}  // namespace dvmsim
