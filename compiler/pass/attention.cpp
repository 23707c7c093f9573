#include <fmt/format.h>

#include <set>
#include <string>
#include <vector>

#include "compiler/graph/shape.h"
#include "compiler/pass/attention_match.h"
#include "compiler/pass/pass.h"
#include "compiler/pass/reroll.h"
#include "compiler/pass/rewrite.h"
#include "compiler/schedule/attention_node.h"

namespace dvmsim {
namespace {

using Sizes = std::vector<std::int64_t>;

class Fuser {
 public:
  Fuser(const Graph& graph, const PassContext& context)
      : graph_(graph), context_(context), matcher_(graph, context), rewrite_(graph) {}

  Graph run() {
    for (const Node& node : rewrite_.nodes()) {
      const bool is_made = node.op == Op::Transpose && made_.count(node.outputs[0]) != 0;
      if (is_made || (matcher_.looks_like(node) && fuse(node))) continue;
      rewrite_.keep(node);
    }
    Graph done = rewrite_.done();
    if (context_.rerolled != nullptr) tell(done);
    return done;
  }

 private:
  bool fuse(const Node& product) {
    std::string why;
    const auto match = matcher_.match(product, why);
    if (!match) return refuse(product, why);
    Node node = node_of(*match, product);
    std::vector<Dims> shapes = {match->q.shape, match->k.shape, match->v.shape};
    if (match->mask != kNoValue) shapes.push_back(match->mask_shape);
    if (why = attention_problem(node, types_of(node, shapes), context_.machine); !why.empty()) {
      for (const Dims& shape : shapes) settle(shape);
      return refuse(product, why);
    }
    for (std::size_t i = 0; i < shapes.size(); ++i) {
      node.inputs[i] = reshaped(node.inputs[i], shapes[i], product.name);
    }
    results_.push_back(emit(std::move(node), *match, product));
    return true;
  }

  /// Of the operands, in numbers. A plan asks again, for other sizes, whether there is a program.
  [[nodiscard]] std::vector<ValueType> types_of(const Node& node,
                                                const std::vector<Dims>& shapes) const {
    std::vector<ValueType> types;
    for (std::size_t i = 0; i < shapes.size(); ++i) {
      Dims numbers;
      for (const Dim& dim : shapes[i]) numbers.emplace_back(context_.number(dim));
      types.push_back({graph_.value(node.inputs[i]).type.dtype, std::move(numbers), std::nullopt});
    }
    return types;
  }

  /// Another size may well have a program.
  void settle(const Dims& shape) const {
    for (const Dim& dim : shape) (void)context_.value(dim);
  }

  static Node node_of(const AttentionMatch& match, const Node& product) {
    Node node;
    node.op = Op::Attention;
    node.name = product.name;
    node.inputs = {match.q.base, match.k.base, match.v.base};
    if (match.mask != kNoValue) node.inputs.push_back(match.mask);
    node.set("scale", match.scale);
    if (match.reach) node.set("reach", *match.reach);
    const Sizes straight = {0, 1, 2, 3};
    if (match.q.perm != straight) node.set("q_perm", as_dims(match.q.perm));
    if (match.k.perm != straight) node.set("k_perm", as_dims(match.k.perm));
    if (match.v.perm != straight) node.set("v_perm", as_dims(match.v.perm));
    return node;
  }

  /// The node makes the product's result, or that of the one transpose which reads it: which?
  ValueId emit(Node node, const AttentionMatch& match, const Node& product) {
    const ValueId result = product.outputs[0];
    const Value& value = graph_.value(result);
    const Node* next = matcher_.only_user(result);
    const bool has_axes = context_.equal(*value.type.shape, match.result_shape);
    if (has_axes && next != nullptr && next->op == Op::Transpose &&
        next->ints_of("perm", {3, 2, 1, 0})[3] == 3) {
      node.set("out_perm", as_dims(next->ints_of("perm")));
      node.outputs = {next->outputs[0]};
      made_.insert(next->outputs[0]);
      rewrite_.keep(std::move(node));
      return next->outputs[0];
    }
    if (has_axes) {
      node.outputs = {result};
      rewrite_.keep(std::move(node));
    } else {
      const ValueId made = rewrite_.make(value.type.dtype, match.result_shape, node.op, node.inputs,
                                         node.attributes, node.name);
      rewrite_.make(result, Op::Reshape, {made}, {{"shape", *value.type.shape}}, node.name);
    }
    return result;
  }

  /// How many operators of the model each attention stands for: those that are gone now.
  void tell(const Graph& done) const {
    std::set<std::string> known;
    for (const Node& node : done.nodes) known.insert(node.name);
    for (ValueId result : results_) {
      int written = 0;
      std::vector<ValueId> open = {result};
      std::string name;
      while (!open.empty()) {
        const NodeId id = open.back() == kNoValue ? -1 : graph_.value(open.back()).producer;
        open.pop_back();
        if (id < 0) continue;
        const Node& node = graph_.node(id);
        const bool is_product = name.empty() && known.contains(node.name);
        if (!is_product && !known.insert(node.name).second) continue;
        if (is_product) name = node.name;
        ++written;
        open.insert(open.end(), node.inputs.begin(), node.inputs.end());
      }
      context_.rerolled->push_back({name, "attention", written});
    }
  }

  ValueId reshaped(ValueId id, const Dims& shape, const std::string& name) {
    const Value& value = rewrite_.graph().value(id);
    if (context_.equal(*value.type.shape, shape)) return id;
    return rewrite_.make(value.type.dtype, shape, Op::Reshape, {id}, {{"shape", shape}}, name);
  }

  bool refuse(const Node& product, const std::string& why) {
    if (context_.remarks != nullptr) {
      *context_.remarks += fmt::format("remark: {}: no attention program: {}\n", product.name, why);
    }
    return false;
  }

  const Graph& graph_;
  const PassContext& context_;
  AttentionMatcher matcher_;
  Rewrite rewrite_;
  std::set<ValueId> made_{};  // by attention, permuted
  std::vector<ValueId> results_{};
};

}  // namespace

Graph attention(const Graph& graph, const PassContext& context) {
  return Fuser(graph, context).run();
}

}  // namespace dvmsim
