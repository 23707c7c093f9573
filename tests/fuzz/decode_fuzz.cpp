// Whatever the decoder accepts encodes to the same words and prints to text that reads back.
#include <cstring>

#include "vm/base/error.h"
#include "vm/isa/codec.h"
#include "vm/isa/text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace dvmsim;
  std::vector<std::uint64_t> code(size / 8);
  if (!code.empty()) std::memcpy(code.data(), data, code.size() * 8);
  isa::Inst inst;
  isa::DecodeError error;
  const int words = isa::decode(code, 0, inst, error);
  if (words == 0) return 0;
  std::vector<std::uint64_t> again;
  isa::append(inst, again);
  code.resize(static_cast<std::size_t>(words));
  DVMSIM_ASSERT(again == code, "decoding and encoding are inverse");
  DVMSIM_ASSERT(isa::assemble_line(isa::print(inst), "fuzz") == inst,
                "printing and reading are inverse");
  return 0;
}
