// Numbers of tracks and windows that the parts of the Perfetto writer share.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "traces/packets.h"
#include "vm/observe/fault.h"

namespace dvmsim::tracks {

inline constexpr Cycles kWindow(1024);  // of the counters, at first
inline constexpr std::size_t kBandwidthWindows = 65536;
inline constexpr std::size_t kUbWindows = 8192;

/// Of the budget, in percent: what may still be drawn up to there.
inline constexpr int kScalarShare = 50, kInstructionShare = 80, kTileShare = 95,
                     kOperatorShare = 100;

inline constexpr TrackId kHostProcess{1}, kDeviceProcess{8}, kStream{9};
inline constexpr std::array kHost = {TrackId{2}, TrackId{3}};  // by HostThread
inline constexpr TrackId kPath{15};
inline constexpr std::array kBandwidth = {TrackId{10}, TrackId{11}, TrackId{12}, TrackId{13}};
inline constexpr std::array<std::string_view, 4> kBandwidthNames = {"HBM read", "HBM write",
                                                                    "L2 hit", "L2 miss"};

/// Tracks of a core: the process, then one per pipe (1 + pipe), last the UB counter.
[[nodiscard]] constexpr TrackId of(const CoreId& core, int offset = 0) {
  const auto ordinal =
      static_cast<std::uint64_t>(core.kind) * 4096u + static_cast<std::uint64_t>(core.index);
  return TrackId{(1u << 20) + ordinal * 16 + static_cast<std::uint64_t>(offset)};
}
inline constexpr int kUbOffset = 15;

}  // namespace dvmsim::tracks
