#include "cli/validation/fit.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "vm/base/error.h"

namespace dvmsim {
namespace {

constexpr double kKnee = 0.05;           // where an error counts as large
constexpr double kFirstStep = 0.25;      // of the range
constexpr double kLastStep = 1.0 / 256;  // of the range

double bound(const std::string& text, const Quantity& quantity, const std::string& option) {
  std::string number = text;
  if (number.ends_with(quantity.unit)) number.resize(number.size() - quantity.unit.size());
  char* end = nullptr;
  const double value = std::strtod(number.c_str(), &end);
  if (number.empty() || *end != '\0' || !std::isfinite(value) || value < 0) {
    throw Error(option + ": '" + text + "' is no bound; write a number of " +
                (quantity.unit.empty() ? "the parameter" : quantity.unit));
  }
  return value;
}

using Values = std::vector<double>;

/// The rows and everything that is needed to judge a set of values.
class Problem {
 public:
  Problem(Table table, const Overrides& overrides, const std::vector<FitParameter>& parameters,
          Pool& pool)
      : table_(std::move(table)), overrides_(overrides), parameters_(parameters), pool_(pool) {}

  [[nodiscard]] double cost(const Values& values) {
    double sum = 0;
    const Score result = scored(values);
    for (const RowScore& row : result.rows) {
      sum += row.simulated ? robust(row.error) : robust(1);
    }
    return sum / static_cast<double>(result.rows.size());
  }

  [[nodiscard]] Closeness closeness(const Values& values) {
    std::vector<double> errors;
    for (const RowScore& row : scored(values).rows) {
      if (!row.simulated) throw Error("fit: " + row.failure);
      errors.push_back(std::abs(row.error));
    }
    std::sort(errors.begin(), errors.end());
    Closeness result{errors.size(), 0, median(errors)};
    for (const double error : errors) result.mean += error / static_cast<double>(errors.size());
    return result;
  }

  /// Makes the pool run all of them side by side.
  void prepare(const std::vector<Values>& candidates) {
    std::vector<Words> cases;
    for (const Values& values : candidates) {
      const auto more = cases_of(table_, with(values));
      cases.insert(cases.end(), more.begin(), more.end());
    }
    pool_.run(cases);
  }

 private:
  [[nodiscard]] Overrides with(const Values& values) const {
    Overrides changed = overrides_;
    for (std::size_t i = 0; i < values.size(); ++i) {
      changed.sets.push_back(parameters_[i].quantity.assignment(values[i]));
    }
    return changed;
  }
  [[nodiscard]] Score scored(const Values& values) { return score(table_, with(values), pool_); }

  Table table_;
  const Overrides& overrides_;
  const std::vector<FitParameter>& parameters_;
  Pool& pool_;
};

Values start_of(const std::vector<FitParameter>& parameters) {
  Values values;
  for (const FitParameter& parameter : parameters) {
    values.push_back(parameter.quantity.legal(
        std::clamp(parameter.quantity.number, parameter.low, parameter.high)));
  }
  return values;
}

/// The same value as the text of a setting carries.
double moved(const FitParameter& parameter, double value, double step) {
  const Quantity& quantity = parameter.quantity;
  double size = step * (parameter.high - parameter.low);
  if (quantity.whole && std::abs(size) < quantity.grain) size = std::copysign(quantity.grain, step);
  return quantity.legal(std::clamp(value + size, parameter.low, parameter.high));
}

/// One parameter after the other, a step down or up if that is better; when no step helps, half the
/// step.
Values search(Problem& problem, const std::vector<FitParameter>& parameters, int rounds) {
  Values best = start_of(parameters);
  problem.prepare({best});
  double least = problem.cost(best);
  double step = kFirstStep;
  for (int round = 0; round < rounds && step >= kLastStep; ++round) {
    bool better = false;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      std::vector<Values> candidates(2, best);
      candidates[0][i] = moved(parameters[i], best[i], -step);
      candidates[1][i] = moved(parameters[i], best[i], step);
      problem.prepare(candidates);
      for (const Values& candidate : candidates) {
        const double cost = problem.cost(candidate);
        if (cost >= least) continue;
        least = cost;
        best = candidate;
        better = true;
      }
    }
    if (!better) step /= 2;
  }
  return best;
}

Table part_of(const Table& table, const std::vector<int>& fold_of_row, int fold, bool held_out) {
  Table part = table;
  part.rows.clear();
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    if ((fold_of_row[i] == fold) == held_out) part.rows.push_back(table.rows[i]);
  }
  return part;
}

