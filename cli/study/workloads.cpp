// Workloads of a study: what is run, at which sizes.
#include <algorithm>
#include <charconv>
#include <filesystem>
#include <numeric>

#include "cli/random.h"
#include "cli/stream/stream.h"
#include "cli/study/parts.h"

namespace dvmsim {
namespace {

namespace fs = std::filesystem;
constexpr std::int64_t kMostSizes = 1'000'000;

constexpr const char* kSizeForms =
    "a size, a list, {list: [...]}, {range: [first, last, step]} or {random: {min, max, count, "
    "seed}}";

std::vector<std::int64_t> size_list(const Yaml& list, const std::string& what) {
  std::vector<std::int64_t> sizes;
  for (const Yaml& item : list.list(what)) sizes.push_back(item.integer(what, 0));
  return sizes;
}

std::vector<std::int64_t> size_range(const Yaml& range) {
  const auto ends = size_list(range, "range");
  if (ends.size() < 2 || ends.size() > 3) range.fail("range: write [first, last, step]");
  const std::int64_t step = ends.size() == 3 ? ends[2] : 1;
  if (step < 1 || ends[0] > ends[1]) range.fail("range: first to last, in steps of at least 1");
  if ((ends[1] - ends[0]) / step >= kMostSizes) range.fail("range: more than a million sizes");
  std::vector<std::int64_t> sizes;
  for (std::int64_t size = ends[0]; size <= ends[1]; size += step) sizes.push_back(size);
  return sizes;
}

std::vector<std::int64_t> random_sizes(const Yaml& form) {
  std::int64_t least = -1, most = -1, count = -1, seed = 1, step = 1;
  for (const YamlEntry& each : form.map("random")) {
    if (each.key == "min") {
      least = each.value.integer(each.key, 0);
    } else if (each.key == "max") {
      most = each.value.integer(each.key, 0);
    } else if (each.key == "count") {
      count = each.value.integer(each.key, 1);
    } else if (each.key == "seed") {
      seed = each.value.integer(each.key);
    } else if (each.key == "step") {
      step = each.value.integer(each.key, 1);
    } else {
      each.unknown("random", "min, max, count, seed, step");
    }
  }
  if (least < 0 || most < least || count < 1) {
    form.fail("random: write {min: 1, max: 2048, count: 100, seed: 7}, min at most max");
  }
  if (count > kMostSizes) form.fail("random: more than a million sizes");
  Random random(seed);
  std::vector<std::int64_t> sizes;
  for (std::int64_t i = 0; i < count; ++i) {
    sizes.push_back(least + step * random.below((most - least) / step + 1));
  }
  return sizes;
}

void shuffle(std::vector<std::int64_t>& sizes, std::int64_t seed) {
  Random random(seed);
  for (std::size_t i = sizes.size(); i > 1; --i) {
    std::swap(sizes[i - 1],
              sizes[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(i)))]);
  }
}

/// Every combination of the symbols' sizes, the last symbol fastest; or the first of each, then the
/// second of each, where a symbol with one size has it throughout.
std::vector<DimSizes> combine(
    const std::vector<std::pair<std::string, std::vector<std::int64_t>>>& dims, bool list,
    const Yaml& at) {
  std::int64_t count = 1;
  for (const auto& [name, sizes] : dims) {
    const auto own = static_cast<std::int64_t>(sizes.size());
    if (list && own > 1 && count > 1 && own != count) {
      at.fail("combine: list needs as many sizes of each symbol; " + name + " has " +
              std::to_string(own) + ", not " + std::to_string(count));
    }
    count = list ? std::max(count, own) : count * own;
    if (count > kMostSizes) at.fail("dims: more than a million combinations");
  }
  std::vector<DimSizes> result;
  for (std::int64_t i = 0; i < count; ++i) {
    DimSizes one(dims.size());
    std::int64_t rest = i;
    for (std::size_t d = dims.size(); d-- > 0;) {
      const auto& sizes = dims[d].second;
      const auto own = static_cast<std::int64_t>(sizes.size());
      const std::int64_t which = list ? (own > 1 ? i : 0) : rest % own;
      one[d] = {dims[d].first, sizes[static_cast<std::size_t>(which)]};
      rest /= own;
    }
    result.push_back(std::move(one));
  }
  return result;
}

