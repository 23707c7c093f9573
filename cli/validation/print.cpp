#include "cli/validation/print.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace dvmsim {
namespace {

using Json = nlohmann::ordered_json;

std::string measured_of(const TableRow& row) {
  const std::string low = short_number(row.low);
  return row.low == row.high ? low : low + ".." + short_number(row.high);
}

std::string verdict_of(const RowScore& score) {
  const TableRow& row = *score.row;
  if (!score.failure.empty()) return (row.gated ? "FAIL: " : "listed: ") + score.failure;
  if (!row.gated) return "listed: " + row.reason;
  if (score.failed()) return fmt::format("FAIL: beyond {:g} %", *row.tolerance * 100);
  return "ok";
}

std::string cut(const std::string& text, std::size_t width) {
  return text.size() <= width ? text : text.substr(0, width - 1) + "~";
}

constexpr std::size_t kCaseWidth = 46;

std::string print_row(const RowScore& score, std::size_t id_width, std::size_t chip_width) {
  const TableRow& row = *score.row;
  const std::string error =
      score.simulated ? fmt::format("{:+.1f} %", score.error * 100) : std::string("-");
  return fmt::format("{:{}}  {:{}}  {:{}}  {:>10}  {:>10} {:7}  {:>8}  {}\n", row.id, id_width,
                     cut(row.chip, chip_width), chip_width,
                     row.command.empty() ? "-" : cut(row.command, kCaseWidth), kCaseWidth,
                     measured_of(row), score.simulated ? short_number(*score.simulated) : "-",
                     row.unit, error, verdict_of(score));
}

std::string percent(double value) {
  return fmt::format("{:.1f} %", value * 100);
}

Json json_of(const RowScore& score) {
  const TableRow& row = *score.row;
  Json json = {{"id", row.id},        {"group", row.group},          {"chip", row.chip},
               {"case", row.command}, {"metric", row.metric.text()}, {"unit", row.unit},
               {"measured", row.low}};
  if (row.high != row.low) json["measured_most"] = row.high;
  json["simulated"] = score.simulated ? Json(*score.simulated) : Json();
  json["error"] = score.simulated ? Json(score.error) : Json();
  json["tolerance"] = row.tolerance ? Json(*row.tolerance) : Json();
  json["gated"] = row.gated;
  json["pass"] = !score.failed();
  if (!row.reason.empty()) json["reason"] = row.reason;
  if (!score.failure.empty()) json["failure"] = score.failure;
  json["source"] = row.source;
  json["note"] = row.note;
  return json;
}

}  // namespace

std::string short_number(double value) {
  if (std::abs(value) >= 1000) return fmt::format("{:.0f}", value);
  return fmt::format("{:.4g}", value);
}

std::string print_groups(const Score& score) {
  std::size_t width = 5;
  for (const GroupScore& group : score.groups) {
    width = std::max(width, group.group.size() + (group.gated ? 0 : 9));
  }
  std::string text = fmt::format("{:{}}  {:>4}  {:>8}  {:>8}  {:>8}\n", "group", width, "rows",
                                 "median", "p90", "worst");
  for (const GroupScore& group : score.groups) {
    const std::string name = group.gated ? group.group : group.group + " (listed)";
    text += fmt::format("{:{}}  {:>4}  {:>8}  {:>8}  {:>8} {}", name, width, group.rows,
                        percent(group.median), percent(group.p90), percent(group.worst),
                        group.worst_id);
    for (const std::string& beyond : group.beyond) text += "  FAIL: " + beyond;
    text += "\n";
  }
  return text;
}

std::string print(const Table& table, const Score& score, bool failures_only) {
  std::size_t id_width = 2, chip_width = 4;
  for (const TableRow& row : table.rows) {
    id_width = std::max(id_width, row.id.size());
    chip_width = std::min<std::size_t>(14, std::max(chip_width, row.chip.size()));
  }
  std::string text =
      fmt::format("{:{}}  {:{}}  {:{}}  {:>10}  {:>10} {:7}  {:>8}\n", "id", id_width, "chip",
                  chip_width, "case", kCaseWidth, "measured", "simulated", "unit", "error");
  std::size_t gated = 0, good = 0;
  for (const RowScore& row : score.rows) {
    gated += row.row->gated ? 1 : 0;
    good += row.row->gated && !row.failed() ? 1 : 0;
    if (!failures_only || row.failed()) text += print_row(row, id_width, chip_width);
  }
  text += "\n" + print_groups(score);
  return text + fmt::format("\n{} of {} gated rows within their tolerance, {} listed: {}\n", good,
                            gated, score.rows.size() - gated, score.pass() ? "pass" : "FAIL");
}

std::string to_json(const Table& table, const Score& score) {
  Json rows = Json::array(), groups = Json::array();
  for (const RowScore& row : score.rows) rows.push_back(json_of(row));
  for (const GroupScore& group : score.groups) {
    groups.push_back({{"group", group.group},
                      {"gated", group.gated},
                      {"rows", group.rows},
                      {"median", group.median},
                      {"p90", group.p90},
                      {"worst", group.worst},
                      {"worst_id", group.worst_id},
                      {"beyond", group.beyond}});
  }
  const Json json = {{"schema", 1},
                     {"table", table.path},
                     {"pass", score.pass()},
                     {"groups", groups},
                     {"rows", rows}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace dvmsim
