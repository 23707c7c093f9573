// Parts of the reader of study files (study.h), a source each.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "cli/study/study.h"
#include "cli/text/yaml.h"
#include "vm/base/error.h"

namespace dvmsim {

/// What `read` returns; an Error of it gets the place of the value.
template <class Read>
auto placed(const Yaml& at, Read&& read) {
  try {
    return read();
  } catch (const Error& error) {
    at.fail(error.what());
  }
}

/// Throws Error at the value if no machine, or no strategy, can have this assignment of an axis.
void check_axis_setting(const Yaml& at, const std::string& key, const std::string& value);
/// The same for machines alone.
void check_setting(const Yaml& at, const std::string& key, const std::string& value);

/// An entry of `axes`. `drawn`: ranges need no steps.
[[nodiscard]] StudyAxis read_axis(const YamlEntry& entry, bool drawn);
/// The sizes of one symbol, in order.
[[nodiscard]] std::vector<std::int64_t> read_sizes(const YamlEntry& entry);
/// An item of `workloads`; `folder` is what paths are relative to.
[[nodiscard]] StudyWorkload read_workload(const Yaml& item, const std::string& folder);

}  // namespace dvmsim
