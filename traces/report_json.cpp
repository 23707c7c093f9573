// The JSON form of a report: the only user of the JSON library's writer.
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "traces/report.h"

namespace dvmsim {
namespace {

using Json = nlohmann::ordered_json;

/// Times to a picosecond, so that no platform's last bit shows.
double rounded(double value) {
  return std::round(value * 1e6) / 1e6;
}

/// host.operators, of strategies that launch operators one by one: as many as the model writes, as
/// many as the framework dispatches for them, and by kind those of it that are written as several.
Json operators(const RunReport::Host::Operators& operators) {
  Json rerolled = Json::object();
  for (const auto& [kind, count] : operators.rerolled) rerolled[kind] = count;
  return {
      {"written", operators.written}, {"framework", operators.framework}, {"rerolled", rerolled}};
}

Json host(const RunReport::Host& host) {
  Json made = {{"compile_us", rounded(host.compile_us)},
               {"encode_us", rounded(host.encode_us)},
               {"launch_us", rounded(host.launch_us)},
               {"launches", host.launches},
               {"program_bytes", host.program_bytes},
               {"synchronisations", host.synchronisations},
               {"bytes_read", host.bytes_read},
               {"iterations", host.iterations},
               {"nodes", host.nodes}};
  if (host.operators) made["operators"] = operators(*host.operators);
  return made;
}

Json reasons_of(const std::array<std::int64_t, kReasons>& cycles) {
  Json reasons = Json::object();
  for (std::size_t i = 0; i < cycles.size(); ++i) {
    if (cycles[i] != 0) reasons[std::string(name_of(static_cast<Reason>(i)))] = cycles[i];
  }
  return reasons;
}

Json units(const std::vector<RunReport::Unit>& units) {
  Json list = Json::array();
  for (const auto& unit : units) {
    list.push_back(
        {{"name", unit.name}, {"total", unit.total}, {"reasons", reasons_of(unit.reasons)}});
  }
  return list;
}

Json operators(const std::vector<OperatorSum>& operators) {
  Json list = Json::array();
  for (const OperatorSum& sum : operators) {
    Json units = Json::array();
    for (const OperatorSum::Unit& unit : sum.units) {
      Json instructions = Json::object();
      for (const auto& [op, met] : unit.instructions) {
        instructions[std::string(isa::row_of(op).mnemonic)] = {{"commands", met.commands},
                                                               {"cycles", met.cycles}};
      }
      units.push_back({{"name", name_of(unit.unit)},
                       {"total", unit.total},
                       {"reasons", reasons_of(unit.reasons)},
                       {"instructions", instructions}});
    }
    const auto bytes = [&](Place place) { return sum.bytes[static_cast<std::size_t>(place)]; };
    list.push_back({{"name", sum.label},
                    {"launches", sum.launches},
                    {"tasks", sum.tasks},
                    {"cycles", sum.cycles},
                    {"hbm_read_bytes", bytes(Place::HbmRead)},
                    {"hbm_write_bytes", bytes(Place::HbmWrite)},
                    {"l2_hit_bytes", bytes(Place::L2Hit)},
                    {"units", units}});
  }
  return list;
}

Json firmware(const RunReport::Firmware& firmware) {
  constexpr const char* kProfiles[] = {"low", "nominal", "high"};
  Json json = {{"instructions", firmware.instructions},
               {"commands", firmware.commands},
               {"decode_cycles", firmware.decode_cycles}};
  json["exposed_cycles"] = firmware.exposed_cycles ? Json(*firmware.exposed_cycles) : Json();
  Json profiles = Json::object();
  for (std::size_t i = 0; i < firmware.by_profile.size(); ++i) {
    const auto& decode = firmware.by_profile[i];
    if (!decode) continue;
    profiles[kProfiles[i]] = {{"cycles", decode->cycles},
                              {"decode_cycles", decode->decode_cycles},
                              {"exposed_cycles", decode->exposed_cycles}};
  }
  json["decode_profiles"] = profiles;
  return json;
}

Json roofline(const Roofline& roofline) {
  Json demands = Json::object();
  for (const Demand& demand : roofline.per_pipe) {
    demands[demand.resource] = {{"cycles", demand.cycles}, {"fraction", rounded(demand.busy)}};
  }
  Json json = {{"bound", roofline.bound},
               {"ideal_cycles", roofline.ideal_cycles},
               {"fraction", rounded(roofline.fraction)},
               {"per_pipe", demands}};
  json["verdict"] = name_of(roofline.verdict);
  json["limiter"] = roofline.limiter;
  json["cause"] = name_of(roofline.cause);
  json["between_launches"] = rounded(roofline.between_launches);
  json["waits"] = Json::object();
  for (const auto& [reason, share] : roofline.waits) {
    json["waits"][std::string(name_of(reason))] = rounded(share);
  }
  json["components"] = Json::object();
  for (const Component& component : roofline.components) {
    json["components"][component.name] = {{"side", name_of(component.side)},
                                          {"ceiling_cycles", component.ceiling_cycles},
                                          {"reached", rounded(component.reached)},
                                          {"busy_cycles", component.busy_cycles},
                                          {"busy", rounded(component.busy)}};
  }
  return json;
}

Json critical_path(const std::optional<CriticalPath>& asked) {
  if (!asked) return {};
  const CriticalPath& path = *asked;
  Json json = {{"cycles", path.cycles}};
  json["missing"] = path.missing.empty() ? Json() : Json(path.missing);
  json["parts"] = Json::array();
  for (const auto& part : path.parts) {
    json["parts"].push_back(
        {{"unit", name_of(part.unit)}, {"what", name_of(part.cause)}, {"cycles", part.cycles}});
  }
  json["top"] = Json::array();
  for (const auto& item : path.top) {
    json["top"].push_back({{"operator", item.operation},
                           {"instruction", item.instruction},
                           {"unit", name_of(item.unit)},
                           {"cycles", item.cycles},
                           {"commands", item.commands}});
  }
  json["faster"] = rounded(path.faster);
  json["slack"] = Json::object();
  for (const auto& item : path.slack) {
    json["slack"][item.resource] = {{"cycles", rounded(item.cycles)}, {"gain", rounded(item.gain)}};
  }
  return json;
}

Json check(const std::optional<RunReport::Check>& check) {
  if (!check) return {};
  return {{"max_abs_err", check->max_abs_err},
          {"max_rel_err", check->max_rel_err},
          {"pass", check->pass}};
}

/// Numbers in 7-bit groups, the lowest first, the high bit set on all but the last; as base64.
class Packed {
 public:
  void add(std::uint64_t number) {
    for (; number >= 128; number >>= 7) bytes_.push_back(static_cast<unsigned char>(number | 128));
    bytes_.push_back(static_cast<unsigned char>(number));
  }
  [[nodiscard]] std::string base64() const {
    constexpr std::string_view kDigits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    for (std::size_t i = 0; i < bytes_.size(); i += 3) {
      const std::size_t here = std::min<std::size_t>(3, bytes_.size() - i);
      unsigned word = 0;
      for (std::size_t k = 0; k < 3; ++k) word = word << 8 | (k < here ? bytes_[i + k] : 0u);
      for (std::size_t k = 0; k < 4; ++k) {
        text += k <= here ? kDigits[word >> (18 - 6 * k) & 63u] : '=';
      }
    }
    return text;
  }

