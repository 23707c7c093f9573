// The page of a run, clicked through.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { mixOf, rowOf } from "../../../web/src/run/pieces.js";
import { charts, dvmsim, file, json, open, sources, start, stop, texts, unnamed, until, write, wrongOnPhone } from "./browser.mjs";

const BERT = ["run", `${sources}configs/workloads/bert_base.graph`, "--dim", "batch=1", "--dim", "seq=16"];
const ENCODER = ["run", `${sources}configs/workloads/encoder.graph`, "--dim", "seq=100"];
const MATMUL = ["op", "matmul", "4096x4096", "4096x4096", "--decode", "none", "--critical-path", "none"];

before(async () => {
  dvmsim([...ENCODER, "--html", "run.html", "--json", "run.json", "--detail"]);
  dvmsim([...BERT, "--strategy", "eager", "--html", "launches.html", "--json", "launches.json", "--detail"]);
  dvmsim([...MATMUL, "--html", "large.html", "--json", "large.json", "--detail"]);
  await start();
});
after(stop);

test("the page is the same twice, and from the report", () => {
  dvmsim([...ENCODER, "--html", "again.html"]);
  dvmsim(["report", "run.json", "--html", "from-report.html"]);
  const page = readFileSync(file("run.html"));
  assert.ok(page.equals(readFileSync(file("again.html"))));
  assert.ok(page.equals(readFileSync(file("from-report.html"))));
});

test("the timeline's cycles are those of the units, reason by reason", () => {
  for (const name of ["run.json", "large.json"]) {
    const { timeline, units, cycles } = json(name);
    assert.equal(timeline.end, cycles);
    const rows = new Map(timeline.rows.map((row) => [row.name, rowOf(row, timeline.begin)]));
    for (const unit of units) {
      const sums = {};
      for (const { reason, cycles: some } of mixOf(rows.get(unit.name), timeline.kinds, 0, cycles)) {
        if (some > 0) sums[reason] = (sums[reason] ?? 0) + some;
      }
      assert.deepEqual(sums, unit.reasons, unit.name);
    }
  }
});

test("it shows what the report says", async () => {
  const { page, faults } = await open("run.html");
  const report = json("run.json");
  assert.equal(await page.title(), "encoder.graph seq=100 – dvmsim");
  const tiles = await texts(page, ".tile strong");
  assert.equal(tiles[0], `${report.cycles.toLocaleString("en")} cycles`);
  assert.equal(tiles[1], `${report.e2e_us.toFixed(2)} µs`);
  assert.equal(tiles[2], `${report.host.launches} launches`);
  assert.match(await page.$eval(".verdict", (each) => each.textContent), /^latency bound: no pipe is busy/);
  const sections = await texts(page, "main h2");
  for (const title of ["Summary", "Roofline", "Timeline", "Where the cycles went", "Operators", "Critical path", "Memory", "Decoding", "Bytecode", "Not modelled"]) {
    assert.ok(sections.includes(title), title);
  }
  await charts(page, 4);
  assert.deepEqual(await unnamed(page), []);
  assert.deepEqual(faults, []);
  await page.close();
});

test("reasons of every unit sum to the cycles", async () => {
  const { page } = await open("run.html");
  const { cycles } = json("run.json");
  const row = (number) => page.$$eval(`#stalls tbody tr:nth-child(${number}) td`, (cells) =>
    cells.map((cell) => Number(cell.textContent.replaceAll(",", ""))));
  await page.click("#stalls details summary");
  const means = await row(1);
  assert.equal(means.at(-1), cycles);
  assert.ok(Math.abs(means.slice(0, -1).reduce((a, b) => a + b) - cycles) <= means.length);
  await page.select("#stalls select", "cube.mte2");
  await page.click("#stalls details summary");
  const single = await row(3);
  assert.equal(single.slice(0, -1).reduce((a, b) => a + b), cycles);
  await page.close();
});

