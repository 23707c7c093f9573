// Little-endian bytes of a file being written or read, with a checksum at the end. Owns the form of
// numbers and names; what they mean is their caller's.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace dvmsim {

class ByteWriter {
 public:
  void number(std::uint64_t value, int size) {
    for (int i = 0; i < size; ++i) bytes_.push_back(static_cast<std::uint8_t>(value >> 8 * i));
  }
  /// 4 bytes.
  void count(std::size_t value);
  /// Its length in 4 bytes and its characters.
  void text(const std::string& value);
  void bytes(std::span<const std::uint8_t> value);
  void code(std::span<const std::uint64_t> words) {
    for (const std::uint64_t word : words) number(word, 8);
  }
  /// Everything so far and its checksum.
  [[nodiscard]] std::vector<std::uint8_t> finish();

 private:
  std::vector<std::uint8_t> bytes_{};
};

/// Throws Error "where: offset n: ..." for whatever is not there or not allowed.
class ByteReader {
 public:
  ByteReader(std::span<const std::uint8_t> bytes, const std::string& where)
      : bytes_(bytes), where_(where) {}

  [[noreturn]] void fail(const std::string& what) const;
  void need(std::uint64_t size) const;
  std::uint64_t number(int size);
  /// A number that must be less than `limit`; `what` names its kind.
  std::uint64_t below(std::uint64_t limit, int size, const char* what);
  std::string text();
  std::span<const std::uint8_t> bytes(std::uint64_t size);
  /// Words that decode as instructions.
  std::vector<std::uint64_t> code(std::uint64_t words);
  [[nodiscard]] std::size_t left() const { return bytes_.size() - at_; }
  /// The checksum behind all of it is right.
  void check_sum() const;

 private:
  std::span<const std::uint8_t> bytes_;
  const std::string& where_;
  std::size_t at_ = 0;
};

}  // namespace dvmsim
