// Which tiles of a list of groups are one core's: reads the list, element by element, as far as the
// next tile needs it.
#pragma once

#include <cstdint>
#include <string>

#include "vm/isa/isa.h"
#include "vm/isa/matmul.h"

namespace dvmsim {

class GroupWalk {
 public:
  /// One tile: number `index` of the rows x columns tiles of a group, which is `size` long from
  /// `begin` on. The rows behind all groups are a last one.
  struct Place {
    std::int64_t group = 0, begin = 0, size = 0, index = 0, rows = 0;
    bool behind = false;
  };
  enum class Found : std::uint8_t { Tile, Read, End, Fault };

  /// There is no MatmulMacro::problem() with the arguments, which outlive the walk.
  GroupWalk(const isa::GroupedArguments& arguments, int core, int cores, std::uint32_t pc);

  /// Goes to the core's next tile. Read: supply() an element of the list and call it again.
  Found advance();
  [[nodiscard]] const Place& place() const { return place_; }
  [[nodiscard]] const isa::Command& read();
  /// The element, if all groups were equal.
  [[nodiscard]] std::int64_t assumed() const;
  void supply(std::int64_t value);
  [[nodiscard]] const std::string& fault() const { return fault_; }

 private:
  [[nodiscard]] std::int64_t length() const;
  void open(std::int64_t size);

  const isa::GroupedArguments& args_;
  isa::Command read_{};
  Place place_{};
  std::int64_t next_ = 0, step_ = 1;  // tiles of all groups
  std::int64_t before_ = 0;           // tiles of the groups before
  std::int64_t columns_ = 0;
  bool open_ = false;  // the size of place_'s group is known
  std::string fault_{};
};

}  // namespace dvmsim
