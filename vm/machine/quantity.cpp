#include "vm/machine/quantity.h"

#include <array>
#include <charconv>
#include <span>

#include "vm/base/error.h"

namespace dvmsim::quantity {
namespace {

/// What one unit is worth in the base unit of its kind. Ascending.
struct Unit {
  std::string_view name;
  std::int64_t scale;
};
constexpr std::int64_t k1 = 1, kKilo = 1000, kMega = 1'000'000, kGiga = 1'000'000'000,
                       kTera = 1'000'000'000'000, kPeta = 1'000'000'000'000'000;
constexpr std::array kByteUnits = {Unit{"B", 1}, Unit{"KiB", k1 << 10}, Unit{"MiB", k1 << 20},
                                   Unit{"GiB", k1 << 30}, Unit{"TiB", k1 << 40}};
constexpr std::array kClockUnits = {Unit{"Hz", 1}, Unit{"kHz", kKilo}, Unit{"MHz", kMega},
                                    Unit{"GHz", kGiga}};
constexpr std::array kTimeUnits = {Unit{"ps", 1}, Unit{"ns", kKilo}, Unit{"us", kMega},
                                   Unit{"ms", kGiga}, Unit{"s", kTera}};
constexpr std::array kCycleUnits = {Unit{"cycles", 1}};
constexpr std::array kSpeedUnits = {Unit{"B/s", 1},      Unit{"KB/s", kKilo}, Unit{"MB/s", kMega},
                                    Unit{"GB/s", kGiga}, Unit{"TB/s", kTera}, Unit{"PB/s", kPeta}};
constexpr std::array kPerCycleUnits = {Unit{"B/cycle", 1}};

[[noreturn]] void fail(std::string_view text, const std::string& what) {
  throw Error("'" + std::string(text) + "' " + what);
}

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

/// Digits with at most one point: exact. Twelve digits are enough for every parameter.
Rational read_decimal(std::string_view digits, std::string_view text) {
  std::int64_t num = 0, den = 1;
  int seen = 0;
  bool point = false;
  for (char c : digits) {
    if (c == '.' && !point) {
      point = true;
    } else if (c >= '0' && c <= '9' && seen < 12) {
      ++seen;
      num = num * 10 + (c - '0');
      if (point) den *= 10;
    } else {
      fail(text, "is not a number of at most 12 digits");
    }
  }
  if (seen == 0) fail(text, "has no number");
  return Rational(num, den);
}

/// "0.87" or "128/7".
Rational read_rational(std::string_view digits, std::string_view text) {
  const auto slash = digits.find('/');
  if (slash == std::string_view::npos) return read_decimal(digits, text);
  const Rational den = read_decimal(digits.substr(slash + 1), text);
  if (den.num() == 0) fail(text, "divides by zero");
  return read_decimal(digits.substr(0, slash), text) / den;
}

std::string names(std::span<const Unit> units) {
  std::string list;
  for (const Unit& unit : units) list += (list.empty() ? "" : ", ") + std::string(unit.name);
  return list;
}

struct Split {
  std::string_view number, unit;
};
Split split(std::string_view text) {
  const std::string_view all = trimmed(text);
  const auto end = all.find_first_not_of("0123456789./");
  if (end == std::string_view::npos) return {all, {}};
  return {trimmed(all.substr(0, end)), trimmed(all.substr(end))};
}

/// The value in base units, or nothing if the unit is not among them.
bool read_scaled(std::string_view text, std::span<const Unit> units, Rational& value) {
  const Split parts = split(text);
  for (const Unit& unit : units) {
    if (unit.name != parts.unit) continue;
    const Rational number = read_rational(parts.number, text);
    if (number.value() * static_cast<double>(unit.scale) > 4e18) fail(text, "is too large");
    value = number * Rational(unit.scale);
    return true;
  }
  return false;
}

[[noreturn]] void fail_unit(std::string_view text, const std::string& units) {
  const Split parts = split(text);
  if (parts.unit.empty()) fail(text, "has no unit: write one of " + units);
  fail(text, "has unknown unit '" + std::string(parts.unit) + "': write one of " + units);
}

std::int64_t read_whole(std::string_view text, std::span<const Unit> units) {
  Rational value;
  if (!read_scaled(text, units, value)) fail_unit(text, names(units));
  if (value.den() != 1) fail(text, "is not a whole number of " + std::string(units[0].name));
  return value.num();
}

/// Decimal if it ends, else a fraction.
std::string print_rational(Rational value) {
  std::int64_t scale = 1;
  int places = 0;
  while (scale % value.den() != 0 && places < 15) {
    scale *= 10;
    ++places;
  }
  if (scale % value.den() != 0)
    return std::to_string(value.num()) + "/" + std::to_string(value.den());
  const std::int64_t whole = value.num() / value.den();
  if (places == 0) return std::to_string(whole);
  std::string fraction = std::to_string(value.num() % value.den() * (scale / value.den()));
  fraction.insert(0, static_cast<std::size_t>(places) - fraction.size(), '0');
  return std::to_string(whole) + "." + fraction;
}

/// In the largest unit of which it is at least one; `whole`: of which it is a multiple.
std::string print_scaled(Rational value, std::span<const Unit> units, bool whole) {
  const Unit* chosen = &units[0];
  for (const Unit& unit : units) {
    const bool fits = whole ? value.num() % unit.scale == 0 : !(value < Rational(unit.scale));
    if (fits && value.num() != 0) chosen = &unit;
  }
  return print_rational(value / Rational(chosen->scale)) + std::string(chosen->name);
}

template <class Enum, std::size_t kCount>
void read_enum(std::string_view text, const std::array<std::string_view, kCount>& choices,
               Enum& value) {
  std::string list;
  for (std::size_t i = 0; i < kCount; ++i) {
    if (trimmed(text) == choices[i]) {
      value = static_cast<Enum>(i);
      return;
    }
    list += (i == 0 ? "" : ", ") + std::string(choices[i]);
  }
  fail(text, "is none of " + list);
}

constexpr std::array<std::string_view, 2> kBools = {"false", "true"};
constexpr std::array<std::string_view, 3> kMemories = {"ub", "tcm", "cached"};
constexpr std::array<std::string_view, 3> kProfiles = {"low", "nominal", "high"};

int read_int(std::string_view digits, std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size() || value < 0) {
    fail(text, "is not a whole number");
  }
  return value;
}

}  // namespace

