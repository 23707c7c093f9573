#include "cli/stream.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <functional>
#include <map>
#include <set>

#include "cli/files.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

constexpr std::int64_t kMostSteps = 10'000'000;

class Reader {
 public:
  explicit Reader(std::string file) : file_(std::move(file)) {}

  Stream read(const YAML::Node& root) {
    Stream stream;
    stream.file = file_;
    each(root, "a stream", [&](const std::string& key, const YAML::Node& node) {
      if (key == "seed") {
        stream.seed = integer(node, key);
      } else if (key == "state") {
        stream.state = texts(node, key);
      } else if (key == "initial") {
        each(node, key, [&](const std::string& name, const YAML::Node& value) {
          stream.initial.emplace_back(name, size(value, name));
        });
      } else if (key == "steps") {
        if (!node.IsSequence()) fail(node, "steps: a list of steps, each beginning with '-'");
        for (const YAML::Node& item : node) stream.groups.push_back(group(item));
      } else {
        fail(node, "'" + key + "': unknown; a stream has seed, state, initial, steps");
      }
    });
    if (stream.groups.empty()) throw Error(file_ + ": has no steps; add: steps: [...]");
    std::int64_t count = 0;
    for (const StreamGroup& each : stream.groups) count += each.repeat;
    if (count > kMostSteps) {
      throw Error(file_ + ": has more than " + std::to_string(kMostSteps) + " steps");
    }
    return stream;
  }

 private:
  [[noreturn]] void fail(const YAML::Node& node, const std::string& why) const {
    throw Error(file_ + ":" + std::to_string(node.Mark().line + 1) + ": " + why);
  }

  void each(const YAML::Node& map, const std::string& what,
            const std::function<void(const std::string&, const YAML::Node&)>& use) const {
    if (!map.IsMap()) fail(map, what + ": names and values, {name: value}");
    std::set<std::string> seen;
    for (const auto& entry : map) {
      if (!entry.first.IsScalar()) fail(entry.first, "a key must be a plain name");
      const std::string key = entry.first.Scalar();
      if (!seen.insert(key).second) fail(entry.first, "'" + key + "' is given twice");
      use(key, entry.second);
    }
  }

  std::int64_t number(const YAML::Node& node, const std::string& text,
                      const std::string& key) const {
    std::int64_t value = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || fault != std::errc() || end != text.data() + text.size()) {
      fail(node, key + ": '" + text + "' is not a whole number");
    }
    return value;
  }
  std::int64_t integer(const YAML::Node& node, const std::string& key) const {
    if (!node.IsScalar()) fail(node, key + ": one whole number");
    return number(node, node.Scalar(), key);
  }
  std::int64_t size(const YAML::Node& node, const std::string& key) const {
    const std::int64_t value = integer(node, key);
    if (value < 0) fail(node, key + ": a size cannot be negative");
    return value;
  }

  Named texts(const YAML::Node& node, const std::string& what) const {
    Named result;
    each(node, what, [&](const std::string& name, const YAML::Node& value) {
      if (!value.IsScalar()) fail(value, name + ": one text");
      result.emplace_back(name, value.Scalar());
    });
    return result;
  }

  /// "64", "48..320" or "48..320 by 8".
  StreamSize drawn(const YAML::Node& node, const std::string& text, const std::string& key) const {
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
        fail(node, key + ": '" + text + "' is no range; write 48..320 or 48..320 by 8");
      }
    }
    if (result.first < 0 || (!result.values.empty() && result.values[0] < 0)) {
      fail(node, key + ": a size cannot be negative");
    }
    return result;
  }
  StreamSize drawn(const YAML::Node& node, const std::string& key) const {
    if (node.IsScalar()) return drawn(node, node.Scalar(), key);
    if (!node.IsSequence() || node.size() == 0) fail(node, key + ": a size, a range or a list");
    StreamSize result;
    for (const YAML::Node& item : node) result.values.push_back(size(item, key));
    return result;
  }

  std::vector<StreamSize> shape(const YAML::Node& node, const std::string& key) const {
    if (!node.IsScalar()) fail(node, key + ": a shape, 1x3x48x320");
    const std::string text = node.Scalar();
    std::vector<StreamSize> result;
    if (text == "scalar") return result;
    for (std::size_t at = 0; at <= text.size();) {
      const std::size_t end = std::min(text.find('x', at), text.size());
      result.push_back(drawn(node, text.substr(at, end - at), key));
      at = end + 1;
    }
    return result;
  }

  StreamGroup group(const YAML::Node& node) const {
    StreamGroup result;
    result.line = node.Mark().line + 1;
    each(node, "a step", [&](const std::string& key, const YAML::Node& value) {
      if (key == "repeat") {
        result.repeat = integer(value, key);
        if (result.repeat < 1) fail(value, "repeat: at least 1");
      } else if (key == "dims") {
        each(value, key, [&](const std::string& name, const YAML::Node& item) {
          result.dims.emplace_back(name, drawn(item, name));
        });
      } else if (key == "shapes") {
        each(value, key, [&](const std::string& name, const YAML::Node& item) {
          result.shapes.emplace_back(name, shape(item, name));
        });
      } else if (key == "inputs") {
        result.inputs = texts(value, key);
        const auto folder = std::filesystem::path(file_).parent_path();
        for (auto& [name, path] : result.inputs) path = (folder / path).string();
      } else if (key == "seed") {
        result.seed = size(value, key);
      } else if (key == "fresh") {
        if (value.Scalar() != "true" && value.Scalar() != "false") fail(value, "true or false");
        result.fresh = value.Scalar() == "true";
      } else {
        fail(value, "'" + key + "': unknown; a step has repeat, dims, shapes, inputs, seed, fresh");
      }
    });
    return result;
  }

  std::string file_;
};

/// The same numbers everywhere (splitmix64).
class Random {
 public:
  explicit Random(std::int64_t seed) : state_(static_cast<std::uint64_t>(seed)) {}
  std::int64_t below(std::int64_t count) {
    state_ += 0x9e3779b97f4a7c15u;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return static_cast<std::int64_t>((z ^ (z >> 31)) % static_cast<std::uint64_t>(count));
  }

 private:
  std::uint64_t state_;
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
  try {
    const YAML::Node root = YAML::Load(text);
    if (!root.IsMap()) throw Error(file + ": is no stream; write seed, state, initial, steps");
    return Reader(file).read(root);
  } catch (const YAML::Exception& fault) {
    throw Error(file + ":" + std::to_string(fault.mark.line + 1) + ": " + fault.msg);
  }
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
