#include "cli/page.h"

#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/files.h"
#include "traces/output.h"
#include "vm/base/error.h"
#include "web/page.h"

namespace dvmsim {
namespace {

using Json = nlohmann::ordered_json;

Json parsed(std::string_view json, const std::string& where) {
  try {
    return Json::parse(json);
  } catch (const Json::parse_error& error) {
    const auto end = json.begin() + static_cast<std::ptrdiff_t>(std::min(error.byte, json.size()));
    const auto line = 1 + std::count(json.begin(), end, '\n');
    throw Error(where + ":" + std::to_string(line) +
                ": not JSON; name a file that dvmsim has written with --json");
  }
}

/// The reports the page can show, and members that tell them apart.
void check_form(const Json& json, const std::string& where) {
  constexpr int kSchema = 1;
  const auto has = [&json](std::initializer_list<const char*> members) {
    return std::all_of(members.begin(), members.end(),
                       [&json](const char* member) { return json.contains(member); });
  };
  if (!json.is_object() || !has({"schema"}) || !has({"units", "roofline", "host"})) {
    throw Error(where + ": not a report of dvmsim run or op; name a file written with --json");
  }
  if (json["schema"] != kSchema) {
    throw Error(where + ": a report of schema " + json["schema"].dump() + ", this dvmsim knows " +
                std::to_string(kSchema) + "; write it anew");
  }
}

/// JSON that cannot end the element around it: '<' only occurs within texts.
std::string embedded(const Json& json) {
  std::string safe;
  for (const char c : json.dump(-1, ' ', false, Json::error_handler_t::replace)) {
    if (c == '<') {
      safe += "\\u003c";
    } else {
      safe += c;
    }
  }
  return safe;
}

}  // namespace

void require_page(const std::string& option) {
  if (!page_head().empty()) return;
  throw Error(option + ": built without the page; run .ci/setup and build dvmsim again");
}

std::string page_of(std::string_view json, const std::string& where) {
  const Json report = parsed(json, where);
  check_form(report, where);
  return std::string(page_head()) + embedded(report) + std::string(page_tail());
}

int write_page(const std::string& file, const std::string& output) {
  require_page("--html");
  const std::string text = read_text(file);
  const std::string page = page_of(text, file);
  write_file(output, page);
  return kGood;
}

}  // namespace dvmsim
