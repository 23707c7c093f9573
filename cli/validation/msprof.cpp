#include "cli/validation/msprof.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

#include "cli/validation/table.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

using Shape = std::vector<std::int64_t>;

constexpr const char* kType = "OP Type";
constexpr const char* kTask = "Task Duration(us)";
constexpr const char* kShapes = "Input Shapes";

/// Columns of times and the figures of a report that stand beside them.
struct Time {
  const char *column, *metric, *suffix;
};
constexpr std::array kTimes = {
    Time{kTask, "task_us", ""},
    Time{"aicore_time(us)", "aic_us", "aicore"},
    Time{"aic_mac_time(us)", "aic_mac_us", "aic_mac"},
    Time{"aic_scalar_time(us)", "aic_scalar_us", "aic_scalar"},
    Time{"aic_mte1_time(us)", "aic_mte1_us", "aic_mte1"},
    Time{"aic_mte2_time(us)", "aic_mte2_us", "aic_mte2"},
    Time{"aic_fixpipe_time(us)", "aic_fixpipe_us", "aic_fixpipe"},
    Time{"aiv_time(us)", "aiv_us", "aiv"},
    Time{"aiv_vec_time(us)", "aiv_vec_us", "aiv_vec"},
    Time{"aiv_scalar_time(us)", "aiv_scalar_us", "aiv_scalar"},
    Time{"aiv_mte2_time(us)", "aiv_mte2_us", "aiv_mte2"},
    Time{"aiv_mte3_time(us)", "aiv_mte3_us", "aiv_mte3"},
};

/// Types of operators whose inputs are ours, in their order.
struct Plain {
  const char *type, *op;
  std::size_t inputs;
};
constexpr std::array kPlain = {
    Plain{"Add", "add", 2},
    Plain{"AddV2", "add", 2},
    Plain{"Sub", "sub", 2},
    Plain{"Mul", "mul", 2},
    Plain{"Div", "div", 2},
    Plain{"RealDiv", "div", 2},
    Plain{"Maximum", "max", 2},
    Plain{"Minimum", "min", 2},
    Plain{"Pow", "pow", 2},
    Plain{"Exp", "exp", 1},
    Plain{"Log", "log", 1},
    Plain{"Sqrt", "sqrt", 1},
    Plain{"Rsqrt", "rsqrt", 1},
    Plain{"Reciprocal", "reciprocal", 1},
    Plain{"Abs", "abs", 1},
    Plain{"Neg", "neg", 1},
    Plain{"Relu", "relu", 1},
    Plain{"Sigmoid", "sigmoid", 1},
    Plain{"Tanh", "tanh", 1},
    Plain{"Erf", "erf", 1},
    Plain{"Gelu", "gelu", 1},
    Plain{"GeluV2", "gelu", 1},
    Plain{"Swish", "silu", 1},
    Plain{"SoftmaxV2", "softmax", 1},
    Plain{"LogSoftmaxV2", "log_softmax", 1},
    Plain{"Equal", "eq", 2},
    Plain{"Less", "lt", 2},
    Plain{"Greater", "gt", 2},
};
constexpr std::array kReductions = {
    std::pair{"ReduceSum", "reduce_sum"},   std::pair{"ReduceSumD", "reduce_sum"},
    std::pair{"ReduceMax", "reduce_max"},   std::pair{"ReduceMaxD", "reduce_max"},
    std::pair{"ReduceMin", "reduce_min"},   std::pair{"ReduceMinD", "reduce_min"},
    std::pair{"ReduceMean", "reduce_mean"}, std::pair{"ReduceMeanD", "reduce_mean"},
};

