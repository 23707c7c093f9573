// What a comparison's charts compute.
import assert from "node:assert/strict";
import { test } from "node:test";
import { geometricMean, meanAt, ratios, reach, stylesOf } from "../../web/src/compare/figures.js";

const strategy = (name, total_us, again_us, new_us) => ({ name, refused: null, by_cost: [{ total_us, again_us, new_us }] });
const each = {
  strategies: [strategy("eager", 100, 10, 10), strategy("jit", 400, 5, 1005), { name: "sink", refused: "dynamic" }],
  break_even: [{ winners: [{ strategy: "jit", from: 0, to: 0.005 }, { strategy: "eager", from: 0.005, to: 1 }], against: [{ runs: 200 }, { runs: null }] }],
};

test("the mean of a run falls from that of new shapes to that of known ones", () => {
  const { by_cost: [jit] } = each.strategies[1];
  assert.equal(meanAt(jit, 1), 1005);
  assert.equal(meanAt(jit, 200), 10);
  assert.ok(Math.abs(meanAt(jit, 1e9) - 5) < 1e-5);
});

test("curves reach beyond every crossing", () => {
  assert.equal(reach(each, 0), 1000);
  assert.equal(reach({ break_even: [{ winners: [{ from: 0, to: 1 }], against: [] }] }, 0), 1000);
});

test("ratios are to the first strategy; what refused has none", () => {
  assert.deepEqual([...ratios(each, 0)], [["eager", { known: 1, whole: 1 }], ["jit", { known: 2, whole: 0.25 }]]);
  assert.ok(Math.abs(geometricMean([2, 8]) - 4) < 1e-12);
});

test("no two of sixteen strategies look alike", () => {
  const names = Array.from({ length: 16 }, (unused, i) => ({ name: `s${i}` }));
  const styles = [...stylesOf({ cases: [{ strategies: names }] }).values()].map(({ shade, dash }) => `${shade} ${dash}`);
  assert.equal(new Set(styles).size, 16);
});
