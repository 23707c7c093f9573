#include "cli/sweep/sensitivity.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

namespace dvmsim {
namespace {

/// A point with a value.
struct Sample {
  std::vector<int> values{};  // of each axis
  double log = 0;             // of the metric
};

std::vector<Sample> samples_of(const SweepOutcome& outcome, std::size_t metric) {
  std::vector<Sample> samples;
  const SweepPlan& plan = *outcome.plan;
  for (std::size_t p = 0; p < plan.points.size(); ++p) {
    const auto& value = outcome.metrics[p][metric];
    if (!value) continue;
    Sample sample;
    for (std::size_t a = 0; a < plan.axes.size(); ++a) {
      sample.values.push_back(plan.value(plan.points[p], a));
    }
    sample.log = std::log(*value);
    samples.push_back(std::move(sample));
  }
  return samples;
}

/// Slope of ln(mean) over ln(value of the axis).
std::optional<double> slope_of(const SweepAxis& axis,
                               const std::vector<AxisEffect::Level>& levels) {
  double sum_x = 0, sum_y = 0, xx = 0, xy = 0;
  const auto count = static_cast<double>(levels.size());
  std::vector<std::pair<double, double>> points;
  for (const AxisEffect::Level& level : levels) {
    const auto& number = axis.values[static_cast<std::size_t>(level.value)].number;
    if (!number || *number <= 0) return std::nullopt;
    points.emplace_back(std::log(*number), std::log(level.mean));
    sum_x += points.back().first;
    sum_y += points.back().second;
  }
  for (const auto& [x, y] : points) {
    xx += (x - sum_x / count) * (x - sum_x / count);
    xy += (x - sum_x / count) * (y - sum_y / count);
  }
  if (xx == 0) return std::nullopt;
  return xy / xx;
}

/// Points that differ in one axis alone: the logarithm by its value.
using Block = std::map<int, double>;

std::vector<Block> blocks_of(const std::vector<Sample>& samples, std::size_t axis) {
  std::map<std::vector<int>, Block> blocks;
  for (const Sample& sample : samples) {
    if (sample.values[axis] < 0) continue;
    std::vector<int> others = sample.values;
    others[axis] = -1;
    blocks[std::move(others)][sample.values[axis]] = sample.log;
  }
  std::vector<Block> comparisons;
  for (auto& [others, block] : blocks) {
    if (block.size() > 1) comparisons.push_back(std::move(block));
  }
  return comparisons;
}

/// Of each value that occurs, how far its logarithm lies from the first one's. Empty if that cannot
/// be told.
std::optional<std::map<int, double>> distances_in(const std::vector<Block>& blocks) {
  std::map<int, std::size_t> columns;  // of all values but the first
  for (const Block& block : blocks) {
    for (const auto& [value, log] : block) columns[value] = 0;
  }
  std::size_t next = 0;
  for (auto& [value, column] : columns) column = next++;
  std::vector<std::vector<double>> rows;
  std::vector<double> logs;
  for (const Block& block : blocks) {
    const double share = 1.0 / static_cast<double>(block.size());
    std::vector<double> mean_row(columns.size(), 0.0);
    double mean = 0;
    for (const auto& [value, log] : block) {
      mean_row[columns.at(value)] = share;
      mean += log * share;
    }
    for (const auto& [value, log] : block) {
      std::vector<double> row;
      for (std::size_t c = 1; c < columns.size(); ++c) {
        row.push_back((columns.at(value) == c ? 1.0 : 0.0) - mean_row[c]);
      }
      rows.push_back(std::move(row));
      logs.push_back(log - mean);
    }
  }
  const auto slopes = least_squares(rows, logs);
  if (!slopes) return std::nullopt;
  std::map<int, double> distances;
  for (const auto& [value, column] : columns) {
    distances[value] = column == 0 ? 0.0 : (*slopes)[column - 1];
  }
  return distances;
}

/// The largest distance over the smallest, as a ratio less 1.
double spread_of(const std::map<int, double>& distances) {
  double least = 0, most = 0;  // the first one's is 0
  for (const auto& [value, distance] : distances) {
    least = std::min(least, distance);
    most = std::max(most, distance);
  }
  return std::exp(most - least) - 1;
}

AxisEffect main_effect(const SweepPlan& plan, const std::vector<Sample>& samples,
                       std::size_t axis) {
  AxisEffect effect;
  effect.axis = axis;
  const std::vector<Block> blocks = blocks_of(samples, axis);
  if (blocks.empty()) return effect;
  const auto distances = distances_in(blocks);
  if (!distances) return effect;
  // What the metric would be on average if every comparison had every value.
  double base = 0;
  for (const Block& block : blocks) {
    double mean = 0;
    for (const auto& [value, log] : block) mean += log - distances->at(value);
    base += mean / static_cast<double>(block.size());
    effect.comparisons += block.size();
  }
  base /= static_cast<double>(blocks.size());
  for (const auto& [value, distance] : *distances) {
    effect.levels.push_back({value, std::exp(base + distance), 0, 0});
  }
  for (AxisEffect::Level& level : effect.levels) {
    for (const SweepPoint& point : plan.points) {
      if (plan.value(point, axis) == level.value) ++level.lacking;
    }
    for (const Sample& sample : samples) {
      if (sample.values[axis] == level.value) ++level.points;
    }
    level.lacking -= level.points;
  }
  effect.effect = spread_of(*distances);
  effect.elasticity = slope_of(plan.axes[axis], effect.levels);
  return effect;
}

/// The columns of a regression on drawn axes: a number's logarithm, or one column for each value of
/// an axis without numbers but its first.
struct Columns {
  struct Column {
    std::size_t axis = 0;
    int value = -1;  // of a choice; -1: a number
  };
  std::vector<Column> columns{};

