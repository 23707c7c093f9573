#include "cli/validation/pool.h"

#include <bit>
#include <new>
#include <set>

#include "cli/workers.h"
#include "vm/base/error.h"

namespace dvmsim {
namespace {

Outcome attempt(const Pool::Runner& runner, const Words& words) {
  try {
    return {runner(words), ""};
  } catch (const Error& error) {
    return {{}, error.what()};
  } catch (const std::bad_alloc&) {
    return {{}, "not enough memory"};
  }
}

}  // namespace

std::string to_text(const Outcome& outcome) {
  if (!outcome.error.empty()) return "error " + outcome.error;
  std::string text = "figures";
  for (const auto& [name, value] : outcome.figures) {
    text += " " + name + " " + std::to_string(std::bit_cast<std::uint64_t>(value));
  }
  return text;
}

Outcome outcome_of(const std::string& text) {
  if (text.starts_with("error ")) return {{}, text.substr(6)};
  Outcome outcome;
  std::size_t at = text.find(' ');
  const auto word = [&] {
    const std::size_t begin = at + 1;
    at = std::min(text.find(' ', begin), text.size());
    return text.substr(begin, at - begin);
  };
  while (at < text.size()) {
    const std::string name = word();
    outcome.figures[name] = std::bit_cast<double>(std::uint64_t{std::stoull(word())});
  }
  return outcome;
}

Pool::Pool(Runner runner, int jobs, Progress progress)
    : runner_(std::move(runner)), jobs_(jobs), progress_(std::move(progress)) {}

void Pool::run(const std::vector<Words>& cases) {
  std::vector<Words> wanted;
  std::set<Words> seen;
  for (const Words& words : cases) {
    if (!done_.contains(words) && seen.insert(words).second) wanted.push_back(words);
  }
  if (wanted.empty()) return;
  if (jobs_ == 0) return run_here(wanted);
  run_apart(wanted);
}

void Pool::run_here(const std::vector<Words>& cases) {
  for (std::size_t i = 0; i < cases.size(); ++i) {
    done_[cases[i]] = attempt(runner_, cases[i]);
    if (progress_) progress_(i + 1, cases.size());
  }
}

void Pool::run_apart(const std::vector<Words>& cases) {
  std::size_t finished = 0;
  Work work;
  work.task = [&](std::size_t index) { return to_text(attempt(runner_, cases[index])); };
  work.done = [&](std::size_t index, const std::string& text) {
    done_[cases[index]] = outcome_of(text);
    if (progress_) progress_(++finished, cases.size());
  };
  work.lost = [&](std::size_t index, int) {
    work.done(index, to_text({{}, "the run was aborted; run it alone to see why"}));
  };
  run_in_workers(cases.size(), jobs_, work);
}

}  // namespace dvmsim
