// A sweep's report in the form that the command writes, small and with something of everything: an
// axis of each kind, a cost, a point that was refused.
const AXES = [
  { name: "cores.cube", kind: "parameter", unit: "", values: [16, 24].map((number) => ({ text: `${number}`, number })) },
  { name: "hbm.peak", kind: "parameter", unit: "B/s", values: [8e11, 1.6e12, 3.2e12].map((number) => ({ text: `${number / 1e12}TB/s`, number })) },
  { name: "strategy", kind: "strategy", unit: "", values: [{ text: "dvm" }, { text: "resident" }] },
  { name: "dim.seq", kind: "dim", unit: "", values: [{ text: "128", number: 128 }, { text: "384", number: 384 }] },
];

function outcome([cores, rate, strategy], seq) {
  if (cores === 1 && rate === 0 && strategy === 0) return null;
  const us = (seq * 40) / AXES[0].values[cores].number + (seq * 1.6e13) / AXES[1].values[rate].number;
  return { task_us: strategy === 0 ? us * 1.25 : us, cycles: Math.round(us * 1850) };
}

export function sweepSample() {
  const designs = [], points = [];
  for (let cores = 0; cores < 2; ++cores) for (let rate = 0; rate < 3; ++rate) for (let strategy = 0; strategy < 2; ++strategy) {
    const design = designs.length;
    const choice = [cores, rate, strategy];
    const costs = { area: 12 * AXES[0].values[cores].number + AXES[1].values[rate].number / 2e10 };
    const cases = [128, 384].map((seq) => outcome(choice, seq));
    cases.forEach((metrics, number) => points.push({
      index: points.length, design, case: number, values: [...choice, number], status: metrics ? "ok" : "refused",
      reason: metrics ? null : "'softmax': no tile fits UB", metrics, costs,
    }));
    const complete = cases.every(Boolean);
    designs.push({
      index: design, values: [...choice, null], points: [points.length - 2, points.length - 1], complete, costs, on_front: false,
      metrics: complete ? { task_us: cases[0].task_us + cases[1].task_us, cycles: cases[0].cycles + cases[1].cycles } : null,
    });
  }
  const done = designs.filter(({ complete }) => complete);
  const beats = (a, b) => a.metrics.task_us <= b.metrics.task_us && a.costs.area <= b.costs.area && a !== b;
  for (const design of done) design.on_front = !done.some((other) => beats(other, design));
  return {
    schema: 1, kind: "sweep", study: "cores and memory", sampling: "grid",
    fixed: [{ name: "hardware", text: "ascend910b1" }], axes: AXES,
    cases: [128, 384].map((seq) => ({ workload: "bert_base", dims: { batch: 1, seq }, weight: 1 })),
    metrics: [{ name: "task_us", unit: "us" }, { name: "cycles", unit: "cycles" }],
    costs: [{ name: "area", unit: "mm2", assumed: true, hardware: "ascend910b1", terms: [{ name: "cube", value: "cores.cube * 12", source: "assumed" }] }],
    counts: { points: points.length, ok: points.filter(({ metrics }) => metrics).length, refused: 2, fault: 0, aborted: 0, missing: 0 },
    designs, points,
    pareto: { objectives: ["task_us", "area"], front: done.filter(({ on_front: front }) => front).map(({ index }) => index) },
    sensitivity: [{
      metric: "task_us", method: "main effects",
      axes: [{ axis: "hbm.peak", effect: 0.9, elasticity: -0.5, levels: [{ value: 0, mean: 90, points: 4 }, { value: 1, mean: 50, points: 4 }] },
        { axis: "strategy", effect: 0.25, elasticity: null, levels: [{ value: 0, mean: 80, points: 6 }, { value: 1, mean: 64, points: 6 }] }],
    }],
    not_modelled: ["the on-chip network"],
  };
}
