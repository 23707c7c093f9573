// Reading reports, and the file of baselines.
#include "traces/record.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "traces/report.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kTotals[] = {"cycles", "e2e_us", "task_us", "core_us"};
constexpr const char* kGroups[] = {"host", "memory", "device_memory", "firmware"};
constexpr const char* kProfiles = "decode_profiles";

/// Reads members and says which one is wrong.
class Reader {
 public:
  explicit Reader(std::string where) : where_(std::move(where)) {}

  [[noreturn]] void fail(const std::string& what) const { throw Error(where_ + ": " + what); }

  const Json& member(const Json& object, const std::string& name) const {
    const auto found = object.is_object() ? object.find(name) : object.end();
    if (!object.is_object() || found == object.end()) {
      fail("the report has no '" + name + "'; write it again with this version of dvmsim");
    }
    return *found;
  }
  std::string text(const Json& object, const std::string& name) const {
    const Json& value = member(object, name);
    if (!value.is_string()) fail("'" + name + "' is no text");
    return value.get<std::string>();
  }
  const Json& list(const Json& object, const std::string& name) const {
    const Json& value = member(object, name);
    if (!value.is_array()) fail("'" + name + "' is no list");
    return value;
  }
  const Json& object(const Json& parent, const std::string& name) const {
    const Json& value = member(parent, name);
    if (!value.is_object()) fail("'" + name + "' has no members");
    return value;
  }
  double number(const Json& value, const std::string& name) const {
    if (!value.is_number()) fail("'" + name + "' is no number");
    return value.get<double>();
  }
  std::int64_t whole(const Json& value, const std::string& name) const {
    if (!value.is_number_integer()) fail("'" + name + "' is no whole number");
    return value.get<std::int64_t>();
  }

 private:
  std::string where_;
};

Json parse(std::string_view text, const Reader& reader) {
  Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) reader.fail("not JSON; name a report of run --json or op --json");
  return json;
}

void check_kind(const Json& json, const Reader& reader) {
  constexpr const char* kInstead = "; name a report of run --json or op --json";
  if (!json.is_object() || !json.contains("schema")) {
    reader.fail(std::string("not a report of dvmsim: it has no 'schema'") + kInstead);
  }
  const Json& schema = json["schema"];
  if (schema != RunReport::kSchema) {
    reader.fail("of schema " + schema.dump() + ", this version of dvmsim compares schema " +
                std::to_string(RunReport::kSchema) + "; write it again with this version");
  }
  if (json.contains("steps")) {
    reader.fail(std::string("the report of a stream, not of one run") + kInstead);
  }
  for (const char* name : {"model", "strategy", "cycles", "units"}) {
    if (!json.contains(name)) {
      reader.fail(std::string("not the report of a run: it has no '") + name + "'" + kInstead);
    }
  }
}

std::string joined(const Json& value) {
  std::string text;
  const auto add = [&](const std::string& word) { text += (text.empty() ? "" : " ") + word; };
  for (const auto& [name, item] : value.items()) {
    const std::string word = item.is_string() ? item.get<std::string>() : item.dump();
    add(value.is_object() ? name + "=" + word : word);
  }
  return text;
}

/// "cube17.mte2" and "cube.mte2" are unit "cube.mte2"; "cube3.mte1" is "mte1": only pipes that
/// cube and vector cores both have keep the kind.
std::string unit_of(const std::string& row) {
  const std::size_t dot = row.find('.');
  if (dot == std::string::npos) return row;
  const std::string pipe = row.substr(dot + 1);
  std::string kind = row.substr(0, dot);
  kind.erase(std::find_if(kind.begin(), kind.end(), [](char c) { return c >= '0' && c <= '9'; }),
             kind.end());
  const bool both = pipe == "scalar" || pipe == "mte2";
  return both && kind != "unified" ? kind + "." + pipe : pipe;
}

Record::Unit& unit_named(std::vector<Record::Unit>& units, const std::string& name) {
  const auto known = std::find_if(units.begin(), units.end(),
                                  [&](const Record::Unit& unit) { return unit.name == name; });
  return known != units.end() ? *known : units.emplace_back(Record::Unit{name, {}, {}});
}

std::vector<Record::Unit> read_units(const Json& owner, const Reader& reader) {
  std::vector<Record::Unit> units;
  for (const Json& row : reader.list(owner, "units")) {
    Record::Unit& unit = unit_named(units, unit_of(reader.text(row, "name")));
    for (const auto& [reason, cycles] : reader.object(row, "reasons").items()) {
      if (reason != name_of(Reason::Idle)) unit.reasons[reason] += reader.whole(cycles, reason);
    }
    if (!row.contains("instructions")) continue;
    for (const auto& [name, met] : reader.object(row, "instructions").items()) {
      unit.instructions[name] = {reader.whole(reader.member(met, "commands"), "commands"),
                                 reader.whole(reader.member(met, "cycles"), "cycles")};
    }
  }
  return units;
}

/// The numbers among the members; `prefix` before their names.
void add_figures(std::vector<Record::Figure>& figures, const Json& object,
                 const std::string& prefix) {
  for (const auto& [name, value] : object.items()) {
    if (value.is_number()) figures.push_back({prefix + name, value.get<double>()});
  }
}

void read_figures(Record& record, const Json& json, const Reader& reader) {
  for (const char* name : kTotals) {
    record.figures.push_back({name, reader.number(reader.member(json, name), name)});
  }
  for (const std::string group : kGroups) {
    const Json& members = reader.object(json, group);
    add_figures(record.figures, members, group + ".");
    if (!members.contains(kProfiles)) continue;
    for (const auto& [profile, decode] : reader.object(members, kProfiles).items()) {
      add_figures(record.figures, decode, "decode." + profile + ".");
    }
  }
}

