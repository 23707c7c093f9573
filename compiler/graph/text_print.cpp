#include <array>
#include <charconv>
#include <cmath>
#include <set>

#include "compiler/graph/text.h"

namespace dvmsim {
namespace {

bool is_plain(const std::string& name) {
  constexpr std::string_view kWords[] = {"dim", "input", "const", "output", "graph", "_"};
  for (const std::string_view word : kWords) {
    if (name == word) return false;
  }
  if (name.empty() || (name[0] >= '0' && name[0] <= '9') || name[0] == '.') return false;
  for (const char c : name) {
    const bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '_' || c == '.';
    if (!fits) return false;
  }
  return true;
}

std::string quoted(const std::string& name) {
  std::string text = "\"";
  for (const char c : name) {
    if (c == '"' || c == '\\') text += '\\';
    text += c == '\n' ? ' ' : c;
  }
  return text + "\"";
}

std::string word(const std::string& name) {
  return is_plain(name) ? name : quoted(name);
}

template <class Number>
std::string shortest(Number value) {
  if (std::isnan(value)) return "nan";
  std::array<char, 64> buffer{};
  const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  std::string text(buffer.data(), result.ptr);
  return text;
}

std::uint64_t hash_of(const Tensor& tensor) {  // FNV-1a
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const std::byte byte : tensor.bytes()) {
    hash = (hash ^ static_cast<std::uint64_t>(byte)) * 0x100000001b3u;
  }
  return hash;
}

std::string hex(std::uint64_t value) {
  std::array<char, 16> buffer{};
  const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, 16);
  return std::string(buffer.data(), result.ptr);
}

std::string joined(const auto& parts, const auto& text_of) {
  std::string text;
  for (const auto& part : parts) {
    if (!text.empty()) text += ", ";
    text += text_of(part);
  }
  return text;
}

/// Dims with symbols that are no plain names quoted.
std::string dims_text(const Dims& dims) {
  std::set<std::string> names;
  for (const Dim& dim : dims) collect_symbols(dim, names);
  bool plain = true;
  for (const std::string& name : names) plain = plain && is_plain(name);
  if (plain) return to_text(dims);
  std::string text = "[";
  for (const Dim& dim : dims) {
    if (text.size() > 1) text += ", ";
    const std::optional<std::string> name = dim.symbol_name();
    text += name ? word(*name) : to_text(dim);
  }
  return text + "]";
}

std::string type_text(const ValueType& type) {
  return std::string(name_of(type.dtype)) + (type.shape ? dims_text(*type.shape) : "?");
}

struct AttributeText {
  std::string operator()(std::int64_t value) const { return std::to_string(value); }
  std::string operator()(double value) const { return shortest(value); }
  std::string operator()(const std::string& value) const { return word(value); }
  std::string operator()(const Dims& value) const { return dims_text(value); }
  std::string operator()(DType value) const { return std::string(name_of(value)); }
  std::string operator()(const std::vector<double>& value) const {
    return "[" + joined(value, shortest<double>) + "]";
  }
};

class Printer {
 public:
  Printer(const Graph& graph, const PrintOptions& options, std::string indent)
      : graph_(graph), options_(options), indent_(std::move(indent)) {}

  std::string file() {
    if (!graph_.name.empty()) line("graph " + word(graph_.name));
    if (!graph_.symbols.empty()) line("dim " + joined(graph_.symbols, word));
    for (ValueId id : graph_.inputs) {
      line("input " + word(graph_.value(id).name) + ": " + type_text(graph_.value(id).type));
    }
    body();
    return std::move(text_);
  }

  std::string branch() {
    body();
    return std::move(text_);
  }

 private:
  void line(const std::string& text) { text_ += indent_ + text + "\n"; }

  std::string name_of_value(ValueId id) const {
    return id == kNoValue ? "_" : word(graph_.value(id).name);
  }

  void body() {
    for (const Value& value : graph_.values) {
      if (value.kind == ValueKind::Constant) constant(value);
    }
    for (const Node& node : graph_.nodes) print(node);
    std::string outputs;
    for (std::size_t i = 0; i < graph_.outputs.size(); ++i) {
      const std::string& name = graph_.value(graph_.outputs[i]).name;
      if (i > 0) outputs += ", ";
      outputs += word(name);
      if (graph_.output_names[i] != name) outputs += " as " + word(graph_.output_names[i]);
    }
    line("output " + outputs);
  }

  void constant(const Value& value) {
    std::string text = "const " + word(value.name) + ": " + type_text(value.type) + " = ";
    if (value.fill) {
      const bool random = value.fill->kind == Fill::Kind::Random;
      text += random ? "random(" + std::to_string(value.fill->seed) + ", " : "full(";
      text += shortest(value.fill->value) + ")";
    } else if (options_.elide_constants && value.tensor->count() > 16) {
      text += "<" + hex(hash_of(*value.tensor)) + ">";
    } else if (is_float(value.type.dtype)) {
      text += "[" + joined(value.tensor->floats(), shortest<float>) + "]";
    } else {
      text += "[" + joined(value.tensor->ints(), [](std::int64_t v) { return std::to_string(v); }) +
              "]";
    }
    line(text);
  }

  void print(const Node& node) {
    std::string text = joined(node.outputs, [&](ValueId id) {
      const Value& value = graph_.value(id);
      const bool typed = options_.types && value.type.shape;
      return word(value.name) + (typed ? ": " + type_text(value.type) : "");
    });
    text += " = " + std::string(name_of(node.op)) + "(";
    text += joined(node.inputs, [&](ValueId id) { return name_of_value(id); }) + ")";
    if (!node.attributes.empty()) {
      text += " {" +
              joined(node.attributes,
                     [](const auto& entry) {
                       return entry.first + "=" + std::visit(AttributeText{}, entry.second);
                     }) +
              "}";
    }
    const bool loops = node.op == Op::Loop || node.op == Op::Scan;
    const char* const kBranches[] = {loops ? " do (" : " then (", " else ("};
    for (std::size_t i = 0; i < node.subgraphs.size(); ++i) {
      const Graph& graph = node.subgraphs[i];
      text += kBranches[i] +
              joined(graph.inputs, [&](ValueId id) { return word(graph.value(id).name); }) +
              ") {\n" + Printer(graph, options_, indent_ + "  ").branch() + indent_ + "}";
    }
    if (!node.name.empty()) text += " @" + quoted(node.name);
    line(text);
  }

  const Graph& graph_;
  const PrintOptions& options_;
  std::string indent_;
  std::string text_;
};

}  // namespace

std::string print_graph(const Graph& graph, const PrintOptions& options) {
  return Printer(graph, options, "").file();
}

}  // namespace dvmsim
