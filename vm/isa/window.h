// The packed operands of img2col: a kernel and its steps, each number less one, so that 0 is the
// plain case.
#pragma once

#include <cstdint>

namespace dvmsim::isa {

struct Window {
  std::int64_t kernel_h = 1, kernel_w = 1;      // 1..65536, at most 32768 high
  std::int64_t stride_h = 1, stride_w = 1;      // 1..256
  std::int64_t dilation_h = 1, dilation_w = 1;  // 1..256, at most 128 wide
};
inline constexpr std::int64_t kMostKernel = 32768, kMostStride = 256, kMostDilation = 128;

constexpr std::int64_t pack_kernel(const Window& window) {
  return (window.kernel_h - 1) << 16 | (window.kernel_w - 1);
}
constexpr std::int64_t pack_steps(const Window& window) {
  return (window.dilation_w - 1) << 24 | (window.dilation_h - 1) << 16 |
         (window.stride_w - 1) << 8 | (window.stride_h - 1);
}
constexpr Window unpack_window(std::int64_t kernel, std::int64_t steps) {
  return {(kernel >> 16 & 0xffff) + 1, (kernel & 0xffff) + 1,    (steps & 0xff) + 1,
          (steps >> 8 & 0xff) + 1,     (steps >> 16 & 0xff) + 1, (steps >> 24 & 0xff) + 1};
}
constexpr std::int64_t taps_of(std::int64_t kernel) {
  return ((kernel >> 16 & 0xffff) + 1) * ((kernel & 0xffff) + 1);
}

}  // namespace dvmsim::isa
