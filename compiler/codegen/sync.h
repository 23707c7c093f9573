// Places flags mechanically: from what isa.def says each instruction reads and writes in UB, finds
// the dependences of a tile loop's straight-line body, inside an iteration and from one to the
// next, and turns them into waits and sets. The pipes run in order, so of the dependences between
// two pipes only those not implied by another need a flag, and one counting flag per direction
// serves them all.
#pragma once

#include <cstdint>
#include <span>

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

/// A buffer of what is loaded, or of what is stored, whose flag from one use to the next has an id
/// of its own and is primed and taken back outside of the loop.
struct StreamedBuffer {
  std::int64_t base = 0;
  bool loaded = false;
  int id = 0;
};

/// Makes a loop that repeats `count` times of what was added since the builder had `begin`
/// instructions: places flags in it, and primes those from one iteration to the next before it and
/// takes them back after it. `ranges`: every buffer the body addresses; ranges may share bytes.
/// Operands are immediate bases, or the register of a range. With copies, a load (a result) waits
/// for the iteration that last used its copy. `streamed`: none of what is loaded or stored, or all
/// of it; then a loop of whole turns of the copies goes on where the one before it ended.
void add_loop(Builder& builder, std::size_t begin, Val count, std::span<const UbRange> ranges,
              UbCopies copies = {}, std::span<const StreamedBuffer> streamed = {});

/// The same for what runs once in a program, with nothing after it: no loop, and no flags from one
/// iteration to the next.
void add_once(Builder& builder, std::size_t begin, std::span<const UbRange> ranges);

/// What was added since the builder had `begin` instructions runs on the vector pipe alone, and
/// once: drains it where it reads its own results.
void drain_once(Builder& builder, std::size_t begin, std::span<const UbRange> ranges);
/// The first vector instruction of these waits for all before it.
void drain_first(Builder& builder, std::size_t begin);

}  // namespace dvmsim
