// What a core asks of the memory system and what it is told: one chunk of a transfer at a time.
#pragma once

#include <compare>
#include <cstdint>
#include <span>

#include "vm/base/space.h"
#include "vm/base/strong.h"

namespace dvmsim {

/// Bytes of one granule that a chunk reads or writes.
struct Piece {
  std::uint64_t address = 0;
  std::int32_t bytes = 0;
  std::int32_t moved = 0;  // of the request for them, a block aligned to its size
  [[nodiscard]] bool whole() const { return moved == bytes; }
};

/// The order in which the memory system serves: nothing else decides it.
struct RequestKey {
  Cycles arrival{};
  std::uint16_t core = 0;  // cube cores, then vector cores
  Pipe queue = Pipe::Scalar;
  friend constexpr auto operator<=>(const RequestKey&, const RequestKey&) = default;
};

/// Fixed when the request arrives, never revised.
struct Answer {
  Cycles completion{};      // read: data leave L2; write: L2 has taken them
  std::int64_t missed = 0;  // bytes of the request's blocks that had to come from HBM
};

/// What the pieces of a request did, in bytes, for the listeners.
struct Tally {
  std::int64_t hit = 0, missed = 0, hbm_read = 0, hbm_write = 0;
};

struct Request {
  RequestKey key{};
  bool write = false;
  std::span<const Piece> pieces{};  // ascending; the asker keeps them until it is answered
};

}  // namespace dvmsim
