// A comparison's report in the form that the command writes: three strategies that cross, one that
// refuses, two cases, two launch costs.
const COSTS = ["own", "20us"];
const STRATEGIES = [
  { name: "eager", launches: 40, fresh: 0, again: 300 },
  { name: "dvm", launches: 10, fresh: 120, again: 250, assumed: ["dvm.capture=1us"] },
  { name: "jit (seconds)", strategy: "jit", launches: 12, fresh: 5e6, again: 200 },
];

function byCost(one, steps, shapes, cost) {
  const launch = (cost === "own" ? 2 : 20) * one.launches;
  const seen = new Set();
  const latency = steps.map((shape) => {
    const fresh = seen.has(shape) ? 0 : one.fresh;
    seen.add(shape);
    return one.again + shape + launch + fresh;
  });
  const sorted = [...latency].sort((a, b) => a - b);
  const at = (share) => sorted[Math.ceil(share * sorted.length) - 1];
  const total = latency.reduce((a, b) => a + b);
  const again = one.again + (shapes.length - 1) / 2 + launch;
  const compile = one.fresh * shapes.length;
  return {
    launch_cost: cost, total_us: total, first_us: latency[0], mean_us: total / steps.length,
    p50_us: at(0.5), p90_us: at(0.9), p99_us: at(0.99), max_us: at(1), new_us: again + one.fresh, again_us: again,
    exposed_compile_us: compile, exposed_encode_us: 0,
    breakdown: { body: 150 * steps.length, head: launch * steps.length, compile, encode: 0, host: total - compile - (150 + launch) * steps.length },
    latency_us: latency,
  };
}

function duel(one, first, cost) {
  const a = one.by_cost[cost], b = first.by_cost[cost];
  const rate = (b.again_us - a.again_us) / (a.new_us - a.again_us - b.new_us + b.again_us);
  const crosses = rate > 0 && rate < 1;
  const better = crosses ? (a.again_us < b.again_us ? "below" : "above") : a.again_us < b.again_us ? "always" : "never";
  return { strategy: one.name, other: first.name, better, rate: crosses ? rate : null, runs: crosses ? 1 / rate : null };
}

function oneCase(workload, runs) {
  const shapes = [{ seq: 1 }, { seq: 128 }, { seq: 384 }];
  const steps = Array.from({ length: runs }, (unused, i) => i % shapes.length);
  const strategies = STRATEGIES.map((one) => ({
    name: one.name, strategy: one.strategy ?? one.name, features: [], refused: null, assumed: one.assumed ?? [],
    code_bytes: one.launches * 4096, ahead_us: 0, padding: 0,
    decode: one.name === "dvm" ? { shape: 0, cycles_us: 200, exposed_us: { low: 1, nominal: 2, high: 5 } } : null,
    by_cost: COSTS.map((cost) => byCost(one, steps, shapes, cost)),
    shapes: shapes.map(() => ({ launches: one.launches, device_us: 150, compile_us: one.fresh, encode_us: 0, dispatch_us: 0, ahead_us: 0, elements: 1, padded_elements: 1, first_us: [], again_us: [],
      operators: one.name === "eager" ? { written: 40, framework: 30, rerolled: { gelu: 1, softmax: 2 } } : null })),
  }));
  return {
    machine: "910B1", axes: {}, clock_mhz: 1850, workload, operators: 40, shapes, steps,
    strategies: [...strategies, { name: "sink", strategy: "sink", features: [], refused: "sink: dynamic dims are refused" }],
    break_even: COSTS.map((launch_cost, cost) => ({
      launch_cost, winners: [{ strategy: "jit (seconds)", from: 0, to: 1e-5 }, { strategy: "dvm", from: 1e-5, to: 0.4 }, { strategy: "eager", from: 0.4, to: 1 }],
      against: strategies.slice(1).map((one) => duel(one, strategies[0], cost)),
    })),
  };
}

export function compareSample() {
  return {
    schema: 1, study: "small.yaml", title: "small study", launch_costs: COSTS,
    constants: [{ key: "dvm.capture", value: "1us", source: "assumed: of the order of a call", assumed: true }],
    cases: [oneCase("bert", 30), oneCase("encoder", 12)], not_modelled: ["the on-chip network"],
  };
}
