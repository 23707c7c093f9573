// Any text is a program or an Error; a program prints to text that reads back to it.
#include <string_view>

#include "vm/base/error.h"
#include "vm/isa/text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace dvmsim;
  Program program;
  try {
    program = isa::assemble({reinterpret_cast<const char*>(data), size}, "fuzz");
  } catch (const Error&) {
    return 0;
  }
  DVMSIM_ASSERT(isa::assemble(isa::disassemble(program), "again") == program,
                "assembling and disassembling are inverse");
  return 0;
}
