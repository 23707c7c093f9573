// The page of a stream of runs, clicked through.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { charts, dvmsim, json, open, start, stop, texts, unnamed, until, write, wrongOnPhone } from "./browser.mjs";

before(async () => {
  write("small.graph", "graph small\ndim n\ninput x: f16[n, 256]\ny = softmax(x) {axis=-1}\noutput y\n");
  write("small.stream", "steps:\n  - repeat: 40\n    dims: {n: 1..3000}\n");
  const done = dvmsim(["run", "small.graph", "--stream", "small.stream", "--mode", "timing", "--json", "stream.json", "--html", "stream.html"]);
  assert.match(done.stdout, /page +stream\.html/);
  await start();
});
after(stop);

test("steps, percentiles and their charts are there", async () => {
  const { page, faults } = await open("stream.html");
  const { totals, percentiles, steps } = json("stream.json");
  const tiles = await texts(page, ".tile strong");
  assert.equal(tiles[0], String(totals.steps));
  assert.equal(tiles[1], `${percentiles.e2e_us.p50.toFixed(2)} µs`);
  await page.click("#latency summary");
  assert.deepEqual((await texts(page, "#latency tbody tr:first-child td")).map(parseFloat),
    ["p50", "p90", "p99", "max"].map((name) => Number(percentiles.e2e_us[name].toFixed(2))));
  await charts(page, 2);
  await page.click("#table .more");
  assert.equal((await texts(page, "#table tbody tr")).length, steps.length);
  await page.select("#steps select", "n");
  await until(page, () => document.querySelector("#steps figcaption strong").textContent === "Every step over n");
  assert.deepEqual(await unnamed(page), []);
  assert.deepEqual(faults, []);
  await page.close();
});

test("a phone shows it without moving sideways", async () => {
  for (const theme of ["light", "dark"]) assert.deepEqual(await wrongOnPhone("stream.html", theme), []);
});
