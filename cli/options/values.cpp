#include "cli/options/values.h"

#include <charconv>
#include <sstream>

#include "compiler/schedule/matmul.h"

namespace dvmsim {

std::int64_t parse_integer(const std::string& text, const std::string& option) {
  std::int64_t value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc() || end != text.data() + text.size()) {
    throw Error(option + ": '" + text + "' is not a whole number");
  }
  return value;
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::stringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

void refuse(const std::string& option, const std::string& instead) {
  throw Error(option + ": not available in this version; " + instead);
}

void check_strategy(const std::string& name, const std::string& option) {
  for (const char* known :
       {"eager", "graph", "sink", "jit", "bucket", "dvm", "dvm-eager", "resident"}) {
    if (name == known) return;
  }
  throw Error(option + " " + name + ": unknown; use " + kStrategiesHelp);
}

void check_tiling(const std::string& name, const std::string& option) {
  if (parse_tiling(name)) return;
  throw Error(option + " " + name +
              ": unknown; use cost, dvm (its earliest), dvm-v1, dvm-v2 or dvm-v3 (today's)");
}

std::vector<std::pair<std::string, bool>> parse_features(const std::string& text,
                                                         const std::string& option) {
  std::vector<std::pair<std::string, bool>> features;
  for (const std::string& feature : split(text, ',')) {
    if (feature.size() < 2 || (feature[0] != '+' && feature[0] != '-')) {
      throw Error(option + " '" + feature + "': write +name or -name, separated by commas");
    }
    features.emplace_back(feature.substr(1), feature[0] == '+');
  }
  return features;
}

DType parse_floats(const std::string& text, const std::string& option) {
  const auto type = parse_dtype(text);
  if (!type || !is_float(*type)) {
    throw Error(option + " " + text + ": not a floating-point type; use f16, bf16 or f32");
  }
  return *type;
}

Mode parse_mode(const std::string& text, const std::string& option) {
  return choose<Mode>(option, text, {{"functional", Mode::Functional}, {"timing", Mode::Timing}});
}

MemoryModel parse_memory(const std::string& text, const std::string& option) {
  return choose<MemoryModel>(option, text,
                             {{"ideal", MemoryModel::Ideal},
                              {"closed-form", MemoryModel::ClosedForm},
                              {"detailed", MemoryModel::Detailed}});
}

CompareView parse_view(const std::string& text, const std::string& option) {
  return choose<CompareView>(option, text,
                             {{"stream", CompareView::Stream}, {"device", CompareView::Device}});
}

bool parse_l2(const std::string& text, const std::string& option) {
  return choose<bool>(option, text, {{"cold", false}, {"warm", true}});
}

std::pair<std::string, std::string> parse_named(const std::string& text,
                                                const std::string& option) {
  const std::size_t at = text.find('=');
  if (at == 0 || at == std::string::npos) {
    throw Error(option + " '" + text + "': write name=value");
  }
  return {text.substr(0, at), text.substr(at + 1)};
}

std::vector<std::int64_t> parse_shape(const std::string& text, const std::string& option) {
  if (text == "scalar") return {};
  std::vector<std::int64_t> shape;
  for (const std::string& size : split(text, 'x')) shape.push_back(parse_integer(size, option));
  const bool ends_well = !text.empty() && text.back() != 'x';
  for (std::int64_t size : shape) {
    if (size < 0) throw Error(option + " " + text + ": a size cannot be negative");
  }
  if (shape.empty() || !ends_well) throw Error(option + " '" + text + "': write sizes, 2x3x48");
  return shape;
}

std::pair<std::int64_t, std::int64_t> parse_part(const std::string& text,
                                                 const std::string& option) {
  const auto numbers = split(text, '/');
  const std::string wrong = option + " " + text + ": write I/N, 0/4 to 3/4";
  if (numbers.size() != 2) throw Error(wrong);
  const std::pair part(parse_integer(numbers[0], option), parse_integer(numbers[1], option));
  if (part.first < 0 || part.first >= part.second) throw Error(wrong);
  return part;
}

}  // namespace dvmsim
