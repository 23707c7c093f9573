// Places flags mechanically: from what isa.def says each instruction reads and writes in UB, finds
// the dependences of a tile loop's straight-line body, inside an iteration and from one to the
// next, and turns them into waits and sets. The pipes run in order, so of the dependences between
// two pipes only those not implied by another need a flag, and one counting flag per direction
// serves them all.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "compiler/codegen/builder.h"

namespace dvmsim {

/// Bytes [base, base + size) of UB that instructions address by their base, or through a register
/// that points somewhere into them.
struct UbRange {
  std::int64_t base = 0, size = 0;
  int reg = -1;
};

/// Flag ids: dependences inside an iteration and from one iteration to the next.
inline constexpr int kForwardFlag = 0, kBackwardFlag = 1;

/// Copies that the buffers of loads and of stores have in UB, in turns from iteration to iteration.
struct UbCopies {
  int loads = 1, stores = 1;
};

/// A body with flags; before its loop each backward flag is set `count` times, after it waited for.
struct SyncedBody {
  struct Carried {
    Pipe from{}, to{};
    int count = 0;
  };
  Body body{};
  std::vector<Carried> carried{};
};

/// `ranges`: every buffer the body addresses; ranges may share bytes. Operands are immediate bases,
/// or the register of a range.
/// With copies, a load (a result) waits for the iteration that last used its copy.
[[nodiscard]] SyncedBody synchronize(const Body& body, std::span<const UbRange> ranges,
                                     UbCopies copies = {});

/// The loop: primes the carried flags, repeats the body `count` times, and takes the flags back.
void add_loop(Builder& builder, Val count, const SyncedBody& synced);

}  // namespace dvmsim
