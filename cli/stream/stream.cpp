#include "cli/stream/stream.h"

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "cli/random.h"
#include "cli/text/files.h"
#include "cli/text/yaml.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

constexpr std::int64_t kMostSteps = 10'000'000;

class Reader {
 public:
  explicit Reader(std::string file) : file_(std::move(file)) {}

  Stream read(const Yaml& root) {
    Stream stream;
    stream.file = file_;
    for (const YamlEntry& entry : root.map("a stream")) {
      const auto& [key, line, value] = entry;
      if (key == "seed") {
        stream.seed = value.integer(key);
      } else if (key == "state") {
        stream.state = texts(value, key);
      } else if (key == "initial") {
        for (const YamlEntry& each : value.map(key)) {
          stream.initial.emplace_back(each.key, size(each.value, each.key));
        }
      } else if (key == "steps") {
        for (const Yaml& item : value.list(key)) stream.groups.push_back(group(item));
      } else {
        entry.unknown("a stream", "seed, state, initial, steps");
      }
    }
    if (stream.groups.empty()) throw Error(file_ + ": has no steps; add: steps: [...]");
    std::int64_t count = 0;
    for (const StreamGroup& each : stream.groups) count += each.repeat;
    if (count > kMostSteps) {
      throw Error(file_ + ": has more than " + std::to_string(kMostSteps) + " steps");
    }
    return stream;
  }

 private:
  static std::int64_t number(const Yaml& node, const std::string& text, const std::string& key) {
    std::int64_t value = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || fault != std::errc() || end != text.data() + text.size()) {
      node.fail(key + ": '" + text + "' is not a whole number");
    }
    return value;
  }
  static std::int64_t size(const Yaml& node, const std::string& key) {
    const std::int64_t value = node.integer(key);
    if (value < 0) node.fail(key + ": a size cannot be negative");
    return value;
  }

  static Named texts(const Yaml& node, const std::string& what) {
    Named result;
    for (const YamlEntry& each : node.map(what)) {
      result.emplace_back(each.key, each.value.text(each.key));
    }
    return result;
  }

  /// "64", "48..320" or "48..320 by 8".
  static StreamSize drawn(const Yaml& node, const std::string& text, const std::string& key) {
    StreamSize result;
    const std::size_t dots = text.find("..");
    if (dots == std::string::npos) {
      result.values = {number(node, text, key)};
    } else {
      const std::size_t by = text.find(" by ");
      const std::size_t end = std::min(by, text.size());
      result.first = number(node, text.substr(0, dots), key);
      result.last = number(node, text.substr(dots + 2, end - dots - 2), key);
      result.by = by == std::string::npos ? 1 : number(node, text.substr(by + 4), key);
      if (result.first > result.last || result.by < 1) {
        node.fail(key + ": '" + text + "' is no range; write 48..320 or 48..320 by 8");
      }
    }
    if (result.first < 0 || (!result.values.empty() && result.values[0] < 0)) {
      node.fail(key + ": a size cannot be negative");
    }
    return result;
  }
  static StreamSize drawn(const Yaml& node, const std::string& key) {
    if (node.is_text()) return drawn(node, node.text(key), key);
    StreamSize result;
    for (const Yaml& item : node.list(key)) result.values.push_back(size(item, key));
    return result;
  }

  static std::vector<StreamSize> shape(const Yaml& node, const std::string& key) {
    const std::string& text = node.text(key);
    std::vector<StreamSize> result;
    if (text == "scalar") return result;
    for (std::size_t at = 0; at <= text.size();) {
      const std::size_t end = std::min(text.find('x', at), text.size());
      result.push_back(drawn(node, text.substr(at, end - at), key));
      at = end + 1;
    }
    return result;
  }

  StreamGroup group(const Yaml& node) const {
    StreamGroup result;
    result.line = node.line();
    for (const YamlEntry& entry : node.map("a step")) {
      const auto& [key, line, value] = entry;
      if (key == "repeat") {
        result.repeat = value.integer(key, 1);
      } else if (key == "dims") {
        for (const YamlEntry& each : value.map(key)) {
          result.dims.emplace_back(each.key, drawn(each.value, each.key));
        }
      } else if (key == "shapes") {
        for (const YamlEntry& each : value.map(key)) {
          result.shapes.emplace_back(each.key, shape(each.value, each.key));
        }
      } else if (key == "inputs") {
        result.inputs = texts(value, key);
        const auto folder = std::filesystem::path(file_).parent_path();
        for (auto& [name, path] : result.inputs) path = (folder / path).string();
      } else if (key == "seed") {
        result.seed = size(value, key);
      } else if (key == "fresh") {
        result.fresh = value.flag(key);
      } else {
        entry.unknown("a step", "repeat, dims, shapes, inputs, seed, fresh");
      }
    }
    return result;
  }

  std::string file_;
};

