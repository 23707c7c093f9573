// What the timeline draws, without a browser: packed pieces, columns that sum to the time, zooming.
import assert from "node:assert/strict";
import { test } from "node:test";
import { CLASSES } from "../../web/src/base/reasons.js";
import { addParts, averaged, beginOf, mixOf, pieceAt, rowOf } from "../../web/src/run/pieces.js";
import { View } from "../../web/src/run/view.js";

function packed(numbers) {
  const bytes = [];
  for (let number of numbers) {
    for (; number >= 128; number = Math.floor(number / 128)) bytes.push((number % 128) | 128);
    bytes.push(number);
  }
  return Buffer.from(bytes).toString("base64");
}

const KINDS = [{ reason: "idle", label: "" }, { reason: "work", label: "load" }, { reason: "wait-flag", label: "" }];
const classes = [CLASSES.length - 1, 0, CLASSES.findIndex(({ name }) => name === "flag")];
const row = rowOf({ name: "cube0.mte2", resolution: 1, pieces: packed([20, 0, 300, 1, 1, 2, 5_000_000_000, 1]) }, -20);

test("pieces are unpacked, however long", () => {
  assert.deepEqual([...row.ends], [0, 300, 301, 5_000_000_301]);
  assert.deepEqual([...row.kinds], [0, 1, 2, 1]);
});

test("a cycle belongs to the piece that begins at it", () => {
  assert.equal(pieceAt(row, -20), 0);
  assert.equal(pieceAt(row, -1), 0);
  assert.equal(pieceAt(row, 0), 1);
  assert.equal(pieceAt(row, 299), 1);
  assert.equal(pieceAt(row, 300), 2);
  assert.equal(beginOf(row, 0), -20);
});

test("columns sum to their width, whatever the scale", () => {
  for (const [from, to, count] of [[-20, 310, 7], [0, 10, 400], [295, 302, 3], [-20, 9e9, 1000]]) {
    const sums = new Float64Array(count * CLASSES.length);
    addParts(row, classes, from, to, count, sums);
    for (let part = 0; part < count; ++part) {
      const sum = sums.slice(part * CLASSES.length, (part + 1) * CLASSES.length).reduce((a, b) => a + b);
      assert.ok(Math.abs(sum - (to - from) / count) < 1e-6 * (to - from), `${from} ${to} ${count} ${part}: ${sum}`);
    }
  }
});

test("columns hold the cycles of each class exactly", () => {
  const sums = new Float64Array(2 * CLASSES.length);
  addParts(row, classes, 290, 310, 2, sums);
  assert.equal(sums[classes[1]], 10);
  assert.equal(sums[CLASSES.length + classes[2]], 1);
  assert.equal(sums[CLASSES.length + classes[1]], 9);
});

test("what a stretch holds, the largest first, idle beyond the last piece", () => {
  assert.deepEqual(mixOf(row, KINDS, 299, 302).map(({ name, cycles }) => [name, cycles]), [["load", 2], ["wait-flag", 1]]);
  assert.deepEqual(mixOf(row, KINDS, 5_000_000_300, 5_000_000_304).map(({ name, cycles }) => [name, cycles]), [["idle", 3], ["load", 1]]);
});

test("rows of one kind of core and pipe are one lane", () => {
  const lanes = averaged([{ name: "cube0.mte2" }, { name: "vector0.mte2" }, { name: "cube13.mte2" }]);
  assert.deepEqual(lanes.map(({ name, rows }) => [name, rows.length]), [["cube.mte2", 2], ["vector.mte2", 1]]);
});

test("a view stays inside the run and keeps the cycle under the pointer", () => {
  const view = new View(-100, 900);
  view.zoom(0.5, 0);
  assert.deepEqual([view.from, view.to], [-50, 450]);
  view.move(-1);
  assert.deepEqual([view.from, view.to], [-100, 400]);
  view.enter(10, 20);
  assert.deepEqual([view.from, view.to], [10, 20]);
  view.enter(14, 14);
  assert.equal(view.width, 8);
  view.back();
  view.back();
  assert.deepEqual([view.from, view.to], [-100, 400]);
  view.zoom(100);
  assert.deepEqual([view.from, view.to], [-100, 900]);
});