test("operators are sorted, searched and chosen", async () => {
  const { page, faults } = await open("launches.html");
  const { operators } = json("launches.json");
  const names = () => texts(page, "#operators > .table tbody tr > th");
  const by = (key) => page.click(`#operators th[data-key="${key}"] button`);
  const slowest = [...operators].sort((a, b) => b.cycles - a.cycles)[0];
  assert.equal((await names()).length, 25);
  assert.equal((await names())[0], slowest.name);
  await by("cycles");
  assert.equal(await page.$eval('#operators th[data-key="cycles"]', (head) => head.getAttribute("aria-sort")), "ascending");
  assert.notEqual((await names())[0], slowest.name);
  await by("name");
  await page.click("#operators .more");
  const all = await names();
  assert.equal(all.length, operators.length);
  assert.deepEqual(all, [...all].sort((a, b) => a.localeCompare(b, "en", { numeric: true })));

  await page.type("#operators input[type=search]", "layer1. norm");
  const found = await names();
  assert.ok(found.length > 0 && found.every((name) => name.includes("layer1.") && name.includes("norm")), found.join("; "));
  assert.equal(await page.$eval("#operators .count", (count) => count.textContent), `${found.length} of ${operators.length}`);
  await page.type("#operators input[type=search]", " nothing-like-it");
  assert.deepEqual(await texts(page, "#operators tbody td"), ["nothing found"]);
  await page.$eval("#operators input[type=search]", (input) => { input.value = ""; });
  await page.type("#operators input[type=search]", "layer0.down");

  await page.click("#operators tbody th button");
  assert.deepEqual(await texts(page, "#operators .card h3"), await names());
  await until(page, () => document.querySelectorAll("#operators .card .canvas svg path").length > 10);
  const whole = await page.$eval("#timeline canvas", (canvas) => ({ ...canvas.dataset }));
  await page.click("#operators .card > button");
  const part = await page.$eval("#timeline canvas", (canvas) => ({ ...canvas.dataset }));
  assert.ok(part.to - part.from < (whole.to - whole.from) / 10);
  const launch = json("launches.json").timeline.launches.find(({ label }) => label.includes("layer0.down"));
  assert.ok(part.from <= launch.begin && launch.end <= part.to);
  assert.deepEqual(faults, []);
  await page.close();
});

test("a legend hides its series, and the axis follows", async () => {
  const { page } = await open("run.html");
  const blue = () => page.$$eval("#stalls .canvas path", (all) =>
    all.filter((each) => each.getAttribute("fill") === "#c4c9cf").length);
  assert.ok((await blue()) > 0);
  const button = await page.$('#stalls .legend button:last-child');
  await button.click();
  assert.equal(await button.evaluate((each) => each.getAttribute("aria-pressed")), "false");
  await until(page, () => ![...document.querySelectorAll("#stalls .canvas path")].some((each) => each.getAttribute("fill") === "#c4c9cf"));
  await button.click();
  assert.ok((await blue()) > 0);
  await page.close();
});

test("the theme is the system's until it is chosen", async () => {
  const { page, faults } = await open("run.html", { theme: "dark" });
  const colours = () => page.evaluate(() => {
    const text = document.querySelector("#roofline svg text");
    return { page: getComputedStyle(document.body).backgroundColor, chart: text.getAttribute("fill") };
  });
  const dark = await colours();
  await page.click(".theme label:nth-of-type(2)");
  const light = await colours();
  assert.equal(light.page, "rgb(255, 255, 255)");
  assert.notEqual(dark.page, light.page);
  assert.notEqual(dark.chart, light.chart);
  await page.click(".theme label:nth-of-type(3)");
  assert.deepEqual(await colours(), dark);
  await page.reload();
  assert.ok(await page.$eval(".theme label:nth-of-type(3) input", (input) => input.checked));
  await page.click(".theme label:nth-of-type(1)");
  assert.deepEqual(faults, []);
  await page.close();
});

