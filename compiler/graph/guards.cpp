#include "compiler/graph/guards.h"

#include <algorithm>

namespace dvmsim {
namespace {

/// For each place the first with the same number, as an index into `places`.
int first_alike(const std::vector<int>& places, const std::vector<std::int64_t>& values,
                std::size_t index) {
  const auto number = [&](std::size_t i) { return values[static_cast<std::size_t>(places[i])]; };
  std::size_t first = 0;
  while (number(first) != number(index)) ++first;
  return static_cast<int>(first);
}

bool holds(bool at_most, std::int64_t a, std::int64_t b) {
  return at_most ? a <= b : a == b;
}

}  // namespace

bool Guards::ask(Question::Kind kind, const Dim& a, const Dim& b) {
  const bool at_most = kind == Question::Kind::AtMost;
  if (a.is_known() && b.is_known()) return holds(at_most, a.value(), b.value());
  Question question{kind, table_.add(a), table_.add(b), false};
  table_.evaluate(sample_, values_);
  const auto number = [&](int place) { return values_[static_cast<std::size_t>(place)]; };
  question.answer = holds(at_most, number(question.a), number(question.b));
  if (std::find(questions_.begin(), questions_.end(), question) == questions_.end()) {
    questions_.push_back(question);
  }
  return question.answer;
}

bool Guards::equal(const Dim& a, const Dim& b) {
  return a == b || ask(Question::Kind::Equal, a, b);
}

bool Guards::equal(const Dims& a, const Dims& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!equal(a[i], b[i])) return false;
  }
  return true;
}

bool Guards::at_most(const Dim& a, std::int64_t limit) {
  return ask(Question::Kind::AtMost, a, limit);
}

std::int64_t Guards::number(const Dim& a) {
  if (a.is_known()) return a.value();
  const int place = table_.add(a);
  table_.evaluate(sample_, values_);
  return values_[static_cast<std::size_t>(place)];
}

std::int64_t Guards::value(const Dim& a) {
  const std::int64_t found = number(a);
  (void)equal(a, found);
  return found;
}

void Guards::compare(const Dims& dims) {
  Pattern pattern;
  const auto include = [&](const Dim& dim) {
    const int place = table_.add(dim);
    if (std::find(pattern.places.begin(), pattern.places.end(), place) == pattern.places.end()) {
      pattern.places.push_back(place);
    }
  };
  include(0);
  include(1);
  for (const Dim& dim : dims) include(dim);
  table_.evaluate(sample_, values_);
  for (std::size_t i = 0; i < pattern.places.size(); ++i) {
    pattern.same_as.push_back(first_alike(pattern.places, values_, i));
  }
  patterns_.push_back(std::move(pattern));
}

bool Guards::answered_alike(std::span<const std::int64_t> symbols,
                            std::vector<std::int64_t>& values) const {
  table_.evaluate(symbols, values);
  const auto number = [&](int place) { return values[static_cast<std::size_t>(place)]; };
  for (const Question& question : questions_) {
    const bool at_most = question.kind == Question::Kind::AtMost;
    if (holds(at_most, number(question.a), number(question.b)) != question.answer) return false;
  }
  for (const Pattern& pattern : patterns_) {
    for (std::size_t i = 0; i < pattern.places.size(); ++i) {
      if (first_alike(pattern.places, values, i) != pattern.same_as[i]) return false;
    }
  }
  return true;
}

}  // namespace dvmsim
