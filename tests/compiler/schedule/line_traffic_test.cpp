// What tiles read from HBM, in lines of 512 bytes.
#include "compiler/schedule/line_traffic.h"

#include <gtest/gtest.h>

namespace dvmsim {
namespace {

/// One tensor of rows of halves in a kernel over rows x columns.
struct Loaded {
  explicit Loaded(std::int64_t rows, std::int64_t columns, Extent extent = Extent::Full) {
    kernel.dims = {rows, columns};
    kernel.values.push_back({DType::F16, extent});
    tensor.stride = {extent == Extent::Full ? columns : 0, 1};
  }
  [[nodiscard]] Fetched of(VectorTile tile) const {
    return LineTraffic(machine).of(kernel, tensor, tile);
  }
  Machine machine = default_machine();
  VectorKernel kernel{};
  KernelTensor tensor{};
};

TEST(LineTraffic, whole_rows_cost_their_bytes) {
  const Fetched fetched = Loaded(64, 1024).of({4, 1024});
  EXPECT_EQ(fetched.bytes, 4 * 2048);
  EXPECT_EQ(fetched.kept, 4 * 2048);
}

TEST(LineTraffic, narrow_tiles_read_a_whole_line_for_each_row) {
  const Fetched fetched = Loaded(512, 3072).of({512, 32});  // 64 bytes of each line of 512
  EXPECT_EQ(fetched.bytes, 512 * 512);
  EXPECT_EQ(fetched.kept, 0);
  EXPECT_EQ(Loaded(512, 3072).of({512, 256}).bytes, 512 * 512);
}

TEST(LineTraffic, rows_at_odd_addresses_share_lines_with_others) {
  // A run of 2000 bytes begins at any even byte of a line: 510 more on average, two lines not kept.
  const Fetched fetched = Loaded(8, 70001).of({1, 1000});
  EXPECT_EQ(fetched.bytes, 2000 + 510);
  EXPECT_EQ(fetched.kept, 2000 + 510 - 1024);
}

TEST(LineTraffic, rows_that_follow_one_another_are_one_run) {
  // 8 rows of 1000 bytes begin at multiples of 8000: of 64 bytes.
  const Fetched fetched = Loaded(64, 500).of({8, 500});
  EXPECT_EQ(fetched.bytes, 8000 + 512 - 64);
}

TEST(LineTraffic, a_row_for_all_is_read_once_for_a_tile) {
  const Fetched fetched = Loaded(64, 1024, Extent::Row).of({64, 1024});
  EXPECT_EQ(fetched.bytes, 2048);
}

TEST(LineTraffic, a_cache_that_keeps_parts_reads_bytes) {
  Loaded loaded(512, 3072);
  loaded.machine.l2.keep_partial = true;
  EXPECT_EQ(loaded.of({512, 32}).bytes, 512 * 64);
}

TEST(LineTraffic, what_l2_holds_is_not_written_back) {
  Loaded loaded(1024, 1024);  // 2 MiB in, 2 MiB out
  loaded.kernel.inputs = {loaded.tensor};
  loaded.kernel.outputs = {loaded.tensor};
  loaded.machine.l2.size = Bytes(4 << 20);
  EXPECT_NEAR(written_back_share(loaded.kernel, loaded.machine), 0, 1e-6);
  loaded.machine.l2.size = Bytes(1 << 20);
  EXPECT_NEAR(written_back_share(loaded.kernel, loaded.machine), 0.75, 1e-6);
}

}  // namespace
}  // namespace dvmsim
