// What a sweep's heat map is made of.
import assert from "node:assert/strict";
import { test } from "node:test";
import { figure, shortNames, steps, varying } from "../../web/src/sweep/designs.js";
import { cells } from "../../web/src/sweep/cells.js";

const axis = (place, numbers) => ({ place, name: `a${place}`, values: numbers.map((number) => ({ text: `${number}`, number })) });
const across = axis(0, [20, 10]), up = axis(1, [1, 2]);
const designs = [[0, 0, 5], [0, 1, 7], [1, 0, 4], [0, 0, 3], [1, 1, null]]
  .map(([x, y, us]) => ({ values: [x, y], metrics: us === null ? null : { us } }));
const us = { name: "us", unit: "us", of: (design) => design.metrics?.us ?? null };

test("a cell is the best or the mean of its designs; without any it is missing", () => {
  const xs = steps(across, designs), ys = steps(up, designs);
  assert.deepEqual(xs.map(({ text }) => text), ["10", "20"]);
  const best = cells(designs, xs, ys, us, "best");
  assert.deepEqual(best.map(({ x, y, value }) => [x, y, value]), [[0, 0, 4], [1, 0, 3], [1, 1, 7]]);
  assert.equal(cells(designs, xs, ys, us, "mean")[1].value, 4);
});

test("where more is better, the best is the most", () => {
  const xs = steps(across, designs), ys = steps(up, designs);
  const best = cells(designs, xs, ys, { ...us, more: true }, "best");
  assert.deepEqual(best.map(({ value }) => value), [4, 5, 7]);
});

test("many values become ranges that hold every design once", () => {
  const wide = axis(0, Array.from({ length: 50 }, (unused, i) => i * 3));
  const many = wide.values.map((unused, i) => ({ values: [i] }));
  const ranges = steps(wide, many);
  assert.equal(ranges.length, 12);
  for (const design of many) assert.equal(ranges.filter((range) => range.has(design)).length, 1);
});

test("what is the same for all designs is left out, and names are as short as they can be", () => {
  const same = { name: "area", of: () => 7 };
  assert.deepEqual(varying({ designs }, [us, same]).map(({ name }) => name), ["us"]);
  assert.deepEqual(shortNames(["cores.cube", "ub.size", "l2.size", "strategy"]), ["cube", "ub.size", "l2.size", "strategy"]);
});

test("a figure has its unit", () => {
  assert.equal(figure(1234.5, "us"), "1234.50\u00a0µs");
  assert.equal(figure(216, "mm2"), "216\u00a0mm2");
  assert.equal(figure(null, "us"), "");
});
