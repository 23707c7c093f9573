#include "cli/comparison/device_figures.h"

#include <algorithm>

namespace dvmsim {
namespace {

constexpr std::size_t kNominal = 1;  // of the costs of decoding

double decode_of(const DeviceFigures& figures) {
  return figures.decode_us ? (*figures.decode_us)[kNominal] : 0;
}

}  // namespace

double DeviceFigures::decode_share(std::size_t profile) const {
  if (!decode_us) return 0;
  const double free = body_us - decode_of(*this);
  return free > 0 ? (*decode_us)[profile] / free : 0;
}

DeviceFigures sum_of(const std::vector<DeviceFigures>& runs) {
  DeviceFigures sum;
  sum.head_us.resize(runs.front().head_us.size());
  double longest = -1;
  for (const DeviceFigures& run : runs) {
    for (std::size_t i = 0; i < sum.head_us.size(); ++i) sum.head_us[i] += run.head_us[i];
    if (run.body_us > longest) sum.bound = run.bound;
    longest = std::max(longest, run.body_us);
    sum.launches += run.launches;
    sum.hbm_read_bytes += run.hbm_read_bytes;
    sum.hbm_write_bytes += run.hbm_write_bytes;
    sum.l2_hit_bytes += run.l2_hit_bytes;
    sum.body_us += run.body_us;
    sum.fixed_us += run.fixed_us;
    sum.memory_us += run.memory_us;
    sum.ideal_us += run.ideal_us;
    if (!run.decode_us) continue;
    if (!sum.decode_us) sum.decode_us.emplace();
    for (std::size_t i = 0; i < sum.decode_us->size(); ++i) {
      (*sum.decode_us)[i] += (*run.decode_us)[i];
    }
  }
  return sum;
}

const char* Gain::worst() const {
  const double least = std::min({launches, bytes, decode, overlap});
  if (least == launches) return "more launches";
  if (least == bytes) return "more bytes";
  return least == decode ? "decoding" : "less overlap";
}

Gain gain_of(const DeviceFigures& from, const DeviceFigures& to, std::size_t cost) {
  Gain gain;
  gain.launches = from.head_us[cost] + from.fixed_us - to.head_us[cost] - to.fixed_us;
  gain.bytes = from.memory_us - to.memory_us;
  gain.decode = decode_of(from) - decode_of(to);
  gain.overlap = from.time_us(cost) - to.time_us(cost) - gain.launches - gain.bytes - gain.decode;
  return gain;
}

double ratio_of(const DeviceFigures& from, const DeviceFigures& to, std::size_t cost) {
  return from.time_us(cost) / to.time_us(cost);
}

double most_of(const DeviceFigures& from, const DeviceFigures& to, std::size_t cost) {
  return from.time_us(cost) / to.least_us(cost);
}

}  // namespace dvmsim
