#include "cli/npy.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "vm/base/error.h"

namespace dvmsim {
namespace {

std::vector<std::byte> bytes_of(const std::string& text) {
  std::vector<std::byte> bytes(text.size());
  std::memcpy(bytes.data(), text.data(), text.size());
  return bytes;
}

/// A version 1 file of this header and so many bytes of data.
std::string file_of(const std::string& header, std::size_t data, char fill = 0) {
  std::string file = "\x93NUMPY";
  file += {'\x01', '\x00', static_cast<char>(header.size() & 0xff),
           static_cast<char>(header.size() >> 8)};
  return file + header + std::string(data, fill);
}

std::string failure_of(const std::string& file) {
  try {
    (void)parse_npy(bytes_of(file), "x.npy");
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Npy, every_type_and_rank_comes_back_as_it_was) {
  for (DType type : kDTypes) {
    if (type == DType::BF16) continue;
    for (const std::vector<std::int64_t>& shape :
         {std::vector<std::int64_t>{}, {1}, {7}, {0}, {2, 3}, {4, 1, 2, 3}}) {
      std::vector<std::byte> bytes(static_cast<std::size_t>(element_count(shape) * size_of(type)));
      for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i % 2);
      const Tensor tensor(type, shape, bytes);
      const std::vector<std::byte> file = npy_bytes(tensor);
      EXPECT_EQ((file.size() - bytes.size()) % 64, 0u);
      EXPECT_TRUE(parse_npy(file, "x.npy") == tensor) << name_of(type);
    }
  }
}

TEST(Npy, a_file_survives_the_disk) {
  const std::vector<double> values = {1.5, -2, 0.25};
  const Tensor tensor = Tensor::of(DType::F16, {3}, values);
  const std::string path = testing::TempDir() + "dvmsim_npy_test.npy";
  save_npy(path, tensor);
  EXPECT_TRUE(load_npy(path) == tensor);
}

TEST(Npy, reads_a_file_that_another_program_wrote) {
  const Tensor output =
      load_npy(std::string(DVMSIM_SOURCE_DIR) + "/tests/golden/silero/2x640/output.npy");
  EXPECT_EQ(output.dtype(), DType::F32);
  EXPECT_EQ(output.shape(), (std::vector<std::int64_t>{5, 2, 1}));
  EXPECT_NEAR(output.floats()[0], 0.1066, 1e-4);
}

TEST(Npy, reads_versions_two_and_three) {
  const std::string header = "{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }\n";
  for (char version : {'\x02', '\x03'}) {
    std::string file = "\x93NUMPY";
    file += {version, '\x00', static_cast<char>(header.size()), '\x00', '\x00', '\x00'};
    const Tensor tensor = parse_npy(bytes_of(file + header + "\x05\x06"), "x.npy");
    EXPECT_EQ(tensor.ints(), (std::vector<std::int64_t>{5, 6}));
  }
}

TEST(Npy, says_what_is_wrong_with_a_file) {
  const std::string tail = ", 'fortran_order': False, 'shape': (2,), }";
  EXPECT_NE(failure_of("PK").find("not an .npy file"), std::string::npos);
  EXPECT_NE(failure_of("\x93NUMPY\x09 and more bytes").find("version 9"), std::string::npos);
  EXPECT_NE(failure_of("\x93NUMPY\x01 \xff\xff more").find("within its header"), std::string::npos);
  EXPECT_EQ(failure_of(file_of("{'descr': '<f8'" + tail, 16)),
            "x.npy: element type '<f8' is not supported: convert to bool, int8, uint8, int32, "
            "int64, float16 or float32");
  EXPECT_NE(failure_of(file_of("{'descr': '>f4'" + tail, 8)).find("'>f4'"), std::string::npos);
  EXPECT_NE(failure_of(file_of("{'descr': '<f4', 'fortran_order': True, 'shape': (2,), }", 8))
                .find("ascontiguousarray"),
            std::string::npos);
  EXPECT_NE(failure_of(file_of("{'descr': '<f4'" + tail, 7)).find("7 bytes of data"),
            std::string::npos);
  EXPECT_NE(failure_of(file_of("{'descr': '<f4'" + tail, 9)).find("9 bytes of data"),
            std::string::npos);
  EXPECT_NE(failure_of(file_of("{'descr': '|b1'" + tail, 2, '\x02')).find("neither 0 nor 1"),
            std::string::npos);
  EXPECT_EQ(failure_of(file_of("{'descr': '|b1'" + tail, 2, '\x01')), "no error");
}

TEST(Npy, refuses_malformed_headers) {
  for (const char* header :
       {"", "{", "{}", "{'descr': '<f4'}", "{'descr': '<f4', 'fortran_order': False}",
        "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': ()}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (), 'x': 1}",
        "{'descr': '<f4', 'fortran_order': 0, 'shape': ()}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1 2)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': ()} x", "{'descr"}) {
    EXPECT_NE(failure_of(file_of(header, 4)).find("malformed"), std::string::npos) << header;
  }
  const std::string large = "{'descr': '<f4', 'fortran_order': False, 'shape': (";
  EXPECT_NE(failure_of(file_of(large + "1234567890123,)}", 4)).find("12 digits"),
            std::string::npos);
  EXPECT_NE(failure_of(file_of(large + "99999999999,99999999999)}", 4)).find("do not fit"),
            std::string::npos);
}

TEST(Npy, a_bf16_tensor_and_an_unreachable_path_are_errors) {
  EXPECT_THROW((void)npy_bytes(Tensor(DType::BF16, {1})), Error);
  EXPECT_THROW(save_npy("/nowhere/x.npy", Tensor(DType::F32, {1})), Error);
  EXPECT_THROW((void)load_npy("/nowhere/x.npy"), Error);
}

}  // namespace
}  // namespace dvmsim
