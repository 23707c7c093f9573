#include "cli/regression/ci.h"

#include <fmt/format.h>

#include <algorithm>

#include "traces/numbers.h"

namespace dvmsim {
namespace {

using Kind = CaseResult::Kind;

/// For XML, in text and in attributes; what XML cannot hold becomes a question mark.
std::string escaped(const std::string& text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '"':
        safe += "&quot;";
        break;
      default:
        safe += static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? '?' : c;
    }
  }
  return safe;
}

/// The first thing to know.
std::string message_of(const CaseResult& result) {
  if (result.kind == Kind::Moved) {
    return result.why.front() + (result.mostly.empty() ? "" : "; most in " + result.mostly);
  }
  std::string text = details_of(result, 0);
  if (!text.empty()) text.pop_back();
  return text;
}

std::string cell(const std::string& text) {
  std::string safe;
  for (const char c : text) {
    if (c == '|') safe += '\\';
    safe += c;
  }
  return safe;
}

std::string cycles(double value) {
  return value == 0 ? "" : grouped(static_cast<std::int64_t>(value));
}

std::string change(double before, double after) {
  return before == 0 || after == 0 || before == after
             ? ""
             : fmt::format("{:+.2f} %", 100 * (after - before) / before);
}

std::size_t count(const std::vector<CaseResult>& results, bool refused) {
  return static_cast<std::size_t>(
      std::count_if(results.begin(), results.end(), [&](const CaseResult& each) {
        return !each.pass() && (each.kind == Kind::Refused) == refused;
      }));
}

}  // namespace

std::string to_junit(const std::vector<CaseResult>& results, const std::string& suite,
                     std::size_t most) {
  std::string xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n";
  xml += fmt::format("  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\">\n",
                     escaped(suite), results.size(), count(results, false), count(results, true));
  for (const CaseResult& each : results) {
    xml += fmt::format("    <testcase classname=\"{}\" name=\"{}\"", escaped(suite),
                       escaped(each.name));
    if (each.pass()) {
      xml += "/>\n";
      continue;
    }
    const char* tag = each.kind == Kind::Refused ? "error" : "failure";
    xml += fmt::format(">\n      <{} message=\"{}\">{}</{}>\n    </testcase>\n", tag,
                       escaped(message_of(each)), escaped(details_of(each, most)), tag);
  }
  return xml + "  </testsuite>\n</testsuites>\n";
}

std::string to_markdown(const std::vector<CaseResult>& results, const std::string& suite,
                        std::size_t most) {
  std::string page = fmt::format("## {}\n\n{}.\n", suite, summary_of(results));
  const bool pass = std::all_of(results.begin(), results.end(),
                                [](const CaseResult& each) { return each.pass(); });
  if (pass) return page;
  page +=
      "\n| case | cycles before | after | change | end to end us before | after | change |\n"
      "|---|---:|---:|---:|---:|---:|---:|\n";
  for (const CaseResult& each : results) {
    if (each.pass()) continue;
    const auto us = [](double value) { return value == 0 ? "" : fmt::format("{:.3f}", value); };
    page += fmt::format("| {} | {} | {} | {} | {} | {} | {} |\n", cell(each.name),
                        cycles(each.cycles_before), cycles(each.cycles),
                        change(each.cycles_before, each.cycles), us(each.e2e_before), us(each.e2e),
                        change(each.e2e_before, each.e2e));
  }
  for (const CaseResult& each : results) {
    if (each.pass()) continue;
    page += fmt::format("\n<details><summary>{}: {}</summary>\n\n```\n{}```\n\n</details>\n",
                        escaped(each.name), escaped(message_of(each)), details_of(each, most));
  }
  return page;
}

}  // namespace dvmsim
