#include "vm/firmware/commands.h"

namespace dvmsim {
namespace {

// Flags between cores.
constexpr int kSlotFull = 0, kSlotFree = 1;
constexpr int kBlockFull = 2, kBlockFree = 3;

}  // namespace

void Commands::start(std::uint32_t pc) {
  pc_ = pc;
  commands_.clear();
  given_ = 0;
}

isa::Command& Commands::emit(isa::Op op, Pipe pipe, std::int64_t tile) {
  isa::Command& command = commands_.emplace_back();
  command.op = op;
  command.pipe = pipe;
  command.pc = pc_;
  command.iteration = static_cast<std::uint32_t>(tile);
  return command;
}

void Commands::fill_slot(std::int64_t tile) {
  emit(isa::Op::xset, Pipe::Fix, tile).operand = {static_cast<std::int64_t>(Pipe::Fix), kSlotFull,
                                                  static_cast<std::int64_t>(isa::CrossMode::Group)};
}
void Commands::await_slot(std::int64_t tile) {
  emit(isa::Op::xwait, Pipe::Fix, tile).operand = {
      static_cast<std::int64_t>(Pipe::Fix), kSlotFree,
      static_cast<std::int64_t>(isa::CrossMode::Group)};
}

void Commands::offer_block(std::int64_t tile) {
  emit(isa::Op::xset, Pipe::MTE2, tile).operand = {
      static_cast<std::int64_t>(Pipe::MTE2), kBlockFree,
      static_cast<std::int64_t>(isa::CrossMode::Group)};
}
void Commands::await_block(std::int64_t tile) {
  emit(isa::Op::xwait, Pipe::MTE2, tile).operand = {
      static_cast<std::int64_t>(Pipe::MTE2), kBlockFull,
      static_cast<std::int64_t>(isa::CrossMode::Group)};
}

bool Commands::spent() {
  if (given_ < commands_.size()) return false;
  commands_.clear();
  given_ = 0;
  return true;
}

}  // namespace dvmsim