/// Cases are dealt out in turn.
std::vector<int> deal(const Table& table, int folds) {
  std::map<std::string, int> fold_of_case;
  std::vector<int> fold_of_row;
  for (const TableRow& row : table.rows) {
    const int next = static_cast<int>(fold_of_case.size()) % folds;
    fold_of_row.push_back(
        fold_of_case.emplace(row.hardware + " " + row.command, next).first->second);
  }
  return fold_of_row;
}

Closeness together(const std::vector<Closeness>& parts) {
  Closeness sum;
  for (const Closeness& part : parts) {
    const auto rows = static_cast<double>(part.rows);
    sum.rows += part.rows;
    sum.mean += part.mean * rows;
    sum.median += part.median * rows;
  }
  if (sum.rows == 0) return sum;
  sum.mean /= static_cast<double>(sum.rows);
  sum.median /= static_cast<double>(sum.rows);
  return sum;
}

std::string print(const Closeness& closeness) {
  return fmt::format("mean {:5.1f} %, median {:5.1f} % of {} rows", closeness.mean * 100,
                     closeness.median * 100, closeness.rows);
}

std::string value_text(const FitParameter& parameter, double value) {
  const std::string set = parameter.quantity.assignment(value);
  return set.substr(set.find('=') + 1);
}

/// Keys of a hardware file: those of a section together, sections in order of appearance.
class Sections {
 public:
  void add(const std::string& key, std::string value, const std::string& comment) {
    const auto dot = key.find('.');
    const std::string head = key.substr(0, dot);
    if (std::find(heads_.begin(), heads_.end(), head) == heads_.end()) heads_.push_back(head);
    std::string inner = key.substr(dot + 1);
    for (auto inside = inner.rfind('.'); inside != std::string::npos; inside = inner.rfind('.')) {
      value = "{" + inner.substr(inside + 1) + ": " + value + "}";
      inner.resize(inside);
    }
    lines_[head] += fmt::format("  {}: {}  # {}\n", inner, value, comment);
  }
  [[nodiscard]] std::string text() const {
    std::string text;
    for (const std::string& head : heads_) text += head + ":\n" + lines_.at(head);
    return text;
  }

 private:
  std::vector<std::string> heads_{};
  std::map<std::string, std::string> lines_{};
};

}  // namespace

double robust(double error) {
  const double size = std::abs(error);
  return size <= kKnee ? size * size / 2 : kKnee * (size - kKnee / 2);
}

FitParameter parse_fit_parameter(const std::string& text, const Machine& machine) {
  const std::string option = "--parameter " + text;
  const auto equals = text.find('=');
  std::optional<Quantity> quantity;
  try {
    quantity = quantity_of(machine, text.substr(0, equals));
  } catch (const Error& error) {
    throw Error(option + ": " + error.what());
  }
  if (!quantity) throw Error(option + ": is not a number; fit numeric parameters only");
  FitParameter parameter{*quantity, quantity->number / 2, quantity->number * 2};
  if (equals != std::string::npos) {
    const auto colon = text.find(':', equals);
    if (colon == std::string::npos) throw Error(option + ": write key=low:high");
    parameter.low = bound(text.substr(equals + 1, colon - equals - 1), *quantity, option);
    parameter.high = bound(text.substr(colon + 1), *quantity, option);
  }
  if (parameter.low >= parameter.high) {
    throw Error(option + ": nothing between the bounds; write key=low:high with low < high");
  }
  for (const double end : {parameter.low, parameter.high}) {
    Machine changed = machine;
    try {
      apply_set(changed, quantity->assignment(end));
    } catch (const Error& error) {
      throw Error(option + ": a bound is not possible: " + error.what());
    }
  }
  return parameter;
}

Closeness Fitted::held_out() const {
  std::vector<Closeness> parts;
  for (const Fold& fold : folds) parts.push_back(fold.held_out);
  return together(parts);
}