  Columns(const SweepPlan& plan, const std::vector<std::size_t>& axes) {
    for (const std::size_t a : axes) {
      const auto& values = plan.axes[a].values;
      const bool numbers = std::all_of(values.begin(), values.end(), [](const auto& value) {
        return value.number && *value.number > 0;
      });
      if (numbers) {
        columns.push_back({a, -1});
        continue;
      }
      for (std::size_t v = 1; v < values.size(); ++v) columns.push_back({a, static_cast<int>(v)});
    }
  }
  [[nodiscard]] std::vector<double> row(const SweepPlan& plan, const Sample& sample) const {
    std::vector<double> row;
    for (const Column& column : columns) {
      const int value = sample.values[column.axis];
      row.push_back(
          column.value >= 0
              ? (value == column.value ? 1.0 : 0.0)
              : std::log(*plan.axes[column.axis].values[static_cast<std::size_t>(value)].number));
    }
    return row;
  }
};

/// Takes the mean of its block from each row and logarithm, a block being points that differ in
/// drawn axes only.
void centre(const std::vector<Sample>& samples, const std::vector<std::size_t>& drawn,
            std::vector<std::vector<double>>& rows, std::vector<double>& logs) {
  std::map<std::vector<int>, std::vector<std::size_t>> blocks;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    std::vector<int> others = samples[i].values;
    for (const std::size_t a : drawn) others[a] = -1;
    blocks[std::move(others)].push_back(i);
  }
  for (const auto& [others, members] : blocks) {
    const auto count = static_cast<double>(members.size());
    double mean = 0;
    std::vector<double> means(rows[members[0]].size(), 0.0);
    for (const std::size_t i : members) {
      mean += logs[i] / count;
      for (std::size_t c = 0; c < means.size(); ++c) means[c] += rows[i][c] / count;
    }
    for (const std::size_t i : members) {
      logs[i] -= mean;
      for (std::size_t c = 0; c < means.size(); ++c) rows[i][c] -= means[c];
    }
  }
}

double range_of(const SweepAxis& axis) {
  double least = *axis.values[0].number, most = least;
  for (const auto& value : axis.values) {
    least = std::min(least, *value.number);
    most = std::max(most, *value.number);
  }
  return std::log(most / least);
}

void regress(const SweepPlan& plan, const std::vector<Sample>& samples,
             const std::vector<std::size_t>& drawn, MetricEffects& result) {
  const Columns columns(plan, drawn);
  std::vector<std::vector<double>> rows;
  std::vector<double> logs;
  for (const Sample& sample : samples) {
    rows.push_back(columns.row(plan, sample));
    logs.push_back(sample.log);
  }
  centre(samples, drawn, rows, logs);
  const auto slopes = least_squares(rows, logs);
  for (const std::size_t a : drawn) {
    AxisEffect effect;
    effect.axis = a;
    effect.comparisons = samples.size();
    double least = 0, most = 0;  // of the choices' effects, the first one's being 0
    for (std::size_t c = 0; slopes && c < columns.columns.size(); ++c) {
      if (columns.columns[c].axis != a) continue;
      const double slope = (*slopes)[c];
      if (columns.columns[c].value < 0) {
        effect.elasticity = slope;
        most = std::abs(slope) * range_of(plan.axes[a]);
      } else {
        least = std::min(least, slope);
        most = std::max(most, slope);
      }
    }
    if (slopes) effect.effect = std::exp(most - least) - 1;
    result.axes.push_back(std::move(effect));
  }
  if (!slopes) return;
  double all = 0, left = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    double predicted = 0;
    for (std::size_t c = 0; c < slopes->size(); ++c) predicted += (*slopes)[c] * rows[i][c];
    all += logs[i] * logs[i];
    left += (logs[i] - predicted) * (logs[i] - predicted);
  }
  if (all > 0) result.explained = 1 - left / all;
}

}  // namespace

