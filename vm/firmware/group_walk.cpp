#include "vm/firmware/group_walk.h"

#include "vm/base/rounding.h"

namespace dvmsim {

GroupWalk::GroupWalk(const isa::GroupedArguments& arguments, int core, int cores, std::uint32_t pc)
    : args_(arguments),
      next_(core),
      step_(cores),
      columns_(ceil_div(arguments.product.n, arguments.product.tile_n)) {
  read_.op = isa::Op::ldgm;
  read_.pipe = Pipe::Scalar;
  read_.pc = pc;
}

std::int64_t GroupWalk::length() const {
  return args_.axis == static_cast<std::int64_t>(isa::GroupAxis::M) ? args_.product.m
                                                                    : args_.product.k;
}

GroupWalk::Found GroupWalk::advance() {
  const bool of_rows = args_.axis == static_cast<std::int64_t>(isa::GroupAxis::M);
  for (;;) {
    if (!fault_.empty()) return Found::Fault;
    if (open_) {
      const std::int64_t tiles = place_.rows * columns_;
      if (next_ < before_ + tiles) {
        place_.index = next_ - before_;
        next_ += step_;
        return Found::Tile;
      }
      before_ += tiles;
      place_.begin += place_.size;
      ++place_.group;
      open_ = false;
    }
    if (place_.group < args_.groups) return Found::Read;
    const std::int64_t behind = length() - place_.begin;
    if (!of_rows || place_.behind || behind == 0) return Found::End;
    place_.behind = true;
    open(behind);
  }
}

void GroupWalk::open(std::int64_t size) {
  const bool of_rows = args_.axis == static_cast<std::int64_t>(isa::GroupAxis::M);
  place_.size = size;
  place_.rows = ceil_div(of_rows ? size : args_.product.m, args_.product.tile_m);
  open_ = true;
}

const isa::Command& GroupWalk::read() {
  const std::int64_t item = size_of(static_cast<DType>(args_.list_type));
  read_.operand = {0, args_.list_type, static_cast<std::int64_t>(args_.list) + place_.group * item};
  return read_;
}

std::int64_t GroupWalk::assumed() const {
  const std::int64_t each = length() / args_.groups, more = length() % args_.groups;
  const std::int64_t size = each + (place_.group < more ? 1 : 0);
  return args_.cumulative != 0 ? place_.begin + size : size;
}

void GroupWalk::supply(std::int64_t value) {
  const auto say = [&](const std::string& what) {
    fault_ = "group " + std::to_string(place_.group) + " of the list " + what;
  };
  const bool ends = args_.cumulative != 0;
  if (ends && value < place_.begin) {
    return say("ends at " + std::to_string(value) + ", before its begin at " +
               std::to_string(place_.begin));
  }
  if (!ends && value < 0) return say("has " + std::to_string(value) + " elements");
  const std::int64_t left = length() - place_.begin;
  const std::int64_t size = ends ? value - place_.begin : value;
  if (size > left) {
    return say("has " + std::to_string(size) + " elements, " + std::to_string(left) +
               " are left of " + std::to_string(length()));
  }
  open(size);
}

}  // namespace dvmsim
