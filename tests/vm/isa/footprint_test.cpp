#include "vm/isa/footprint.h"

#include <gtest/gtest.h>

#include "vm/base/error.h"
#include "vm/isa/text.h"

namespace dvmsim::isa {
namespace {

/// The command of a line whose operands are numbers; a GM operand rN means address N * 1000.
Command command(const std::string& line) {
  const Inst inst = assemble_line(line, "t");
  Command command;
  command.op = inst.op;
  for (std::size_t i = 0; i < inst.lane.size(); ++i) {
    command.operand[i] =
        inst.lane[i].is_register ? inst.lane[i].reg * 1000 : inst.lane[i].immediate;
  }
  return command;
}

/// "space access base+length[*rows@stride][*outer@stride]..." for each region.
std::string footprint(const std::string& line) {
  constexpr const char* kAccess[] = {"-", "r", "w", "rw"};
  const Regions all = regions(command(line));
  std::string text;
  for (int i = 0; i < all.count; ++i) {
    const Region& r = all.region[i];
    text += (i > 0 ? " | " : "") + std::string(name_of(r.space)) + " " +
            kAccess[static_cast<int>(r.access)] + " " + std::to_string(r.base) + "+" +
            std::to_string(r.length);
    const auto times = [&](std::int64_t count, std::int64_t stride) {
      if (count > 1) text += "*" + std::to_string(count) + "@" + std::to_string(stride);
    };
    times(r.rows, r.stride);
    times(r.outer[0], r.outer_stride[0]);
    times(r.outer[1], r.outer_stride[1]);
  }
  return text;
}

TEST(Footprint, RowsAreRunsAtAStride) {
  EXPECT_EQ(footprint("load dst=64 src=r5 len=96 rows=3 dstride=128 sstride=512"),
            "ub w 64+96*3@128 | gm r 5000+96*3@512");
}

TEST(Footprint, RowsThatTouchAreOneRun) {
  EXPECT_EQ(footprint("load dst=64 src=r5 len=96 rows=3 dstride=96 sstride=-96"),
            "ub w 64+288 | gm r 5000+96*3@-96");
}

TEST(Footprint, StrideZeroIsOneRow) {
  EXPECT_EQ(footprint("vadd dtype=f16 dst=0 a=1024 b=2048 count=16 rows=4 dstride=32 astride=64"),
            "ub w 0+128 | ub r 1024+32*4@64 | ub r 2048+32");
}

TEST(Footprint, NothingIsTouchedByNothing) {
  EXPECT_EQ(footprint("vadd dtype=f16 dst=0 a=1024 count=0 rows=4"), "");
  EXPECT_EQ(footprint("vadd dtype=f16 dst=0 a=1024 count=4 rows=0"), "");
  EXPECT_EQ(footprint("loadnd dst=0 src=r1 width=4"), "") << "n0 is 0";
  EXPECT_EQ(footprint("halt"), "");
  EXPECT_EQ(footprint("mmad dtype=f16 m=0 k=16 n=16"), "l0b r 0+512");
}

TEST(Footprint, ElementSizesComeFromTheirTypes) {
  EXPECT_EQ(footprint("vcvt dtype=f16 to=f32 dst=0 a=512 count=64"), "ub w 0+256 | ub r 512+128");
  EXPECT_EQ(footprint("vcmp dtype=f32 dst=0 a=512 b=1024 count=64"),
            "ub w 0+64 | ub r 512+256 | ub r 1024+256");
  EXPECT_EQ(footprint("vsel dtype=f16 dst=0 mask=64 a=512 b=1024 count=64"),
            "ub w 0+128 | ub r 64+64 | ub r 512+128 | ub r 1024+128");
  EXPECT_EQ(footprint("ldgm dtype=i32 src=r7"), "gm r 7000+4");
}

TEST(Footprint, ReductionsAndBroadcastsPackOneElementARow) {
  EXPECT_EQ(footprint("vredx dtype=f32 dst=0 a=512 count=100 rows=3 astride=512"),
            "ub w 0+12 | ub r 512+400*3@512");
  EXPECT_EQ(footprint("vredy dtype=f32 dst=0 a=512 count=100 rows=3 astride=512"),
            "ub w 0+400 | ub r 512+400*3@512");
  EXPECT_EQ(footprint("vbrc dtype=f16 dst=0 a=512 count=64 rows=3 dstride=128"),
            "ub w 0+384 | ub r 512+6");
  EXPECT_EQ(footprint("vtrans dtype=f16 dst=0 a=512 count=5 rows=3 dstride=32 astride=32"),
            "ub w 0+6*5@32 | ub r 512+10*3@32");
}

TEST(Footprint, FractalsCoverWholeBlocks) {
  EXPECT_EQ(footprint("loadnz dtype=f16 dst=512 src=r1 rows=17 cols=20 prows=32 stride=40"),
            "l1 w 512+2048 | gm r 1000+680");
  EXPECT_EQ(footprint("loadnz dtype=i8 src=r1 rows=16 cols=33 prows=16 stride=64"),
            "l1 w 0+1024 | gm r 1000+33*16@64");
  EXPECT_EQ(footprint("loadl1 dst=32 src=r1 len=70"), "l1 w 32+70 | gm r 1000+70");
  EXPECT_EQ(footprint("ldbt dtype=f16 dst=64 src=32 n=10"), "bt w 64+40 | l1 r 32+20");
}

TEST(Footprint, ATileIsTheBlocksItLiesIn) {
  // 48 padded rows: a column of blocks has 48 * 32 = 1536 bytes.
  EXPECT_EQ(footprint("l0a dtype=f16 dst=0 src=0 m=16 k=32 prows=48 m0=16 k0=16"),
            "l0a w 0+1024 | l1 r 2048+512*2@1536");
  EXPECT_EQ(footprint("l0a dtype=f16 dst=0 src=0 m=17 k=16 prows=48 m0=16"),
            "l0a w 0+1024 | l1 r 512+1024");
  EXPECT_EQ(footprint("l0a dtype=f16 dst=0 src=0 m=48 k=32 prows=48"),
            "l0a w 0+3072 | l1 r 0+3072");
  EXPECT_EQ(footprint("l0a dtype=f16 dst=0 src=0 m=5 k=20 prows=48 m0=3 k0=10 trans=1"),
            "l0a w 0+1024 | l1 r 0+1024")
      << "rows run along k: rows 10..30, columns 3..8";
  EXPECT_EQ(footprint("l0b dtype=f32 dst=0 src=4096 k=16 n=8 prows=16 n0=8"),
            "l0b w 0+1024 | l1 r 4608+512");
}

TEST(Footprint, MapsAreRowsOfPixels) {
  EXPECT_EQ(
      footprint("loadfm dtype=f16 dst=64 src=r2 w=3 cols=20 prows=16 stride=100 h=4 hstride=1000"),
      "l1 w 64+1024 | gm r 2000+40*3@100*4@1000");
  EXPECT_EQ(
      footprint("loadfm dtype=f16 dst=0 src=r2 w=3 cols=20 prows=16 stride=40 h=4 hstride=1000"),
      "l1 w 0+1024 | gm r 2000+120*4@1000");
  EXPECT_EQ(
      footprint("loadfm dtype=f16 dst=0 src=r2 w=3 cols=20 prows=16 stride=40 h=4 hstride=120"),
      "l1 w 0+1024 | gm r 2000+480");
  EXPECT_EQ(
      footprint("loadfm dtype=f16 dst=0 src=r2 w=3 cols=16 prows=16 stride=64 h=4 hstride=192"),
      "l1 w 0+512 | gm r 2000+32*12@64");
}

TEST(Footprint, WindowsReadWholeBlocksOfChannels) {
  // A kernel of 1 x 3: 48 columns a block of channels.
  EXPECT_EQ(
      footprint("img2col dtype=f16 dst=0 src=64 m=20 k=32 prows=48 k0=32 h=5 w=8 ow=8 kernel=2"),
      "l0a w 0+2048 | l1 r 64+1280*2@1536");
  EXPECT_EQ(
      footprint("img2col dtype=f16 dst=0 src=64 m=20 k=16 prows=48 k0=32 h=5 w=8 ow=8 kernel=2"),
      "l0a w 0+1024 | l1 r 64+1280");
}

TEST(Footprint, AccumulatorsAreReadOnlyIfAddedTo) {
  EXPECT_EQ(footprint("mmad dtype=f16 c=1024 a=0 b=512 m=17 k=16 n=16 init=zero"),
            "l0c w 1024+2048 | l0a r 0+1024 | l0b r 512+512");
  EXPECT_EQ(footprint("mmad dtype=f16 c=1024 m=16 k=16 n=16 init=accumulate"),
            "l0c rw 1024+1024 | l0a r 0+512 | l0b r 0+512");
  EXPECT_EQ(footprint("mmad dtype=f16 m=16 k=16 n=10 init=bias bias=64"),
            "l0c w 0+1024 | l0a r 0+512 | l0b r 0+512 | bt r 64+40");
}

TEST(Footprint, AtomicStoresReadWhatTheyChange) {
  EXPECT_EQ(footprint("fix dtype=f16 dst=r2 src=1024 m=16 n=16 stride=64"),
            "gm w 2000+32*16@64 | l0c r 1024+1024");
  EXPECT_EQ(footprint("fix dtype=f32 dst=r2 m=2 n=16 stride=64 atomic=add"),
            "gm rw 2000+128 | l0c r 0+1024");
  EXPECT_EQ(footprint("store dst=r2 src=32 len=32 dtype=f32 atomic=max"),
            "gm rw 2000+32 | ub r 32+32");
}

TEST(Footprint, DimensionsFoldWhereTheyTouch) {
  EXPECT_EQ(footprint("loadnd dst=0 src=r9 width=2 n0=16 s0=2 n1=4 s1=64 d1=32"),
            "ub w 0+128 | gm r 9000+32*4@64");
  EXPECT_EQ(footprint("loadnd dst=0 src=r9 width=4 n0=8 s0=-4"), "ub w 0+32 | gm r 8972+32");
  EXPECT_EQ(footprint("loadnd dst=0 src=r9 width=4 n0=8 s0=0"), "ub w 0+32 | gm r 9000+4");
  EXPECT_EQ(footprint("storend dst=r9 src=0 width=4 n0=2 s0=8 n1=2 s1=100 d1=32 n2=2 s2=300 d2=64"),
            "gm w 9000+4*2@8*2@100*2@300 | ub r 0+8*2@32*2@64");
}

TEST(Footprint, AFourthLooseDimensionWidensTheFirst) {
  EXPECT_EQ(footprint("loadnd dst=0 src=r9 width=4 n0=3 s0=-8 n1=2 s1=100 d1=32 n2=2 s2=300 d2=64 "
                      "n3=2 s3=-900 d3=128"),
            "ub w 0+12*2@32*2@64*2@128 | gm r 8984+20*2@100*2@300*2@-900");
}

TEST(Footprint, FirstAndLastEncloseNegativeStrides) {
  const Region r =
      regions(command("load dst=0 src=r5 len=96 rows=3 sstride=-200 dstride=96")).region[1];
  EXPECT_EQ(r.first(), 4600);
  EXPECT_EQ(r.last(), 5096);
  EXPECT_EQ(r.bytes(), 288);
  EXPECT_EQ(r.operand, 1);
}

}  // namespace
}  // namespace dvmsim::isa