std::optional<std::vector<double>> least_squares(const std::vector<std::vector<double>>& x,
                                                 const std::vector<double>& y) {
  const std::size_t size = x.empty() ? 0 : x[0].size();
  if (size == 0 || x.size() <= size) return std::nullopt;
  // Normal equations, the right side as a last column; eliminated with the largest pivot.
  std::vector<std::vector<double>> a(size, std::vector<double>(size + 1, 0.0));
  for (std::size_t row = 0; row < x.size(); ++row) {
    for (std::size_t i = 0; i < size; ++i) {
      for (std::size_t j = 0; j < size; ++j) a[i][j] += x[row][i] * x[row][j];
      a[i][size] += x[row][i] * y[row];
    }
  }
  std::vector<double> scale;
  for (std::size_t i = 0; i < size; ++i) scale.push_back(a[i][i]);
  for (std::size_t i = 0; i < size; ++i) {
    std::size_t pivot = i;
    for (std::size_t k = i; k < size; ++k) {
      if (std::abs(a[k][i]) > std::abs(a[pivot][i])) pivot = k;
    }
    if (std::abs(a[pivot][i]) <= 1e-9 * scale[i]) return std::nullopt;
    std::swap(a[i], a[pivot]);
    for (std::size_t k = 0; k < size; ++k) {
      if (k == i) continue;
      const double factor = a[k][i] / a[i][i];
      for (std::size_t j = i; j <= size; ++j) a[k][j] -= factor * a[i][j];
    }
  }
  std::vector<double> slopes;
  for (std::size_t i = 0; i < size; ++i) slopes.push_back(a[i][size] / a[i][i]);
  return slopes;
}

namespace {

constexpr std::size_t kMostValuesWithin = 32;  // of another axis; more say nothing one by one
constexpr std::size_t kMostSamplesWithin = 20'000;

/// The axis's effect at each value of each other axis.
void add_within(const SweepPlan& plan, const std::vector<Sample>& samples, AxisEffect& effect) {
  if (samples.size() > kMostSamplesWithin) return;
  for (std::size_t other = 0; other < plan.axes.size(); ++other) {
    const std::size_t count = plan.axes[other].values.size();
    if (other == effect.axis || plan.axes[other].sampled || count > kMostValuesWithin) continue;
    std::vector<std::vector<Sample>> by_value(count);
    for (const Sample& sample : samples) {
      if (sample.values[other] < 0) continue;
      by_value[static_cast<std::size_t>(sample.values[other])].push_back(sample);
    }
    for (std::size_t v = 0; v < count; ++v) {
      const auto blocks = blocks_of(by_value[v], effect.axis);
      if (blocks.empty()) continue;
      const auto distances = distances_in(blocks);
      if (!distances) continue;
      effect.within.push_back({other, static_cast<int>(v), spread_of(*distances)});
    }
  }
}

}  // namespace

std::optional<MetricEffects> effects_on(const SweepOutcome& outcome, std::size_t metric) {
  for (const Numbers& numbers : outcome.metrics) {
    if (numbers[metric] && *numbers[metric] <= 0) return std::nullopt;
  }
  const SweepPlan& plan = *outcome.plan;
  const std::vector<Sample> samples = samples_of(outcome, metric);
  MetricEffects result;
  result.metric = metric;
  std::vector<std::size_t> drawn;
  for (std::size_t a = 0; a < plan.axes.size(); ++a) {
    if (plan.axes[a].sampled) {
      drawn.push_back(a);
    } else {
      result.axes.push_back(main_effect(plan, samples, a));
      add_within(plan, samples, result.axes.back());
    }
  }
  if (!drawn.empty()) regress(plan, samples, drawn, result);
  std::stable_sort(result.axes.begin(), result.axes.end(),
                   [](const AxisEffect& a, const AxisEffect& b) {
                     return a.effect.value_or(-1) > b.effect.value_or(-1);
                   });
  return result;
}

}  // namespace dvmsim
