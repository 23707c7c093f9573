// Machines from YAML. The only user of yaml-cpp in vm/.
#include <yaml-cpp/yaml.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "vm/base/error.h"
#include "vm/machine/fields.h"

namespace dvmsim {
namespace {

constexpr int kMaxBases = 8;

std::string place(const std::string& file, const YAML::Mark& mark) {
  return file + ":" + std::to_string(mark.line + 1) + ": ";
}

/// A scalar, or a list of scalars joined by blanks. Throws Error without a place.
std::string text_of(const YAML::Node& node, const std::string& key) {
  if (node.IsScalar()) return node.Scalar();
  if (!node.IsSequence()) throw Error(key + ": no value: write one, or remove the key");
  std::string text;
  for (const YAML::Node& item : node) {
    if (!item.IsScalar()) throw Error(key + ": a list here holds plain values only");
    text += (text.empty() ? "" : " ") + item.Scalar();
  }
  return text.empty() ? "none" : text;
}

class Reader {
 public:
  Reader(Machine& machine, std::string file) : machine_(machine), file_(std::move(file)) {}

  void read_map(const YAML::Node& map, const std::string& prefix) {
    for (const auto& entry : map) {
      const std::string place_of_key = place(file_, entry.first.Mark());
      if (!entry.first.IsScalar()) throw Error(place_of_key + "a key must be a plain name");
      const std::string key = prefix + entry.first.Scalar();
      if (!seen_.insert(key).second) throw Error(place_of_key + "'" + key + "' is given twice");
      if (key == "base" || key == "cost") continue;  // what it costs is not part of the machine
      if (entry.second.IsMap()) {
        read_map(entry.second, key + ".");
        continue;
      }
      try {
        set_field(machine_, key, text_of(entry.second, key));
      } catch (const Error& error) {
        throw Error(place_of_key + error.what());
      }
    }
  }

 private:
  Machine& machine_;
  std::string file_;
  std::set<std::string> seen_;
};

YAML::Node parse(const std::string& text, const std::string& name) {
  try {
    YAML::Node root = YAML::Load(text);
    if (!root.IsMap()) throw Error(name + ":1: no sections: write e.g. `clock: {core: 1850MHz}`");
    return root;
  } catch (const YAML::Exception& error) {
    throw Error(place(name, error.mark) + "not YAML: " + error.msg);
  }
}

std::string contents(const std::string& path, const std::string& asker) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (std::filesystem::is_directory(path) || !(text << file.rdbuf())) {
    throw Error(asker + "cannot read '" + path + "': give the path of a hardware file");
  }
  return text.str();
}

void read_into(Machine& machine, const std::string& text, const std::string& name,
               const std::filesystem::path& folder, int depth) {
  const YAML::Node root = parse(text, name);
  if (const YAML::Node base = root["base"]) {
    const std::string here = place(name, base.Mark());
    if (!base.IsScalar()) throw Error(here + "base: write the name of one hardware file");
    if (depth == kMaxBases) throw Error(here + "base: more than 8 files deep; is it a circle?");
    const std::filesystem::path path = folder / base.Scalar();
    read_into(machine, contents(path.string(), here + "base: "), path.string(), path.parent_path(),
              depth + 1);
  }
  Reader(machine, name).read_map(root, "");
}

}  // namespace

Machine parse_machine(const std::string& text, const std::string& name, const std::string& folder) {
  Machine machine;
  read_into(machine, text, name, folder, 0);
  try {
    check(machine);
  } catch (const Error& error) {
    throw Error(name + ": " + error.what());
  }
  return machine;
}

Machine load_machine(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return parse_machine(contents(path, ""), path, folder.empty() ? "." : folder);
}

}  // namespace dvmsim