/// A command line, or why there is none.
struct Mapped {
  std::string command{}, reason{};
};
Mapped refuse(std::string reason) {
  return {"", std::move(reason)};
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (;;) {
    const auto end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

/// One row of the summary, understood.
class Operator {
 public:
  Operator(const Csv& csv, const CsvRecord& record) : csv_(csv), record_(record) {
    inputs_ = shapes("Input Shapes");
    outputs_ = shapes("Output Shapes");
    types_ = list("Input Data Types");
    formats_ = list("Input Formats");
  }

  [[nodiscard]] Mapped mapped() const {
    const std::string type = csv_.field(record_, kType);
    const std::string task = csv_.field(record_, "Task Type");
    if (task == "AI_CPU" || task == "HOST_CPU") return refuse("runs on " + task);
    if (task == "COMMUNICATION" || type.starts_with("hcom")) return refuse("several devices");
    if (std::string reason; !dtype(reason)) return refuse(reason);
    if (type.starts_with("MatMul") || type.starts_with("BatchMatMul")) return matmul();
    for (const auto& [name, op] : kReductions) {
      if (type == name) return reduction(op);
    }
    for (const Plain& plain : kPlain) {
      if (type == plain.type) return plain_op(plain);
    }
    if (type == "Cast") return cast();
    if (type.starts_with("LayerNorm")) return norm("layer_norm", 3);
    if (type.starts_with("RmsNorm")) return norm("rms_norm", 2);
    if (type == "Transpose" || type == "TransposeD")
      return refuse("permutation not in the summary");
    return refuse("no operator for type " + type);
  }

 private:
  [[nodiscard]] std::vector<std::string> list(const char* column) const {
    const std::string& text = csv_.field(record_, column);
    if (text.empty() || text == "N/A") return {};
    return split(text, ';');
  }

  [[nodiscard]] std::vector<Shape> shapes(const char* column) const {
    std::vector<Shape> result;
    for (std::string part : list(column)) {
      part.erase(std::remove(part.begin(), part.end(), '"'), part.end());
      Shape shape;
      if (!part.empty()) {
        for (const std::string& size : split(part, ',')) shape.push_back(size_of(size, column));
      }
      result.push_back(std::move(shape));
    }
    return result;
  }
  [[nodiscard]] std::int64_t size_of(std::string_view text, const char* column) const {
    while (text.starts_with(' ')) text.remove_prefix(1);
    std::int64_t value = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (fault != std::errc() || end != text.data() + text.size() || value < 0) {
      csv_.fail(record_.line, std::string(column) + ": '" + std::string(text) + "' is no size");
    }
    return value;
  }

  static std::string text_of(const Shape& shape) {
    std::string text;
    for (const std::int64_t size : shape) text += (text.empty() ? "" : "x") + std::to_string(size);
    return text.empty() ? "scalar" : text;
  }

  static const char* dtype_of(std::string_view text) {
    static constexpr std::array kTypes = {std::pair{"FLOAT16", "f16"}, std::pair{"DT_BF16", "bf16"},
                                          std::pair{"BF16", "bf16"},   std::pair{"FLOAT", "f32"},
                                          std::pair{"FLOAT32", "f32"}, std::pair{"INT8", "i8"},
                                          std::pair{"INT32", "i32"},   std::pair{"INT64", "i64"},
                                          std::pair{"UINT8", "u8"},    std::pair{"BOOL", "bool"}};
    for (const auto& [theirs, ours] : kTypes) {
      if (text == theirs) return ours;
    }
    return nullptr;
  }

  /// The type of the first input, formats checked.
  [[nodiscard]] std::optional<std::string> dtype(std::string& reason) const {
    for (const std::string& format : formats_) {
      if (format == "ND" || format == "NCHW" || format == "NHWC" || format == "NULL") continue;
      reason = "format " + format;
      return {};
    }
    if (types_.empty()) {
      reason = "no input types";
      return {};
    }
    const char* type = dtype_of(types_[0]);
    if (type == nullptr) {
      reason = "type " + types_[0];
      return {};
    }
    return type;
  }

  [[nodiscard]] Mapped call(const std::string& op, const std::vector<Shape>& inputs,
                            const std::string& more = "") const {
    std::string reason;
    const auto type = dtype(reason);
    if (!type) return refuse(reason);
    std::string command = "op " + op;
    for (const Shape& shape : inputs) command += " " + text_of(shape);
    return {command + " --dtype " + *type + more, ""};
  }

  [[nodiscard]] Mapped plain_op(const Plain& plain) const {
    if (inputs_.size() < plain.inputs) return refuse("input shapes missing");
    return call(plain.op, {inputs_.begin(), inputs_.begin() + static_cast<int>(plain.inputs)});
  }

  [[nodiscard]] Mapped cast() const {
    const auto outputs = list("Output Data Types");
    if (inputs_.empty() || outputs.empty()) return refuse("input shapes or output types missing");
    const char* to = dtype_of(outputs[0]);
    if (to == nullptr) return refuse("type " + outputs[0]);
    return call("cast", {inputs_[0]}, std::string(" --attr to=") + to);
  }

  /// x, scale, bias; in version 4 with the normalised shape, as numbers, behind x.
  [[nodiscard]] Mapped norm(const char* op, std::size_t most) const {
    std::vector<Shape> inputs = inputs_;
    if (csv_.field(record_, kType).ends_with("V4") && inputs.size() > 1) {
      inputs.erase(inputs.begin() + 1);
    }
    if (inputs.size() < 2) return refuse("input shapes missing");
    const Shape &x = inputs[0], &scale = inputs[1];
    if (scale.empty() || scale.size() > x.size()) return refuse("shape of the scale");
    inputs.resize(std::min(most, inputs.size()));
    return call(op, inputs, " --attr axis=-" + std::to_string(scale.size()));
  }

  /// Axes that the output has lost, or has as 1.
  [[nodiscard]] Mapped reduction(const char* op) const {
    if (inputs_.empty() || outputs_.empty()) return refuse("shapes missing");
    const Shape &in = inputs_[0], &out = outputs_[0];
    const bool keep = in.size() == out.size();
    std::string axes;
    std::size_t o = 0;
    for (std::size_t i = 0; i < in.size(); ++i) {
      const bool kept = keep ? out[i] == in[i] : o < out.size() && out[o] == in[i];
      if (kept) {
        ++o;
      } else if (!keep || out[i] == 1) {
        axes += (axes.empty() ? "" : ",") + std::to_string(i);
      } else {
        return refuse("output shape of a reduction");
      }
    }
    if (!keep && o != out.size()) return refuse("output shape of a reduction");
    if (axes.empty()) return refuse("nothing is reduced");
    return call(op, {in}, " --attr axes=" + axes + " --attr keepdims=" + (keep ? "1" : "0"));
  }

  /// Which operands are stored transposed follows from the sizes; where several ways fit, the one
  /// with fewer transpositions counts.
  [[nodiscard]] Mapped matmul() const {
    if (inputs_.size() < 2 || outputs_.empty()) return refuse("shapes missing");
    const Shape &a = inputs_[0], &b = inputs_[1], &c = outputs_[0];
    if (a.size() < 2 || b.size() < 2 || c.size() < 2) return refuse("a matmul of vectors");
    const auto last = [](const Shape& s, std::size_t back) { return s[s.size() - back]; };
    const std::int64_t m = last(c, 2), n = last(c, 1);
    for (const auto& [ta, tb] : {std::pair{false, false}, std::pair{false, true},
                                 std::pair{true, false}, std::pair{true, true}}) {
      const std::int64_t am = last(a, ta ? 1 : 2), ak = last(a, ta ? 2 : 1);
      const std::int64_t bk = last(b, tb ? 1 : 2), bn = last(b, tb ? 2 : 1);
      if (am != m || bn != n || ak != bk) continue;
      return call("matmul", {a, b}, std::string(ta ? " --trans-a" : "") + (tb ? " --trans-b" : ""));
    }
    return refuse("shapes of a matmul do not fit");
  }

  const Csv& csv_;
  const CsvRecord& record_;
  std::vector<Shape> inputs_{}, outputs_{};
  std::vector<std::string> types_{}, formats_{};
};

double time_of(const Csv& csv, const CsvRecord& record, const char* column) {
  const std::string& text = csv.field(record, column);
  if (text.empty() || text == "N/A") return 0;
  double value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc() || end != text.data() + text.size() || value < 0) {
    csv.fail(record.line, std::string(column) + ": '" + text + "' is no time");
  }
  return value;
}

}  // namespace

