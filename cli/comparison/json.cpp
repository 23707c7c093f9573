// The JSON of a comparison. Members in this order; times in us; every list "by launch cost" has the
// order of launch_costs, every list "by shape" that of the case's shapes.
//
//   schema            1
//   study, title      file name and title of the study
//   launch_costs      ["own", "0us", ...]: own is the machine file's; each of the others is
//                     launch.vector, .cube, .mix and .native alike
//   constants         [{key, value, source, assumed}] of the strategies
//   cases             one per machine and workload:
//     machine, axes {name: value}, clock_mhz, workload, class
//     operators       nodes of the model that are more than a view
//     shapes          [{symbol: size}] each once, in the order of their first step
//     steps           index of the shape, step by step
//     strategies      in the study's order, a jit twice (its compile times in s and in ms):
//       name, strategy, features
//       refused       null, or why there is nothing else
//       assumed       ["jit.trace=5ms"]: what it rests on that has no source
//       code_bytes    of all code it keeps after the stream
//       ahead_us      compiling before the stream, in none of the times below
//       padding       share of computed elements beyond the sizes asked for
//       decode        null, or {shape, free_us, exposed_us {low, nominal, high}}: what decoding
//       adds to
//                     the time of one shape's launches, which is free_us if it takes none
//       by_cost       one per launch cost:
//         launch_cost, total_us, first_us (until the first result), mean_us
//         p50_us, p90_us, p99_us, max_us     of the steps' latencies
//         new_us, again_us                   a shape's first run, and once more: means by shape
//         exposed_compile_us, exposed_encode_us   what the total loses if compiling is free, and if
//                                            then encoding is too
//         breakdown   {body, head, compile, encode, host} of total_us, adds up to it: launches'
//                     cores at work; before their cores start; the exposed times; the rest, in
//                     which the device waits for other work of the host
//         latency_us  by step
//       shapes        by shape: {launches, device_us, compile_us, encode_us, dispatch_us, ahead_us,
//                     elements, padded_elements, first_us and again_us by launch cost, operators:
//                     null for strategies that fuse them, or {written in the model, dispatched by
//                     the framework, rerolled {kind: how many of these are written as several}}
//                     elements, padded_elements, first_us and again_us by launch cost}
//       device        in the device's view: what the device does for all shapes, each once, from an
//                     empty L2: {launches, hbm_read_bytes, hbm_write_bytes, l2_hit_bytes, body_us,
//                     memory_us, ideal_us, bound, decode_us [low, nominal, high] or null}, and
//                     by_cost [{launch_cost, time_us, times, at_most, gain_us {launches, bytes,
//                     decode, overlap}}]: how many times faster than the first strategy, the most
//                     that bytes, work and launches allow, and where the time goes; null: refused
//     break_even      one per launch cost:
//       launch_cost
//       winners       [{strategy, from, to}]: the best at these shares of runs with a new shape
//       against       [{strategy, other, better, rate, runs}]: where it beats `other`, the first
//                     that ran: always, never, below or above the rate; runs = 1 / rate
//   not_modelled      as in other reports
#include <cmath>
#include <nlohmann/json.hpp>

#include "cli/comparison/report.h"
#include "traces/stream_report.h"

