#include "compiler/module/override.h"

#include <fmt/format.h>

#include <algorithm>

#include "compiler/module/choice_fields.h"

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

const KernelOverride* ScheduleOverrides::find(std::string_view kernel, int number,
                                              KernelKind kind) {
  KernelOverride* found = nullptr;
  for (KernelOverride& each : kernels) {
    const bool named = each.number ? *each.number == number : matches_glob(each.kernel, kernel);
    if (!named || kind_of(each.choice) != kind) continue;
    each.used = true;
    found = &each;
  }
  return found;
}

bool ScheduleOverrides::says(std::string_view error) const {
  return std::any_of(kernels.begin(), kernels.end(), [&](const KernelOverride& each) {
    return error.starts_with(each.where + ":");
  });
}

std::optional<std::string> ScheduleOverrides::unused() const {
  for (const KernelOverride& each : kernels) {
    if (each.used) continue;
    return fmt::format("{}: no {} {}; compile --dump overrides lists them", each.where,
                       kernel_name(kind_of(each.choice)),
                       each.number ? fmt::format("has number {}", *each.number)
                                   : "is called '" + each.kernel + "'");
  }
  for (const FusionHint& hint : hints) {
    if (hint.met) continue;
    return fmt::format(
        "{}: no graph has nodes '{}' and '{}' after its passes; compile --dump groups "
        "lists them",
        hint.where, hint.a, hint.b);
  }
  return std::nullopt;
}

}  // namespace dvmsim
