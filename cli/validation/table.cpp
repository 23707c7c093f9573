#include "cli/validation/table.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <set>

#include "cli/validation/msprof.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

constexpr std::array kColumns = {"id",        "group",  "chip",     "hardware", "case",
                                 "reference", "metric", "measured", "unit",     "tolerance",
                                 "gate",      "source", "note"};
constexpr std::array kNeeded = {"id", "case", "metric", "measured"};

double parse_number(std::string_view text, const std::string& where) {
  double value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc() || end != text.data() + text.size()) {
    throw Error(where + ": '" + std::string(text) + "' is not a number");
  }
  return value;
}

std::string place_of(const Csv& csv, int line) {
  return csv.name + ":" + std::to_string(line);
}

void check_columns(const Csv& csv) {
  for (const std::string& title : csv.header.fields) {
    if (std::find(kColumns.begin(), kColumns.end(), title) != kColumns.end()) continue;
    csv.fail(csv.header.line, "column '" + title +
                                  "' is unknown; use id group chip hardware case reference metric "
                                  "measured unit tolerance gate source note");
  }
  for (const char* title : kNeeded) {
    if (!csv.column(title)) {
      csv.fail(csv.header.line, std::string("column '") + title + "' is missing");
    }
  }
}

void read_measured(TableRow& row, const std::string& text, const std::string& where) {
  const auto dots = text.find("..");
  row.low = parse_number(std::string_view(text).substr(0, dots), where + ": measured");
  row.high = dots == std::string::npos
                 ? row.low
                 : parse_number(std::string_view(text).substr(dots + 2), where + ": measured");
  if (row.low <= 0 || row.high < row.low) {
    throw Error(where + ": measured: '" + text + "' must be positive, and a range must rise");
  }
}

TableRow read_row(const Csv& csv, const CsvRecord& record, std::optional<double> tolerance) {
  const std::string where = place_of(csv, record.line);
  const auto field = [&](const char* title) -> const std::string& {
    return csv.field(record, title);
  };
  TableRow row;
  row.line = record.line;
  row.id = field("id");
  if (row.id.empty()) throw Error(where + ": the row has no id");
  if (!field("group").empty()) row.group = field("group");
  row.chip = field("chip");
  row.hardware = field("hardware");
  row.command = field("case");
  row.reference = field("reference");
  row.unit = field("unit");
  row.source = field("source");
  row.note = field("note");
  read_measured(row, field("measured"), where);
  row.tolerance = tolerance;
  if (!field("tolerance").empty()) row.tolerance = parse_percent(field("tolerance"), where);

  const std::string& gate = field("gate");
  row.gated = gate.empty() || gate == "yes";
  if (!row.gated) row.reason = gate;
  if (row.command.empty()) {
    if (row.gated) throw Error(where + ": the row has no case; say in 'gate' what is missing");
    return row;
  }
  if (row.gated && !row.tolerance) {
    if (gate == "yes") throw Error(where + ": a gated row needs a tolerance, as 5%");
    row.gated = false;
    row.reason = "no tolerance stated";
  }
  (void)words_of(row.command, where);
  (void)words_of(row.reference, where);
  row.metric = Metric(field("metric"), where);
  if (row.metric.needs_reference() && row.reference.empty()) {
    throw Error(where + ": the metric reads ref., but 'reference' is empty");
  }
  return row;
}

/// #gate GROUP median=6% ...
void read_comment(const Csv& csv, const CsvRecord& comment, Table& table) {
  const std::string where = place_of(csv, comment.line);
  if (!comment.fields[0].starts_with("gate ")) return;
  const std::vector<std::string> words = words_of(comment.fields[0], where);
  if (words.size() < 3) throw Error(where + ": write #gate GROUP median=6% p90=10% worst=20%");
  GroupLimit limit;
  limit.group = words[1];
  for (std::size_t i = 2; i < words.size(); ++i) {
    const auto equals = words[i].find('=');
    const std::string name = words[i].substr(0, equals);
    auto& slot = name == "median" ? limit.median : name == "p90" ? limit.p90 : limit.worst;
    if (equals == std::string::npos || (name != "median" && name != "p90" && name != "worst")) {
      throw Error(where + ": '" + words[i] + "': write median=6%, p90=10% or worst=20%");
    }
    slot = parse_percent(words[i].substr(equals + 1), where);
  }
  table.limits.push_back(limit);
}

void check_together(const Csv& csv, const Table& table) {
  std::set<std::string> ids, groups;
  for (const TableRow& row : table.rows) {
    groups.insert(row.group);
    if (!ids.insert(row.id).second) csv.fail(row.line, "id '" + row.id + "' is there twice");
  }
  for (const GroupLimit& limit : table.limits) {
    if (!groups.contains(limit.group)) {
      throw Error(csv.name + ": #gate " + limit.group + ": no row is of this group");
    }
  }
}

}  // namespace

double parse_percent(const std::string& text, const std::string& where) {
  std::string_view number = text;
  if (!number.ends_with('%')) throw Error(where + ": '" + text + "' is no percentage; write 5%");
  number.remove_suffix(1);
  while (number.ends_with(' ')) number.remove_suffix(1);
  const double value = parse_number(number, where);
  if (value < 0) throw Error(where + ": '" + text + "': a tolerance cannot be negative");
  return value / 100;
}

std::vector<std::string> words_of(std::string_view text, const std::string& where) {
  std::vector<std::string> words;
  bool inside = false, quoted = false;
  for (const char c : text) {
    if (c == '"') {
      quoted = !quoted;
      if (!inside) words.emplace_back();
      inside = true;
    } else if (!quoted && (c == ' ' || c == '\t' || c == '\n')) {
      inside = false;
    } else {
      if (!inside) words.emplace_back();
      inside = true;
      words.back() += c;
    }
  }
  if (quoted) throw Error(where + ": a quote in the command line is not closed");
  return words;
}

Table parse_table(std::string_view text, const std::string& path, std::optional<double> tolerance) {
  const Csv csv = parse_csv(text, path);
  Table table;
  if (is_op_summary(csv)) {
    table = table_of_op_summary(csv, tolerance);
  } else {
    check_columns(csv);
    for (const CsvRecord& record : csv.records) {
      table.rows.push_back(read_row(csv, record, tolerance));
    }
    for (const CsvRecord& comment : csv.comments) read_comment(csv, comment, table);
  }
  table.path = path;
  table.folder = std::filesystem::path(path).parent_path().string();
  if (table.rows.empty()) throw Error(path + ": no rows; nothing to validate");
  check_together(csv, table);
  return table;
}

}  // namespace dvmsim
