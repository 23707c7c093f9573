// The page of a comparison, clicked through.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { compareSample } from "./compare_sample.mjs";
import { charts, dvmsim, open, start, stop, texts, unnamed, until, write, wrongOnPhone } from "./browser.mjs";

const report = compareSample();
const pick = (page, label, value) => page.evaluate((wanted, chosen) => {
  const field = [...document.querySelectorAll(".field")].find((each) => each.textContent.startsWith(wanted));
  const select = field.querySelector("select");
  select.value = chosen;
  select.dispatchEvent(new Event("change"));
}, label, value);

before(async () => {
  write("compare.json", report);
  dvmsim(["report", "compare.json", "--html", "compare.html"]);
  await start();
});
after(stop);

test("curves, distributions, breakdown and costs are there", async () => {
  const { page, faults } = await open("compare.html");
  assert.equal(await page.title(), "small study – dvmsim");
  assert.deepEqual(await texts(page, "main h2"), ["Strategies", "Break-even", "Latency", "Cost breakdown", "Launch cost", "All cases", "Constants", "Not modelled"]);
  await charts(page, 4);
  assert.match((await texts(page, ".tile"))[0], /40 operators, 30 dispatched by the framework \(gelu 1, softmax 2\)/);
  assert.deepEqual(await texts(page, "#strategies tbody th"), ["eager", "dvm*", "jit (seconds)"]);
  assert.deepEqual(await texts(page, "#strategies ul.note li"), ["sink: sink: dynamic dims are refused"]);
  assert.match((await texts(page, "#break-even .verdict"))[0], /^Best: jit \(seconds\) while at most 1 run in 100,000 has a new shape, then dvm while at most 1 run in 3 has/);
  assert.deepEqual(await unnamed(page), []);
  assert.deepEqual(faults, []);
  await page.close();
});

test("parts of the breakdown add up to the mean of a run", async () => {
  const { page } = await open("compare.html");
  await page.click("#breakdown summary");
  const rows = await texts(page, "#breakdown tbody tr");
  assert.equal(rows.length, 3);
  for (const one of report.cases[0].strategies.filter(({ refused }) => !refused)) {
    const { breakdown, total_us: total } = one.by_cost[0];
    assert.ok(Math.abs(Object.values(breakdown).reduce((a, b) => a + b) - total) < 1e-6);
  }
  const cells = await texts(page, "#breakdown tbody tr:first-child td");
  const sum = cells.slice(0, -1).reduce((all, text) => all + parseFloat(text), 0);
  assert.ok(Math.abs(sum - parseFloat(cells.at(-1))) < 0.1, `${sum} ${cells.at(-1)}`);
  await page.close();
});

test("another launch cost and another case change every section", async () => {
  const { page, faults } = await open("compare.html");
  const shown = async () => [await texts(page, "#strategies tbody tr"), await texts(page, "#break-even tbody tr"), await page.$$eval("#latency .canvas path", (all) => all.map((each) => each.getAttribute("d")))].map(String);
  const own = await shown();
  await pick(page, "Launch cost", "1");
  const dear = await shown();
  own.forEach((text, number) => assert.notEqual(dear[number], text, `section ${number}`));
  await page.click("#cases tbody tr:nth-child(2) th button");
  assert.equal(await page.$eval("#strategies .tile strong", (each) => each.textContent), "12");
  assert.equal(await page.$eval(".pick select", (select) => select.value), "1");
  const ratios = await texts(page, "#cases tbody tr:last-child td");
  assert.equal(ratios[0], "1.00×");
  await pick(page, "Ratios of", "known");
  assert.notEqual(String(await texts(page, "#cases tbody tr:last-child td")), String(ratios));
  await pick(page, "Runs of", "mean_us");
  await until(page, () => document.querySelector("#launch-cost figcaption strong").textContent.includes("the whole stream"));
  assert.deepEqual(faults, []);
  await page.close();
});

test("a legend hides a strategy's curve", async () => {
  const { page } = await open("compare.html");
  const curves = () => page.$$eval("#break-even .canvas path", (all) => all.filter((each) => each.getAttribute("stroke") === "#0072b2").length);
  assert.equal(await curves(), 1);
  await page.click("#break-even .legend button:first-child");
  await until(page, () => ![...document.querySelectorAll("#break-even .canvas path")].some((each) => each.getAttribute("stroke") === "#0072b2"));
  await page.close();
});

test("a phone shows it without moving sideways", async () => {
  for (const theme of ["light", "dark"]) assert.deepEqual(await wrongOnPhone("compare.html", theme), []);
});
