// How fast the simulator is: commands per second in timing mode on all cores of the default
// machine, and host time per 512 B granule of the memory system. Prints; asserts nothing.
#include <cstdio>
#include <ctime>
#include <string>

#include "sim/device/device.h"
#include "sim/mem/server.h"
#include "vm/isa/text.h"

namespace dvmsim {
namespace {

/// Of this process, so that a busy computer does not disturb.
double cpu_seconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

/// Double-buffered: load a tile, four vector instructions, store it.
const char* const kTiles = R"(.arg input x 67108864
.arg output y 67108864
.vector
ldarg rd=r10 index=0
ldarg rd=r11 index=1
smul rd=r12 a=r0 b=0x100000
sadd rd=r10 a=r10 b=r12
sadd rd=r11 a=r11 b=r12
mov rd=r20 a=0
mov rd=r21 a=0x10000
set pipe=vector other=mte2 id=0
set pipe=vector other=mte2 id=1
set pipe=mte3 other=vector id=0
set pipe=mte3 other=vector id=1
loop count=2000 rotate=3
load dst=r20+i%2*0x8000 src=r10 len=TILE wait=vector.0 set=vector.0
vadds dtype=f32 dst=r20+i%2*0x8000 a=r20+i%2*0x8000 s=f32:1 count=COUNT wait=mte2.0
vexp dtype=f32 dst=r20+i%2*0x8000 a=r20+i%2*0x8000 count=COUNT
vmuls dtype=f32 dst=r20+i%2*0x8000 a=r20+i%2*0x8000 s=f32:2 count=COUNT
vrelu dtype=f32 dst=r21+i%2*0x8000 a=r20+i%2*0x8000 count=COUNT wait=mte3.0 set=mte2.0,mte3.0
store dst=r11 src=r21+i%2*0x8000 len=TILE dtype=f32 wait=vector.0 set=vector.0
endloop
wait pipe=mte2 other=vector id=0
wait pipe=mte2 other=vector id=1
wait pipe=vector other=mte3 id=0
wait pipe=vector other=mte3 id=1
halt
)";

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what)) {
    text.replace(at, what.size(), by);
  }
  return text;
}

void measure_commands(int tile_bytes) {
  const std::string text = replaced(replaced(kTiles, "TILE", std::to_string(tile_bytes)), "COUNT",
                                    std::to_string(tile_bytes / 4));
  const Program program = isa::assemble(text, "tiles");
  SimOptions options;
  options.mode = Mode::Timing;
  SimDevice device(default_machine(), options);
  Launch launch{&program, {}, CodePath::Bytecode, 0, 48, "tiles"};
  for (const Argument& argument : program.arguments) {
    launch.arguments.push_back(device.allocate(Bytes(argument.bytes)));
  }
  const double begin = cpu_seconds();
  const LaunchReport report = device.wait(device.submit(launch));
  const double seconds = cpu_seconds() - begin;
  if (report.fault) std::printf("fault: %s\n", report.fault.text.c_str());
  std::printf("tiles of %5d B: %6.2f M commands/s, %7.2f M cycles/s\n", tile_bytes,
              static_cast<double>(report.commands) / seconds / 1e6,
              static_cast<double>((report.end - report.begin).count()) / seconds / 1e6);
}

void measure_granules(const char* name, std::int64_t lines, std::int64_t stride, bool write) {
  constexpr int kPieces = 8, kRequests = 400'000;
  const Machine machine = default_machine();
  MemoryServer server(machine, MemoryModel::Detailed);
  std::vector<Piece> pieces(kPieces);
  std::int64_t line = 0;
  const double begin = cpu_seconds();
  for (int i = 0; i < kRequests; ++i) {
    for (Piece& piece : pieces) {
      piece = {static_cast<std::uint64_t>(line) * 512, 512, 512};
      line = (line + stride) % lines;
    }
    server.request({{Cycles(i * 5), 0, Pipe::MTE2}, write, pieces});
  }
  std::printf("%-28s %5.1f ns per 512 B\n", name,
              (cpu_seconds() - begin) / kRequests / kPieces * 1e9);
}

}  // namespace
}  // namespace dvmsim

int main() {
  for (int tile : {512, 4096, 32768}) dvmsim::measure_commands(tile);
  dvmsim::measure_granules("hits in 16 MiB", 32768, 1, false);
  dvmsim::measure_granules("misses, streaming 1 GiB", 1 << 21, 1, false);
  dvmsim::measure_granules("writes, streaming 1 GiB", 1 << 21, 1, true);
  dvmsim::measure_granules("hits in 128 MiB, scattered", 1 << 18, 40503, false);
  dvmsim::measure_granules("misses, scattered", 1 << 21, 40503, false);
  return 0;
}
