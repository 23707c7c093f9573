// Asks a simulated NPU what operators cost, in a loop, and picks: the padding of a product with odd
// sizes, the strategy of a fused epilogue by length, and the smallest machine that is fast enough.
#include <dvmsim/cost.h>

#include <cstdio>
#include <exception>
#include <map>
#include <string>
#include <vector>

namespace npu = dvmsim::api;

constexpr int kM = 777, kK = 1003, kN = 1501;

/// The next multiple.
std::int64_t padded(std::int64_t size, std::int64_t multiple) {
  return (size + multiple - 1) / multiple * multiple;
}

/// Rows at odd addresses are slow to load; padding costs work. Returns the better multiple.
std::int64_t tune_padding(const npu::Simulator& machine) {
  std::printf("matmul %dx%dx%d on %s, k and n padded to a multiple\n", kM, kK, kN,
              machine.name().c_str());
  std::int64_t best = 0, least = 0;
  for (const std::int64_t multiple : {1, 16, 32, 64, 128}) {
    const std::int64_t pk = padded(kK, multiple), pn = padded(kN, multiple);
    const npu::Cost cost = machine.cost(npu::Operator{"matmul", {{kM, pk}, {pk, pn}}});
    std::printf("  %4lld: %7lld cycles, %s of %s\n", static_cast<long long>(multiple),
                static_cast<long long>(cost.cycles), cost.bound.c_str(), cost.limiter.c_str());
    if (best == 0 || cost.cycles < least) {
      best = multiple;
      least = cost.cycles;
    }
  }
  std::printf("  best: %lld\n", static_cast<long long>(best));
  return best;
}

/// One graph, several lengths: which strategy ends first, host included?
void tune_strategy(const npu::Simulator& machine) {
  npu::Graph graph;
  graph.text =
      "graph epilogue\ndim n\ninput x: f16[n, 1024]\ninput b: f16[1024]\n"
      "s = add(x, b)\ng = gelu(s)\nz = mul(g, x)\noutput z\n";
  std::printf("add, gelu, mul of n x 1024: us end to end\n");
  for (const std::int64_t n : {1, 128, 4096}) {
    graph.dims["n"] = n;
    std::printf("  n=%-5lld", static_cast<long long>(n));
    std::string best;
    double least = 0;
    for (const char* strategy : {"eager", "dvm", "resident"}) {
      npu::Options options;
      options.strategy = strategy;
      const double us = machine.cost(graph, options).e2e_us;
      std::printf("  %s %8.2f", strategy, us);
      if (best.empty() || us < least) {
        best = strategy;
        least = us;
      }
    }
    std::printf("  best: %s\n", best.c_str());
  }
}

/// The fewest cores and the least memory bandwidth within 10 % of the best time.
void tune_machine(const npu::Simulator& base, std::int64_t multiple) {
  struct Candidate {
    int cores;
    const char* bandwidth;
    double us;
  };
  std::vector<Candidate> candidates;
  double least = 0;
  const std::int64_t size = padded(kK, multiple);
  for (const int cores : {4, 8, 12, 16, 20, 24}) {
    for (const char* bandwidth : {"0.6TB/s", "1.2TB/s", "1.8TB/s"}) {
      npu::Simulator variant = base;
      variant.set({{"cores.cube", std::to_string(cores)},
                   {"cores.vector", std::to_string(2 * cores)},
                   {"hbm.peak", bandwidth}});
      const double us = variant.cost(npu::Operator{"matmul", {{kM, size}, {size, size}}}).task_us;
      candidates.push_back({cores, bandwidth, us});
      if (least == 0 || us < least) least = us;
    }
  }
  for (const Candidate& each : candidates) {  // the smallest come first
    if (each.us > 1.1 * least) continue;
    std::printf("smallest machine within 10 %% of %.2f us: %d cores, %s: %.2f us\n", least,
                each.cores, each.bandwidth, each.us);
    return;
  }
}

int main() {
  try {
    const npu::Simulator big;
    tune_machine(big, tune_padding(big));
    tune_strategy(big);
    tune_padding(npu::Simulator(HARDWARE "/ascend910a.yaml"));
    (void)big.cost(npu::Operator{"matmul", {{2, 3}, {4, 5}}});  // refused
  } catch (const std::exception& error) {
    std::printf("refused: %s\n", error.what());
  }
  return 0;
}
