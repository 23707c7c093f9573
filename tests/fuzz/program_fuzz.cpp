// Any bytes are a program or an Error; the verifier has an answer for every program, and what is
// loaded saves to the same bytes. The checksum is put right, so that the rest is reached.
#include <vector>

#include "vm/base/error.h"
#include "vm/isa/verify.h"
#include "vm/program/program.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace dvmsim;
  static const Machine kMachine = default_machine();
  std::vector<std::uint8_t> bytes(data, data + size);
  if (size >= 8) {
    std::uint64_t hash = 0xcbf29ce484222325u;
    for (std::size_t i = 0; i + 8 < size; ++i) hash = (hash ^ bytes[i]) * 0x100000001b3u;
    for (std::size_t i = 0; i < 8; ++i) {
      bytes[size - 8 + i] = static_cast<std::uint8_t>(hash >> 8 * i);
    }
  }
  Program program;
  try {
    program = load_program(bytes, "fuzz");
  } catch (const Error&) {
    return 0;
  }
  DVMSIM_ASSERT(save(program) == bytes, "loading and saving are inverse");
  (void)isa::verify(program, kMachine);
  return 0;
}
