#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "compiler/graph/text.h"
#include "compiler/graph/text_lexer.h"
#include "compiler/graph/verify.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

class Parser {
 public:
  explicit Parser(Lexer& lexer) : lexer_(lexer) {}

  Graph file() {
    if (lexer_.skip("graph")) graph_.name = lexer_.take_name("the graph's name");
    while (lexer_.peek().kind != Token::Kind::End) statement();
    return std::move(graph_);
  }

  /// A branch of an if: "(a, b) { ... }"; the parameters get their types from outside.
  Graph branch(const Graph& outer, const std::vector<ValueId>& captured) {
    symbols_.insert(outer.symbols.begin(), outer.symbols.end());
    lexer_.expect("(");
    for (std::size_t i = 1; i < captured.size(); ++i) {
      if (i > 1) lexer_.expect(",");
      const std::string name = new_name();
      if (captured[i] == kNoValue) lexer_.fail("an if does not capture '_'");
      names_[name] = graph_.add_input(name, DType::F32, {});
      graph_.value(names_[name]).type = outer.value(captured[i]).type;
    }
    lexer_.expect(")");
    lexer_.expect("{");
    while (!lexer_.skip("}")) {
      if (lexer_.peek().kind == Token::Kind::End) lexer_.fail("a branch is not closed by '}'");
      statement();
    }
    return std::move(graph_);
  }

 private:
  void statement() {
    if (lexer_.skip("dim")) return dims();
    if (lexer_.skip("input")) return input();
    if (lexer_.skip("const")) return constant();
    if (lexer_.skip("output")) return outputs();
    node();
  }

  void dims() {
    do {
      const std::string name = lexer_.take_name("a dimension's name");
      if (!symbols_.insert(name).second) lexer_.fail("dimension '" + name + "' is declared twice");
      graph_.symbols.push_back(name);
    } while (lexer_.skip(","));
  }

  std::string new_name() {
    const std::string name = lexer_.take_name("a value's name");
    if (names_.contains(name)) lexer_.fail("value '" + name + "' is defined twice");
    return name;
  }

  ValueId use() {
    if (lexer_.skip("_")) return kNoValue;
    const std::string name = lexer_.take_name("a value's name");
    const auto found = names_.find(name);
    if (found == names_.end()) lexer_.fail("value '" + name + "' is not defined before its use");
    return found->second;
  }

  // Dims: sum := ["-"] product {("+"|"-") product}; product := factor {"*" factor}.
  Dim dim() {
    Dim sum = lexer_.skip("-") ? Dim(-1) * product() : product();
    for (;;) {
      if (lexer_.skip("+")) {
        sum = sum + product();
      } else if (lexer_.skip("-")) {
        sum = sum - product();
      } else {
        return sum;
      }
    }
  }
  Dim product() {
    Dim result = factor();
    while (lexer_.skip("*")) result = result * factor();
    return result;
  }
  Dim factor() {
    if (lexer_.peek().kind == Token::Kind::Number) return lexer_.take_int();
    const bool quoted = lexer_.peek().kind == Token::Kind::Quoted;
    const std::string name = lexer_.take_name("a dimension");
    if (!quoted && lexer_.at("(")) return function(name);
    if (!symbols_.contains(name)) {
      lexer_.fail("dimension '" + name + "' is not declared; add: dim " + name);
    }
    return Dim::symbol(name);
  }
  Dim function(const std::string& name) {
    lexer_.expect("(");
    const Dim a = dim();
    lexer_.expect(",");
    const Dim b = dim();
    lexer_.expect(")");
    if (name == "floordiv") return floor_div(a, b);
    if (name == "ceildiv") return ceil_div(a, b);
    if (name == "min") return min(a, b);
    if (name == "max") return max(a, b);
    lexer_.fail("there is no function '" + name +
                "' of dimensions; use floordiv, ceildiv, min, max");
  }
  Dims dim_list() {
    Dims result;
    lexer_.expect("[");
    while (!lexer_.skip("]")) {
      if (!result.empty()) lexer_.expect(",");
      result.push_back(dim());
    }
    return result;
  }

  std::vector<double> float_list() {
    std::vector<double> result;
    lexer_.expect("[");
    while (!lexer_.skip("]")) {
      if (!result.empty()) lexer_.expect(",");
      result.push_back(lexer_.take_number());
    }
    return result;
  }

  ValueType type() {
    const std::string name = lexer_.take_name("an element type");
    const std::optional<DType> dtype = parse_dtype(name);
    if (!dtype) lexer_.fail("'" + name + "' is not an element type");
    if (lexer_.skip("?")) return {*dtype, std::nullopt, std::nullopt};
    return {*dtype, dim_list(), std::nullopt};
  }

  void input() {
    const std::string name = new_name();
    lexer_.expect(":");
    const ValueType declared = type();
    names_[name] = graph_.add_input(name, declared.dtype, declared.shape.value_or(Dims{}));
    graph_.value(names_[name]).type = declared;
  }

  void constant() {
    const std::string name = new_name();
    lexer_.expect(":");
    const ValueType declared = type();
    std::vector<std::int64_t> shape;
    for (const Dim& each : declared.shape.value_or(Dims{})) {
      if (!each.is_known() || each.value() < 0) lexer_.fail("a constant's shape must be numbers");
      shape.push_back(each.value());
    }
    lexer_.expect("=");
    if (lexer_.at("[")) {
      names_[name] = graph_.add_constant(name, literal(declared.dtype, shape));
      return;
    }
    names_[name] = graph_.add_constant(name, declared.dtype, shape, fill());
  }