 private:
  std::vector<unsigned char> bytes_{};
};

/// A row's `pieces` are its cycles and kind in turn, packed.
Json timeline(const TimelineReport& timeline) {
  Json json = {{"begin", timeline.begin}, {"end", timeline.end}};
  json["kinds"] = Json::array();
  for (const auto& kind : timeline.kinds) {
    json["kinds"].push_back({{"reason", kind.reason}, {"label", kind.label}});
  }
  json["launches"] = Json::array();
  for (const auto& launch : timeline.launches) {
    json["launches"].push_back({{"label", launch.label},
                                {"submitted", launch.submitted},
                                {"begin", launch.begin},
                                {"end", launch.end}});
  }
  json["rows"] = Json::array();
  for (const auto& row : timeline.rows) {
    Packed pieces;
    for (const auto& piece : row.pieces) {
      pieces.add(static_cast<std::uint64_t>(piece.cycles));
      pieces.add(static_cast<std::uint64_t>(piece.kind));
    }
    json["rows"].push_back(
        {{"name", row.name}, {"resolution", row.resolution}, {"pieces", pieces.base64()}});
  }
  return json;
}

Json listing_line(const ListingReport::Line& line) {
  Json json = {{"core", name_of(line.core)}, {"pc", line.pc}};
  if (!line.mark.empty()) json["mark"] = line.mark;
  json["text"] = line.text;
  if (line.commands == 0) return json;
  json["commands"] = line.commands;
  json["busy"] = line.busy;
  json["waits"] = reasons_of(line.waits);
  return json;
}

Json listing(const ListingReport& listing) {
  Json list = Json::array();
  for (const auto& code : listing.programs) {
    Json json = {{"name", code.name},
                 {"launches", code.launches},
                 {"bytes", code.bytes},
                 {"busy", code.busy}};
    json["lines"] = Json::array();
    for (const auto& line : code.lines) json["lines"].push_back(listing_line(line));
    list.push_back(std::move(json));
  }
  return list;
}

}  // namespace

std::string to_json(const RunReport& report) {
  Json dims = Json::object();
  for (const auto& [name, size] : report.dims) dims[name] = size;
  const auto& memory = report.memory;
  Json json;
  json["schema"] = RunReport::kSchema;
  json["model"] = report.model;
  json["strategy"] = report.strategy;
  json["features"] = report.features;
  json["hardware"] = report.hardware;
  json["machine_hash"] = fmt::format("{:016x}", report.machine_hash);
  json["options"] = Json::object();
  for (const auto& [name, value] : report.options) json["options"][name] = value;
  json["dims"] = dims;
  json["cycles"] = report.cycles;
  json["clock_mhz"] = report.clock_mhz;
  json["e2e_us"] = rounded(report.e2e_us);
  json["task_us"] = rounded(report.task_us);
  json["core_us"] = rounded(report.core_us);
  Json profiler = Json::object();
  for (const auto& [name, us] : report.profiler) profiler[name] = rounded(us);
  json["profiler"] = profiler;
  json["host"] = host(report.host);
  json["units"] = units(report.units);
  json["operators"] = operators(report.operators);
  json["memory"] = {{"hbm_read_bytes", memory.hbm_read_bytes},
                    {"hbm_write_bytes", memory.hbm_write_bytes},
                    {"l2_hit_bytes", memory.l2_hit_bytes}};
  const auto& device = report.device_memory;
  json["device_memory"] = {{"weights_bytes", device.weights_bytes},
                           {"inputs_outputs_bytes", device.inputs_outputs_bytes},
                           {"intermediates_bytes", device.intermediates_bytes},
                           {"programs_bytes", device.programs_bytes},
                           {"peak_bytes", device.peak_bytes()}};
  json["firmware"] = firmware(report.firmware);
  json["roofline"] = roofline(report.roofline);
  json["critical_path"] = critical_path(report.critical_path);
  json["check"] = check(report.check);
  json["not_modelled"] = report.not_modelled;
  if (report.timeline) json["timeline"] = timeline(*report.timeline);
  if (report.listing) json["listing"] = listing(*report.listing);
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace dvmsim
