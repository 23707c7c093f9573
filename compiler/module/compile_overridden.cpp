// What a user has decided about kernels of a module, and what is told about them.
#include "compiler/module/choice_fields.h"
#include "compiler/module/module_compiler.h"

namespace dvmsim {

ModuleCompiler::Overridden ModuleCompiler::overridden(const std::string& kernel, KernelKind kind) {
  Overridden found{kernels_++, nullptr};
  if (options_.overrides != nullptr) {
    found.by = options_.overrides->find(kernel, found.number, kind);
  }
  return found;
}

/// For people: what was decided, and by whom.
void ModuleCompiler::note_decision(const Overridden& of, ScheduleDecision decision) {
  if (of.by != nullptr) note(fmt::format("  as {} says\n", of.by->where));
  if (options_.decisions == nullptr) return;
  decision.number = of.number;
  if (of.by != nullptr) decision.by = of.by->where;
  options_.decisions->push_back(std::move(decision));
}

void ModuleCompiler::refuse(const Overridden& of, const std::string& kernel,
                            const std::string& why) {
  const KernelKind kind = kind_of(of.by->choice);
  throw Error(fmt::format("{}: {} '{}': {}", of.by->where, kernel_name(kind), kernel, why));
}

void ModuleCompiler::refuse(const Overridden& of, const std::string& kernel, const std::string& why,
                            const KernelChoice& own) {
  refuse(of, kernel, fmt::format("{}; the compiler has {}", why, to_text(own)));
}

}  // namespace dvmsim
