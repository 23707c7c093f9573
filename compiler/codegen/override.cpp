#include "compiler/codegen/override.h"

#include <fmt/format.h>

namespace dvmsim {

bool matches_glob(std::string_view glob, std::string_view text) {
  // The last star seen, and how much of the text it has taken.
  std::size_t g = 0, t = 0, star = std::string_view::npos, taken = 0;
  while (t < text.size()) {
    if (g < glob.size() && glob[g] == '*') {
      star = g++;
      taken = t;
    } else if (g < glob.size() && (glob[g] == '?' || glob[g] == text[t])) {
      ++g;
      ++t;
    } else if (star != std::string_view::npos) {
      g = star + 1;
      t = ++taken;
    } else {
      return false;
    }
  }
  while (g < glob.size() && glob[g] == '*') ++g;
  return g == glob.size();
}

const KernelOverride* ScheduleOverrides::find(std::string_view kernel, int number, bool is_vector) {
  KernelOverride* found = nullptr;
  for (KernelOverride& each : kernels) {
    const bool of_kind = is_vector ? each.vector.has_value() : each.matmul.has_value();
    const bool named = each.number ? *each.number == number : matches_glob(each.kernel, kernel);
    if (!named || !of_kind) continue;
    each.used = true;
    found = &each;
  }
  return found;
}

std::optional<std::string> ScheduleOverrides::unused() const {
  for (const KernelOverride& each : kernels) {
    if (each.used) continue;
    const std::string name = each.number ? fmt::format("{}", *each.number) : "'" + each.kernel + "'";
    const char* kind = each.vector ? "vector kernel" : "matrix product";
    return fmt::format("{}: no {} is number or name {}; compile --dump overrides lists them",
                       each.where, kind, name);
  }
  for (const FusionHint& hint : hints) {
    if (hint.met) continue;
    return fmt::format("{}: no graph has nodes '{}' and '{}' after its passes; compile --dump groups "
                       "lists them",
                       hint.where, hint.a, hint.b);
  }
  return std::nullopt;
}

}  // namespace dvmsim
