#include "cli/validation/score.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "traces/stream_report.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

std::string place_of(const Table& table, const TableRow& row) {
  return table.path + ":" + std::to_string(row.line);
}

RowScore score_row(const Table& table, const TableRow& row, const Overrides& overrides,
                   const Pool& pool) {
  RowScore result;
  result.row = &row;
  if (row.command.empty()) return result;
  const Outcome& own = pool.outcome(words_of_case(row, row.command, overrides));
  const Outcome* reference =
      row.reference.empty() ? nullptr : &pool.outcome(words_of_case(row, row.reference, overrides));
  for (const Outcome* outcome : {&own, reference}) {
    if (outcome != nullptr && !outcome->error.empty()) {
      result.failure = place_of(table, row) + ": " + outcome->error;
      return result;
    }
  }
  result.simulated =
      row.metric.value(own.figures, reference == nullptr ? nullptr : &reference->figures);
  result.error = error_of(*result.simulated, row.low, row.high);
  return result;
}

void check_limit(GroupScore& group, const char* name, double value, std::optional<double> limit) {
  if (!limit || value <= *limit) return;
  group.beyond.push_back(fmt::format("{} {:.1f} % > {:g} %", name, value * 100, *limit * 100));
}

GroupScore score_group(const std::string& name, bool gated, const std::vector<RowScore>& rows) {
  GroupScore group;
  group.group = name;
  group.gated = gated;
  std::vector<double> errors;
  for (const RowScore& row : rows) {
    if (row.row->group != name || row.row->gated != gated || !row.simulated) continue;
    const double error = std::abs(row.error);
    if (errors.empty() || error > group.worst) {
      group.worst = error;
      group.worst_id = row.row->id;
    }
    errors.push_back(error);
  }
  group.rows = errors.size();
  if (errors.empty()) return group;
  std::sort(errors.begin(), errors.end());
  group.median = median(errors);
  group.p90 = percentile(errors, 0.9);
  return group;
}

}  // namespace

Words words_of_case(const TableRow& row, const std::string& command, const Overrides& overrides) {
  Words words = words_of(command, row.id);
  const std::string& hardware = overrides.hardware.empty() ? row.hardware : overrides.hardware;
  if (!hardware.empty()) words.insert(words.end(), {"--hw", hardware});
  for (const std::string& set : overrides.sets) words.insert(words.end(), {"--set", set});
  if (!overrides.memory.empty()) words.insert(words.end(), {"--memory", overrides.memory});
  return words;
}

bool RowScore::failed() const {
  if (!row->gated) return false;
  return !simulated || std::abs(error) > *row->tolerance;
}

bool Score::pass() const {
  return std::none_of(rows.begin(), rows.end(), [](const RowScore& row) { return row.failed(); }) &&
         std::all_of(groups.begin(), groups.end(),
                     [](const GroupScore& group) { return group.beyond.empty(); });
}

std::vector<Words> cases_of(const Table& table, const Overrides& overrides) {
  std::vector<Words> cases;
  for (const TableRow& row : table.rows) {
    if (!row.command.empty()) cases.push_back(words_of_case(row, row.command, overrides));
    if (!row.reference.empty()) cases.push_back(words_of_case(row, row.reference, overrides));
  }
  return cases;
}

Score score(const Table& table, const Overrides& overrides, Pool& pool) {
  pool.run(cases_of(table, overrides));
  Score result;
  std::vector<std::string> names;
  for (const TableRow& row : table.rows) {
    result.rows.push_back(score_row(table, row, overrides, pool));
    if (std::find(names.begin(), names.end(), row.group) == names.end()) names.push_back(row.group);
  }
  for (const std::string& name : names) {
    for (const bool gated : {true, false}) {
      GroupScore group = score_group(name, gated, result.rows);
      if (group.rows == 0) continue;
      for (const GroupLimit& limit : table.limits) {
        if (!gated || limit.group != name) continue;
        check_limit(group, "median", group.median, limit.median);
        check_limit(group, "p90", group.p90, limit.p90);
        check_limit(group, "worst", group.worst, limit.worst);
      }
      result.groups.push_back(std::move(group));
    }
  }
  return result;
}

double error_of(double simulated, double low, double high) {
  const double nearest = std::clamp(simulated, low, high);
  return (simulated - nearest) / nearest;
}

double median(const std::vector<double>& sorted) {
  const std::size_t middle = sorted.size() / 2;
  return sorted.size() % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

}  // namespace dvmsim
