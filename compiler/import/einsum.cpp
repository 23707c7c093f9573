// ONNX Einsum: pair by pair, as sums, transposes and a batched product.
#include <algorithm>
#include <map>
#include <string>

#include "compiler/import/lower.h"

namespace dvmsim::onnx_import {
namespace {

/// A tensor with a letter for each axis.
struct Term {
  ValueId value = kNoValue;
  std::string letters{};
};

class Einsum {
 public:
  explicit Einsum(Lower& l) : l_(l) {}

  void run() {
    parse(l_.string_of("equation", ""));
    Term result = single(0);
    for (std::size_t i = 1; i < terms_.size(); ++i) result = product(result, single(i), i);
    result = summed(result, output_);
    if (!same_letters(result.letters, output_))
      l_.fail("the output has a letter that no input has");
    l_.out(0, ordered(result, output_).value);
  }

 private:
  static bool has(const std::string& letters, char letter) {
    return letters.find(letter) != std::string::npos;
  }
  static bool same_letters(std::string a, std::string b) {
    std::sort(a.begin(), a.end());
    std::sort(b.begin(), b.end());
    return a == b;
  }

  /// Letters of each input; an ellipsis becomes digits, counted from the end.
  void parse(std::string equation) {
    std::erase(equation, ' ');
    for (const char c : equation) {
      const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
      if (!letter && !has(",.->", c)) l_.fail("the equation has a '" + std::string(1, c) + "'");
    }
    const std::size_t arrow = equation.find("->");
    const std::string inputs = equation.substr(0, arrow);
    std::size_t begin = 0, most = 0;
    for (int i = 0; i < l_.inputs(); ++i) {
      const std::size_t end = std::min(inputs.find(',', begin), inputs.size());
      if (begin > inputs.size()) l_.fail("the equation has fewer terms than inputs");
      const std::string text = inputs.substr(begin, end - begin);
      const auto rank = static_cast<std::size_t>(l_.rank(l_.in(i)));
      const std::size_t letters = text.size() - (has(text, '.') ? 3 : 0);
      if (letters > rank || (!has(text, '.') && letters != rank)) {
        l_.fail("term '" + text + "' does not fit an input of rank " + std::to_string(rank));
      }
      most = std::max(most, rank - letters);
      terms_.push_back({l_.in(i), expanded(text, rank - letters)});
      begin = end + 1;
    }
    if (begin <= inputs.size()) l_.fail("the equation has more terms than inputs");
    if (arrow != std::string::npos) {
      output_ = expanded(equation.substr(arrow + 2), most);
      for (const char letter : output_) {
        if (std::count(output_.begin(), output_.end(), letter) > 1) {
          l_.fail("the output repeats a letter");
        }
      }
      return;
    }
    std::map<char, int> uses;
    for (const Term& term : terms_) {
      for (const char letter : term.letters) ++uses[letter];
    }
    for (const auto& [letter, count] : uses) {
      if (count == 1 || letter < 'A') output_ += letter;  // digits sort before letters
    }
  }
  static std::string expanded(const std::string& text, std::size_t digits) {
    const std::size_t dots = text.find("...");
    if (dots == std::string::npos) return text;
    std::string middle;
    for (std::size_t i = digits; i-- > 0;) middle += static_cast<char>('0' + i);
    return text.substr(0, dots) + middle + text.substr(dots + 3);
  }

  [[nodiscard]] Dim dim(const Term& term, char letter) const {
    return l_.shape(term.value)[term.letters.find(letter)];
  }

