#include <fmt/core.h>

#include <string_view>

#include "cli/commands.h"
#include "cli/files.h"
#include "compiler/runtime/module.h"
#include "vm/isa/text.h"
#include "vm/program/program.h"

namespace dvmsim {
namespace {

std::string_view text_of(const std::vector<std::uint8_t>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// A .dvm file holds one program (as asm writes it) or a module of several.
bool is_program(const std::vector<std::uint8_t>& bytes) {
  std::uint32_t magic = 0;
  for (std::size_t i = 0; i < 4 && i < bytes.size(); ++i) {
    magic |= static_cast<std::uint32_t>(bytes[i]) << (8 * i);
  }
  return magic == kProgramMagic;
}

}  // namespace

int assemble_file(const std::string& file, const std::string& output) {
  const Program program = isa::assemble(read_text(file), file);
  write_file(output, text_of(save(program)));
  fmt::print("{}: {} words for cube cores, {} for vector cores\n", output, program.cube.size(),
             program.vector.size());
  return kGood;
}

int disassemble_file(const std::string& file) {
  const std::vector<std::uint8_t> bytes = read_bytes(file);
  if (is_program(bytes)) {
    fmt::print("{}", isa::disassemble(load_program(bytes, file)));
    return kGood;
  }
  for (const Program& program : load_module(bytes, file).programs) {
    fmt::print("{}\n", isa::disassemble(program));
  }
  return kGood;
}

}  // namespace dvmsim