Fitted fit(const Table& given, const Overrides& overrides,
           const std::vector<FitParameter>& parameters, const FitSettings& settings, Pool& pool) {
  Table table = given;
  std::erase_if(table.rows, [](const TableRow& row) { return !row.gated; });
  if (table.rows.empty()) throw Error(table.path + ": no gated rows to fit to");
  Problem all(table, overrides, parameters, pool);
  Fitted fitted;
  fitted.before = all.closeness(start_of(parameters));
  fitted.values = search(all, parameters, settings.rounds);
  fitted.after = all.closeness(fitted.values);

  const std::vector<int> fold_of_row = deal(table, settings.folds);
  const int folds = *std::max_element(fold_of_row.begin(), fold_of_row.end()) + 1;
  for (int fold = 0; folds > 1 && fold < folds; ++fold) {
    Problem train(part_of(table, fold_of_row, fold, false), overrides, parameters, pool);
    Problem held_out(part_of(table, fold_of_row, fold, true), overrides, parameters, pool);
    Fold result;
    result.values = search(train, parameters, settings.rounds);
    result.train = train.closeness(result.values);
    result.held_out = held_out.closeness(result.values);
    fitted.folds.push_back(std::move(result));
  }
  return fitted;
}

std::string print(const Fitted& fitted, const std::vector<FitParameter>& parameters) {
  std::string text;
  for (std::size_t i = 0; i < fitted.folds.size(); ++i) {
    const Fold& fold = fitted.folds[i];
    text += fmt::format("fold {}: fitted {}\n        held out {}\n       ", i + 1,
                        print(fold.train), print(fold.held_out));
    for (std::size_t p = 0; p < parameters.size(); ++p) {
      text += " " + parameters[p].quantity.assignment(fold.values[p]);
    }
    text += "\n";
  }
  text += "before: " + print(fitted.before) + "\n";
  text += "after:  " + print(fitted.after) + "\n";
  if (!fitted.folds.empty()) text += "on rows not fitted: " + print(fitted.held_out()) + "\n";
  for (std::size_t p = 0; p < parameters.size(); ++p) {
    text += fmt::format("  {:28} {} (was {})\n", parameters[p].quantity.key,
                        value_text(parameters[p], fitted.values[p]),
                        value_text(parameters[p], parameters[p].quantity.number));
  }
  return text;
}

std::string to_yaml(const Fitted& fitted, const std::vector<FitParameter>& parameters,
                    const std::vector<std::string>& sets, const Table& table,
                    const std::string& base, const std::string& name) {
  std::vector<std::string> groups;
  for (const TableRow& row : table.rows) {
    if (row.gated && std::find(groups.begin(), groups.end(), row.group) == groups.end()) {
      groups.push_back(row.group);
    }
  }
  std::string text =
      fmt::format("# Fitted by dvmsim to {} ({}): {} gated rows.\n", table.path,
                  fmt::format("group {}", groups.empty() ? "" : groups[0]), fitted.after.rows);
  for (std::size_t i = 1; i < groups.size(); ++i) text += "#   and group " + groups[i] + "\n";
  text += "# Error before: " + print(fitted.before) + ".\n";
  text += "# Error after:  " + print(fitted.after) + ".\n";
  if (!fitted.folds.empty()) {
    text += fmt::format("# On rows that were not fitted ({} folds): {}.\n", fitted.folds.size(),
                        print(fitted.held_out()));
  }
  if (!base.empty()) text += "base: " + base + "\n";
  text += "name: " + name + "\n";
  Sections sections;
  for (const std::string& set : sets) {
    const auto equals = set.find('=');
    sections.add(set.substr(0, equals), set.substr(equals + 1), "as given");
  }
  for (std::size_t p = 0; p < parameters.size(); ++p) {
    const FitParameter& parameter = parameters[p];
    sections.add(
        parameter.quantity.key, value_text(parameter, fitted.values[p]),
        fmt::format("was {}; searched {} to {}", value_text(parameter, parameter.quantity.number),
                    value_text(parameter, parameter.low), value_text(parameter, parameter.high)));
  }
  return text + sections.text();
}

}  // namespace dvmsim
