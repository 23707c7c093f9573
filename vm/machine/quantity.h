// Values of machine parameters as text with units, in both directions. Whatever print_value writes,
// read_value reads back to the same value. Ranges are not checked here.
#pragma once

#include <string>
#include <string_view>

#include "vm/machine/machine.h"

namespace dvmsim::quantity {

/// Throws Error that says what is wrong and what to write; the caller adds where. `clock` turns
/// what is given in time into cycles.
void read_value(std::string_view text, Hertz clock, int& value);
void read_value(std::string_view text, Hertz clock, bool& value);
void read_value(std::string_view text, Hertz clock, std::string& value);
void read_value(std::string_view text, Hertz clock, Rational& value);
void read_value(std::string_view text, Hertz clock, Bytes& value);
void read_value(std::string_view text, Hertz clock, Hertz& value);
void read_value(std::string_view text, Hertz clock, Cycles& value);
void read_value(std::string_view text, Hertz clock, Picoseconds& value);
void read_value(std::string_view text, Hertz clock, Rate& value);
void read_value(std::string_view text, Hertz clock, Delay& value);
void read_value(std::string_view text, Hertz clock, machine_types::DTypes& value);
void read_value(std::string_view text, Hertz clock, ProgramMemory& value);
void read_value(std::string_view text, Hertz clock, DecodeProfile& value);
void read_value(std::string_view text, Hertz clock, CubeStep& value);

[[nodiscard]] std::string print_value(int value, Hertz clock);
[[nodiscard]] std::string print_value(bool value, Hertz clock);
[[nodiscard]] std::string print_value(const std::string& value, Hertz clock);
[[nodiscard]] std::string print_value(Rational value, Hertz clock);
[[nodiscard]] std::string print_value(Bytes value, Hertz clock);
[[nodiscard]] std::string print_value(Hertz value, Hertz clock);
[[nodiscard]] std::string print_value(Cycles value, Hertz clock);
[[nodiscard]] std::string print_value(Picoseconds value, Hertz clock);
[[nodiscard]] std::string print_value(Rate value, Hertz clock);
[[nodiscard]] std::string print_value(Delay value, Hertz clock);
[[nodiscard]] std::string print_value(machine_types::DTypes value, Hertz clock);
[[nodiscard]] std::string print_value(ProgramMemory value, Hertz clock);
[[nodiscard]] std::string print_value(DecodeProfile value, Hertz clock);
[[nodiscard]] std::string print_value(CubeStep value, Hertz clock);

}  // namespace dvmsim::quantity
