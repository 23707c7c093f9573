// What a user decides about schedules instead of the compiler, as plain data: constraints on single
// kernels, and nodes that belong into one launch or two. Owns how kernels are matched; the file
// form is cli/schedule_file.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "compiler/pass/fusion_hint.h"
#include "compiler/schedule/attention.h"
#include "compiler/schedule/chain.h"
#include "compiler/schedule/conv_tiles.h"
#include "compiler/schedule/copy.h"
#include "compiler/schedule/matmul.h"
#include "compiler/schedule/vector.h"
#include "compiler/schedule/window.h"

namespace dvmsim {

/// What is settled about a kernel, by what it is scheduled as.
using KernelChoice = std::variant<VectorChoice, MatmulChoice, AttentionChoice, ConvChoice,
                                  WindowChoice, CopyChoice, ChainChoice>;
/// The alternatives of KernelChoice, in its order.
enum class KernelKind : std::uint8_t { Vector, Matmul, Attention, Conv, Window, Copy, Chain };
[[nodiscard]] constexpr KernelKind kind_of(const KernelChoice& choice) {
  return static_cast<KernelKind>(choice.index());
}

/// One kernel, or all whose name a glob matches. Holds for kernels of the choice's kind; one of
/// them must exist.
struct KernelOverride {
  std::string kernel{};         // name or glob; empty: by number
  std::optional<int> number{};  // in the order of compilation, from 0
  std::string where{};          // "file:line", for errors
  KernelChoice choice{};
  bool used = false;
};

struct ScheduleOverrides {
  std::vector<KernelOverride> kernels{};
  std::vector<FusionHint> hints{};

  /// The last one that names the kernel; null if there is none. Marks it as used.
  [[nodiscard]] const KernelOverride* find(std::string_view kernel, int number, KernelKind kind);
  /// Is it an Error about one of the kernels' entries, with its place?
  [[nodiscard]] bool says(std::string_view error) const;
  /// What was never used: "file:3: no kernel ... ". Nullopt if everything was.
  [[nodiscard]] std::optional<std::string> unused() const;
};

/// `*` is any text, `?` any character.
[[nodiscard]] bool matches_glob(std::string_view glob, std::string_view text);

/// What was decided about a kernel, by the compiler or by an override: with it as an override the
/// module is the same.
struct ScheduleDecision {
  int number = -1;  // -1: only by name
  std::string kernel{};
  std::string note{};  // for people: "over [1, 4096]", "128x256x512 f16"
  std::string by{};    // "file:line" of the override, if there was one
  KernelChoice choice{};
};

}  // namespace dvmsim