  Tensor literal(DType dtype, const std::vector<std::int64_t>& shape) {
    std::vector<double> numbers;
    std::vector<std::int64_t> ints;
    lexer_.expect("[");
    while (!lexer_.skip("]")) {
      if (numbers.size() + ints.size() > 0) lexer_.expect(",");
      if (is_float(dtype)) {
        numbers.push_back(lexer_.take_number());
      } else {
        ints.push_back(lexer_.take_int());
      }
    }
    const std::int64_t count = element_count(shape);
    if (static_cast<std::int64_t>(numbers.size() + ints.size()) != count) {
      lexer_.fail("the constant has " + std::to_string(numbers.size() + ints.size()) +
                  " numbers, its shape takes " + std::to_string(count));
    }
    return is_float(dtype) ? Tensor::of(dtype, shape, numbers)
                           : Tensor::of_ints(dtype, shape, ints);
  }

  Fill fill() {
    Fill result;
    const std::string name = lexer_.take_name("random(seed, scale), full(value) or [numbers]");
    lexer_.expect("(");
    if (name == "random") {
      result.kind = Fill::Kind::Random;
      result.seed = lexer_.take_int();
      lexer_.expect(",");
    } else if (name != "full") {
      lexer_.fail("a constant is random(seed, scale), full(value) or [numbers], not " + name);
    }
    result.value = lexer_.take_number();
    lexer_.expect(")");
    return result;
  }

  void outputs() {
    do {
      const std::string name = lexer_.peek().text;
      const ValueId id = use();
      graph_.add_output(id, lexer_.skip("as") ? lexer_.take_name("the output's name") : name);
    } while (lexer_.skip(","));
  }

  void node() {
    std::vector<std::string> names;
    std::vector<ValueType> types;
    do {
      names.push_back(new_name());
      types.push_back({DType::F32, std::nullopt, std::nullopt});
      if (lexer_.skip(":")) types.back() = type();
    } while (lexer_.skip(","));
    lexer_.expect("=");
    const std::string op_name = lexer_.take_name("an operator");
    const std::optional<Op> op = parse_op(op_name);
    if (!op) lexer_.fail("there is no operator '" + op_name + "'");
    Node parsed;
    parsed.op = *op;
    lexer_.expect("(");
    while (!lexer_.skip(")")) {
      if (!parsed.inputs.empty()) lexer_.expect(",");
      parsed.inputs.push_back(use());
    }
    if (lexer_.skip("{")) attributes(parsed);
    if (*op == Op::If) {
      lexer_.expect("then");
      parsed.subgraphs.push_back(Parser(lexer_).branch(graph_, parsed.inputs));
      lexer_.expect("else");
      parsed.subgraphs.push_back(Parser(lexer_).branch(graph_, parsed.inputs));
    }
    if (lexer_.skip("@")) parsed.name = lexer_.take_name("where the node came from");
    append(std::move(parsed), names, types);
  }

  void append(Node parsed, const std::vector<std::string>& names,
              const std::vector<ValueType>& types) {
    const NodeId id =
        graph_.add_node(parsed.op, parsed.inputs, names, parsed.attributes, parsed.name);
    graph_.node(id).subgraphs = std::move(parsed.subgraphs);
    for (std::size_t i = 0; i < names.size(); ++i) {
      names_[names[i]] = graph_.node(id).outputs[i];
      graph_.value(names_[names[i]]).type = types[i];
    }
  }

  void attributes(Node& parsed) {
    while (!lexer_.skip("}")) {
      if (!parsed.attributes.empty()) lexer_.expect(",");
      const std::string name = lexer_.take_name("an attribute");
      const AttributeInfo* info = find_attribute(parsed.op, name);
      if (info == nullptr) {
        lexer_.fail("operator '" + std::string(name_of(parsed.op)) + "' has no attribute '" + name +
                    "'");
      }
      lexer_.expect("=");
      parsed.set(name, attribute(info->type));
    }
  }

  Attribute attribute(AttributeInfo::Type type_of_attribute) {
    switch (type_of_attribute) {
      case AttributeInfo::Type::Int:
        return lexer_.take_int();
      case AttributeInfo::Type::Float:
        return lexer_.take_number();
      case AttributeInfo::Type::String:
        return lexer_.take_name("a word");
      case AttributeInfo::Type::DimList:
        return dim_list();
      case AttributeInfo::Type::FloatList:
        return float_list();
      case AttributeInfo::Type::Element:
        break;
    }
    const std::string name = lexer_.take_name("an element type");
    const std::optional<DType> dtype = parse_dtype(name);
    if (!dtype) lexer_.fail("'" + name + "' is not an element type");
    return *dtype;
  }

  Lexer& lexer_;
  Graph graph_;
  std::set<std::string> symbols_;
  std::map<std::string, ValueId> names_;
};

}  // namespace

Graph parse_graph(std::string_view text, const std::string& file) {
  Lexer lexer(text, file);
  Graph graph = Parser(lexer).file();
  if (graph.outputs.empty()) throw Error(file + ": the graph has no output");
  try {
    verify(graph, Level::Imported);
  } catch (const Error& error) {
    throw Error(file + ": " + error.what());
  }
  return graph;
}

Graph load_graph(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(path + ": cannot be read");
  std::ostringstream text;
  text << file.rdbuf();
  return parse_graph(text.str(), path);
}

}  // namespace dvmsim
