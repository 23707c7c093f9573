#include "vm/exec/frame.h"

#include <algorithm>
#include <string>

namespace dvmsim::exec {
namespace {

constexpr std::int64_t kMostCount = INT32_MAX;  // every command has a side in an on-core memory

std::string number(__int128 value, bool hexadecimal) {
  const bool negative = value < 0;
  auto rest =
      negative ? -static_cast<unsigned __int128>(value) : static_cast<unsigned __int128>(value);
  const unsigned base = hexadecimal ? 16 : 10;
  std::string digits;  // backwards
  do {
    digits.push_back("0123456789abcdef"[static_cast<unsigned>(rest % base)]);
    rest /= base;
  } while (rest != 0);
  if (hexadecimal) digits.append("x0");
  if (negative) digits.push_back('-');
  std::reverse(digits.begin(), digits.end());
  return digits;
}

std::string subject(const isa::Command& command, int operand) {
  const isa::Row& row = isa::row_of(command.op);
  return std::string(row.mnemonic) + ": operand '" +
         std::string(row.operand[static_cast<std::size_t>(operand)].name) + "' ";
}

}  // namespace

bool Frame::any(std::initializer_list<int> counts) {
  bool some = true;
  for (int operand : counts) {
    if (at(operand) < 0 || at(operand) > kMostCount) {
      fault = {FaultKind::BadInstruction,
               {},
               command.pc,
               subject(command, operand) + "is " + std::to_string(at(operand)) +
                   "; a count is at least 0 and below 2^31"};
      return false;
    }
    some = some && at(operand) > 0;
  }
  return some;
}

std::byte* Frame::storage(Space space, int operand, Extent extent) {
  const bool is_global = space == Space::GM;
  const __int128 base = is_global ? static_cast<__int128>(static_cast<std::uint64_t>(at(operand)))
                                  : static_cast<__int128>(at(operand));
  const __int128 low = base + extent.low, high = base + extent.high;
  constexpr auto kMost = static_cast<__int128>(INT64_MAX);
  std::byte* found = nullptr;
  if (low >= 0 && high <= kMost) {
    const auto size = static_cast<std::int64_t>(high - low);
    found = is_global ? global.at(static_cast<std::uint64_t>(low), size)
                      : core.at(space, static_cast<std::int64_t>(low), size);
  }
  if (found != nullptr) return found - static_cast<std::ptrdiff_t>(extent.low);
  fault = {FaultKind::OutOfBounds,
           {},
           command.pc,
           subject(command, operand) + "touches " + std::string(name_of(space)) + " bytes [" +
               number(low, is_global) + ", " + number(high, is_global) + ")" +
               (is_global ? ", which are not inside one buffer with storage"
                          : ", but " + std::string(name_of(space)) + " has " +
                                std::to_string(core.size_of(space).count()) + " bytes")};
  return nullptr;
}

std::byte* Frame::rows(Space space, int operand, std::int64_t length, std::int64_t rows,
                       std::int64_t stride, int size) {
  if (at(operand) % size != 0 || (rows > 1 && stride % size != 0)) {
    fault = {FaultKind::Misaligned,
             {},
             command.pc,
             subject(command, operand) + "has address " + std::to_string(at(operand)) +
                 " and stride " + std::to_string(stride) + "; both must be multiples of its " +
                 std::to_string(size) + "-byte elements"};
    return nullptr;
  }
  return storage(space, operand, Extent::run(length).times(rows, stride));
}

void Frame::refuse(const char* rule) {
  fault = {FaultKind::BadInstruction,
           {},
           command.pc,
           std::string(isa::row_of(command.op).mnemonic) + ": " + rule};
}

}  // namespace dvmsim::exec
