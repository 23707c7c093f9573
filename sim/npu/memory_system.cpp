#include "sim/npu/memory_system.h"

#include <algorithm>

#include "sim/kernel/clock.h"

namespace dvmsim {

MemorySystem::MemorySystem(sc_core::sc_module_name name, const Machine& machine, MemoryModel model,
                           const Probes& probes)
    : sc_module(name),
      server_(machine, model),
      pending_(machine.cores.cube + machine.cores.vector) {
  server_.listen(&probes);
  requests.bind(*this);
  SC_HAS_PROCESS(MemorySystem);
  SC_METHOD(serve);
  dont_initialize();
  sensitive << arrival_;
}

void MemorySystem::request(const Request& request) {
  pending_.push(request);
  server_.prefetch(request);
  if (!serving_ && request.key.arrival == pending_.next_arrival()) arm(request.key.arrival);
}

/// An earlier notification replaces a later one, so the event always stands at the first arrival.
void MemorySystem::arm(Cycles arrival) {
  arrival_.notify(time_of_cycles(arrival - cycle_now()));
}

/// Answers requests in order, those ahead of the simulated time too, as long as nobody else does
/// anything before they arrive: an answer moves its core at once, and every way here takes a cycle.
void MemorySystem::serve() {
  serving_ = true;
  const bool outside = external.size() > 0;  // may look at the time
  while (!pending_.empty()) {
    if (pending_.next_arrival() > (outside ? cycle_now() : next_activity())) break;
    const Request& request = pending_.pop();
    const Answer answer = outside ? ask_external(request) : server_.request(request);
    cores[request.key.core]->answer(request.key.queue, answer);
  }
  serving_ = false;
  if (!pending_.empty()) arm(pending_.next_arrival());
}

Answer MemorySystem::ask_external(const Request& request) {
  Cycles completion = request.key.arrival;
  for (const Piece& piece : request.pieces) {
    scratch_.resize(std::max(scratch_.size(), static_cast<std::size_t>(piece.bytes)));
    tlm::tlm_generic_payload payload;
    payload.set_command(request.write ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND);
    payload.set_address(piece.address);
    payload.set_data_ptr(scratch_.data());
    payload.set_data_length(static_cast<unsigned>(piece.bytes));
    payload.set_streaming_width(static_cast<unsigned>(piece.bytes));
    sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
    external->b_transport(payload, delay);
    const Cycles done = request.key.arrival + Cycles(static_cast<std::int64_t>(delay.value()));
    completion = std::max(completion, done);
  }
  return {completion};
}

}  // namespace dvmsim
