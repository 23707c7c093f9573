#include "compiler/graph/resample.h"

#include <algorithm>
#include <cmath>

#include "vm/base/error.h"

namespace dvmsim {
namespace {

[[noreturn]] void fail(const Node& node, const std::string& why) {
  throw Error("node '" + node.name + "' (resize): " + why);
}

/// The two ends of the region of interest along an axis.
struct Region {
  double start = 0, end = 1;
};

Region region_of(const Node& node, std::size_t axis, std::size_t rank) {
  const std::vector<double> roi = node.floats_of("roi");
  if (roi.size() != 2 * rank) fail(node, "needs a region with two numbers for each axis");
  return {roi[axis], roi[axis + rank]};
}

/// The place in the input that output element `i` looks at.
double place(const Node& node, std::size_t axis, std::size_t rank, std::int64_t i,
             std::int64_t from, std::int64_t to, double scale) {
  const std::string how = node.string_of("coordinates");
  const auto x = static_cast<double>(i), in = static_cast<double>(from);
  // The length before it is cut to whole elements.
  const double out = node.find("scales") != nullptr ? scale * in : static_cast<double>(to);
  if (how == "half_pixel") return (x + 0.5) / scale - 0.5;
  if (how == "half_pixel_symmetric") {
    const double ratio = static_cast<double>(to) / (scale * in);
    return in / 2 * (1 - ratio) + (x + 0.5) / scale - 0.5;
  }
  if (how == "pytorch_half_pixel") return to > 1 ? (x + 0.5) / scale - 0.5 : 0;
  if (how == "tf_half_pixel_for_nn") return (x + 0.5) / scale;
  if (how == "asymmetric") return x / scale;
  if (how == "align_corners") return to > 1 ? x * (in - 1) / (out - 1) : 0;
  if (how != "tf_crop_and_resize") fail(node, "coordinates '" + how + "' are not known");
  const auto [start, end] = region_of(node, axis, rank);
  if (to > 1) return start * (in - 1) + x * (end - start) * (in - 1) / (out - 1);
  return 0.5 * (start + end) * (in - 1);
}

std::int64_t nearest(const Node& node, double x) {
  const std::string how = node.string_of("nearest");
  if (how == "round_prefer_floor") return static_cast<std::int64_t>(std::ceil(x - 0.5));
  if (how == "round_prefer_ceil") return static_cast<std::int64_t>(std::floor(x + 0.5));
  if (how == "floor") return static_cast<std::int64_t>(std::floor(x));
  if (how != "ceil") fail(node, "nearest '" + how + "' is not known");
  return static_cast<std::int64_t>(std::ceil(x));
}

double linear_weight(double distance) {
  return std::max(0.0, 1 - std::fabs(distance));
}
double cubic_weight(double distance, double a) {
  const double d = std::fabs(distance), squared = d * d, cubed = squared * d;
  if (d <= 1) return (a + 2) * cubed - (a + 3) * squared + 1;
  return d < 2 ? a * cubed - 5 * a * squared + 8 * a * d - 4 * a : 0;
}

}  // namespace

std::int64_t AxisTaps::repeats(std::int64_t from) const {
  if (index.size() != 1 || !outside.empty() || index[0].empty()) return 0;
  const auto count = static_cast<std::int64_t>(index[0].size());
  if (count % from != 0) return 0;
  for (std::int64_t i = 0; i < count; ++i) {
    if (index[0][static_cast<std::size_t>(i)] != i / (count / from)) return 0;
  }
  return count / from;
}

double axis_scale(const Node& node, std::size_t axis, std::int64_t from, std::int64_t to) {
  const std::vector<double> scales = node.floats_of("scales");
  if (!scales.empty()) return scales.at(axis);
  return from == 0 ? 1 : static_cast<double>(to) / static_cast<double>(from);
}

bool is_kept(const Node& node, std::size_t axis) {
  return node.string_of("coordinates") != "tf_crop_and_resize" && axis_scale(node, axis, 1, 1) == 1;
}

bool repeats_alike(const Node& node, std::size_t axis, std::size_t rank, std::int64_t repeats) {
  const std::string how = node.string_of("coordinates");
  const bool shifts = how == "half_pixel" || how == "pytorch_half_pixel" || how == "asymmetric" ||
                      how == "tf_half_pixel_for_nn";
  if (!shifts || node.string_of("mode") != "nearest") return false;
  // An element further is a place further: what is true of one between two others is of all.
  constexpr std::int64_t kThree = 3;
  return axis_taps(node, axis, rank, kThree, kThree * repeats).repeats(kThree) == repeats;
}

AxisTaps axis_taps(const Node& node, std::size_t axis, std::size_t rank, std::int64_t from,
                   std::int64_t to) {
  const std::string mode = node.string_of("mode");
  const double scale = axis_scale(node, axis, from, to);
  const double narrow = node.int_of("antialias") != 0 ? std::min(1.0, scale) : 1.0;
  const bool excludes = node.int_of("exclude") != 0;
  const std::int64_t reach =
      mode == "nearest" ? 1
                        : static_cast<std::int64_t>(std::ceil((mode == "linear" ? 1 : 2) / narrow));
  AxisTaps taps;
  const bool crops = node.string_of("coordinates") == "tf_crop_and_resize";
  taps.index.resize(static_cast<std::size_t>(mode == "nearest" ? 1 : 2 * reach));
  if (mode != "nearest") taps.weight.resize(taps.index.size());
  for (std::int64_t i = 0; i < to; ++i) {
    const double x = place(node, axis, rank, i, from, to, scale);
    if (crops) taps.outside.push_back(x < 0 || x > static_cast<double>(from - 1));
    if (mode == "nearest") {
      taps.index[0].push_back(std::clamp<std::int64_t>(nearest(node, x), 0, from - 1));
      continue;
    }
    const double base = std::floor(x);
    double sum = 0;
    for (std::size_t t = 0; t < taps.index.size(); ++t) {
      const double at = base + 1 - static_cast<double>(reach) + static_cast<double>(t);
      const double distance = (at - x) * narrow;
      double weight = mode == "linear" ? linear_weight(distance)
                                       : cubic_weight(distance, node.float_of("cubic"));
      if (excludes && (at < 0 || at > static_cast<double>(from - 1))) weight = 0;
      sum += weight;
      taps.weight[t].push_back(weight);
      taps.index[t].push_back(std::clamp<std::int64_t>(static_cast<std::int64_t>(at), 0, from - 1));
    }
    for (auto& weights : taps.weight) weights.back() /= sum == 0 ? 1 : sum;
  }
  return taps;
}

}  // namespace dvmsim
