// The line of a distribution: few points, every one true, ending at all.
import assert from "node:assert/strict";
import { test } from "node:test";
import { cumulative, percentile, shareWithin } from "../../web/src/base/shares.js";

test("each point is the share of values that are at most that", () => {
  assert.deepEqual(cumulative([3, 1, 3, 2]), [[1, 0], [1, 0.25], [2, 0.5], [3, 1]]);
  assert.deepEqual(cumulative([]), []);
});

test("of many values few points are kept, and they are exact", () => {
  const values = Array.from({ length: 10007 }, (unused, i) => (i * 7919) % 10007);
  const points = cumulative(values);
  assert.ok(points.length < 500, `${points.length} points`);
  assert.deepEqual(points.at(-1), [10006, 1]);
  for (const [value, share] of points.slice(1)) assert.equal(share, (value + 1) / 10007);
});

test("the share within a value counts what equals it", () => {
  assert.deepEqual([9, 10, 25, 40, 99].map((most) => shareWithin([10, 20, 20, 40], most)), [0, 0.25, 0.75, 1, 1]);
  assert.equal(shareWithin([], 1), 0);
});

test("percentiles are values that occurred", () => {
  const sorted = [10, 20, 30, 40];
  assert.deepEqual([0.5, 0.51, 0.99, 1, 0].map((share) => percentile(sorted, share)), [20, 30, 40, 40, 10]);
});
