// What is read from protobuf messages: tensors (raw bytes, typed fields, external files), and the
// names and attributes of a node.
#include <algorithm>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "compiler/import/lower.h"
#include "compiler/import/onnx.h"
#include "onnx/onnx_pb.h"
#include "vm/base/error.h"

namespace dvmsim::onnx_import {
namespace {

std::string where(const onnx::TensorProto& from, const Model& model) {
  return model.name + ": tensor '" + from.name() + "'";
}

/// A number of an external_data entry.
std::uint64_t entry_number(const onnx::StringStringEntryProto& entry, const std::string& place) {
  std::uint64_t value = 0;
  const std::string& text = entry.value();
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || fault != std::errc() || end != text.data() + text.size()) {
    throw Error(place + ": external " + entry.key() + " '" + text + "' is no number");
  }
  return value;
}

/// Where external data lie: beside the model or below it, links followed.
std::filesystem::path external_path(const std::string& location, const Model& model,
                                    const std::string& place) {
  namespace fs = std::filesystem;
  const fs::path relative = fs::path(location).lexically_normal();
  const fs::path folder = model.directory.empty() ? fs::path(".") : fs::path(model.directory);
  std::error_code fault;
  const fs::path real = fs::weakly_canonical(folder / relative, fault);
  const fs::path root = fs::weakly_canonical(folder, fault);
  const fs::path inside = real.lexically_relative(root);
  if (location.empty() || relative.is_absolute() || inside.empty() || *inside.begin() == "..") {
    throw Error(place + ": external data must lie beside the model, not at '" + location + "'");
  }
  if (!fs::is_regular_file(real, fault)) {
    throw Error(place + ": external data '" + (folder / relative).string() +
                "' cannot be read; put the file beside the model");
  }
  return real;
}

std::vector<std::byte> external_bytes(const onnx::TensorProto& from, const Model& model,
                                      std::size_t size) {
  const std::string place = where(from, model);
  std::string location;
  std::uint64_t offset = 0, length = size;
  for (const onnx::StringStringEntryProto& entry : from.external_data()) {
    if (entry.key() == "location") location = entry.value();
    if (entry.key() == "offset") offset = entry_number(entry, place);
    if (entry.key() == "length") length = entry_number(entry, place);
  }
  const std::filesystem::path path = external_path(location, model, place);
  if (length != size) {
    throw Error(place + ": has " + std::to_string(length) + " bytes of external data, its shape " +
                "takes " + std::to_string(size));
  }
  const std::uint64_t there = std::filesystem::file_size(path);
  if (offset > there || size > there - offset) {
    throw Error(place + ": external data '" + location + "' does not hold " + std::to_string(size) +
                " bytes at offset " + std::to_string(offset));
  }
  std::ifstream file(path, std::ios::binary);
  std::vector<std::byte> bytes(size);
  file.seekg(static_cast<std::streamoff>(offset));
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size));
  if (!file) throw Error(place + ": external data '" + location + "' cannot be read");
  return bytes;
}

/// Elements of a stored tensor; Error for sizes that no file can mean.
std::int64_t count_of(const onnx::TensorProto& from, const Model& model) {
  constexpr std::int64_t kMost = std::int64_t{1} << 40;
  std::int64_t count = 1;
  for (const std::int64_t dim : from.dims()) {
    if (dim < 0 || dim > kMost || (dim > 0 && count > kMost / dim)) {
      throw Error(where(from, model) + ": dimension " + std::to_string(dim) +
                  " is absurd; the file is damaged");
    }
    count *= dim;
  }
  return count;
}

template <class Stored>
std::vector<std::byte> packed(const auto& field, std::size_t count) {
  std::vector<std::byte> bytes(count * sizeof(Stored));
  for (std::size_t i = 0; i < count; ++i) {
    const auto value = static_cast<Stored>(field[static_cast<int>(i)]);
    std::memcpy(bytes.data() + i * sizeof(Stored), &value, sizeof(Stored));
  }
  return bytes;
}

std::vector<std::byte> field_bytes(const onnx::TensorProto& from, const Model& model, DType dtype,
                                   std::int64_t count) {
  const int have = dtype == DType::F32   ? from.float_data_size()
                   : dtype == DType::I64 ? from.int64_data_size()
                                         : from.int32_data_size();
  if (have != count) {
    throw Error(where(from, model) + ": has " + std::to_string(have) +
                " numbers, its shape takes " + std::to_string(count) + "; the file is damaged");
  }
  const auto n = static_cast<std::size_t>(count);
  switch (dtype) {
    case DType::F32:
      return packed<float>(from.float_data(), n);
    case DType::I64:
      return packed<std::int64_t>(from.int64_data(), n);
    case DType::I32:
      return packed<std::int32_t>(from.int32_data(), n);
    case DType::F16:
    case DType::BF16:
      return packed<std::uint16_t>(from.int32_data(), n);
    default:
      return packed<std::uint8_t>(from.int32_data(), n);
  }
}