bool is_op_summary(const Csv& csv) {
  return csv.column(kType) && csv.column(kTask) && csv.column(kShapes);
}

Table table_of_op_summary(const Csv& csv, std::optional<double> tolerance) {
  Table table;
  for (const CsvRecord& record : csv.records) {
    const Mapped mapped = Operator(csv, record).mapped();
    const std::string where = csv.name + ":" + std::to_string(record.line);
    for (const Time& time : kTimes) {
      const double measured = time_of(csv, record, time.column);
      if (measured == 0) continue;  // the summary has a column for every pipe
      TableRow row;
      row.line = record.line;
      row.group = csv.field(record, kType);
      row.id = std::to_string(record.line) + ":" + row.group;
      if (*time.suffix != '\0') row.id += std::string(".") + time.suffix;
      row.note = csv.field(record, "Op Name");
      row.command = mapped.command;
      row.metric = Metric(time.metric, where);
      row.low = row.high = measured;
      row.unit = "us";
      row.tolerance = tolerance;
      row.gated = tolerance.has_value() && !row.command.empty();
      row.reason = row.command.empty() ? mapped.reason : row.gated ? "" : "no tolerance stated";
      table.rows.push_back(std::move(row));
      if (mapped.command.empty()) break;
    }
  }
  return table;
}

}  // namespace dvmsim