test("text can be read in both themes", async () => {
  for (const theme of ["light", "dark"]) {
    const { page } = await open("run.html", { theme });
    const ratios = await page.evaluate(() => {
      const style = getComputedStyle(document.documentElement);
      const light = (name) => {
        const hex = style.getPropertyValue(`--${name}`).trim();
        const [r, g, b] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255)
          .map((each) => (each <= 0.03928 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const ratio = (a, b) => {
        const [high, low] = [light(a), light(b)].sort((x, y) => y - x);
        return (high + 0.05) / (low + 0.05);
      };
      return {
        text: ratio("text", "page"), soft: ratio("soft", "page"), raised: ratio("soft", "raised"), link: ratio("link", "page"),
        bar: ratio("text", "bar"), work: ratio("work", "page"), memory: ratio("memory", "page"),
      };
    });
    for (const [name, least] of Object.entries({ text: 7, soft: 4.5, raised: 4.5, link: 4.5, bar: 4.5, work: 3, memory: 3 })) {
      assert.ok(ratios[name] >= least, `${theme} ${name}: ${ratios[name].toFixed(2)}`);
    }
    await page.close();
  }
});

test("a timeline of 100,000 pieces is zoomed and moved", async () => {
  const { page, faults } = await open("large.html");
  const { timeline } = json("large.json");
  const pieces = timeline.rows.reduce((sum, row) =>
    sum + [...Buffer.from(row.pieces, "base64")].filter((byte) => byte < 128).length / 2, 0);
  assert.ok(pieces > 100000, `${pieces} pieces`);
  const canvas = await page.$("#timeline canvas");
  const view = () => canvas.evaluate(({ dataset }) => ({ from: Number(dataset.from), to: Number(dataset.to) }));
  const press = (label) => page.click(`#timeline button[aria-label^="${label}"]`);
  const width = ({ from, to }) => to - from;
  await canvas.evaluate((each) => each.scrollIntoView({ block: "center" }));
  const device = await view();
  await press("Show the whole run");
  const all = await view();
  assert.deepEqual([all.from, all.to], [timeline.begin, timeline.end]);
  assert.ok(width(all) > width(device));

  await press("Zoom in");
  assert.ok(Math.abs(width(await view()) - width(all) / 2) <= 1);
  await press("Later");
  assert.equal((await view()).to, all.to);
  const box = await canvas.boundingBox();
  const drag = async (from, to) => {
    await page.mouse.move(box.x + from, box.y + 60);
    await page.mouse.down();
    await page.mouse.move(box.x + to, box.y + 80, { steps: 4 });
    await page.mouse.up();
  };
  const before = await view();
  await drag(400, 500);
  const dragged = await view();
  assert.ok(Math.abs(width(dragged) / width(before) - 100 / (box.width - 112)) < 0.002);
  await page.keyboard.down("Shift");
  await drag(500, 400);
  await page.keyboard.up("Shift");
  const moved = await view();
  assert.ok(moved.from > dragged.from && Math.abs(width(moved) - width(dragged)) <= 1);
  await press("Back");
  assert.deepEqual(await view(), before);

  await canvas.focus();
  await page.keyboard.press("+");
  assert.ok(width(await view()) < width(before));
  await page.keyboard.press("0");
  assert.deepEqual(await view(), all);
  await page.mouse.move(box.x + 600, box.y + 100);
  await page.keyboard.down("Control");
  await page.mouse.wheel({ deltaY: -100 });
  await page.keyboard.up("Control");
  await until(page, (limit) => {
    const { from, to } = document.querySelector("#timeline canvas").dataset;
    return to - from < limit;
  }, width(all));
  await page.mouse.wheel({ deltaY: 0 });
  const slowest = await page.evaluate(() => {
    const zoom = document.querySelector('#timeline button[aria-label="Zoom out"]');
    let most = 0;
    for (let i = 0; i < 5; ++i) {
      const start = performance.now();
      zoom.click();
      most = Math.max(most, performance.now() - start);
    }
    return most;
  });
  assert.ok(slowest < 1000, `${slowest} ms for a redraw`);
  assert.deepEqual(faults, []);
  await page.close();
});

test("the timeline says what is under the pointer and in view", async () => {
  const { page } = await open("large.html");
  await page.select("#timeline select", "core cube0");
  for (let i = 0; i < 8; ++i) await page.click('#timeline button[aria-label="Zoom in"]');
  const canvas = await page.$("#timeline canvas");
  await canvas.evaluate((each) => each.scrollIntoView({ block: "center" }));
  const box = await canvas.boundingBox();
  const lanes = Number(await canvas.evaluate(({ dataset }) => dataset.lanes));
  assert.equal(lanes, 2 + 5);
  await page.mouse.move(box.x + 600, box.y + 42 + 4 + 24 * 5 + 10);
  const bubble = await page.$eval("#timeline .bubble", (each) => (each.hidden ? "" : each.textContent));
  assert.match(bubble, /^cube0\.cube/);
  await page.click("#timeline details summary");
  await page.waitForSelector("#timeline table");
  const rows = await page.$$eval("#timeline table tbody tr", (all) => all.map((row) => [...row.cells].map((cell) => cell.textContent)));
  assert.equal(rows.length, lanes);
  for (const [name, ...shares] of rows) {
    const sum = shares.reduce((total, text) => total + parseFloat(text), 0);
    assert.ok(Math.abs(sum - 100) < 0.5, `${name}: ${sum}`);
  }
  const colour = async () => page.evaluate(() => {
    const at = document.querySelector("#timeline canvas");
    const pixel = at.getContext("2d").getImageData(600, 42 + 4 + 24 * 5 + 10, 1, 1).data;
    return [...pixel].join(",");
  });
  const work = await colour();
  await page.click("#timeline .legend button:first-child");
  assert.notEqual(await colour(), work);
  await page.close();
});

test("the bytecode is listed with the cycles of its lines", async () => {
  const { page } = await open("run.html");
  const { listing, operators } = json("run.json");
  const commands = listing.reduce((sum, { lines }) => sum + lines.reduce((all, line) => all + (line.commands ?? 0), 0), 0);
  const executed = operators.reduce((sum, { units }) => sum + units.reduce((all, { instructions }) =>
    all + Object.values(instructions).reduce((each, one) => each + one.commands, 0), 0), 0);
  assert.equal(commands, executed);
  const head = await texts(page, "#listing tbody tr:first-child > *");
  assert.equal(head[1], listing[0].lines[0].text);
  await page.select("#listing select", "1");
  await page.type("#listing input[type=search]", "halt");
  assert.ok((await texts(page, "#listing tbody td.code")).every((text) => text.includes("halt")));
  await page.close();
});

test("a phone shows it without moving sideways, and paper shows it light", async () => {
  for (const name of ["run.html", "large.html"]) assert.deepEqual(await wrongOnPhone(name), []);
  const { page, faults } = await open("run.html", { theme: "dark" });
  const pdf = await page.pdf({ format: "A4", printBackground: true });
  assert.ok(pdf.length > 50000);
  await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
  assert.equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), "rgb(255, 255, 255)");
  assert.deepEqual(faults, []);
  await page.close();
});