  /// The input with each letter once: the diagonal of letters that repeat.
  Term single(std::size_t index) {
    Term term = terms_[index];
    for (std::size_t i = 0; i < term.letters.size(); ++i) {
      const std::size_t again = term.letters.find(term.letters[i], i + 1);
      if (again == std::string::npos) continue;
      const int rank = static_cast<int>(term.letters.size());
      const Dim size = l_.shape(term.value)[i];
      const ValueId on_diagonal =
          l_.op(Op::Eq, {l_.positions(size, static_cast<int>(i), rank),
                         l_.positions(size, static_cast<int>(again), rank)});
      const ValueId kept = l_.op(Op::Select, {on_diagonal, term.value, l_.scalar(term.value, 0)});
      term.value =
          l_.op(Op::ReduceSum, {kept},
                {{"axes", Dims{static_cast<std::int64_t>(again)}}, {"keepdims", std::int64_t{0}}});
      term.letters.erase(again, 1);
      --i;
    }
    return term;
  }

  /// Without the letters that nothing in `needed` has.
  Term summed(const Term& term, const std::string& needed) {
    Dims axes;
    Term result = term;
    result.letters.clear();
    for (std::size_t i = 0; i < term.letters.size(); ++i) {
      if (has(needed, term.letters[i])) {
        result.letters += term.letters[i];
      } else {
        axes.emplace_back(static_cast<std::int64_t>(i));
      }
    }
    if (axes.empty()) return result;
    result.value =
        l_.op(Op::ReduceSum, {term.value}, {{"axes", axes}, {"keepdims", std::int64_t{0}}});
    return result;
  }

  Term ordered(const Term& term, const std::string& letters) {
    if (term.letters == letters) return term;
    Dims perm;
    for (const char letter : letters) {
      perm.emplace_back(static_cast<std::int64_t>(term.letters.find(letter)));
    }
    return {l_.op(Op::Transpose, {term.value}, {{"perm", perm}}), letters};
  }

  Dims dims(const Term& a, const Term& b, const std::string& letters) const {
    Dims result;
    for (const char letter : letters) {
      const Dim one = has(a.letters, letter) ? dim(a, letter) : dim(b, letter);
      result.push_back(one.is(1) && has(b.letters, letter) ? dim(b, letter) : one);
    }
    return result;
  }

  /// [batch, rows, sums] times [batch, sums, columns]. Batch letters of one element broadcast.
  Term product(Term a, Term b, std::size_t index) {
    std::string later = output_;
    for (std::size_t i = index + 1; i < terms_.size(); ++i) later += terms_[i].letters;
    a = summed(a, later + b.letters);
    b = summed(b, later + a.letters);
    std::string batch, rows, sums, columns;
    for (const char letter : a.letters) {
      (!has(b.letters, letter) ? rows : has(later, letter) ? batch : sums) += letter;
    }
    for (const char letter : b.letters) {
      if (!has(a.letters, letter)) columns += letter;
    }
    const Dims wide = dims(a, b, batch), m = dims(a, b, rows), k = dims(a, b, sums),
               n = dims(a, b, columns);
    const auto flat = [&](Term term, const std::string& order, const Dims& first,
                          const Dims& second) {
      term = ordered(term, order);
      Dims whole = wide;
      whole.insert(whole.end(), first.begin(), first.end());
      whole.insert(whole.end(), second.begin(), second.end());
      if (!(l_.shape(term.value) == whole)) {
        term.value = l_.op(Op::Expand, {term.value}, {{"shape", whole}});
      }
      return l_.reshape(term.value,
                        {element_count(wide), element_count(first), element_count(second)});
    };
    const ValueId left = flat(a, batch + rows + sums, m, k);
    const ValueId right = flat(b, batch + sums + columns, k, n);
    Dims shape = wide;
    shape.insert(shape.end(), m.begin(), m.end());
    shape.insert(shape.end(), n.begin(), n.end());
    return {l_.reshape(l_.op(Op::MatMul, {left, right}), shape), batch + rows + columns};
  }

  Lower& l_;
  std::vector<Term> terms_{};
  std::string output_{};
};

void einsum(Lower& l) {
  Einsum(l).run();
}

constexpr Entry kTable[] = {{"Einsum", einsum}};

}  // namespace

std::span<const Entry> einsum_table() {
  return kTable;
}

}  // namespace dvmsim::onnx_import
