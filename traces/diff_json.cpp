// The JSON form of a difference.
#include <nlohmann/json.hpp>

#include "traces/diff.h"

namespace dvmsim {
namespace {

using Json = nlohmann::ordered_json;

Json number(const std::optional<double>& value, const std::string& unit) {
  if (!value) return {};
  return unit == "us" ? Json(*value) : Json(static_cast<std::int64_t>(*value));
}

Json rows_of(const std::vector<Moved>& rows) {
  Json list = Json::array();
  for (const Moved& row : rows) {
    list.push_back({{"name", row.name},
                    {"unit", row.unit},
                    {"before", number(row.before, row.unit)},
                    {"after", number(row.after, row.unit)},
                    {"change", number(row.change(), row.unit)},
                    {"note", row.note},
                    {"parts", rows_of(row.parts)}});
  }
  return list;
}

}  // namespace

std::string to_json(const Diff& diff) {
  Json json = {{"schema", 1},           {"before", diff.before},
               {"after", diff.after},   {"warnings", diff.warnings},
               {"moved", diff.moved()}, {"sections", Json::array()}};
  for (const Diff::Section& section : diff.sections) {
    json["sections"].push_back({{"name", section.name}, {"rows", rows_of(section.rows)}});
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace dvmsim