namespace dvmsim {
namespace {

using Json = nlohmann::ordered_json;

double rounded(double value) {
  return std::round(value * 1e4) / 1e4;
}
Json list_of(const std::vector<double>& values) {
  Json list = Json::array();
  for (double value : values) list.push_back(rounded(value));
  return list;
}

Json dims_of(const Bindings& dims) {
  Json json = Json::object();
  for (const auto& [name, size] : dims) json[name] = size;
  return json;
}

Json breakdown(const StreamFigures& stream) {
  const double known =
      stream.body_us + stream.head_us + stream.exposed_compile_us + stream.exposed_encode_us;
  return {{"body", rounded(stream.body_us)},
          {"head", rounded(stream.head_us)},
          {"compile", rounded(stream.exposed_compile_us)},
          {"encode", rounded(stream.exposed_encode_us)},
          {"host", rounded(stream.total_us - known)}};
}

Json stream_json(const StrategyFigures& figures, std::size_t cost, const std::string& name) {
  const StreamFigures& stream = figures.streams[cost];
  const Bargain bargain = bargain_of(figures, cost);
  const auto steps = static_cast<double>(stream.latency_us.size());
  return {{"launch_cost", name},
          {"total_us", rounded(stream.total_us)},
          {"first_us", rounded(stream.latency_us.front())},
          {"mean_us", rounded(stream.total_us / steps)},
          {"p50_us", rounded(percentile(stream.latency_us, 0.5))},
          {"p90_us", rounded(percentile(stream.latency_us, 0.9))},
          {"p99_us", rounded(percentile(stream.latency_us, 0.99))},
          {"max_us", rounded(percentile(stream.latency_us, 1))},
          {"new_us", rounded(bargain.new_us)},
          {"again_us", rounded(bargain.again_us)},
          {"exposed_compile_us", rounded(stream.exposed_compile_us)},
          {"exposed_encode_us", rounded(stream.exposed_encode_us)},
          {"breakdown", breakdown(stream)},
          {"latency_us", list_of(stream.latency_us)}};
}

Json operators_json(const OperatorCounts& operators) {
  if (operators.framework == 0) return nullptr;
  return {{"written", operators.written},
          {"framework", operators.framework},
          {"rerolled", operators.rerolled}};
}

Json shape_json(const ShapeFigures& shape) {
  return {{"launches", shape.launches},
          {"device_us", rounded(shape.device_us)},
          {"compile_us", rounded(shape.compile_us)},
          {"encode_us", rounded(shape.encode_us)},
          {"dispatch_us", rounded(shape.dispatch_us)},
          {"ahead_us", rounded(shape.ahead_us)},
          {"elements", shape.elements},
          {"padded_elements", shape.padded_elements},
          {"first_us", list_of(shape.first_us)},
          {"again_us", list_of(shape.again_us)},
          {"operators", operators_json(shape.operators)}};
}

Json decode_json(const std::optional<StrategyFigures::Decode>& decode) {
  if (!decode) return nullptr;
  return {{"shape", decode->shape},
          {"free_us", rounded(decode->free_us)},
          {"exposed_us",
           {{"low", rounded(decode->exposed_us[0])},
            {"nominal", rounded(decode->exposed_us[1])},
            {"high", rounded(decode->exposed_us[2])}}}};
}

Json gain_json(const Gain& gain) {
  return {{"launches", rounded(gain.launches)},
          {"bytes", rounded(gain.bytes)},
          {"decode", rounded(gain.decode)},
          {"overlap", rounded(gain.overlap)}};
}

Json device_json(const StrategyFigures& figures, const ComparedCase& each,
                 const ComparisonReport& report) {
  const auto first = device_of(each.strategies.front()), own = device_of(figures);
  if (!own) return nullptr;
  Json json = {{"launches", own->launches},
               {"hbm_read_bytes", own->hbm_read_bytes},
               {"hbm_write_bytes", own->hbm_write_bytes},
               {"l2_hit_bytes", own->l2_hit_bytes},
               {"body_us", rounded(own->body_us)},
               {"memory_us", rounded(own->memory_us)},
               {"ideal_us", rounded(own->ideal_us)},
               {"bound", own->bound}};
  json["decode_us"] = Json();
  if (own->decode_us) json["decode_us"] = list_of({own->decode_us->begin(), own->decode_us->end()});
  json["by_cost"] = Json::array();
  for (std::size_t cost = 0; cost < report.launch_costs.size(); ++cost) {
    Json at = {{"launch_cost", report.launch_costs[cost]},
               {"time_us", rounded(own->time_us(cost))}};
    if (first) {
      at["times"] = rounded(ratio_of(*first, *own, cost));
      at["at_most"] = rounded(most_of(*first, *own, cost));
      at["gain_us"] = gain_json(gain_of(*first, *own, cost));
    }
    json["by_cost"].push_back(std::move(at));
  }
  return json;
}

Json strategy_json(const StrategyFigures& figures, const ComparedCase& each,
                   const ComparisonReport& report) {
  Json json = {{"name", figures.name},
               {"strategy", figures.strategy},
               {"features", figures.features},
               {"refused", figures.refused.empty() ? Json() : Json(figures.refused)}};
  if (!figures.refused.empty()) return json;
  json["assumed"] = figures.assumed;
  json["code_bytes"] = figures.code_bytes;
  json["ahead_us"] = rounded(figures.ahead_us);
  json["padding"] = std::round(padding_share(figures, each.stream) * 1e6) / 1e6;
  json["decode"] = decode_json(figures.decode);
  json["by_cost"] = Json::array();
  for (std::size_t cost = 0; cost < report.launch_costs.size(); ++cost) {
    json["by_cost"].push_back(stream_json(figures, cost, report.launch_costs[cost]));
  }
  json["shapes"] = Json::array();
  for (const ShapeFigures& shape : figures.shapes) json["shapes"].push_back(shape_json(shape));
  if (report.view == CompareView::Device) json["device"] = device_json(figures, each, report);
  return json;
}

Json duel_json(const StrategyFigures& a, const StrategyFigures& b, std::size_t cost) {
  const Duel found = duel(bargain_of(a, cost), bargain_of(b, cost));
  constexpr const char* kKinds[] = {"always", "never", "below", "above"};
  const bool crosses = found.kind == Duel::Kind::Below || found.kind == Duel::Kind::Above;
  Json json = {
      {"strategy", a.name}, {"other", b.name}, {"better", kKinds[static_cast<int>(found.kind)]}};
  json["rate"] = crosses ? Json(std::round(found.rate * 1e9) / 1e9) : Json();
  json["runs"] = crosses && found.rate > 0 ? Json(rounded(1 / found.rate)) : Json();
  return json;
}

Json break_even_json(const ComparedCase& each, std::size_t cost, const std::string& name) {
  Json wins = Json::array(), duels = Json::array();
  for (const Win& win : winners_of(each, cost)) {
    wins.push_back({{"strategy", each.strategies[win.strategy].name},
                    {"from", std::round(win.from * 1e9) / 1e9},
                    {"to", std::round(win.to * 1e9) / 1e9}});
  }
  const StrategyFigures* reference = nullptr;
  for (const StrategyFigures& one : each.strategies) {
    if (!one.refused.empty()) continue;
    if (reference != nullptr) duels.push_back(duel_json(one, *reference, cost));
    if (reference == nullptr) reference = &one;
  }
  return {{"launch_cost", name}, {"winners", wins}, {"against", duels}};
}

Json case_json(const ComparedCase& each, const ComparisonReport& report) {
  Json axes = Json::object();
  for (const auto& [name, value] : each.axes) axes[name] = value;
  Json json = {{"machine", each.machine},   {"axes", axes},       {"clock_mhz", each.clock_mhz},
               {"workload", each.workload}, {"class", each.kind}, {"operators", each.operators}};
  json["shapes"] = Json::array();
  for (const Bindings& dims : each.stream.shapes) json["shapes"].push_back(dims_of(dims));
  json["steps"] = each.stream.steps;
  json["strategies"] = Json::array();
  for (const StrategyFigures& one : each.strategies) {
    json["strategies"].push_back(strategy_json(one, each, report));
  }
  json["break_even"] = Json::array();
  for (std::size_t cost = 0; cost < report.launch_costs.size(); ++cost) {
    json["break_even"].push_back(break_even_json(each, cost, report.launch_costs[cost]));
  }
  return json;
}

}  // namespace

std::string to_json(const ComparisonReport& report) {
  Json json = {{"schema", ComparisonReport::kSchema},
               {"study", report.study},
               {"title", report.title},
               {"launch_costs", report.launch_costs}};
  json["constants"] = Json::array();
  for (const StrategyConstant& one : report.constants) {
    json["constants"].push_back(
        {{"key", one.key}, {"value", one.value}, {"source", one.source}, {"assumed", one.assumed}});
  }
  json["cases"] = Json::array();
  for (const ComparedCase& each : report.cases) json["cases"].push_back(case_json(each, report));
  json["not_modelled"] = report.not_modelled;
  return json.dump(2) + "\n";
}

}  // namespace dvmsim
