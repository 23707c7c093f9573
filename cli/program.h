// A program that stands for itself: assembler text, or a .dvm file that holds one program, with the
// launch it asks for (.launch, .arg). Owns how it becomes a module of one launch.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "compiler/module/module.h"
#include "vm/machine/machine.h"

namespace dvmsim {

/// The program in a .s file, or in a .dvm file if it holds one; nothing: the file is of another
/// kind. Throws Error with file and line.
[[nodiscard]] std::optional<Program> program_in(const std::string& path);

/// One launch of the program. Its buffers are tensors of bytes (u8); scalars are what `scalars`
/// says, else what the program says; words in `launch` override its .launch. Throws Error,
/// beginning with `where`, for what is missing, unknown, or not possible on the machine.
[[nodiscard]] Module module_of(Program program, const Machine& machine,
                               const std::vector<std::pair<std::string, std::int64_t>>& scalars,
                               const std::string& launch, const std::string& where);

}  // namespace dvmsim
