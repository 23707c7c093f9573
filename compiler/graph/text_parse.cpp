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

  /// A branch or a body: "(a, b) { ... }"; the parameters get their types from outside.
  Graph subgraph(const Graph& outer, const std::vector<ValueType>& types) {
    symbols_.insert(outer.symbols.begin(), outer.symbols.end());
    lexer_.expect("(");
    for (std::size_t i = 0; i < types.size(); ++i) {
      if (i > 0) lexer_.expect(",");
      const std::string name = new_name();
      names_[name] = graph_.add_input(name, DType::F32, {});
      graph_.value(names_[name]).type = types[i];
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
    if (begins("repeat")) return repeat();
    if (begins("next")) return next();
    node();
  }

  /// Takes the word if it begins a statement; it may also be the name of a value.
  bool begins(const char* word) {
    const Lexer before = lexer_;
    if (!lexer_.skip(word)) return false;
    if (!lexer_.at("=") && !lexer_.at(",") && !lexer_.at(":")) return true;
    lexer_ = before;
    return false;
  }

  /// The body is read as often as it is repeated; each time its names get another prefix.
  void repeat() {
    const std::string outer = prefix_;
    const std::int64_t outer_seed = seed_offset_;
    const std::string name = lexer_.take_name("what is repeated");
    const std::int64_t count = lexer_.take_int();
    if (count < 1 || count > kMostRounds) {
      lexer_.fail("repeat takes a count of 1 to " + std::to_string(kMostRounds));
    }
    lexer_.expect("{");
    const Lexer body = lexer_;
    for (std::int64_t round = 0; round < count; ++round) {
      lexer_ = body;
      prefix_ = outer + name + std::to_string(round) + ".";
      seed_offset_ = (outer_seed + round) * kSeedsPerRound;
      while (!lexer_.skip("}")) {
        if (lexer_.peek().kind == Token::Kind::End) lexer_.fail("a repeat is not closed by '}'");
        statement();
      }
    }
    prefix_ = outer;
    seed_offset_ = outer_seed;
  }

  /// "next x = y": from here on, the x from outside the repeat is y.
  void next() {
    if (prefix_.empty()) lexer_.fail("next stands only inside a repeat");
    const std::string name = lexer_.take_name("a value from outside the repeat");
    if (names_.contains(prefix_ + name)) {
      lexer_.fail("value '" + name + "' is defined inside the repeat; next takes one from outside");
    }
    const auto found = lookup(name);
    lexer_.expect("=");
    found->second = use();
  }

  void dims() {
    do {
      const std::string name = lexer_.take_name("a dimension's name");
      if (!symbols_.insert(name).second) lexer_.fail("dimension '" + name + "' is declared twice");
      graph_.symbols.push_back(name);
    } while (lexer_.skip(","));
  }

  std::string new_name() {
    const std::string name = prefix_ + lexer_.take_name("a value's name");
    if (names_.contains(name)) lexer_.fail("value '" + name + "' is defined twice");
    return name;
  }

  ValueId use() {
    if (lexer_.skip("_")) return kNoValue;
    return lookup(lexer_.take_name("a value's name"))->second;
  }

  /// Names of the innermost repeat first, then those around it.
  std::map<std::string, ValueId>::iterator lookup(const std::string& name) {
    for (std::string prefix = prefix_;;) {
      const auto found = names_.find(prefix + name);
      if (found != names_.end()) return found;
      if (prefix.empty()) break;
      const std::size_t dot = prefix.rfind('.', prefix.size() - 2);
      prefix.resize(dot == std::string::npos ? 0 : dot + 1);
    }
    lexer_.fail("value '" + name + "' is not defined before its use");
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
      result.seed = lexer_.take_int() + seed_offset_;
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
      graph_.add_output(
          id, prefix_ + (lexer_.skip("as") ? lexer_.take_name("the output's name") : name));
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
    if (info_of(*op).pattern == Pattern::Control) subgraphs(parsed);
    if (lexer_.skip("@")) parsed.name = lexer_.take_name("where the node came from");
    append(std::move(parsed), names, types);
  }

  void subgraphs(Node& parsed) {
    const std::vector<ValueType> types = parameters(parsed);
    const bool branches = parsed.op == Op::If;
    lexer_.expect(branches ? "then" : "do");
    parsed.subgraphs.push_back(Parser(lexer_).subgraph(graph_, types));
    if (!branches) return;
    lexer_.expect("else");
    parsed.subgraphs.push_back(Parser(lexer_).subgraph(graph_, types));
  }

  /// What a subgraph takes, as far as the node's inputs tell.
  std::vector<ValueType> parameters(const Node& parsed) const {
    std::vector<ValueType> types;
    const std::size_t first = parsed.op == Op::If ? 1 : 0;
    for (std::size_t i = first; i < parsed.inputs.size(); ++i) {
      const bool optional = parsed.op == Op::Loop && i < 2;
      if (parsed.inputs[i] == kNoValue && !optional) {
        lexer_.fail("a subgraph does not capture '_'");
      }
      if (optional) {
        types.push_back({i == 0 ? DType::I64 : DType::Bool, Dims{}, std::nullopt});
      } else {
        types.push_back(graph_.value(parsed.inputs[i]).type);
      }
    }
    if (parsed.op != Op::Scan) return types;
    const auto states = static_cast<std::size_t>(parsed.int_of("states"));
    const auto scans = static_cast<std::size_t>(parsed.int_of("scans"));
    for (std::size_t i = states; i < std::min(states + scans, types.size()); ++i) {
      if (types[i].shape && !types[i].shape->empty())
        types[i].shape->erase(types[i].shape->begin());
    }
    return types;
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

  static constexpr std::int64_t kMostRounds = 1000, kSeedsPerRound = 1000;

  Lexer& lexer_;
  std::string prefix_{};          // of names inside a repeat
  std::int64_t seed_offset_ = 0;  // so that every round has weights of its own
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
