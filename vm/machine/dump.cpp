// A machine as YAML: sections as blocks, a row of a table on one line.
#include <map>

#include "vm/machine/fields.h"

namespace dvmsim {
namespace {

std::string head_of(const std::string& key) {
  return key.substr(0, key.find('.'));
}

/// "vector.rate.simple" and "b16" of "vector.rate.simple.b16".
struct Path {
  std::string row, last;
};
Path path_of(const std::string& key) {
  const auto dot = key.rfind('.');
  return {key.substr(0, dot), key.substr(dot + 1)};
}

bool in_table(const std::string& key) {
  return key.starts_with("decode.") || key.find('.') != key.rfind('.');
}

std::string indent(std::size_t depth) {
  return std::string(2 * depth, ' ');
}

class Writer {
 public:
  Writer(const Machine& machine, bool docs) : machine_(machine), docs_(docs) {}

  std::string text() {
    // A section's plain rows come first, then its tables, though machine.def has them apart.
    std::vector<std::string> sections;
    std::map<std::string, std::vector<const MachineField*>> rows;
    for (const MachineField& field : machine_fields()) {
      const std::string section = head_of(field.about.key);
      if (!rows.contains(section)) sections.push_back(section);
      rows[section].push_back(&field);
    }
    for (const std::string& section : sections) write_section(section, rows[section]);
    return text_;
  }

 private:
  void write_section(const std::string& name, const std::vector<const MachineField*>& rows) {
    if (rows.size() == 1 && rows[0]->about.key == name) {
      write_doc(*rows[0], 0);
      text_ += name + ": " + rows[0]->print(machine_) + "\n";
      return;
    }
    text_ += name + ":\n";
    for (std::size_t i = 0; i < rows.size();) {
      if (in_table(rows[i]->about.key)) {
        i = write_table_row(rows, i);
      } else {
        write_doc(*rows[i], 1);
        text_ +=
            indent(1) + path_of(rows[i]->about.key).last + ": " + rows[i]->print(machine_) + "\n";
        ++i;
      }
    }
  }

  std::size_t write_table_row(const std::vector<const MachineField*>& rows, std::size_t first) {
    const std::string row = path_of(rows[first]->about.key).row;
    std::string rest = row.substr(row.find('.') + 1);
    std::size_t depth = 1;
    if (const auto dot = rest.find('.'); dot != std::string::npos) {
      if (const std::string table = rest.substr(0, dot); table != table_) {
        text_ += indent(1) + table + ":\n";
        table_ = table;
      }
      rest = rest.substr(dot + 1);
      depth = 2;
    }
    write_doc(*rows[first], depth);
    text_ += indent(depth) + rest + ": {";
    std::size_t i = first;
    for (; i < rows.size() && path_of(rows[i]->about.key).row == row; ++i) {
      text_ += (i == first ? "" : ", ") + path_of(rows[i]->about.key).last + ": " +
               rows[i]->print(machine_);
    }
    text_ += "}\n";
    return i;
  }

  void write_doc(const MachineField& field, std::size_t depth) {
    if (docs_) text_ += indent(depth) + "# " + field.about.doc + "\n";
  }

  const Machine& machine_;
  bool docs_;
  std::string text_, table_;
};

}  // namespace

std::string dump(const Machine& machine, bool docs) {
  return Writer(machine, docs).text();
}

}  // namespace dvmsim