void read_value(std::string_view text, Hertz, int& value) {
  value = read_int(trimmed(text), text);
}

void read_value(std::string_view text, Hertz, bool& value) {
  read_enum(text, kBools, value);
}

void read_value(std::string_view text, Hertz, std::string& value) {
  value = trimmed(text);
  if (value.empty()) fail(text, "is empty");
  const char* kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+.";
  if (value.find_first_not_of(kAllowed) != std::string::npos) {
    fail(text, "is not a name: use letters, digits and _ - + .");
  }
}

void read_value(std::string_view text, Hertz, Rational& value) {
  value = read_rational(trimmed(text), text);
}

void read_value(std::string_view text, Hertz, Bytes& value) {
  value = Bytes(read_whole(text, kByteUnits));
}

void read_value(std::string_view text, Hertz, Hertz& value) {
  value = Hertz(read_whole(text, kClockUnits));
}

void read_value(std::string_view text, Hertz, Cycles& value) {
  value = Cycles(read_whole(text, kCycleUnits));
}

void read_value(std::string_view text, Hertz, Picoseconds& value) {
  value = Picoseconds(read_whole(text, kTimeUnits));
}

void read_value(std::string_view text, Hertz clock, Rate& value) {
  Rational amount;
  if (read_scaled(text, kPerCycleUnits, amount)) {
    value = Rate(amount);
  } else if (read_scaled(text, kSpeedUnits, amount)) {
    value = Rate::per_second(amount, clock);
  } else {
    fail_unit(text, names(kPerCycleUnits) + ", " + names(kSpeedUnits));
  }
}

