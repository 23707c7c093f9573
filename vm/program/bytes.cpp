#include "vm/program/bytes.h"

#include <fmt/format.h>

#include "vm/base/error.h"
#include "vm/isa/codec.h"

namespace dvmsim {
namespace {

/// FNV-1a: each step is a bijection of the state, so one changed byte always shows.
std::uint64_t checksum(std::span<const std::uint8_t> bytes) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const std::uint8_t byte : bytes) hash = (hash ^ byte) * 0x100000001b3u;
  return hash;
}

}  // namespace

void ByteWriter::count(std::size_t value) {
  DVMSIM_ASSERT(value <= UINT32_MAX, "counts in a file fit 32 bits");
  number(value, 4);
}

void ByteWriter::text(const std::string& value) {
  count(value.size());
  bytes_.insert(bytes_.end(), value.begin(), value.end());
}

void ByteWriter::bytes(std::span<const std::uint8_t> value) {
  bytes_.insert(bytes_.end(), value.begin(), value.end());
}

std::vector<std::uint8_t> ByteWriter::finish() {
  number(checksum(bytes_), 8);
  return std::move(bytes_);
}

void ByteReader::fail(const std::string& what) const {
  throw Error(fmt::format("{}: offset {}: {}", where_, at_, what));
}

void ByteReader::need(std::uint64_t size) const {
  if (size > bytes_.size() - at_) fail("the file ends here; copy it again");
}

std::uint64_t ByteReader::number(int size) {
  need(static_cast<std::uint64_t>(size));
  std::uint64_t value = 0;
  for (int i = 0; i < size; ++i) value |= static_cast<std::uint64_t>(bytes_[at_++]) << 8 * i;
  return value;
}

std::uint64_t ByteReader::below(std::uint64_t limit, int size, const char* what) {
  const std::uint64_t value = number(size);
  if (value >= limit) fail(fmt::format("no such {} ({})", what, value));
  return value;
}

std::string ByteReader::text() {
  const auto characters = bytes(number(4));
  return {characters.begin(), characters.end()};
}

std::span<const std::uint8_t> ByteReader::bytes(std::uint64_t size) {
  need(size);
  const auto found = bytes_.subspan(at_, static_cast<std::size_t>(size));
  at_ += found.size();
  return found;
}

std::vector<std::uint64_t> ByteReader::code(std::uint64_t words) {
  if (words > UINT32_MAX) fail(fmt::format("no program has {} words", words));
  need(8 * words);
  const std::size_t begin = at_;
  std::vector<std::uint64_t> code;
  code.reserve(static_cast<std::size_t>(words));
  for (std::uint64_t i = 0; i < words; ++i) code.push_back(number(8));
  isa::DecodeError error;
  if (!isa::decodes(code, error)) {
    at_ = begin + 8 * error.offset;
    fail(std::string(error.text) + "; compile or assemble it again");
  }
  return code;
}

void ByteReader::check_sum() const {
  if (bytes_.size() < 8) fail("too short");
  const auto body = bytes_.first(bytes_.size() - 8);
  std::uint64_t stored = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    stored |= static_cast<std::uint64_t>(bytes_[body.size() + i]) << 8 * i;
  }
  if (stored != checksum(body)) fail("checksum differs; the file is damaged, compile it again");
}

}  // namespace dvmsim
