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

DeviceFigures& DeviceFigures::operator+=(const DeviceFigures& other) {
  if (head_us.empty()) head_us.resize(other.head_us.size());
  for (std::size_t i = 0; i < head_us.size(); ++i) head_us[i] += other.head_us[i];
  if (bound.empty() || other.body_us > body_us) bound = other.bound;
  launches += other.launches;
  hbm_read_bytes += other.hbm_read_bytes;
  hbm_write_bytes += other.hbm_write_bytes;
  l2_hit_bytes += other.l2_hit_bytes;
  body_us += other.body_us;
  fixed_us += other.fixed_us;
  memory_us += other.memory_us;
  ideal_us += other.ideal_us;
  if (other.decode_us) {
    if (!decode_us) decode_us.emplace();
    for (std::size_t i = 0; i < decode_us->size(); ++i) (*decode_us)[i] += (*other.decode_us)[i];
  }
  return *this;
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
