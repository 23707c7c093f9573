#include "cli/page.h"

#include <algorithm>
#include <initializer_list>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/text/files.h"
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

/// Only sweeps name what they are; the others are told by what they hold.
std::string kind_of(const Json& json) {
  if (json.contains("kind") && json["kind"].is_string()) return json["kind"].get<std::string>();
  if (json.contains("stream")) return "stream";
  return json.contains("cases") ? "compare" : "run";
}

/// A report that the page can show.
void check_form(const Json& json, const std::string& where) {
  struct Form {
    std::string_view kind{};
    std::initializer_list<const char*> members{};
  };
  const Form forms[] = {{"run", {"units", "roofline", "host", "memory"}},
                        {"stream", {"steps", "totals", "percentiles"}},
                        {"compare", {"cases", "launch_costs", "constants"}},
                        {"sweep", {"axes", "designs", "points", "metrics"}}};
  constexpr int kSchema = 1;
  const std::string unknown =
      ": not a report of dvmsim run, op, compare or sweep; name a file written with --json";
  if (!json.is_object() || !json.contains("schema")) throw Error(where + unknown);
  const std::string kind = kind_of(json);
  const auto* form = std::find_if(std::begin(forms), std::end(forms),
                                  [&kind](const Form& each) { return each.kind == kind; });
  if (form == std::end(forms)) throw Error(where + unknown);
  for (const char* member : form->members) {
    if (!json.contains(member)) throw Error(where + unknown);
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

PageFile::PageFile(const std::string& path) : file_(path) {
  if (!page_head().empty()) return;
  throw Error("--html: built without the page; run .ci/setup and build dvmsim again");
}

void PageFile::write(std::string_view json, const std::string& where) {
  file_.write(page_of(json, where));
  file_.commit();
}

std::string page_of(std::string_view json, const std::string& where) {
  const Json report = parsed(json, where);
  check_form(report, where);
  return std::string(page_head()) + embedded(report) + std::string(page_tail());
}

int write_page(const std::string& file, const std::string& output) {
  PageFile page(output);
  page.write(read_text(file), file);
  return kGood;
}

}  // namespace dvmsim
