// Words to instructions and back, one to one: every instruction has exactly one encoding and every
// accepted encoding exactly one instruction. Owns the bit layout drawn in isa.def and the rules a
// single instruction must meet by itself; what depends on its neighbours is verify.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "vm/isa/isa.h"

namespace dvmsim::isa {

/// Why words are not an instruction. The text is static and without the offset.
struct DecodeError {
  std::size_t offset = 0;  // in words
  std::string_view text{};
};

/// The instruction with every operand at its default (0, or 1 for counts); a written register is r0
/// and so is the base of a GM operand.
[[nodiscard]] const Inst& blank(Op op);

/// What keeps the instruction from being encoded, or empty. Kinds of lanes, rotation, enumerations,
/// the row's types, flags in order, unused lanes at their default.
[[nodiscard]] std::string_view malformed(const Inst& inst);

/// Writes the instruction's words, and says how many. The instruction is not malformed().
int encode(const Inst& inst, std::span<std::uint64_t, kMaxWords> code);
/// The same at the end of code.
int append(const Inst& inst, std::vector<std::uint64_t>& code);
/// How many words it takes.
[[nodiscard]] int words_of(const Inst& inst);

/// Decodes the instruction at word `offset`, without allocating. Returns the number of its words;
/// 0 after filling `error`. An offset at or past the end is an error.
[[nodiscard]] int decode(std::span<const std::uint64_t> code, std::size_t offset, Inst& inst,
                         DecodeError& error);

/// The first word that does not decode. True if all of them do.
[[nodiscard]] bool decodes(std::span<const std::uint64_t> code, DecodeError& error);

}  // namespace dvmsim::isa
