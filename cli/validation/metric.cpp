#include "cli/validation/metric.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>

#include "vm/base/error.h"

namespace dvmsim {

Figures figures_of(const RunReport& report) {
  const auto number = [](std::int64_t value) { return static_cast<double>(value); };
  Figures figures = {{"cycles", number(report.cycles)},
                     {"clock_mhz", report.clock_mhz},
                     {"e2e_us", report.e2e_us},
                     {"task_us", report.task_us},
                     {"core_us", report.core_us},
                     {"host.compile_us", report.host.compile_us},
                     {"host.encode_us", report.host.encode_us},
                     {"host.launch_us", report.host.launch_us},
                     {"host.launches", number(report.host.launches)},
                     {"host.program_bytes", number(report.host.program_bytes)},
                     {"memory.hbm_read_bytes", number(report.memory.hbm_read_bytes)},
                     {"memory.hbm_write_bytes", number(report.memory.hbm_write_bytes)},
                     {"memory.l2_hit_bytes", number(report.memory.l2_hit_bytes)},
                     {"firmware.instructions", number(report.firmware.instructions)},
                     {"firmware.commands", number(report.firmware.commands)},
                     {"firmware.decode_cycles", number(report.firmware.decode_cycles)}};
  for (const auto& [name, us] : report.profiler) figures[name] = us;
  return figures;
}

/// Recursive descent: sums of products of factors.
class Metric::Parser {
 public:
  Parser(std::string_view text, const std::string& where, std::vector<Term>& terms)
      : text_(text), where_(where), terms_(terms) {}

  void all() {
    sum(0);
    if (!text_.empty()) fail("'" + std::string(text_) + "' is left over");
  }

 private:
  void sum(int depth) {
    product(depth);
    for (;;) {
      if (take('+')) {
        product(depth);
        terms_.push_back({Term::Kind::Add});
      } else if (take('-')) {
        product(depth);
        terms_.push_back({Term::Kind::Subtract});
      } else {
        return;
      }
    }
  }
  void product(int depth) {
    factor(depth);
    for (;;) {
      if (take('*')) {
        factor(depth);
        terms_.push_back({Term::Kind::Multiply});
      } else if (take('/')) {
        factor(depth);
        terms_.push_back({Term::Kind::Divide});
      } else {
        return;
      }
    }
  }
  void factor(int depth) {
    if (take('(')) {
      if (depth > 50) fail("too many brackets");
      sum(depth + 1);
      if (!take(')')) fail("a bracket is not closed");
      return;
    }
    if (!text_.empty() && std::isdigit(static_cast<unsigned char>(text_[0])) != 0) {
      double value = 0;
      const auto [end, fault] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
      if (fault != std::errc()) fail("'" + std::string(text_) + "' begins with no number");
      terms_.push_back({Term::Kind::Number, value});
      text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
      return skip();
    }
    const std::size_t size = static_cast<std::size_t>(
        std::find_if_not(
            text_.begin(), text_.end(),
            [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '.'; }) -
        text_.begin());
    if (size == 0) fail("a number or a figure is missing before '" + std::string(text_) + "'");
    terms_.push_back({Term::Kind::Figure, 0, std::string(text_.substr(0, size))});
    text_.remove_prefix(size);
    skip();
  }

  bool take(char c) {
    skip();
    if (!text_.starts_with(c)) return false;
    text_.remove_prefix(1);
    skip();
    return true;
  }
  void skip() {
    while (text_.starts_with(' ')) text_.remove_prefix(1);
  }
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(where_ + ": metric: " + what + "; write an expression over figures of the report");
  }

  std::string_view text_;
  const std::string& where_;
  std::vector<Term>& terms_;
};

Metric::Metric(std::string_view text, const std::string& where) : text_(text), where_(where) {
  Parser(text, where_, terms_).all();
}

bool Metric::needs_reference() const {
  return std::any_of(terms_.begin(), terms_.end(), [](const Term& term) {
    return term.kind == Term::Kind::Figure && term.name.starts_with("ref.");
  });
}

namespace {

double find_figure(const Figures& figures, std::string_view name, const std::string& where) {
  const auto found = figures.find(name);
  if (found != figures.end()) return found->second;
  std::string known;
  for (const auto& [each, value] : figures) known += (known.empty() ? "" : " ") + each;
  throw Error(where + ": metric: the run has no figure '" + std::string(name) + "'; it has " +
              known);
}

}  // namespace

double Metric::value(const Figures& figures, const Figures* reference) const {
  std::vector<double> stack;
  const auto two = [&stack](auto&& combine) {
    const double right = stack.back();
    stack.pop_back();
    stack.back() = combine(stack.back(), right);
  };
  for (const Term& term : terms_) {
    switch (term.kind) {
      case Term::Kind::Number:
        stack.push_back(term.number);
        break;
      case Term::Kind::Figure:
        if (term.name.starts_with("ref.")) {
          if (reference == nullptr) throw Error(where_ + ": metric: the row has no reference");
          stack.push_back(find_figure(*reference, term.name.substr(4), where_));
        } else {
          stack.push_back(find_figure(figures, term.name, where_));
        }
        break;
      case Term::Kind::Add:
        two([](double a, double b) { return a + b; });
        break;
      case Term::Kind::Subtract:
        two([](double a, double b) { return a - b; });
        break;
      case Term::Kind::Multiply:
        two([](double a, double b) { return a * b; });
        break;
      case Term::Kind::Divide:
        two([](double a, double b) { return a / b; });
        break;
    }
  }
  if (!std::isfinite(stack.back())) throw Error(where_ + ": metric: a division by zero");
  return stack.back();
}

}  // namespace dvmsim