test("names cannot become markup", async () => {
  const report = json("run.json");
  const evil = '</script><script>document.title="broken"</script><img src=x onerror="document.title=1"><!--';
  report.model = evil;
  report.operators[0].name = evil;
  report.timeline.launches[0].label = evil;
  report.not_modelled = [evil];
  write("evil.json", report);
  dvmsim(["report", "evil.json", "--html", "evil.html"]);
  const { page, faults } = await open("evil.html");
  assert.ok((await page.title()).startsWith(evil));
  assert.equal((await page.$$("img")).length, 0);
  assert.equal((await texts(page, "#limits li"))[0], evil);
  await page.type("#operators input[type=search]", "onerror");
  await page.click("#operators tbody th button");
  const canvas = await page.$("#operators .card .canvas");
  await canvas.hover();
  assert.equal((await page.$$("img")).length, 0);
  assert.deepEqual(faults, []);
  await page.close();
});

test("a report without a timeline is a page without one", async () => {
  dvmsim([...MATMUL, "--json", "short.json"]);
  dvmsim(["report", "short.json", "--html", "short.html"]);
  const { page, faults } = await open("short.html");
  const sections = await texts(page, "main h2");
  assert.ok(sections.includes("Operators") && !sections.includes("Timeline") && !sections.includes("Critical path"));
  assert.deepEqual(faults, []);
  await page.close();
});