std::int64_t draw(const StreamSize& size, std::int64_t round, Random& random) {
  if (size.by == 0) {
    return size.values[static_cast<std::size_t>(round) % size.values.size()];
  }
  return size.first + size.by * random.below((size.last - size.first) / size.by + 1);
}

/// Whether the name fits; `star` is then what * stands for.
bool fits(const std::string& pattern, const std::string& name, std::string& star) {
  const std::size_t at = pattern.find('*');
  star.clear();
  if (at == std::string::npos) return pattern == name;
  const std::size_t after = pattern.size() - at - 1;
  if (name.size() < at + after) return false;
  if (name.compare(0, at, pattern, 0, at) != 0) return false;
  if (name.compare(name.size() - after, after, pattern, at + 1, after) != 0) return false;
  star = name.substr(at, name.size() - at - after);
  return true;
}

}  // namespace

Stream parse_stream(const std::string& text, const std::string& file) {
  const Yaml root = parse_yaml(text, file);
  if (!root.is_map()) throw Error(file + ": is no stream; write seed, state, initial, steps");
  return Reader(file).read(root);
}

Stream load_stream(const std::string& path) {
  return parse_stream(read_text(path), path);
}

std::vector<StreamStep> steps_of(const Stream& stream) {
  std::vector<StreamStep> steps;
  Random random(stream.seed);
  for (const StreamGroup& group : stream.groups) {
    for (std::int64_t round = 0; round < group.repeat; ++round) {
      StreamStep step;
      step.group = &group;
      for (const auto& [name, size] : group.dims) {
        step.dims.emplace_back(name, draw(size, round, random));
      }
      for (const auto& [name, sizes] : group.shapes) {
        step.shapes.emplace_back(name, std::vector<std::int64_t>{});
        for (const StreamSize& size : sizes) {
          step.shapes.back().second.push_back(draw(size, round, random));
        }
      }
      constexpr std::int64_t kSeedsPerStream = 1'000'003;
      step.seed = group.seed >= 0
                      ? group.seed
                      : stream.seed * kSeedsPerStream + static_cast<std::int64_t>(steps.size());
      steps.push_back(std::move(step));
    }
  }
  return steps;
}

Named state_of(const Stream& stream, const std::vector<std::string>& outputs,
               const std::vector<std::string>& inputs) {
  Named result;
  for (const auto& [output, input] : stream.state) {
    bool found = false;
    for (const std::string& name : outputs) {
      std::string star;
      if (!fits(output, name, star)) continue;
      found = true;
      std::string to = input;
      if (const std::size_t at = to.find('*'); at != std::string::npos) to.replace(at, 1, star);
      if (std::find(inputs.begin(), inputs.end(), to) == inputs.end()) {
        throw Error(stream.file + ": state '" + output + "': the model has no input '" + to + "'");
      }
      result.emplace_back(name, to);
    }
    if (!found) {
      throw Error(stream.file + ": state '" + output + "': the model has no such output");
    }
  }
  return result;
}

}  // namespace dvmsim
