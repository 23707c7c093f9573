#include "tests/support/code_writer.h"

#include <algorithm>

#include "vm/base/error.h"
#include "vm/isa/codec.h"

namespace dvmsim::testing {
namespace {

using namespace isa;

std::size_t at(Pipe pipe) {
  return static_cast<std::size_t>(pipe);
}

}  // namespace

void set_operand(Inst& inst, std::string_view name, Lane lane) {
  const int index = row_of(inst.op).find(name);
  DVMSIM_ASSERT(index >= 0, "the row has the operand");
  inst.lane[static_cast<std::size_t>(index)] = lane;
}

Inst make(Op op, std::initializer_list<Named> operands) {
  Inst inst = blank(op);
  for (const Named& operand : operands) set_operand(inst, operand.name, operand.lane);
  return inst;
}

CodeWriter::Access& CodeWriter::access(int resource) {
  const auto index = static_cast<std::size_t>(resource);
  if (index >= accesses_.size()) accesses_.resize(index + 1);
  return accesses_[index];
}

/// One flag from `other`, told after all it was given so far.
void CodeWriter::order_after(Inst& inst, Pipe pipe, Pipe other) {
  const auto id = static_cast<std::uint8_t>(pick(random_, 0, ids_ - 1));
  const int last = last_[at(other)];
  Inst* carrier = last >= 0 ? &insts_[static_cast<std::size_t>(last)] : nullptr;
  const bool has_room = carrier != nullptr && !carrier->sets[1].valid;
  if (has_room && chance(random_, 70)) {
    carrier->sets[carrier->sets[0].valid ? 1 : 0] = {true, pipe, id};
  } else {
    insts_.push_back(make(Op::set, {{"pipe", Lane::imm(static_cast<int>(other))},
                                    {"other", Lane::imm(static_cast<int>(pipe))},
                                    {"id", Lane::imm(id)}}));
  }
  if (!inst.waits[1].valid && chance(random_, 80)) {
    inst.waits[inst.waits[0].valid ? 1 : 0] = {true, other, id};
  } else {
    insts_.push_back(make(Op::wait, {{"pipe", Lane::imm(static_cast<int>(pipe))},
                                     {"other", Lane::imm(static_cast<int>(other))},
                                     {"id", Lane::imm(id)}}));
  }
  known_[at(pipe)][at(other)] = issued_[at(other)];
  // What the other pipe came after, this one now comes after too.
  for (std::size_t q = 0; q < kPipes; ++q) {
    if (q != at(pipe)) {
      known_[at(pipe)][q] = std::max(known_[at(pipe)][q], known_[at(other)][q]);
    }
  }
}

void CodeWriter::note(Pipe pipe, const std::vector<int>& reads, const std::vector<int>& writes) {
  const int number = ++issued_[at(pipe)];
  for (int r : reads) access(r).read[at(pipe)] = number;
  for (int r : writes) access(r).write[at(pipe)] = number;
}

void CodeWriter::emit(Inst inst, Pipe pipe, const std::vector<int>& reads,
                      const std::vector<int>& writes) {
  std::array<int, kPipes> needed{};
  const auto need = [&](const std::array<int, kPipes>& numbers) {
    for (std::size_t q = 0; q < kPipes; ++q) needed[q] = std::max(needed[q], numbers[q]);
  };
  for (int r : reads) need(access(r).write);
  for (int r : writes) {
    need(access(r).write);
    need(access(r).read);
  }
  for (const Pipe other : kAllPipes) {
    if (needed[at(other)] <= known_[at(pipe)][at(other)]) continue;
    if (other != pipe) {
      order_after(inst, pipe, other);
    } else {
      inst.drain = true;
      known_[at(pipe)][at(pipe)] = issued_[at(pipe)];
    }
  }
  emit_as_is(inst, pipe, reads, writes);
  last_[at(pipe)] = static_cast<int>(insts_.size()) - 1;
}

void CodeWriter::emit_as_is(const Inst& inst, Pipe pipe, const std::vector<int>& reads,
                            const std::vector<int>& writes) {
  note(pipe, reads, writes);
  insts_.push_back(inst);
  last_[at(pipe)] = -1;
}

void CodeWriter::fence() {
  last_.fill(-1);
}

void CodeWriter::drain_all() {
  for (const Pipe pipe : kAllPipes) {
    if (issued_[at(pipe)] > known_[at(Pipe::Scalar)][at(pipe)]) {
      insts_.push_back(make(Op::drain, {{"pipe", Lane::imm(static_cast<int>(pipe))}}));
    }
  }
  for (auto& known : known_) known = issued_;
  fence();
}

void CodeWriter::begin_loop(Lane count, int rotate) {
  drain_all();
  begin_bare_loop(count, rotate);
}
void CodeWriter::end_loop() {
  drain_all();
  end_bare_loop();
}
void CodeWriter::begin_bare_loop(Lane count, int rotate) {
  insts_.push_back(make(Op::loop, {{"count", count}, {"rotate", Lane::imm(rotate)}}));
  fence();
}
void CodeWriter::end_bare_loop() {
  insts_.push_back(blank(Op::endloop));
  fence();
}

void CodeWriter::begin_arm(Lane a) {
  drain_all();
  arms_.push_back(insts_.size());
  // Any distance but 0 takes the same words.
  insts_.push_back(make(Op::jz, {{"a", a}, {"skip", Lane::imm(1)}}));
}
void CodeWriter::end_arm() {
  drain_all();
  jumps_.push_back({arms_.back(), insts_.size()});
  arms_.pop_back();
}

int CodeWriter::words() const {
  int sum = 1;
  for (const Inst& inst : insts_) sum += words_of(inst);
  return sum;
}

std::vector<std::uint64_t> CodeWriter::finish() {
  for (const Jump& jump : jumps_) {
    int skip = 0;
    for (std::size_t i = jump.from + 1; i < jump.to; ++i) skip += words_of(insts_[i]);
    DVMSIM_ASSERT(skip > 0, "an arm holds something");
    set_operand(insts_[jump.from], "skip", Lane::imm(skip));
  }
  std::vector<std::uint64_t> code;
  for (const Inst& inst : insts_) append(inst, code);
  append(blank(Op::halt), code);
  return code;
}

}  // namespace dvmsim::testing
