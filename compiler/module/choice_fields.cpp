#include "compiler/module/choice_fields.h"

#include <fmt/format.h>

#include <array>
#include <type_traits>
#include <vector>

namespace dvmsim {
namespace {

constexpr std::array<std::string_view, std::variant_size_v<KernelChoice>>
    kKeys = {"vector", "matmul", "attention", "conv", "window", "copy", "chain"},
    kKernels = {"vector kernel",
                "matrix product",
                "attention",
                "convolution",
                "pool or depthwise convolution",
                "copy or gather",
                "chain of products"};

template <class Value>
std::string written(const Value& value) {
  return fmt::format("{}", value);
}
std::string written(Packing packing) {
  return std::string(name_of(packing));
}
std::string written(isa::Swizzle visit) {
  return isa::name_of(visit);
}
template <class Value>
std::string written(const std::vector<Value>& values) {
  std::vector<std::string> items;
  for (const Value& value : values) items.push_back(written(value));
  // One for all is written without a list round it.
  if (items.size() == 1 && !std::is_same_v<Value, std::int64_t>) return items.front();
  return fmt::format("[{}]", fmt::join(items, ", "));
}

template <class Choice, class Value>
void write(const Choice& choice, const ChoiceField<Choice, Value>& field,
           std::vector<std::string>& to) {
  const std::optional<Value>& value = choice.*field.at;
  if (value) to.push_back(fmt::format("{}: {}", field.key, written(*value)));
}
void write(const MatmulChoice& choice, const LoopField& field, std::vector<std::string>& to) {
  const std::int64_t bits = (choice.*field.at).value_or(0);
  if (bits == 0) return;
  std::vector<std::string_view> names;
  for (const LoopName& each : loop_names()) {
    if ((bits & each.bit) != 0) names.push_back(each.name);
  }
  to.push_back(fmt::format("{}: [{}]", field.key, fmt::join(names, ", ")));
}

}  // namespace

std::span<const std::string_view> kind_keys() {
  return kKeys;
}

std::string_view kernel_name(KernelKind kind) {
  return kKernels[static_cast<std::size_t>(kind)];
}

std::string_view name_of(Packing packing) {
  return packing == Packing::InOrder ? "in-order" : "best-fit";
}

std::string to_text(const KernelChoice& any) {
  std::vector<std::string> texts;
  const auto write_all = [&](const auto& choice) {
    std::apply([&](const auto&... field) { (write(choice, field, texts), ...); },
               fields_of(choice));
  };
  std::visit(write_all, any);
  return fmt::format("{}", fmt::join(texts, ", "));
}

}  // namespace dvmsim
