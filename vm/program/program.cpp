#include "vm/program/program.h"

#include <fmt/format.h>

#include "vm/base/error.h"
#include "vm/isa/codec.h"
#include "vm/isa/isa.h"

namespace dvmsim {
namespace {

// The file, little-endian:
//   magic 4 | version 2 | zero 2 | table hash 8 | machine hash 8 |
//   words of cube code 4 | of vector code 4 | arguments 4 | marks 4 | name |
//   cube code | vector code | arguments: kind 1, bytes 8, name | marks: kind 1, core 1, pc 4, name
//   | checksum 8 over all before it
// A name is its length in 4 bytes and its characters.

/// FNV-1a: each step is a bijection of the state, so one changed byte always shows.
std::uint64_t checksum(std::span<const std::uint8_t> bytes) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const std::uint8_t byte : bytes) hash = (hash ^ byte) * 0x100000001b3u;
  return hash;
}

class Writer {
 public:
  void number(std::uint64_t value, int size) {
    for (int i = 0; i < size; ++i) bytes_.push_back(static_cast<std::uint8_t>(value >> 8 * i));
  }
  void count(std::size_t value) {
    DVMSIM_ASSERT(value <= UINT32_MAX, "a program's counts fit 32 bits");
    number(value, 4);
  }
  void text(const std::string& value) {
    count(value.size());
    bytes_.insert(bytes_.end(), value.begin(), value.end());
  }
  void code(const std::vector<std::uint64_t>& words) {
    for (const std::uint64_t word : words) number(word, 8);
  }
  std::vector<std::uint8_t> finish() {
    number(checksum(bytes_), 8);
    return std::move(bytes_);
  }

 private:
  std::vector<std::uint8_t> bytes_{};
};

class Reader {
 public:
  Reader(std::span<const std::uint8_t> bytes, const std::string& where)
      : bytes_(bytes), where_(where) {}

  [[noreturn]] void fail(const std::string& what) const {
    throw Error(fmt::format("{}: offset {}: {}", where_, at_, what));
  }
  void need(std::uint64_t size) const {
    if (size > bytes_.size() - at_) fail("the file ends here; copy it again");
  }
  std::uint64_t number(int size) {
    need(static_cast<std::uint64_t>(size));
    std::uint64_t value = 0;
    for (int i = 0; i < size; ++i) {
      value |= static_cast<std::uint64_t>(bytes_[at_++]) << 8 * i;
    }
    return value;
  }
  std::uint64_t below(std::uint64_t limit, int size, const char* what) {
    const std::uint64_t value = number(size);
    if (value >= limit) fail(fmt::format("no such {} ({})", what, value));
    return value;
  }
  std::string text() {
    const auto size = static_cast<std::size_t>(number(4));
    need(size);
    std::string value(bytes_.begin() + static_cast<std::ptrdiff_t>(at_),
                      bytes_.begin() + static_cast<std::ptrdiff_t>(at_ + size));
    at_ += size;
    return value;
  }
  std::vector<std::uint64_t> code(std::uint64_t words) {
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
  [[nodiscard]] std::size_t left() const { return bytes_.size() - at_; }

 private:
  std::span<const std::uint8_t> bytes_;
  const std::string& where_;
  std::size_t at_ = 0;
};

void check_sum(std::span<const std::uint8_t> bytes, const Reader& in) {
  if (bytes.size() < 8) in.fail("too short for a program");
  const auto body = bytes.first(bytes.size() - 8);
  std::uint64_t stored = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    stored |= static_cast<std::uint64_t>(bytes[body.size() + i]) << 8 * i;
  }
  if (stored != checksum(body)) in.fail("checksum differs; the file is damaged, compile it again");
}

}  // namespace

std::vector<std::uint8_t> save(const Program& program) {
  Writer out;
  out.number(kProgramMagic, 4);
  out.number(kProgramVersion, 2);
  out.number(0, 2);
  out.number(isa::table_hash(), 8);
  out.number(program.machine, 8);
  for (const std::size_t size : {program.cube.size(), program.vector.size(),
                                 program.arguments.size(), program.marks.size()}) {
    out.count(size);
  }
  out.text(program.name);
  out.code(program.cube);
  out.code(program.vector);
  for (const Argument& argument : program.arguments) {
    out.number(static_cast<std::uint64_t>(argument.kind), 1);
    out.number(static_cast<std::uint64_t>(argument.bytes), 8);
    out.text(argument.name);
  }
  for (const DebugMark& mark : program.marks) {
    out.number(static_cast<std::uint64_t>(mark.kind), 1);
    out.number(static_cast<std::uint64_t>(mark.core), 1);
    out.number(mark.pc, 4);
    out.text(mark.name);
  }
  return out.finish();
}

Program load_program(std::span<const std::uint8_t> bytes, const std::string& where) {
  Reader in(bytes, where);
  if (bytes.size() < 4 || in.number(4) != kProgramMagic) in.fail("not a program of dvmsim");
  if (in.number(2) != kProgramVersion) in.fail("another format version; compile it again");
  if (in.number(2) != 0) in.fail("reserved bytes are not zero");
  if (in.number(8) != isa::table_hash()) in.fail("another instruction table; compile it again");
  check_sum(bytes, in);
  Program program;
  program.machine = in.number(8);
  const std::uint64_t cube = in.number(4), vector = in.number(4);
  const std::uint64_t arguments = in.number(4), marks = in.number(4);
  program.name = in.text();
  program.cube = in.code(cube);
  program.vector = in.code(vector);
  for (std::uint64_t i = 0; i < arguments; ++i) {
    Argument argument;
    argument.kind = static_cast<Argument::Kind>(in.below(4, 1, "kind of argument"));
    argument.bytes = static_cast<std::int64_t>(in.number(8));
    argument.name = in.text();
    program.arguments.push_back(std::move(argument));
  }
  for (std::uint64_t i = 0; i < marks; ++i) {
    DebugMark mark;
    mark.kind = static_cast<DebugMark::Kind>(in.below(2, 1, "kind of mark"));
    mark.core = static_cast<CoreKind>(in.below(3, 1, "kind of core"));
    mark.pc = static_cast<std::uint32_t>(in.number(4));
    mark.name = in.text();
    program.marks.push_back(std::move(mark));
  }
  if (in.left() != 8) in.fail("bytes after the last mark");
  return program;
}

}  // namespace dvmsim