void read_value(std::string_view text, Hertz clock, Delay& value) {
  Rational amount;
  if (read_scaled(text, kCycleUnits, amount)) {
    value = Delay(Cycles(read_whole(text, kCycleUnits)));
  } else if (read_scaled(text, kTimeUnits, amount)) {
    value = Delay(Picoseconds(read_whole(text, kTimeUnits)), clock);
  } else {
    fail_unit(text, names(kCycleUnits) + ", " + names(kTimeUnits));
  }
}

void read_value(std::string_view text, Hertz, machine_types::DTypes& value) {
  value = {};
  std::string_view rest = trimmed(text);
  if (rest == "none") return;
  while (!rest.empty()) {
    const auto end = rest.find_first_of(" ,");
    const std::string_view name = rest.substr(0, end);
    const auto type = parse_dtype(name);
    if (!type) fail(name, "is no element type: list types such as f16 f32, or write none");
    value.set = static_cast<DTypeSet>(value.set | dtype_set(*type));
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end);
    while (!rest.empty() && (rest[0] == ' ' || rest[0] == ',')) rest.remove_prefix(1);
  }
}

void read_value(std::string_view text, Hertz, ProgramMemory& value) {
  read_enum(text, kMemories, value);
}

void read_value(std::string_view text, Hertz, DecodeProfile& value) {
  read_enum(text, kProfiles, value);
}

void read_value(std::string_view text, Hertz, CubeStep& value) {
  const std::string_view all = trimmed(text);
  const auto first = all.find('x');
  const auto second = all.find('x', first + 1);
  if (first == std::string_view::npos || second == std::string_view::npos) {
    fail(text, "is not of the form m x n x k, such as 16x16x16");
  }
  value = {read_int(all.substr(0, first), text),
           read_int(all.substr(first + 1, second - first - 1), text),
           read_int(all.substr(second + 1), text)};
}

std::string print_value(int value, Hertz) {
  return std::to_string(value);
}
std::string print_value(bool value, Hertz) {
  return std::string(kBools[value ? 1 : 0]);
}
std::string print_value(const std::string& value, Hertz) {
  return value;
}
std::string print_value(Rational value, Hertz) {
  return print_rational(value);
}
std::string print_value(Bytes value, Hertz) {
  return print_scaled(Rational(value.count()), kByteUnits, true);
}
std::string print_value(Hertz value, Hertz) {
  return print_scaled(Rational(value.count()), kClockUnits, true);
}
std::string print_value(Cycles value, Hertz) {
  return std::to_string(value.count()) + "cycles";
}
std::string print_value(Picoseconds value, Hertz) {
  return print_scaled(Rational(value.count()), kTimeUnits, false);
}
std::string print_value(Rate value, Hertz clock) {
  if (!value.fixed_in_time()) return print_rational(value.per_cycle()) + "B/cycle";
  return print_scaled(value.per_second(clock), kSpeedUnits, false);
}
std::string print_value(Delay value, Hertz clock) {
  if (!value.fixed_in_time()) return print_value(value.cycles(), clock);
  return print_value(value.time(), clock);
}
std::string print_value(machine_types::DTypes value, Hertz) {
  std::string list;
  for (DType type : kDTypes) {
    if (contains(value.set, type)) list += (list.empty() ? "" : " ") + std::string(name_of(type));
  }
  return list.empty() ? "none" : list;
}
std::string print_value(ProgramMemory value, Hertz) {
  return std::string(kMemories[static_cast<std::size_t>(value)]);
}
std::string print_value(DecodeProfile value, Hertz) {
  return std::string(kProfiles[static_cast<std::size_t>(value)]);
}
std::string print_value(CubeStep value, Hertz) {
  return std::to_string(value.m) + "x" + std::to_string(value.n) + "x" + std::to_string(value.k);
}

}  // namespace dvmsim::quantity