/// "64xn": sizes and symbols; a symbol has no x in it.
Dims shape_of(const Yaml& node) {
  const std::string& text = node.text("shapes");
  Dims shape;
  if (text == "scalar") return shape;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find('x', at), text.size());
    const std::string part = text.substr(at, end - at);
    std::int64_t size = 0;
    const auto [stop, fault] = std::from_chars(part.data(), part.data() + part.size(), size);
    if (!part.empty() && fault == std::errc() && stop == part.data() + part.size() && size >= 0) {
      shape.emplace_back(size);
    } else if (!part.empty() && std::isalpha(static_cast<unsigned char>(part[0])) != 0 &&
               std::all_of(part.begin(), part.end(),
                           [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; })) {
      shape.push_back(Dim::symbol(part));
    } else {
      node.fail("shapes: '" + text + "': write sizes or symbols with x between, 64xn");
    }
    at = end + 1;
  }
  return shape;
}

std::string attribute_text(const YamlEntry& entry) {
  if (!entry.value.is_list()) return entry.value.text(entry.key);
  std::string text;
  for (const Yaml& item : entry.value.list(entry.key)) {
    text += (text.empty() ? "" : ",") + item.text(entry.key);
  }
  return text;
}

std::string existing(const Yaml& node, const std::string& what, const std::string& folder) {
  const std::string path = (fs::path(folder) / node.text(what)).lexically_normal().string();
  if (!fs::is_regular_file(path)) node.fail(what + ": '" + path + "' is no file");
  return path;
}

class WorkloadReader {
 public:
  WorkloadReader(const Yaml& item, std::string folder) : item_(item), folder_(std::move(folder)) {}

  StudyWorkload read() {
    work_.line = item_.line();
    for (const YamlEntry& entry : item_.map("a workload")) {
      if (!read_common(entry) && !read_model(entry) && !read_op(entry)) {
        entry.unknown(
            "a workload",
            "name, mode, seed, weight, class, dims, combine; and model, dtype, trace, or op, "
            "shapes, dtype, attrs, trans_a, trans_b");
      }
    }
    finish();
    return std::move(work_);
  }

 private:
  bool read_common(const YamlEntry& entry) {
    const auto& [key, line, value] = entry;
    if (key == "name") {
      work_.name = value.text(key);
    } else if (key == "mode") {
      work_.mode = placed(value, [&] { return parse_mode(value.text("mode"), "mode"); });
    } else if (key == "seed") {
      work_.seed = value.integer(key);
    } else if (key == "weight") {
      work_.weight = value.number(key);
      if (work_.weight <= 0) value.fail("weight: must be more than 0");
    } else if (key == "class") {
      work_.kind = value.text(key);
    } else if (key == "dtype") {
      dtype_ = &value;
    } else if (key == "dims") {
      for (const YamlEntry& each : value.map(key)) dims_.emplace_back(each.key, read_sizes(each));
    } else if (key == "combine") {
      list_ = value.text(key) == "list";
      if (!list_ && value.text(key) != "grid") value.fail("combine: grid or list");
    } else {
      return false;
    }
    return true;
  }

  bool read_model(const YamlEntry& entry) {
    const auto& [key, line, value] = entry;
    if (key == "model") {
      work_.model = existing(value, key, folder_);
      if (!work_.model.ends_with(".onnx") && !work_.model.ends_with(".graph")) {
        value.fail("model: an .onnx or a .graph file");
      }
    } else if (key == "trace") {
      work_.trace = existing(value, key, folder_);
      (void)load_stream(work_.trace);
    } else {
      return false;
    }
    return true;
  }

