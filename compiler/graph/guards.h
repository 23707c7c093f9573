// Questions about symbolic dimensions, answered for the symbols' values of one launch and
// remembered: what was decided by the answers holds for every launch that gives the same ones.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "compiler/graph/dim_table.h"

namespace dvmsim {

class Guards {
 public:
  /// `sample`: the values of the symbols, in order.
  Guards(std::vector<std::string> symbols, std::vector<std::int64_t> sample)
      : table_(std::move(symbols)), sample_(std::move(sample)) {}

  [[nodiscard]] bool equal(const Dim& a, const Dim& b);
  [[nodiscard]] bool equal(const Dims& a, const Dims& b);
  [[nodiscard]] bool at_most(const Dim& a, std::int64_t limit);
  /// The number, for which nothing is remembered: whoever looks must not decide by it.
  [[nodiscard]] std::int64_t number(const Dim& a);
  /// The number to decide by: the answers then hold for no other.
  [[nodiscard]] std::int64_t value(const Dim& a);
  /// Which of these are equal to one another, to 0, and to 1.
  void compare(const Dims& dims);

  /// The Dim's place in what answered_alike fills.
  [[nodiscard]] int place(const Dim& dim) { return table_.add(dim); }
  /// Are all answers for these symbols those given? `values` are then those of the places.
  [[nodiscard]] bool answered_alike(std::span<const std::int64_t> symbols,
                                    std::vector<std::int64_t>& values) const;

 private:
  struct Question {
    enum class Kind : std::uint8_t { Equal, AtMost } kind = Kind::Equal;
    int a = 0, b = 0;  // places
    bool answer = false;
    friend bool operator==(const Question&, const Question&) = default;
  };
  /// Places, and for each the first with the same number.
  struct Pattern {
    std::vector<int> places{}, same_as{};
  };
  [[nodiscard]] bool ask(Question::Kind kind, const Dim& a, const Dim& b);

  DimTable table_;
  std::vector<std::int64_t> sample_;
  std::vector<Question> questions_{};
  std::vector<Pattern> patterns_{};
  std::vector<std::int64_t> values_{};  // of the sample
};

}  // namespace dvmsim
