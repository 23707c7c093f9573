#include "compiler/runtime/strategy/strategy.h"

#include <string>

#include "vm/base/error.h"
#include "vm/isa/codec.h"

namespace dvmsim {

std::span<const Strategy* const> strategies() {
  static const Strategy* const kAll[] = {&kEager,  &kGraph, &kSink,     &kJit,
                                         &kBucket, &kDvm,   &kDvmEager, &kResident};
  return kAll;
}

const Strategy& find_strategy(std::string_view name) {
  std::string known;
  for (const Strategy* strategy : strategies()) {
    if (strategy->name == name) return *strategy;
    known += known.empty() ? "" : ", ";
    known += strategy->name;
  }
  throw Error("strategy '" + std::string(name) + "' is not available; choose one of: " + known);
}

std::int64_t native_bytes(const Module& module, const Machine& machine) {
  std::int64_t instructions = 0;
  for (const Program& program : module.programs) {
    for (const auto* code : {&program.cube, &program.vector}) {
      isa::Inst inst;
      isa::DecodeError ignored;
      for (std::size_t at = 0; at < code->size(); ++instructions) {
        const int words = isa::decode(*code, at, inst, ignored);
        DVMSIM_ASSERT(words > 0, "the code of a module decodes");
        at += static_cast<std::size_t>(words);
      }
    }
  }
  return instructions * machine.firmware.handler.count();
}

CodePath path_of(const Strategy& strategy, Features features) {
  const bool keeps = strategy.path == CodePath::Bytecode && features.has(Feature::Decode);
  return keeps ? CodePath::Kept : strategy.path;
}

}  // namespace dvmsim
