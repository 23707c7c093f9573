#include "traces/listing.h"

#include <gtest/gtest.h>

#include "vm/isa/text.h"

namespace dvmsim {
namespace {

const CoreId kCore{CoreKind::Vector, 1};

Program program(const char* name) {
  Program made = isa::assemble(
      ".program p\n.vector\n.mark operator add\n  load dst=0 src=r4 len=512 set=vector.0\n"
      "  vadds dtype=f32 dst=0 a=0 s=0 count=128 wait=mte2.0\n  halt\n",
      "p");
  made.name = name;
  return made;
}

isa::Command at(std::uint32_t pc) {
  isa::Command made;
  made.pc = pc;
  return made;
}

Span span(Pipe pipe, int begin, int end, Reason reason, const isa::Command* command = nullptr) {
  return {{kCore, pipe}, Cycles(begin), Cycles(end), reason, command, Cycles(end)};
}

std::int64_t waits(const ListingReport::Line& line, Reason reason) {
  return line.waits[static_cast<std::size_t>(reason)];
}

/// One load that memory holds up, and the addition that waits for it.
void launch(Listing& listing, const Program& program) {
  listing.on_launch_begin({}, program);
  const isa::Command load = at(0), add = at(3);
  listing.on_span(span(Pipe::MTE2, 0, 30, Reason::EmptyDecode));
  listing.on_span(span(Pipe::MTE2, 30, 50, Reason::Work, &load));
  listing.on_span(span(Pipe::MTE2, 50, 57, Reason::WaitMemory));
  listing.on_span(span(Pipe::MTE2, 57, 90, Reason::Idle));
  listing.on_span(span(Pipe::Vector, 0, 31, Reason::EmptyDecode));
  listing.on_span(span(Pipe::Vector, 31, 60, Reason::WaitFlag));
  listing.on_span(span(Pipe::Vector, 60, 90, Reason::Work, &add));
}

TEST(Listing, charges_a_line_with_its_work_and_what_its_pipe_waited_for_before) {
  const Program code = program("p");
  Listing listing;
  launch(listing, code);
  const ListingReport report = listing.report();
  ASSERT_EQ(report.programs.size(), 1u);
  const auto& lines = report.programs[0].lines;
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0].mark, "operator add");
  EXPECT_EQ(lines[0].text.substr(0, 4), "load");
  EXPECT_EQ(lines[0].commands, 1);
  EXPECT_EQ(lines[0].busy, 20);
  EXPECT_EQ(waits(lines[0], Reason::EmptyDecode), 30);
  EXPECT_EQ(waits(lines[0], Reason::WaitMemory), 7);
  EXPECT_EQ(waits(lines[0], Reason::Idle), 0);
  EXPECT_EQ(lines[1].pc, 3u);
  EXPECT_EQ(lines[1].busy, 30);
  EXPECT_EQ(waits(lines[1], Reason::WaitFlag), 29);
  EXPECT_EQ(lines[2].commands, 0);
}

TEST(Listing, adds_launches_of_one_code_and_keeps_programs_apart) {
  const Program code = program("p"), other = program("q");
  Listing listing;
  launch(listing, code);
  launch(listing, other);
  launch(listing, program("p"));
  const ListingReport report = listing.report();
  ASSERT_EQ(report.programs.size(), 2u);
  EXPECT_EQ(report.programs[0].name, "p");
  EXPECT_EQ(report.programs[0].launches, 2);
  EXPECT_EQ(report.programs[0].busy, 100);
  EXPECT_EQ(report.programs[1].busy, 50);
}

TEST(Listing, leaves_out_whole_programs_beyond_its_limit) {
  Listing listing(4);
  launch(listing, program("p"));
  launch(listing, program("q"));
  const ListingReport report = listing.report();
  EXPECT_EQ(report.programs[0].lines.size(), 3u);
  EXPECT_EQ(report.programs[1].lines.size(), 0u);
  EXPECT_EQ(report.programs[1].busy, 50);
}

}  // namespace
}  // namespace dvmsim