/// Doubles, rounded to F32.
Tensor narrowed(const onnx::TensorProto& from, const Model& model) {
  const std::vector<std::int64_t> shape(from.dims().begin(), from.dims().end());
  const auto count = static_cast<std::size_t>(count_of(from, model));
  std::vector<double> values(from.double_data().begin(), from.double_data().end());
  if (from.data_location() == onnx::TensorProto::EXTERNAL || from.has_raw_data()) {
    const std::size_t size = count * sizeof(double);
    std::vector<std::byte> bytes;
    if (from.data_location() == onnx::TensorProto::EXTERNAL) {
      bytes = external_bytes(from, model, size);
    } else {
      const auto* begin = reinterpret_cast<const std::byte*>(from.raw_data().data());
      bytes.assign(begin, begin + from.raw_data().size());
    }
    values.resize(bytes.size() / sizeof(double));
    if (!values.empty()) std::memcpy(values.data(), bytes.data(), values.size() * sizeof(double));
  }
  if (values.size() != count) {
    throw Error(where(from, model) + ": has " + std::to_string(values.size()) +
                " numbers, its shape takes " + std::to_string(count) + "; the file is damaged");
  }
  return Tensor::of(DType::F32, shape, values);
}

}  // namespace

std::string unsupported(std::int64_t onnx_type) {
  const auto type = static_cast<int>(onnx_type);
  const std::string name =
      onnx::TensorProto_DataType_IsValid(type)
          ? onnx::TensorProto_DataType_Name(static_cast<onnx::TensorProto_DataType>(type))
          : std::to_string(type);
  if (onnx_type == onnx::TensorProto::DOUBLE) {
    return "element type DOUBLE is not supported; compute it in another with --dtype f32";
  }
  return "element type " + name +
         " is not supported; use float, float16, bfloat16, int8/32/64, uint8 or bool";
}

std::optional<DType> Model::dtype_of(std::int64_t onnx_type) const {
  switch (onnx_type) {
    case onnx::TensorProto::FLOAT:
      return DType::F32;
    case onnx::TensorProto::DOUBLE:
      if (options->doubles_as_floats) return DType::F32;
      return std::nullopt;
    case onnx::TensorProto::UINT8:
      return DType::U8;
    case onnx::TensorProto::INT8:
      return DType::I8;
    case onnx::TensorProto::INT32:
      return DType::I32;
    case onnx::TensorProto::INT64:
      return DType::I64;
    case onnx::TensorProto::BOOL:
      return DType::Bool;
    case onnx::TensorProto::FLOAT16:
      return DType::F16;
    case onnx::TensorProto::BFLOAT16:
      return DType::BF16;
    default:
      return std::nullopt;
  }
}

std::vector<std::string> input_names(const onnx::GraphProto& graph) {
  std::vector<std::string> names;
  for (const onnx::ValueInfoProto& input : graph.input()) names.push_back(input.name());
  return names;
}

int output_count(const onnx::GraphProto& graph) {
  return graph.output_size();
}

Tensor read_tensor(const onnx::TensorProto& from, const Model& model) {
  if (from.data_type() == onnx::TensorProto::DOUBLE && model.options->doubles_as_floats) {
    return narrowed(from, model);
  }
  const std::optional<DType> dtype = model.dtype_of(from.data_type());
  if (!dtype) throw Error(where(from, model) + ": " + unsupported(from.data_type()));
  const std::vector<std::int64_t> shape(from.dims().begin(), from.dims().end());
  const std::int64_t count = count_of(from, model);
  const auto size = static_cast<std::size_t>(count) * static_cast<std::size_t>(size_of(*dtype));
  if (from.data_location() == onnx::TensorProto::EXTERNAL) {
    return Tensor(*dtype, shape, external_bytes(from, model, size));
  }
  if (!from.has_raw_data()) {
    return Tensor(*dtype, shape, field_bytes(from, model, *dtype, count));
  }
  const std::string& raw = from.raw_data();
  if (raw.size() != size) {
    throw Error(where(from, model) + ": has " + std::to_string(raw.size()) +
                " bytes, its shape takes " + std::to_string(size) + "; the file is damaged");
  }
  const auto* begin = reinterpret_cast<const std::byte*>(raw.data());
  return Tensor(*dtype, shape, std::vector<std::byte>(begin, begin + raw.size()));
}

