#include "traces/series.h"

#include <algorithm>

namespace dvmsim {

void Series::double_width() {
  const std::size_t halves = windows_.size();
  for (std::size_t i = 0; i < halves; i += 2) {
    const std::int64_t right = i + 1 < halves ? windows_[i + 1] : 0;
    windows_[i / 2] = kind_ == Kind::Sum ? windows_[i] + right : std::max(windows_[i], right);
  }
  windows_.resize((halves + 1) / 2);
  width_ += width_;
}

void Series::reach(std::size_t window) {
  if (window >= windows_.size()) windows_.resize(window + 1);
}

void Series::add(Cycles begin, Cycles end, std::int64_t amount) {
  if (begin < origin_) begin = origin_;
  if (end <= begin) end = begin + Cycles(1);
  const std::int64_t first = (begin - origin_).count(), length = (end - begin).count();
  while (static_cast<std::size_t>((first + length - 1) / width_.count()) >= most_) double_width();
  const std::int64_t width = width_.count();
  const std::int64_t last = (first + length - 1) / width;
  reach(static_cast<std::size_t>(last));
  std::int64_t given = 0;  // of amount, up to the end of the window
  for (std::int64_t at = first / width; at <= last; ++at) {
    std::int64_t& window = windows_[static_cast<std::size_t>(at)];
    if (kind_ == Kind::Max) {
      window = std::max(window, amount);
      continue;
    }
    const std::int64_t covered = std::min((at + 1) * width - first, length);
    const auto upto = static_cast<std::int64_t>(static_cast<__int128>(amount) * covered / length);
    window += upto - given;
    given = upto;
  }
}

}  // namespace dvmsim
