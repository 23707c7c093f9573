#include "compiler/graph/ops.h"

#include <array>
#include <vector>

#include "vm/base/error.h"

namespace dvmsim {
namespace {

enum Flag : unsigned { C = 1, X = 2, F = 4, L = 8, B = 16, N = 32, I = 64 };

struct Row {
  OpInfo info;
  std::string_view attributes;
};

constexpr Row row(std::string_view name, int min_inputs, int max_inputs, int outputs,
                  Pattern pattern, ShapeRule rule, unsigned flags, std::string_view attributes) {
  return Row{OpInfo{name, min_inputs, max_inputs, outputs, pattern, rule, (flags & C) != 0,
                    (flags & X) != 0, (flags & F) != 0, (flags & L) != 0, (flags & B) != 0,
                    (flags & N) != 0, (flags & I) != 0},
             attributes};
}

constexpr std::array<Row, kOps> kRows = {
#define OP(op, text, min_inputs, max_inputs, outputs, pattern, rule, flags, attributes) \
  row(text, min_inputs, max_inputs, outputs, Pattern::pattern, ShapeRule::rule, flags, attributes),
#include "compiler/graph/ops.def"
};

constexpr bool names_are_unique() {
  for (std::size_t i = 0; i < kRows.size(); ++i) {
    for (std::size_t j = i + 1; j < kRows.size(); ++j) {
      if (kRows[i].info.name == kRows[j].info.name) return false;
    }
  }
  return true;
}
static_assert(names_are_unique());

AttributeInfo parse_attribute(std::string_view word) {
  const std::size_t colon = word.find(':');
  DVMSIM_ASSERT(colon != std::string_view::npos && colon + 1 < word.size(),
                "an attribute of ops.def reads name:type");
  AttributeInfo info;
  info.name = word.substr(0, colon);
  info.type = static_cast<AttributeInfo::Type>(word[colon + 1]);
  const std::string_view rest = word.substr(colon + 2);
  info.optional = rest == "?";
  if (rest.starts_with('=')) info.default_text = rest.substr(1);
  return info;
}

std::vector<AttributeInfo> parse_attributes(std::string_view text) {
  std::vector<AttributeInfo> result;
  while (!text.empty()) {
    const std::size_t end = text.find(' ');
    result.push_back(parse_attribute(text.substr(0, end)));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return result;
}

}  // namespace

const OpInfo& info_of(Op op) {
  return kRows[static_cast<std::size_t>(op)].info;
}

std::optional<Op> parse_op(std::string_view name) {
  for (std::size_t i = 0; i < kRows.size(); ++i) {
    if (kRows[i].info.name == name) return static_cast<Op>(i);
  }
  return std::nullopt;
}

std::optional<Op> join_of_reduction(Op op) {
  switch (op) {
    case Op::ReduceSum:
      return Op::Add;
    case Op::ReduceProd:
      return Op::Mul;
    case Op::ReduceMax:
      return Op::Max;
    case Op::ReduceMin:
      return Op::Min;
    default:
      return std::nullopt;
  }
}

std::string_view name_of(Pattern pattern) {
  constexpr std::string_view kNames[] = {"elementwise", "broadcast", "reduction",
                                         "contraction", "window",    "move",
                                         "opaque",      "host",      "control"};
  return kNames[static_cast<int>(pattern)];
}

std::span<const AttributeInfo> attributes_of(Op op) {
  static const std::vector<std::vector<AttributeInfo>> kTable = [] {
    std::vector<std::vector<AttributeInfo>> table;
    for (const Row& each : kRows) table.push_back(parse_attributes(each.attributes));
    return table;
  }();
  return kTable[static_cast<std::size_t>(op)];
}

const AttributeInfo* find_attribute(Op op, std::string_view name) {
  for (const AttributeInfo& info : attributes_of(op)) {
    if (info.name == name) return &info;
  }
  return nullptr;
}

}  // namespace dvmsim
