// The SystemC side seen from SystemC: somebody else's memory behind the TLM-2.0 socket, somebody
// else's host at the launch port.
#include <gtest/gtest.h>
#include <tlm_utils/simple_target_socket.h>

#include <map>
#include <systemc>

#include "sim/host/host.h"
#include "sim/kernel/clock.h"
#include "sim/kernel/scope.h"
#include "sim/npu/npu.h"
#include "tests/sim/rig.h"
#include "vm/isa/text.h"

namespace dvmsim::testing {
namespace {

/// Answers everything after the same delay.
struct SlowMemory : sc_core::sc_module {
  SlowMemory(sc_core::sc_module_name name, std::int64_t delay) : sc_module(name), cycles(delay) {
    socket.register_b_transport(this, &SlowMemory::b_transport);
  }
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
    (payload.is_write() ? written : read) += payload.get_data_length();
    delay += time_of_cycles(Cycles(cycles));
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
  }
  tlm_utils::simple_target_socket<SlowMemory> socket{"socket"};
  std::int64_t cycles;
  unsigned read = 0, written = 0;
};

TEST(Npu, memory_of_somebody_else_serves_through_the_socket) {
  const Machine machine =
      quiet_machine({"mte2.latency=100cycles", "mte2.gm_to_ub=64B/cycle", "mte3.latency=60cycles"});
  const Program program = isa::assemble(R"(.vector
ldarg rd=r4 index=0
load dst=0 src=r4 len=2048 set=mte3.0
store dst=r4 src=0 len=1024 dtype=u8 wait=mte2.0
halt
)",
                                        "copy");
  Recorder record;
  const Probes probes{&record};
  const SimScope scope;
  {
    const SimScope::Entered entered(scope);
    Npu npu("npu", machine, {}, probes);
    Host host("host");
    SlowMemory memory("memory", 1000);
    host.npu.bind(npu.launches);
    npu.memory().external.bind(memory.socket);
    Launch launch{&program, {4096}, CodePath::Bytecode, 0, 1, "copy"};
    host.run({&launch, Cycles(50)});
    const LaunchReport report = npu.finish({});
    EXPECT_FALSE(report.fault) << report.fault.text;
    EXPECT_EQ(memory.read, 2048u);
    EXPECT_EQ(memory.written, 1024u);
    const auto load = record.work({kVector0, Pipe::MTE2});
    ASSERT_EQ(load.size(), 1u);
    // The last of four granules comes three granules' time behind the first.
    EXPECT_EQ(load[0].visible, Cycles(50 + 100 + 1000 + 3 * 512 / 64));
    const Rate out = machine.mte3.ub_to_gm;
    EXPECT_EQ(report.end,
              load[0].visible + machine.flag.hop + Cycles(60 + 1000) + out.cycles_for(Bytes(512)));
    EXPECT_LE(cycle_now(), report.end);
  }
}

/// A host of somebody else: a thread that waits for simulated time, then launches.
struct OtherHost : sc_core::sc_module {
  SC_HAS_PROCESS(OtherHost);
  OtherHost(sc_core::sc_module_name name, const Launch& what) : sc_module(name), launch(what) {
    SC_THREAD(run);
  }
  void run() {
    wait(time_of_cycles(Cycles(777)));
    npu->begin({&launch, cycle_now()});
  }
  sc_core::sc_port<LaunchInterface> npu{"npu"};
  const Launch& launch;
};

TEST(Npu, launch_port_takes_any_host) {
  const Machine machine = quiet_machine({"vector.head=0cycles"});
  const Program program =
      isa::assemble(".vector\nvdup dtype=f32 dst=0 s=0 count=64\nhalt\n", "dup");
  const Launch launch{&program, {}, CodePath::Bytecode, 0, 2, "dup"};
  const Probes nobody;
  const SimScope scope;
  {
    const SimScope::Entered entered(scope);
    Npu npu("npu", machine, {}, nobody);
    OtherHost host("host", launch);
    host.npu.bind(npu.launches);
    sc_core::sc_start();
    const LaunchReport report = npu.finish({});
    EXPECT_FALSE(report.fault);
    EXPECT_EQ(report.begin, Cycles(777));
    EXPECT_GT(report.end, report.begin);
    EXPECT_EQ(report.commands, 2);
  }
}

}  // namespace
}  // namespace dvmsim::testing
