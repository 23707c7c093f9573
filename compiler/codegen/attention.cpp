#include "compiler/codegen/attention.h"

#include "compiler/codegen/attention_walk.h"
#include "vm/base/error.h"
#include "vm/base/rounding.h"

namespace dvmsim {
namespace {

/// Bytes from a tensor's first element to behind its last one.
std::int64_t bytes_of(const AttentionStrides& stride, std::int64_t batch, std::int64_t heads,
                      std::int64_t rows, std::int64_t row_bytes) {
  return (batch - 1) * stride.batch + (heads - 1) * stride.head + (rows - 1) * stride.row +
         row_bytes;
}

void describe_arguments(const AttentionSpec& spec, const AttentionSchedule& schedule,
                        Program& program) {
  using Kind = Argument::Kind;
  const std::int64_t item = size_of(spec.type), kv = spec.heads / spec.shared;
  program.arguments.assign(kAttentionWords, {Kind::Scalar, "word", 0});
  program.arguments[kWordQ] = {Kind::Input, "q",
                               bytes_of(spec.q, spec.batch, spec.heads, spec.m, spec.d * item)};
  program.arguments[kWordK] = {Kind::Input, "k",
                               bytes_of(spec.k, spec.batch, kv, spec.n, spec.d * item)};
  program.arguments[kWordV] = {Kind::Input, "v",
                               bytes_of(spec.v, spec.batch, kv, spec.n, spec.e * item)};
  program.arguments[kWordOut] = {Kind::Output, "out",
                                 bytes_of(spec.out, spec.batch, spec.heads, spec.m, spec.e * item)};
  program.arguments[kWordWorkspace] = {Kind::Workspace, "slots",
                                       attention_workspace_bytes(spec, schedule)};
  program.arguments[kWordScaled] = program.arguments[kWordQ];
  if (schedule.scales_queries) program.arguments[kWordScaled].kind = Kind::Workspace;
  if (!spec.mask) return;
  program.arguments[kWordMask] = {
      Kind::Input, "mask",
      bytes_of(spec.mask_strides, spec.batch, spec.heads, spec.m, spec.n * size_of(*spec.mask))};
}

}  // namespace

std::int64_t attention_workspace_bytes(const AttentionSpec& spec,
                                       const AttentionSchedule& schedule) {
  const std::int64_t queries = spec.batch * spec.heads * spec.m * spec.d * size_of(spec.type);
  return scaled_queries(spec, schedule) + (schedule.scales_queries ? queries : 0);
}

std::int64_t scaled_queries(const AttentionSpec& spec, const AttentionSchedule& schedule) {
  return round_up(schedule.cores * slots_of(spec, schedule).bytes, 512);
}

std::vector<std::uint64_t> attention_arguments(const AttentionSpec& spec,
                                               const AttentionSchedule& schedule,
                                               const AttentionAddresses& addresses) {
  std::vector<std::uint64_t> words(kAttentionWords, 0);
  words[kWordQ] = addresses.q;
  words[kWordK] = addresses.k;
  words[kWordV] = addresses.v;
  words[kWordOut] = addresses.out;
  words[kWordWorkspace] = addresses.workspace;
  words[kWordMask] = addresses.mask;
  words[kWordScaled] = schedule.scales_queries ? addresses.scaled : addresses.q;
  const auto put = [&](int word, std::int64_t value) {
    words[static_cast<std::size_t>(word)] = static_cast<std::uint64_t>(value);
  };
  put(kWordBatch, spec.batch);
  put(kWordM, spec.m);
  put(kWordN, spec.n);
  put(kWordReach, spec.reach);
  const auto put_strides = [&](int first, const AttentionStrides& stride) {
    put(first, stride.batch);
    put(first + 1, stride.head);
    put(first + 2, stride.row);
  };
  put_strides(kWordStrideQ, spec.q);
  put_strides(kWordStrideK, spec.k);
  put_strides(kWordStrideV, spec.v);
  put_strides(kWordStrideOut, spec.out);
  put_strides(kWordStrideMask, spec.mask_strides);
  return words;
}

Program attention_program(const AttentionSpec& spec, const AttentionSchedule& schedule,
                          const Machine& machine) {
  DVMSIM_ASSERT(fits(spec, schedule, machine), "a schedule fits the machine it is used on");
  DVMSIM_ASSERT(!schedule.one_block || spec.n <= schedule.block_n, "one block has all keys");
  Program program;
  program.name = spec.name;
  describe_arguments(spec, schedule, program);
  write_attention_cube(spec, schedule, machine, program);
  const std::int64_t begin =
      machine.ub.size.count() - machine.ub_for_tiles(Bytes(kAttentionCode)).count();
  write_attention_vector(spec, schedule, machine, begin, program);
  DVMSIM_ASSERT(static_cast<std::int64_t>(8 * program.vector.size()) <= kAttentionCode,
                "the code leaves its place in UB to the tensors");
  return program;
}

}  // namespace dvmsim
