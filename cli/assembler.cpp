#include <fmt/core.h>

#include <string_view>

#include "cli/commands.h"
#include "cli/program.h"
#include "cli/text/files.h"
#include "compiler/module/module.h"
#include "vm/isa/text.h"
#include "vm/program/program.h"

namespace dvmsim {
namespace {

std::string_view text_of(const std::vector<std::uint8_t>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
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
  if (const auto program = program_in(file)) {
    fmt::print("{}", isa::disassemble(*program));
    return kGood;
  }
  for (const Program& program : load_module(read_bytes(file), file).programs) {
    fmt::print("{}\n", isa::disassemble(program));
  }
  return kGood;
}

}  // namespace dvmsim
