#include "compiler/runtime/strategy/specializations.h"

#include <algorithm>

namespace dvmsim {
namespace {

/// Sizes that code is always specialised for.
constexpr std::int64_t kLastSpecial = 1;

}  // namespace

bool Specializations::holds(const Version& version, const std::vector<std::int64_t>& sizes) {
  if (version.size() != sizes.size()) return false;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (version[i] ? *version[i] != sizes[i] : sizes[i] <= kLastSpecial) return false;
  }
  return true;
}

Specializations::Verdict Specializations::ask(const std::string& path,
                                              const std::vector<std::int64_t>& sizes) {
  Versions& versions = of_[path];
  const bool known = std::any_of(versions.all.begin(), versions.all.end(),
                                 [&](const Version& version) { return holds(version, sizes); });
  if (known) return Verdict::Known;
  if (static_cast<int>(versions.all.size()) >= limit_) return Verdict::GiveUp;
  if (versions.last.size() != sizes.size()) {
    versions.last = sizes;
    versions.changed.assign(sizes.size(), false);
  }
  Version version;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    versions.changed[i] = versions.changed[i] || versions.last[i] != sizes[i];
    const bool symbol = symbols_ && versions.changed[i] && sizes[i] > kLastSpecial;
    version.push_back(symbol ? std::nullopt : std::optional(sizes[i]));
  }
  versions.last = sizes;
  versions.all.push_back(std::move(version));
  return Verdict::Compile;
}

}  // namespace dvmsim
