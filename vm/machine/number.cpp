#include "vm/machine/number.h"

#include "vm/machine/derived.h"
#include "vm/machine/quantity.h"

namespace dvmsim {
namespace {

constexpr double kPicosecond = 1e-12;

std::string type_of(std::string_view key) {
  for (const Parameter& parameter : parameters()) {
    if (parameter.key == key) return parameter.type;
  }
  return "";
}

template <class Value>
Value read(const Machine& machine, const std::string& text) {
  Value value{};
  quantity::read_value(text, machine.clock.core, value);
  return value;
}

double count_of(auto strong) {
  return static_cast<double>(strong.count());
}

}  // namespace

std::optional<MachineNumber> number_of(const Machine& machine, std::string_view key) {
  const std::string text = value_of(machine, key);
  const std::string type = type_of(key);
  if (type == "Int") return MachineNumber{static_cast<double>(read<int>(machine, text)), ""};
  if (type == "Bool") return MachineNumber{read<bool>(machine, text) ? 1.0 : 0.0, ""};
  if (type == "Rational") return MachineNumber{read<Rational>(machine, text).value(), ""};
  if (type == "Bytes") return MachineNumber{count_of(read<Bytes>(machine, text)), "B"};
  if (type == "Hertz") return MachineNumber{count_of(read<Hertz>(machine, text)), "Hz"};
  if (type == "Cycles") return MachineNumber{count_of(read<Cycles>(machine, text)), "cycles"};
  if (type == "Time") {
    return MachineNumber{count_of(read<Picoseconds>(machine, text)) * kPicosecond, "s"};
  }
  if (type == "Delay") {
    const Delay delay = read<Delay>(machine, text);
    const Picoseconds time =
        delay.fixed_in_time() ? delay.time() : time_of(delay.cycles(), machine.clock.core);
    return MachineNumber{count_of(time) * kPicosecond, "s"};
  }
  if (type == "Rate") {
    return MachineNumber{per_second(machine, read<Rate>(machine, text)), "B/s"};
  }
  if (type == "CubeStep") {
    const CubeStep step = read<CubeStep>(machine, text);
    return MachineNumber{static_cast<double>(step.m) * step.n * step.k, "macs"};
  }
  return std::nullopt;
}

}  // namespace dvmsim
