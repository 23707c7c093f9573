#include "cli/validation/parameter.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

namespace dvmsim {
namespace {

constexpr std::array<std::string_view, 8> kNumeric = {"Int",    "Rational", "Bytes", "Hertz",
                                                      "Cycles", "Rate",     "Delay", "Time"};
constexpr double kKibi = 1024;
constexpr double kByteGrain = 32;       // sizes are multiples of a block
constexpr double kSmallestSize = 1024;  // what is smaller is a granularity

double number_in(std::string_view text) {
  const auto slash = text.find('/');
  const double above = std::strtod(std::string(text.substr(0, slash)).c_str(), nullptr);
  if (slash == std::string_view::npos) return above;
  return above / std::strtod(std::string(text.substr(slash + 1)).c_str(), nullptr);
}

void to_bytes(Quantity& quantity) {
  for (const char* unit : {"GiB", "MiB", "KiB"}) {
    if (quantity.unit == unit) {
      quantity.unit = unit == std::string("GiB") ? "MiB" : unit == std::string("MiB") ? "KiB" : "B";
      quantity.number *= kKibi;
    }
  }
}

}  // namespace

double Quantity::legal(double value) const {
  return whole ? std::round(value / grain) * grain : value;
}

std::string Quantity::assignment(double value) const {
  if (value == number) return key + "=" + text;
  const std::string digits =
      whole ? fmt::format("{:.0f}", legal(value)) : fmt::format("{:.6g}", value);
  return key + "=" + digits + unit;
}

std::optional<Quantity> quantity_of(const Machine& machine, std::string_view key) {
  const std::string text = value_of(machine, key);
  const std::vector<Parameter> all = parameters();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Parameter& p) { return p.key == key; });
  if (std::find(kNumeric.begin(), kNumeric.end(), found->type) == kNumeric.end()) return {};
  const auto end = std::min(text.find_first_not_of("0123456789./"), text.size());
  // The slash of a rate's unit ("60B/cycle") comes after its letters.
  Quantity quantity{std::string(key), text, text.substr(end), number_in(text.substr(0, end))};
  quantity.whole = found->type == "Int" || found->type == "Bytes" || quantity.unit == "cycles";
  if (found->type == "Bytes") {
    to_bytes(quantity);
    if (quantity.number >= 10 * kByteGrain) quantity.grain = kByteGrain;
  }
  return quantity;
}

std::vector<Quantity> quantities_of(const Machine& machine) {
  std::vector<Quantity> list;
  for (const Parameter& parameter : parameters()) {
    if (parameter.key.starts_with("host.")) continue;
    auto quantity = quantity_of(machine, parameter.key);
    const bool grain = quantity && quantity->unit == "B" && quantity->number < kSmallestSize;
    if (quantity && !grain) list.push_back(std::move(*quantity));
  }
  return list;
}

}  // namespace dvmsim
