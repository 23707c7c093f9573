// isa.def's footprints are true: an instruction changes no byte outside what they say it writes,
// and its result depends on no byte outside what they say it reads.
#include "vm/isa/footprint.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "tests/vm/exec/shapes.h"

namespace dvmsim {
namespace {

using namespace bench;

using Bytes8 = std::vector<std::byte>;
constexpr std::int64_t kGmSize = 16 << 10;

/// All memories of a bench, by space; random at first, the same each time.
struct World {
  Bench bench;
  std::int64_t gm;

  World() : gm(static_cast<std::int64_t>(bench.global.allocate(Bytes(kGmSize), true))) {
    for (Space space :
         {Space::L1, Space::L0A, Space::L0B, Space::L0C, Space::BT, Space::FB, Space::UB}) {
      bench.fill_bits(bench.core.at(space, 0, 1), std::min(size(space), kGmSize));
    }
    bench.fill_bits(base(Space::GM), kGmSize);
  }
  [[nodiscard]] std::int64_t size(Space space) const {
    return space == Space::GM ? kGmSize : bench.core.size_of(space).count();
  }
  std::byte* base(Space space) {
    return space == Space::GM ? bench.global.at(static_cast<std::uint64_t>(gm), kGmSize)
                              : bench.core.at(space, 0, 0);
  }
  Bytes8 bytes(Space space) { return {base(space), base(space) + size(space)}; }
  /// Which bytes of a space the command reads, or writes.
  std::vector<bool> touched(const isa::Command& command, Space space, isa::Access access) {
    std::vector<bool> mask(static_cast<std::size_t>(size(space)));
    const isa::Regions regions = isa::regions(command);
    for (int i = 0; i < regions.count; ++i) {
      const isa::Region& r = regions.region[i];
      if (r.space != space) continue;
      if (r.access != access && r.access != isa::Access::ReadWrite) continue;
      const std::int64_t first = r.base - (space == Space::GM ? gm : 0);
      for (std::int64_t b = 0; b < r.outer[1]; ++b) {
        for (std::int64_t a = 0; a < r.outer[0]; ++a) {
          for (std::int64_t row = 0; row < r.rows; ++row) {
            for (std::int64_t k = 0; k < r.length; ++k) {
              mask.at(static_cast<std::size_t>(first + b * r.outer_stride[1] +
                                               a * r.outer_stride[0] + row * r.stride + k)) = true;
            }
          }
        }
      }
    }
    return mask;
  }
};

constexpr Space kSpacesUsed[] = {Space::GM,  Space::L1, Space::L0A, Space::L0B,
                                 Space::L0C, Space::BT, Space::FB,  Space::UB};

void expect_true_footprint(const isa::Row& row, const std::function<void(isa::Command&)>& vary) {
  World plain, disturbed;
  isa::Command command = sound_command(row, plain.gm);
  for (int i = 0; i < row.operands; ++i) {  // operands apart from one another
    const isa::Operand& operand = row.operand[static_cast<std::size_t>(i)];
    if (operand.kind == isa::OperandKind::Memory && operand.space == Space::UB) {
      command.operand[static_cast<std::size_t>(i)] = 4096 * i;
    }
  }
  vary(command);
  if (row.op == Op::vgather) {  // any element of the table
    const std::int64_t at = command.at(row.find("index"));
    for (World* world : {&plain, &disturbed}) {
      std::fill_n(world->bench.ub(at), 4096, std::byte{0});
    }
  }
  std::vector<Bytes8> before;
  for (Space space : kSpacesUsed) {
    before.push_back(plain.bytes(space));
    const auto read = plain.touched(command, space, isa::Access::Read);
    for (std::size_t i = 0; i < read.size(); ++i) {
      if (!read[i]) disturbed.base(space)[i] ^= std::byte{0x55};
    }
  }
  ASSERT_FALSE(execute(command, plain.bench.core, plain.bench.global)) << row.mnemonic;
  ASSERT_FALSE(execute(command, disturbed.bench.core, disturbed.bench.global)) << row.mnemonic;
  for (std::size_t s = 0; s < before.size(); ++s) {
    const auto written = plain.touched(command, kSpacesUsed[s], isa::Access::Write);
    const Bytes8 after = plain.bytes(kSpacesUsed[s]), other = disturbed.bytes(kSpacesUsed[s]);
    for (std::size_t i = 0; i < after.size(); ++i) {
      if (written[i]) {
        ASSERT_EQ(after[i], other[i])
            << row.mnemonic << " depends on a byte it does not read: " << name_of(kSpacesUsed[s])
            << " " << i;
      } else {
        ASSERT_EQ(after[i], before[s][i])
            << row.mnemonic << " changes a byte it does not write: " << name_of(kSpacesUsed[s])
            << " " << i;
      }
    }
  }
}

TEST(Footprints, are_true_for_every_instruction) {
  for (const isa::Row& row : isa::rows()) {
    if (row.pipe == Pipe::Scalar) continue;
    expect_true_footprint(row, [](isa::Command&) {});
  }
}

TEST(Footprints, are_true_for_parts_and_transposes_of_matrices_in_l1) {
  for (Op op : {Op::l0a, Op::l0b}) {
    const isa::Row& row = isa::row_of(op);
    for (DType type : {DType::F16, DType::F32, DType::I8}) {
      for (int trans : {0, 1}) {
        expect_true_footprint(row, [&](isa::Command& command) {
          const auto set = [&](const char* name, std::int64_t value) {
            command.operand[static_cast<std::size_t>(row.find(name))] = value;
          };
          set("dtype", code(type)), set("trans", trans), set("prows", 64), set("k", 21);
          set(op == Op::l0a ? "m" : "n", 18), set(op == Op::l0a ? "m0" : "n0", 5), set("k0", 19);
        });
      }
    }
  }
}

TEST(Footprints, are_true_for_windows_and_maps) {
  using Values = std::vector<std::pair<const char*, std::int64_t>>;
  const auto with = [](const isa::Row& row, const Values& values) {
    expect_true_footprint(row, [&](isa::Command& command) {
      for (const auto& [name, value] : values) {
        command.operand[static_cast<std::size_t>(row.find(name))] = value;
      }
    });
  };
  for (DType type : {DType::F16, DType::F32, DType::I8}) {
    const isa::Row& gather = isa::row_of(Op::img2col);
    const Values window = {
        {"dtype", code(type)}, {"m", 21}, {"m0", 3}, {"ow", 5}, {"h", 5}, {"w", 7},
        {"prows", 48},         {"top", 1}};
    for (std::int64_t k : {5, 32, 100}) {
      Values all = window;
      all.insert(all.end(), {{"k", k}, {"k0", 64}, {"kernel", 1 << 16 | 2}, {"steps", 0x1000100}});
      with(gather, all);
    }
    const isa::Row& map = isa::row_of(Op::loadfm);
    with(map, {{"dtype", code(type)},
               {"w", 3},
               {"h", 4},
               {"cols", 19},
               {"prows", 32},
               {"stride", 80},
               {"hstride", 400}});
  }
}

TEST(Footprints, are_true_for_every_first_value_and_atomic_update) {
  for (int init = 0; init < 3; ++init) {
    const isa::Row& row = isa::row_of(Op::mmad);
    expect_true_footprint(row, [&](isa::Command& command) {
      command.operand[static_cast<std::size_t>(row.find("init"))] = init;
    });
  }
  for (Op op : {Op::fix, Op::store}) {
    const isa::Row& row = isa::row_of(op);
    for (int atomic = 0; atomic < 4; ++atomic) {
      expect_true_footprint(row, [&](isa::Command& command) {
        command.operand[static_cast<std::size_t>(row.find("atomic"))] = atomic;
      });
    }
  }
}

}  // namespace
}  // namespace dvmsim