Lower::Lower(const Model& model, Scope& scope, const onnx::NodeProto& node, const Later& later)
    : model_(model), scope_(scope), node_(node), later_(later), label_(node.name()) {
  for (int i = 0; label_.empty() && i < node.output_size(); ++i) label_ = node.output(i);
  // Nodes of one name come from one operator, so a name that the model uses twice is numbered.
  const std::vector<Node>& others = scope.graph().nodes;
  const auto is_taken = [&](const std::string& name) {
    return std::any_of(others.begin(), others.end(),
                       [&](const Node& other) { return other.name == name; });
  };
  const std::string given = label_;
  for (int count = 2; is_taken(label_); ++count) label_ = given + "#" + std::to_string(count);
}

const std::string& Lower::type() const {
  return node_.op_type();
}

void Lower::fail(const std::string& why) const {
  throw Error(model_.name + ": node '" + label_ + "' (" + node_.op_type() + "): " + why);
}

int Lower::inputs() const {
  return node_.input_size();
}
int Lower::outputs() const {
  return node_.output_size();
}
bool Lower::has(int input) const {
  return input < node_.input_size() && !node_.input(input).empty();
}
bool Lower::wants(int output) const {
  return output < node_.output_size() && !node_.output(output).empty();
}

const std::string& Lower::input_name(int index) const {
  return node_.input(index);
}
const std::string& Lower::output_name(int index) const {
  return node_.output(index);
}

const onnx::AttributeProto* Lower::find(std::string_view name) const {
  for (const onnx::AttributeProto& attribute : node_.attribute()) {
    if (attribute.name() == name) return &attribute;
  }
  return nullptr;
}

/// The attribute if it is there; it must be of the type (or of none: old files leave it out).
const onnx::AttributeProto* Lower::find(std::string_view name, int type, const char* what) const {
  const onnx::AttributeProto* found = find(name);
  if (found == nullptr) return nullptr;
  if (found->type() != onnx::AttributeProto::UNDEFINED && found->type() != type) {
    fail("attribute '" + std::string(name) + "' is not " + what);
  }
  return found;
}

bool Lower::has_attribute(std::string_view name) const {
  return find(name) != nullptr;
}

std::int64_t Lower::int_of(std::string_view name, std::int64_t fallback) const {
  const onnx::AttributeProto* found = find(name, onnx::AttributeProto::INT, "an integer");
  return found == nullptr ? fallback : found->i();
}

double Lower::float_of(std::string_view name, double fallback) const {
  const onnx::AttributeProto* found = find(name, onnx::AttributeProto::FLOAT, "a number");
  return found == nullptr ? fallback : static_cast<double>(found->f());
}

std::string Lower::string_of(std::string_view name, const std::string& fallback) const {
  const onnx::AttributeProto* found = find(name, onnx::AttributeProto::STRING, "a text");
  return found == nullptr ? fallback : found->s();
}

std::vector<std::int64_t> Lower::ints_of(std::string_view name) const {
  const onnx::AttributeProto* found = find(name, onnx::AttributeProto::INTS, "a list of integers");
  if (found == nullptr) return {};
  return {found->ints().begin(), found->ints().end()};
}

std::vector<float> Lower::floats_of(std::string_view name) const {
  const onnx::AttributeProto* found = find(name, onnx::AttributeProto::FLOATS, "a list of numbers");
  if (found == nullptr) return {};
  return {found->floats().begin(), found->floats().end()};
}

std::vector<std::string> Lower::strings_of(std::string_view name) const {
  const onnx::AttributeProto* found = find(name, onnx::AttributeProto::STRINGS, "a list of texts");
  if (found == nullptr) return {};
  return {found->strings().begin(), found->strings().end()};
}

std::optional<Tensor> Lower::tensor_of(std::string_view name) const {
  const onnx::AttributeProto* found = find(name);
  if (found == nullptr) return std::nullopt;
  if (!found->has_t()) fail("attribute '" + std::string(name) + "' is no tensor");
  return read_tensor(found->t(), model_);
}

const onnx::GraphProto& Lower::graph_of(std::string_view name) const {
  const onnx::AttributeProto* found = find(name);
  if (found == nullptr || !found->has_g()) fail(std::string(name) + " is missing");
  return found->g();
}

}  // namespace dvmsim::onnx_import

namespace dvmsim {

Tensor import_onnx_tensor(std::string_view bytes, const std::string& name,
                          const ImportOptions& options) {
  onnx::TensorProto proto;
  if (!proto.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    throw Error(name + ": is no ONNX tensor");
  }
  return onnx_import::read_tensor(proto, onnx_import::Model{name, "", 0, &options});
}

}  // namespace dvmsim
