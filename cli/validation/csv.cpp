#include "cli/validation/csv.h"

#include <algorithm>

#include "vm/base/error.h"

namespace dvmsim {
namespace {

class Reader {
 public:
  Reader(std::string_view text, Csv& csv) : text_(text), csv_(csv) {
    if (text_.starts_with("\xef\xbb\xbf")) text_.remove_prefix(3);
  }

  [[nodiscard]] bool done() const { return at_ == text_.size(); }

  void line() {
    const int begin = line_;
    if (text_[at_] == '#') {
      csv_.comments.push_back({begin, {rest_of_line()}});
      return;
    }
    CsvRecord record{begin, {}};
    do {
      record.fields.push_back(field());
    } while (take(','));
    end_of_line();
    if (record.fields.size() == 1 && record.fields[0].empty()) return;  // a blank line
    add(std::move(record));
  }

 private:
  void add(CsvRecord record) {
    if (csv_.header.fields.empty()) {
      check_header(record);
      csv_.header = std::move(record);
      return;
    }
    const std::size_t wanted = csv_.header.fields.size();
    if (record.fields.size() != wanted) {
      csv_.fail(record.line, std::to_string(record.fields.size()) +
                                 " fields where the header has " + std::to_string(wanted) +
                                 "; put fields with commas into quotes");
    }
    csv_.records.push_back(std::move(record));
  }

  void check_header(const CsvRecord& header) const {
    std::vector<std::string> titles = header.fields;
    std::sort(titles.begin(), titles.end());
    const auto twice = std::adjacent_find(titles.begin(), titles.end());
    if (twice != titles.end()) {
      csv_.fail(header.line, "column '" + *twice + "' is there twice; rename one");
    }
  }

  std::string field() {
    if (take('"')) return quoted();
    std::string value;
    while (!done() && text_[at_] != ',' && !at_end_of_line()) {
      if (text_[at_] == '"') csv_.fail(line_, "a quote inside a field; put the field into quotes");
      value += next();
    }
    return value;
  }

  std::string quoted() {
    const int begin = line_;
    std::string value;
    for (;;) {
      if (done()) csv_.fail(begin, "a quote is not closed; end the field with \"");
      if (!take('"')) {
        value += next();
      } else if (take('"')) {
        value += '"';
      } else {
        break;
      }
    }
    if (!done() && text_[at_] != ',' && !at_end_of_line()) {
      csv_.fail(line_, "text after a closing quote; write \"\" for a quote inside a field");
    }
    return value;
  }

  std::string rest_of_line() {
    std::string value;
    ++at_;
    while (!done() && !at_end_of_line()) value += next();
    end_of_line();
    return value;
  }

  [[nodiscard]] bool at_end_of_line() const {
    return text_[at_] == '\n' || text_.substr(at_, 2) == "\r\n";
  }
  void end_of_line() {
    if (done()) return;
    take('\r');
    take('\n');
    ++line_;
  }
  bool take(char c) {
    if (done() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  char next() {
    const char c = text_[at_++];
    if (c == '\0') csv_.fail(line_, "a zero byte; this is no text");
    if (c == '\n') ++line_;
    return c;
  }

  std::string_view text_;
  Csv& csv_;
  std::size_t at_ = 0;
  int line_ = 1;
};

}  // namespace

std::optional<std::size_t> Csv::column(std::string_view title) const {
  const auto found = std::find(header.fields.begin(), header.fields.end(), title);
  if (found == header.fields.end()) return {};
  return static_cast<std::size_t>(found - header.fields.begin());
}

const std::string& Csv::field(const CsvRecord& record, std::string_view title) const {
  static const std::string kNothing;
  const auto at = column(title);
  return at ? record.fields[*at] : kNothing;
}

void Csv::fail(int line, const std::string& what) const {
  throw Error(name + ":" + std::to_string(line) + ": " + what);
}

Csv parse_csv(std::string_view text, const std::string& name) {
  Csv csv;
  csv.name = name;
  for (Reader reader(text, csv); !reader.done();) reader.line();
  if (csv.header.fields.empty()) csv.fail(1, "no header; write the names of the columns first");
  return csv;
}

}  // namespace dvmsim
