#include "compiler/graph/verify.h"

#include <set>
#include <string>

#include "vm/base/error.h"

namespace dvmsim {
namespace {

class Verifier {
 public:
  Verifier(const Graph& graph, Level level) : graph_(graph), level_(level) {}

  void run() {
    defined_.assign(graph_.values.size(), false);
    check_values();
    for (ValueId id : graph_.inputs) {
      require(in_range(id) && graph_.value(id).kind == ValueKind::Input,
              [&] { return "graph '" + graph_.name + "': an input is not a value of kind input"; });
      defined_[static_cast<std::size_t>(id)] = true;
    }
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) check_node(static_cast<NodeId>(i));
    require(graph_.outputs.size() == graph_.output_names.size(),
            [&] { return "graph '" + graph_.name + "': each output has a name"; });
    for (ValueId id : graph_.outputs) {
      require(in_range(id) && defined_[static_cast<std::size_t>(id)],
              [&] { return "graph '" + graph_.name + "': an output is never computed"; });
    }
  }

 private:
  /// The text is made only when it is needed.
  template <class Text>
  static void require(bool holds, Text text) {
    if (!holds) throw Error(text());
  }
  bool in_range(ValueId id) const {
    return id >= 0 && id < static_cast<ValueId>(graph_.values.size());
  }

  void check_values() {
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < graph_.values.size(); ++i) {
      const Value& value = graph_.values[i];
      const auto where = [&] { return "value '" + value.name + "'"; };
      require(!value.name.empty() && names.insert(value.name).second,
              [&] { return where() + ": names are given, and once each"; });
      require((value.kind == ValueKind::Constant) == (value.tensor || value.fill),
              [&] { return where() + ": constants, and only they, have contents"; });
      require((value.kind == ValueKind::Temp) == (value.producer >= 0), [&] {
        return where() + ": temporaries, and only they, have a node that makes them";
      });
      if (value.kind == ValueKind::Constant) defined_[i] = true;
      if (level_ >= Level::Shaped) {
        require(value.type.shape.has_value(), [&] { return where() + ": has no deduced shape"; });
      }
    }
  }

  void check_node(NodeId id) {
    const Node& node = graph_.node(id);
    const OpInfo& info = info_of(node.op);
    const auto where = [&] { return describe(graph_, node); };
    const auto count = static_cast<int>(node.inputs.size());
    require(count >= info.min_inputs && count <= info.max_inputs, [&] {
      return where() + ": takes " + std::to_string(info.min_inputs) +
             (info.max_inputs == info.min_inputs ? "" : " or more") + " inputs, has " +
             std::to_string(count);
    });
    for (int i = 0; i < count; ++i) check_input(node, i);
    check_attributes(node);
    const auto outputs = static_cast<int>(node.outputs.size());
    require(info.outputs == kMany ? outputs >= 1 : outputs == info.outputs,
            [&] { return where() + ": has " + std::to_string(outputs) + " outputs"; });
    for (ValueId output : node.outputs) {
      require(in_range(output) && graph_.value(output).producer == id &&
                  !defined_[static_cast<std::size_t>(output)],
              [&] { return where() + ": an output belongs to another node, or is written twice"; });
      defined_[static_cast<std::size_t>(output)] = true;
    }
    check_subgraphs(node);
  }

  void check_input(const Node& node, int index) const {
    const auto where = [&] { return describe(graph_, node); };
    const ValueId id = node.inputs[static_cast<std::size_t>(index)];
    if (id == kNoValue) {
      require(index >= info_of(node.op).min_inputs,
              [&] { return where() + ": a required input is absent"; });
      return;
    }
    require(in_range(id) && defined_[static_cast<std::size_t>(id)],
            [&] { return where() + ": reads a value that no earlier node writes"; });
  }

  void check_attributes(const Node& node) const {
    const auto where = [&] { return describe(graph_, node); };
    for (const auto& [name, value] : node.attributes) {
      const AttributeInfo* info = find_attribute(node.op, name);
      require(info != nullptr, [&] { return where() + ": has no attribute '" + name + "'"; });
      constexpr AttributeInfo::Type kTypes[] = {
          AttributeInfo::Type::Int,     AttributeInfo::Type::Float,
          AttributeInfo::Type::String,  AttributeInfo::Type::DimList,
          AttributeInfo::Type::Element, AttributeInfo::Type::FloatList};
      require(kTypes[value.index()] == info->type,
              [&] { return where() + ": attribute '" + name + "' has the wrong type"; });
    }
    for (const AttributeInfo& info : attributes_of(node.op)) {
      require(info.optional || !info.default_text.empty() || node.find(info.name) != nullptr,
              [&] { return where() + ": attribute '" + std::string(info.name) + "' is missing"; });
    }
  }

  void check_subgraphs(const Node& node) const {
    const auto where = [&] { return describe(graph_, node); };
    const std::size_t wanted = node.op == Op::If                            ? 2
                               : node.op == Op::Loop || node.op == Op::Scan ? 1
                                                                            : 0;
    require(node.subgraphs.size() == wanted, [&] {
      return where() + ": has " + std::to_string(wanted) + " subgraphs, and no others do";
    });
    // A branch does not get the condition; a loop's body gives one besides the node's outputs.
    const std::size_t inputs = node.inputs.size() - (node.op == Op::If ? 1 : 0);
    const std::size_t outputs = node.outputs.size() + (node.op == Op::Loop ? 1 : 0);
    for (const Graph& subgraph : node.subgraphs) {
      require(subgraph.inputs.size() == inputs && subgraph.outputs.size() == outputs,
              [&] { return where() + ": a subgraph has other inputs or outputs than its node"; });
      verify(subgraph, level_);
    }
  }

  const Graph& graph_;
  Level level_;
  std::vector<bool> defined_;
};

}  // namespace

void verify(const Graph& graph, Level level) {
  Verifier(graph, level).run();
}

}  // namespace dvmsim
