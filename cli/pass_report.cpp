#include "cli/pass_report.h"

#include <fmt/format.h>

#include "compiler/graph/text.h"

namespace dvmsim {

void PassReport::add(const PassStep& step) {
  Row row{std::string(step.name),
          step.before.nodes.size(),
          step.after.nodes.size(),
          step.changed,
          false,
          step.time,
          {}};
  if (bodies_ && step.changed) row.body = print_graph(step.after, {true, true});
  rows_.push_back(std::move(row));
}

std::string PassReport::table() const {
  std::string text = fmt::format("{:<20} {:<8} {:>6} {:>6}\n", "pass", "changed", "nodes", "after");
  for (const Row& row : rows_) {
    if (row.timed_only) continue;
    text += fmt::format("{:<20} {:<8} {:>6} {:>6}\n", row.pass, row.changed ? "yes" : "no",
                        row.before, row.after);
  }
  return text;
}

std::string PassReport::changes() const {
  std::string text;
  for (const Row& row : rows_) {
    if (row.timed_only) continue;
    text += row.changed ? fmt::format("# after {}: {} nodes, were {}\n{}\n", row.pass, row.after,
                                      row.before, row.body)
                        : fmt::format("# {} changed nothing\n", row.pass);
  }
  return text;
}

std::string PassReport::times() const {
  using Microseconds = std::chrono::duration<double, std::micro>;
  double all = 0;
  for (const Row& row : rows_) all += Microseconds(row.time).count();
  std::string text;
  for (const Row& row : rows_) {
    const double time = Microseconds(row.time).count();
    text += fmt::format("{:<20} {:>10.1f} us {:>5.1f} %\n", row.pass, time,
                        all > 0 ? 100 * time / all : 0);
  }
  return text + fmt::format("{:<20} {:>10.1f} us\n", "all", all);
}

}  // namespace dvmsim