  bool read_op(const YamlEntry& entry) {
    const auto& [key, line, value] = entry;
    if (key == "op") {
      work_.op.op = value.text(key);
    } else if (key == "shapes") {
      if (value.is_text()) {
        work_.op_shapes = {shape_of(value)};
      } else {
        for (const Yaml& each : value.list(key)) work_.op_shapes.push_back(shape_of(each));
      }
    } else if (key == "attrs") {
      for (const YamlEntry& each : value.map(key)) {
        work_.op.attributes.emplace_back(each.key, attribute_text(each));
      }
    } else if (key == "trans_a") {
      work_.op.trans_a = value.flag(key);
    } else if (key == "trans_b") {
      work_.op.trans_b = value.flag(key);
    } else {
      return false;
    }
    return true;
  }

  void finish() {
    const bool op = !work_.op.op.empty();
    if (op == !work_.model.empty()) {
      item_.fail("a workload is a model: FILE or an op: NAME with shapes, one of the two");
    }
    if (op && work_.op_shapes.empty()) item_.fail("op: add shapes: [64x4096]");
    if (!op && !work_.op_shapes.empty()) item_.fail("shapes: of an op; a model has dims");
    if (op && !work_.trace.empty()) item_.fail("trace: of a model; an op has dims");
    if (!work_.trace.empty() && !dims_.empty()) {
      item_.fail("dims: the trace has the sizes; leave one of them out");
    }
    if (dtype_ != nullptr) read_dtype(op);
    if (op) check_symbols();
    work_.sizes = combine(dims_, list_, item_);
    if (work_.name.empty()) {
      work_.name = op ? work_.op.op : fs::path(work_.model).stem().string();
    }
  }

  void read_dtype(bool op) {
    if (!op) {
      work_.floats = placed(*dtype_, [&] { return parse_floats(dtype_->text("dtype"), "dtype"); });
      return;
    }
    const auto type = parse_dtype(dtype_->text("dtype"));
    if (!type) dtype_->fail("dtype: '" + dtype_->text("dtype") + "': use f16, bf16, f32, i8 ...");
    work_.op.dtype = *type;
  }

  void check_symbols() const {
    std::set<std::string> used;
    for (const Dims& shape : work_.op_shapes) {
      for (const Dim& dim : shape) collect_symbols(dim, used);
    }
    for (const std::string& name : used) {
      const bool known =
          std::any_of(dims_.begin(), dims_.end(), [&](const auto& d) { return d.first == name; });
      if (!known) item_.fail("shapes: add the sizes of '" + name + "' to dims");
    }
    for (const auto& [name, sizes] : dims_) {
      if (!used.contains(name)) item_.fail("dims: no shape has the symbol '" + name + "'");
    }
  }

  const Yaml& item_;
  std::string folder_;
  StudyWorkload work_{};
  std::vector<std::pair<std::string, std::vector<std::int64_t>>> dims_{};
  const Yaml* dtype_ = nullptr;
  bool list_ = false;
};

}  // namespace

std::vector<std::int64_t> read_sizes(const YamlEntry& entry) {
  const Yaml& value = entry.value;
  if (value.is_text()) return {value.integer(entry.key, 0)};
  if (value.is_list()) return size_list(value, entry.key);
  if (!value.is_map()) entry.fail(entry.key + ": write " + kSizeForms);
  std::vector<std::int64_t> sizes;
  int forms = 0;
  for (const YamlEntry& form : value.map(entry.key)) {
    if (form.key == "shuffle") continue;
    if (form.key == "list") {
      sizes = size_list(form.value, form.key);
    } else if (form.key == "range") {
      sizes = size_range(form.value);
    } else if (form.key == "random") {
      sizes = random_sizes(form.value);
    } else {
      form.unknown("the sizes of a symbol", "list, range or random, and shuffle");
    }
    ++forms;
  }
  if (forms != 1) entry.fail(entry.key + ": write " + kSizeForms);
  if (const Yaml* seed = value.find("shuffle")) shuffle(sizes, seed->integer("shuffle"));
  return sizes;
}

StudyWorkload read_workload(const Yaml& item, const std::string& folder) {
  return WorkloadReader(item, folder).read();
}

}  // namespace dvmsim
