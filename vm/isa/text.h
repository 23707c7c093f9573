// The assembler and its inverse. One statement a line; names, types and pipes as in isa.def:
//
//   .program "scale rows" machine=0x1f        # optional; the name and the machine's hash
//   .launch path=native cube=1 vector=2       # optional: how it runs by itself; or path=bytecode.
//                                             # Cores not named: all that the program has code for
//   .let ROWS 16                              # a name for a number in all that follows
//   .arg input x ROWS*256                     # or output, workspace, scalar; bytes of the buffer
//   .arg scalar n 0 value=12                  # ... and what a launch of its own passes
//   .task "first" vector=0+40@0+8 args=0+3    # a task: begin and words of its code, first core and
//                                             # cores, first argument and arguments,
//   .task "next" cube=0+9@0+4 args=3+2 after=0  # and the tasks (0, 1, ...) it comes after
//   .cube                                     # what follows is code of the cube cores
//   .vector                                   # ... of the vector cores
//   .mark tile rows                           # or operator; marks the next instruction
//     loop count=r5 rotate=3
//     load dst=r6+i%2*0x4000 src=r4 len=512 set=vector.0
//     vmuls dtype=f32 dst=r6+i%2*0x4000^1 a=0 s=f32:1.5 count=128 wait=mte2.0,mte3.1 drain
//     jz a=r7 skip=@done                      # a label, or a number of words
//     sadd rd=r4 a=r4 b=512
//   done:
//     endloop
//     halt
//
// Operands may come in any order; one that is left out holds its default (isa.def). r6+i%2*0x4000
// rotates: (iteration mod 2) * 0x4000 bytes are added to r6; ^1 counts the iterations of the next
// outer loop. wait= and set= take one or two flags, pipe.id. Numbers are decimal or 0x, or sums of
// products of those and constants, without spaces; f32:1.5 is its bits. Comments begin with ; or #.
// Names with anything but letters, digits and _ . - / are quoted, with \" \\ \n.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "vm/isa/isa.h"
#include "vm/program/program.h"

namespace dvmsim::isa {

/// One instruction on one line, without the newline. assemble_line(print(inst)) == inst.
[[nodiscard]] std::string print(const Inst& inst);
/// The same for a resolved command, operands as numbers: for messages and traces.
[[nodiscard]] std::string print(const Command& command);
/// The instruction on one line, labels not allowed. Throws Error beginning with `where`.
[[nodiscard]] Inst assemble_line(std::string_view line, const std::string& where);

/// The code of one kind of core, a line per instruction. Throws Error with the offset of a word
/// that does not decode.
[[nodiscard]] std::string disassemble(std::span<const std::uint64_t> code);

/// A whole program. assemble(disassemble(p), "") == p for every p whose code decodes.
[[nodiscard]] std::string disassemble(const Program& program);
/// The words behind .launch, path=native cube=1; what they do not name stays as in `form`. Throws
/// Error beginning with `where`.
[[nodiscard]] LaunchForm parse_launch(std::string_view words, const std::string& where,
                                      LaunchForm form = {});
/// Throws Error: "name:line: what is wrong; what to do".
[[nodiscard]] Program assemble(std::string_view text, const std::string& name);

}  // namespace dvmsim::isa