void read_path(Record& record, const Json& json, const Reader& reader) {
  const Json& path = reader.member(json, "critical_path");
  if (path.is_null()) return;
  std::map<std::string, std::size_t> known;
  for (const Json& part : reader.list(path, "parts")) {
    const std::string unit = reader.text(part, "unit"), what = reader.text(part, "what");
    const bool of_unit = what == "work" || what == "wait-memory" || what == "latency";
    const std::string label = !of_unit ? what : what == "work" ? unit : unit + " " + what;
    const auto [at, is_new] = known.emplace(label, record.path.size());
    if (is_new) record.path.emplace_back(label, 0);
    record.path[at->second].second += reader.whole(reader.member(part, "cycles"), "cycles");
  }
}

Record read(const Json& json, const Reader& reader) {
  check_kind(json, reader);
  Record record;
  for (const char* name :
       {"model", "dims", "strategy", "features", "hardware", "machine_hash", "options"}) {
    const Json& value = reader.member(json, name);
    record.subject.emplace_back(name, value.is_string() ? value.get<std::string>() : joined(value));
  }
  read_figures(record, json, reader);
  record.units = read_units(json, reader);
  for (const Json& each : reader.list(json, "operators")) {
    Record::Operator& made = record.operators.emplace_back();
    made.name = reader.text(each, "name");
    add_figures(made.figures, each, "");
    made.units = read_units(each, reader);
  }
  read_path(record, json, reader);
  return record;
}

Json number(double value) {
  const double whole = std::nearbyint(value);
  if (whole == value && std::abs(value) < 9e15) return static_cast<std::int64_t>(value);
  return value;
}

Json units_of(const std::vector<Record::Unit>& units) {
  Json list = Json::array();
  for (const Record::Unit& unit : units) {
    Json json = {{"name", unit.name}, {"reasons", unit.reasons}};
    if (json["reasons"].is_null()) json["reasons"] = Json::object();
    for (const auto& [name, met] : unit.instructions) {
      json["instructions"][name] = {{"commands", met.commands}, {"cycles", met.cycles}};
    }
    list.push_back(std::move(json));
  }
  return list;
}

/// The members of a report that read() takes, in its shape.
Json shorter(const Record& record) {
  Json json = {{"schema", RunReport::kSchema}};
  for (const auto& [name, text] : record.subject) {
    const bool list = name == "features", map = name == "dims" || name == "options";
    json[name] = !list && !map ? Json(text) : Json::array({text});
    if ((list || map) && text.empty()) json[name] = Json::array();
  }
  for (const auto& [name, value] : record.figures) {
    const std::size_t dot = name.find('.'), last = name.rfind('.');
    if (dot == std::string::npos) {
      json[name] = number(value);
    } else if (dot == last) {
      json[name.substr(0, dot)][name.substr(dot + 1)] = number(value);
    } else {
      json["firmware"][kProfiles][name.substr(dot + 1, last - dot - 1)][name.substr(last + 1)] =
          number(value);
    }
  }
  json["units"] = units_of(record.units);
  json["operators"] = Json::array();
  for (const Record::Operator& each : record.operators) {
    Json made = {{"name", each.name}};
    for (const auto& [name, value] : each.figures) made[name] = number(value);
    made["units"] = units_of(each.units);
    json["operators"].push_back(std::move(made));
  }
  Json parts = Json::array();
  for (const auto& [label, cycles] : record.path) {
    parts.push_back({{"unit", ""}, {"what", label}, {"cycles", cycles}});
  }
  json["critical_path"] = {{"parts", parts}};
  return json;
}

std::string quoted(const std::string& text) {
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// An object with a member a line, and an element a line of lists of objects.
std::string lines_of(const Json& json, const std::string& indent) {
  std::string text = "{";
  const char* comma = "";
  for (const auto& [name, value] : json.items()) {
    text += comma + ("\n" + indent + "  ") + quoted(name) + ": ";
    comma = ",";
    if (!value.is_array() || value.empty() || !value.front().is_object()) {
      text += value.dump();
      continue;
    }
    for (std::size_t i = 0; i < value.size(); ++i) {
      text += (i == 0 ? "[\n" : ",\n") + indent + "    " + value[i].dump();
    }
    text += "\n" + indent + "  ]";
  }
  return text + "\n" + indent + "}";
}

}  // namespace

Record parse_record(std::string_view json, const std::string& where) {
  const Reader reader(where);
  return read(parse(json, reader), reader);
}

Records parse_records(std::string_view json, const std::string& where) {
  const Reader reader(where);
  const Json all = parse(json, reader);
  Records records;
  for (const auto& [name, value] : reader.object(all, "baselines").items()) {
    records.emplace(name, read(value, Reader(where + ": '" + name + "'")));
  }
  return records;
}

std::string to_json(const Records& records) {
  std::string text =
      "{\n  \"schema\": " + std::to_string(RunReport::kSchema) + ",\n  \"baselines\": {";
  const char* comma = "";
  for (const auto& [name, record] : records) {
    text += comma + ("\n    " + quoted(name)) + ": " + lines_of(shorter(record), "    ");
    comma = ",";
  }
  return text + "\n  }\n}\n";
}

std::string title_of(const Record& record) {
  std::map<std::string, std::string> said(record.subject.begin(), record.subject.end());
  const std::string& dims = said["dims"];
  return said["model"] + (dims.empty() ? "" : " " + dims) + "  (" + said["strategy"] + " on " +
         said["hardware"] + ")";
}

}  // namespace dvmsim
