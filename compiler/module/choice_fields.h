// The fields of what may be chosen about a kernel, by its kind: their keys, where they are, and how
// they are written. Reading them from a file is cli/schedule_file.h.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>

#include "compiler/module/override.h"

namespace dvmsim {

template <class Choice, class Value>
struct ChoiceField {
  const char* key;
  std::optional<Value> Choice::*at;
  std::int64_t least;  // of numbers
};
template <class Choice, class Value>
constexpr ChoiceField<Choice, Value> choice_field(const char* key, std::optional<Value> Choice::*at,
                                                  std::int64_t least = 1) {
  return {key, at, least};
}
/// Bits of isa::MatmulLoop, which are written as their names.
struct LoopField {
  const char* key;
  std::optional<std::int64_t> MatmulChoice::*at;
};

// Of every kind, in the order of a file.
constexpr auto fields_of(const VectorChoice&) {
  using C = VectorChoice;
  return std::tuple(choice_field("rows", &C::rows), choice_field("columns", &C::columns),
                    choice_field("cores", &C::cores), choice_field("packing", &C::packing),
                    choice_field("loads", &C::loads), choice_field("stores", &C::stores),
                    choice_field("phases", &C::phases), choice_field("parts", &C::parts));
}
constexpr auto fields_of(const MatmulChoice&) {
  using C = MatmulChoice;
  return std::tuple(choice_field("m", &C::m), choice_field("n", &C::n), choice_field("k", &C::k),
                    choice_field("k_step", &C::k_step, 0), choice_field("visit", &C::visit),
                    choice_field("width", &C::width), LoopField{"loop", &C::loop},
                    choice_field("cores", &C::cores), choice_field("shared", &C::shared, 0));
}
constexpr auto fields_of(const AttentionChoice&) {
  using C = AttentionChoice;
  return std::tuple(choice_field("queries", &C::queries), choice_field("keys", &C::keys),
                    choice_field("part", &C::part), choice_field("piece", &C::piece),
                    choice_field("add", &C::add), choice_field("scale_queries", &C::scale_queries),
                    choice_field("cores", &C::cores));
}
constexpr auto fields_of(const ConvChoice&) {
  using C = ConvChoice;
  return std::tuple(choice_field("m", &C::m), choice_field("n", &C::n), choice_field("c", &C::c),
                    choice_field("resident", &C::resident), choice_field("by_row", &C::by_row),
                    choice_field("visit", &C::visit), choice_field("width", &C::width),
                    choice_field("cores", &C::cores));
}
constexpr auto fields_of(const WindowChoice&) {
  using C = WindowChoice;
  return std::tuple(choice_field("rows", &C::rows), choice_field("columns", &C::columns),
                    choice_field("channels", &C::channels), choice_field("repeat", &C::repeat),
                    choice_field("cores", &C::cores), choice_field("code", &C::code));
}
constexpr auto fields_of(const CopyChoice&) {
  using C = CopyChoice;
  return std::tuple(choice_field("tile", &C::tile), choice_field("turns", &C::turns),
                    choice_field("cores", &C::cores));
}
constexpr auto fields_of(const ChainChoice&) {
  using C = ChainChoice;
  return std::tuple(choice_field("m", &C::m), choice_field("k", &C::k), choice_field("n", &C::n),
                    choice_field("span", &C::span), choice_field("whole", &C::whole),
                    choice_field("cores", &C::cores));
}

/// Keys of the kinds in a file, in the order of KernelKind, and what their kernels are called.
[[nodiscard]] std::span<const std::string_view> kind_keys();
[[nodiscard]] std::string_view kernel_name(KernelKind kind);

/// "in-order" and "best-fit".
[[nodiscard]] std::string_view name_of(Packing packing);

/// What is chosen, as in a file: "m: 64, cores: 3".
[[nodiscard]] std::string to_text(const KernelChoice& choice);

}  // namespace dvmsim
