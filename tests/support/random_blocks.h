// The pieces random programs are made of, for one kind of core. Inside of random_program.cpp.
#pragma once

#include <cstdint>
#include <vector>

#include "tests/support/code_writer.h"
#include "tests/support/random_program.h"

namespace dvmsim::testing {

/// A buffer of the launch as the code sees it: a register with its address (of this core's own
/// part).
struct Buffer {
  int reg = 0;
  std::int64_t bytes = 0;
};

/// What a writer of blocks needs to know.
struct BlockContext {
  Random& random;
  CodeWriter& code;
  const Machine& machine;
  Buffer inputs[3];   // f32, f16, i32
  Buffer own;         // this core's part of the output
  int count_reg = 0;  // a loop count, 0..4, the same on every core
  bool device_data = false;
};
/// Registers a block may overwrite.
inline constexpr int kFirstScratch = 24, kLastScratch = 55;

/// Keeps its slots of on-core memory and of the own GM part; resources 0.. of the writer are its
/// own.
class VectorBlocks {
 public:
  explicit VectorBlocks(BlockContext& context, int first_resource);
  void straight(int commands);
  void pipeline(bool nested);
  void read_data();
  /// Own slot -> `to` (in `resource`) and, after a flag, `from` -> own slot.
  void put(isa::Lane to, std::int64_t bytes);
  void get(isa::Lane from, std::int64_t bytes);
  [[nodiscard]] std::int64_t slot_bytes() const { return slot_; }

 private:
  struct Slot {
    bool written = false;
    DType type = DType::F32;
  };
  int any_slot(bool written);
  int slot_of(DType type);
  isa::Lane address(int slot, std::int64_t offset = 0) const;
  void load();
  void load_nd();
  void store();
  void vector_op();
  void fill(isa::Inst& inst, DType type, std::vector<int>& reads, std::vector<int>& writes);
  isa::Lane input_at(std::size_t input, std::int64_t bytes);
  isa::Lane own_at(int part);

  BlockContext& c_;
  int first_;
  std::int64_t slot_ = 0;
  std::vector<Slot> slots_{};
  int scratch_ = kFirstScratch;
};

class CubeBlocks {
 public:
  explicit CubeBlocks(BlockContext& context, int first_resource);
  /// One product: load, split, multiply, write out.
  void product(const isa::Lane* to);
  void pipeline(bool nested);
  void get(isa::Lane from, std::int64_t bytes);

 private:
  struct Shape {
    DType type{};
    std::int64_t m = 0, n = 0, k = 0;
    bool trans_a = false, trans_b = false, bias = false;
  };
  Shape random_shape();
  void windows(Shape& s, int slot, int half);
  void again(int slot, int c, const Shape& s);
  isa::Inst scaled(DType result, isa::Lane dst, int slot, int c, const Shape& s);
  isa::Inst loadnz(int slot, std::int64_t rows, std::int64_t cols, DType type);
  isa::Lane input_at(DType type, std::int64_t bytes);
  int scratch();

  BlockContext& c_;
  int first_;
  std::int64_t l1_slot_ = 0, l0_slot_ = 0, l0c_slot_ = 0;
  int scratch_ = kFirstScratch;
};

}  // namespace dvmsim::testing
