// The page of a sweep, clicked through.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { charts, dvmsim, json, open, sources, start, stop, texts, unnamed, until, write, wrongOnPhone } from "./browser.mjs";
import { sweepSample } from "./sweep_sample.mjs";

const sweep = sweepSample();
before(async () => {
  write("sweep.json", sweep);
  dvmsim(["report", "sweep.json", "--html", "sweep.html"]);
  await start();
});
after(stop);

test("every chart and every point is there", async () => {
  const { page, faults } = await open("sweep.html");
  assert.equal(await page.title(), "cores and memory – dvmsim");
  assert.deepEqual(await texts(page, "main h2"), ["Summary", "Pareto front", "Parallel coordinates", "Heat map", "Sensitivity", "Designs", "Points", "What costs are made of", "Not modelled"]);
  await charts(page, 4);
  const front = await texts(page, "#pareto tbody th");
  assert.deepEqual(front.map(Number).sort((a, b) => a - b), sweep.pareto.front);
  assert.equal((await page.$$("#points tbody tr")).length, sweep.points.length);
  assert.deepEqual(await unnamed(page), []);
  assert.deepEqual(faults, []);
  await page.close();
});

test("a sweep of the command's own is a page", async () => {
  write("small.yaml", [
    `study: "two by two"`, `hardware: [{file: ${sources}configs/hardware/ascend910b1.yaml}]`,
    "axes: {hbm.peak: [0.8TB/s, 1.6TB/s], ub.size: [1KiB, 192KiB]}",
    `workloads: [{op: softmax, shapes: ["64x4096"]}]`, "strategies: [eager, dvm]",
    "metrics: [e2e_us, roofline.fraction]", ""].join("\n"));
  dvmsim(["sweep", "small.yaml", "--html", "own.html", "--json", "own.json"]);
  const own = json("own.json");
  const { page, faults } = await open("own.html");
  assert.equal(await page.title(), "two by two – dvmsim");
  assert.equal((await texts(page, ".tile strong"))[0], String(own.counts.points));
  assert.equal((await page.$$("#points tbody tr")).length, own.points.length);
  const tiles = (await texts(page, ".tile")).join(" ");
  assert.match(tiles, /Least e2e_us/);
  assert.match(tiles, /Most roofline\.fraction/);
  await until(page, () => document.querySelectorAll(".canvas svg").length >= 3);
  assert.deepEqual(await unnamed(page), []);
  assert.deepEqual(faults, []);
  await page.close();
  assert.deepEqual(await wrongOnPhone("own.html"), []);
});

test("points are searched for why they were refused", async () => {
  const { page } = await open("sweep.html");
  await page.type("#points input[type=search]", "refused softmax");
  assert.equal(await page.$eval("#points .count", (count) => count.textContent), `2 of ${sweep.points.length}`);
  await page.close();
});

test("axes, figures and cells are chosen", async () => {
  const { page, faults } = await open("sweep.html");
  const labels = () => texts(page, "#heat .canvas text");
  assert.ok((await labels()).includes("0.8TB/s"));
  const numbers = async () => (await labels()).filter((text) => /^[\d.,]+$/.test(text)).join(" ");
  const best = await numbers();
  await page.select("#heat .field:nth-of-type(4) select", "mean");
  assert.notEqual(await numbers(), best);
  await page.select("#heat .field:nth-of-type(1) select", "cores.cube");
  assert.ok(!(await labels()).includes("0.8TB/s"));
  await page.select("#heat .field:nth-of-type(2) select", "cores.cube");
  assert.match(await page.$eval("#heat .note", (note) => note.textContent), /two different axes/);
  await page.select("#pareto .field:nth-of-type(2) select", "cycles");
  await until(page, () => document.querySelector("#pareto figcaption strong").textContent === "cycles against area");
  await page.select("#parallel select", "area");
  await until(page, () => document.querySelector("#parallel figcaption span").textContent.includes("by area"));
  assert.deepEqual(faults, []);
  await page.close();
});

test("a legend hides the designs that are beaten", async () => {
  const { page } = await open("sweep.html");
  const count = () => page.$$eval("#pareto .canvas path", (all) => all.filter((each) => each.getAttribute("fill") === "#0072b2").length);
  const complete = sweep.designs.filter((design) => design.complete && !design.on_front).length;
  assert.equal(await count(), complete);
  await page.click("#pareto .legend button:nth-of-type(2)");
  await until(page, () => ![...document.querySelectorAll("#pareto .canvas path")].some((each) => each.getAttribute("fill") === "#0072b2"));
  await page.close();
});

test("a phone shows it without moving sideways", async () => {
  for (const theme of ["light", "dark"]) assert.deepEqual(await wrongOnPhone("sweep.html", theme), []);
});
