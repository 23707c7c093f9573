#include "cli/npy.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <fstream>
#include <optional>
#include <string_view>

#include "vm/base/error.h"

namespace dvmsim {
namespace {

static_assert(std::endian::native == std::endian::little, "tensors are kept as .npy has them");

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kAlign = 64;           // of the data in the file
constexpr std::size_t kMostDimensions = 32;  // NumPy's own limit

struct Kind {
  DType dtype;
  std::string_view descr;
};
constexpr std::array kKinds = {Kind{DType::Bool, "|b1"}, Kind{DType::I8, "|i1"},
                               Kind{DType::U8, "|u1"},   Kind{DType::I32, "<i4"},
                               Kind{DType::I64, "<i8"},  Kind{DType::F16, "<f2"},
                               Kind{DType::F32, "<f4"}};

/// Reads the header: a Python dictionary with exactly the keys descr, fortran_order and shape.
class Header {
 public:
  Header(std::string_view text, const std::string& name) : text_(text), name_(name) { parse(); }

  DType dtype = DType::F32;
  std::vector<std::int64_t> shape{};

 private:
  [[noreturn]] void fail(const std::string& what) const { throw Error(name_ + ": " + what); }

  void parse() {
    expect('{');
    std::array<bool, 3> seen{};
    while (!accept('}')) {
      const std::string_view key = quoted();
      expect(':');
      const int which = key == "descr" ? 0 : key == "fortran_order" ? 1 : key == "shape" ? 2 : -1;
      if (which < 0 || seen[static_cast<std::size_t>(which)]) malformed();
      seen[static_cast<std::size_t>(which)] = true;
      if (which == 0) read_dtype(quoted());
      if (which == 1) read_order();
      if (which == 2) read_shape();
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_blanks();
    if (at_ != text_.size() || seen != std::array{true, true, true}) malformed();
  }

  [[noreturn]] void malformed() const {
    fail("malformed .npy header: save it again with numpy.save");
  }

  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }
  bool accept(char c) {
    skip_blanks();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) malformed();
  }
  bool accept_word(std::string_view word) {
    skip_blanks();
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }
  std::string_view quoted() {
    expect('\'');
    const auto end = text_.find('\'', at_);
    if (end == std::string_view::npos) malformed();
    const std::string_view inside = text_.substr(at_, end - at_);
    at_ = end + 1;
    return inside;
  }

  void read_dtype(std::string_view descr) {
    const auto* kind =
        std::find_if(kKinds.begin(), kKinds.end(), [&](const Kind& k) { return k.descr == descr; });
    if (kind == kKinds.end()) {
      fail("element type '" + std::string(descr) +
           "' is not supported: convert to bool, int8, uint8, int32, int64, float16 or float32");
    }
    dtype = kind->dtype;
  }

  void read_order() {
    if (accept_word("False")) return;
    if (accept_word("True")) fail("columns first: save numpy.ascontiguousarray(a) instead");
    malformed();
  }

  void read_shape() {
    expect('(');
    while (!accept(')')) {
      skip_blanks();
      std::int64_t extent = 0;
      const std::size_t first = at_;
      for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
        if (at_ - first == 12) fail("a dimension of more than 12 digits");
        extent = extent * 10 + (text_[at_] - '0');
      }
      if (at_ == first || shape.size() == kMostDimensions) malformed();
      shape.push_back(extent);
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
  }

  std::string_view text_;
  std::string name_;
  std::size_t at_ = 0;
};

/// Bytes of data the header promises, or nothing if that does not fit 62 bits.
std::optional<std::size_t> data_size(const Header& header) {
  constexpr std::int64_t kMost = std::int64_t{1} << 62;
  std::int64_t size = size_of(header.dtype);
  for (std::int64_t extent : header.shape) {
    if (extent == 0) return 0;
  }
  for (std::int64_t extent : header.shape) {
    if (size > kMost / extent) return std::nullopt;
    size *= extent;
  }
  return static_cast<std::size_t>(size);
}

std::size_t byte_at(std::span<const std::byte> file, std::size_t at) {
  return std::to_integer<std::size_t>(file[at]);
}

}  // namespace

Tensor parse_npy(std::span<const std::byte> file, const std::string& name) {
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  if (!text.starts_with(kMagic) || file.size() < 12) {
    throw Error(name + ": not an .npy file: write one with numpy.save");
  }
  const std::size_t version = byte_at(file, 6);
  if (version < 1 || version > 3) {
    throw Error(name + ": .npy version " + std::to_string(version) + ": save as version 1, 2 or 3");
  }
  const std::size_t length = version == 1 ? byte_at(file, 8) | byte_at(file, 9) << 8
                                          : byte_at(file, 8) | byte_at(file, 9) << 8 |
                                                byte_at(file, 10) << 16 | byte_at(file, 11) << 24;
  const std::size_t start = version == 1 ? 10 : 12;
  if (length > file.size() - start) throw Error(name + ": the file ends within its header");
  const Header header(text.substr(start, length), name);
  const std::span<const std::byte> data = file.subspan(start + length);
  const std::optional<std::size_t> expected = data_size(header);
  if (expected != data.size()) {
    throw Error(name + ": " + std::to_string(data.size()) +
                " bytes of data do not fit the shape in the header: write the file again");
  }
  if (header.dtype == DType::Bool &&
      std::any_of(data.begin(), data.end(), [](std::byte b) { return b > std::byte{1}; })) {
    throw Error(name + ": a bool that is neither 0 nor 1: convert with numpy's astype(bool)");
  }
  return Tensor(header.dtype, header.shape, std::vector<std::byte>(data.begin(), data.end()));
}

std::vector<std::byte> npy_bytes(const Tensor& tensor) {
  const auto* kind = std::find_if(kKinds.begin(), kKinds.end(),
                                  [&](const Kind& k) { return k.dtype == tensor.dtype(); });
  if (kind == kKinds.end()) {
    throw Error("a " + std::string(name_of(tensor.dtype())) +
                " tensor has no .npy type: cast it to f32 first");
  }
  std::string dict =
      "{'descr': '" + std::string(kind->descr) + "', 'fortran_order': False, 'shape': (";
  for (std::size_t i = 0; i < tensor.shape().size(); ++i) {
    dict += (i == 0 ? "" : " ") + std::to_string(tensor.shape()[i]) + ",";
  }
  dict += "), }";
  const std::size_t head = kMagic.size() + 4;
  dict.append((kAlign - (head + dict.size() + 1) % kAlign) % kAlign, ' ');
  dict += '\n';

  std::string file(kMagic);
  file +=
      {'\x01', '\x00', static_cast<char>(dict.size() & 0xff), static_cast<char>(dict.size() >> 8)};
  file += dict;
  const std::span<const std::byte> data = tensor.bytes();
  std::vector<std::byte> bytes(file.size() + data.size());
  std::memcpy(bytes.data(), file.data(), file.size());
  std::copy(data.begin(), data.end(), bytes.begin() + static_cast<std::ptrdiff_t>(file.size()));
  return bytes;
}

Tensor load_npy(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(path + ": cannot be opened: check the path");
  std::vector<char> text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  return parse_npy(std::as_bytes(std::span(text)), path);
}

void save_npy(const std::string& path, const Tensor& tensor) {
  const std::vector<std::byte> bytes = npy_bytes(tensor);
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  if (!file.flush()) throw Error(path + ": cannot be written: check the folder and free space");
}

}  // namespace dvmsim
