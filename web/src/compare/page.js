// The page of a comparison of strategies; its JSON is described where the command writes it. One
// case (a workload on a machine) and one launch cost are looked at at a time.
import { choice, el, section } from "../base/dom.js";
import { distribution } from "../base/distribution.js";
import { bytes, percent, plural, short, time, whole } from "../base/format.js";
import { table } from "../base/table.js";
import { tile } from "../base/tile.js";
import { breakEven } from "./break_even.js";
import { breakdown } from "./breakdown.js";
import { geometricMean, placeOf, ran, ratios, stylesOf } from "./figures.js";
import { MEANS, overLaunchCosts } from "./launch_cost.js";

function us(key, title, help) {
  return { key, title, help, number: true, value: (row) => row.at[key], text: time };
}

function strategyTable(each, cost) {
  const rows = ran(each).map((one) => ({ ...one, at: one.by_cost[cost] }));
  const most = Math.max(...rows.map(({ at }) => at.mean_us));
  const decode = ({ decode: found }) => (found ? `${["low", "nominal", "high"].map((level) => short(found.exposed_us[level])).join(" / ")} µs` : "");
  return table({
    caption: "Strategies; * rests on constants without a source",
    columns: [
      { key: "name", title: "Strategy", value: (row) => `${row.name}${row.assumed.length > 0 ? "*" : ""}` },
      { ...us("mean_us", "Mean", "of a run, over the whole stream"), bar: (row) => row.at.mean_us / most },
      us("first_us", "First", "until the first result"), us("p50_us", "p50"), us("p90_us", "p90"), us("p99_us", "p99"), us("max_us", "Max"),
      us("again_us", "Known shape", "a shape's run once more, mean over shapes"), us("new_us", "New shape", "a shape's first run, mean over shapes"),
      us("exposed_compile_us", "Compiling exposed", "over the stream"),
      { key: "ahead", title: "Ahead", number: true, value: (row) => row.ahead_us, text: (value) => (value > 0 ? time(value) : ""), help: "compiling before anything runs" },
      { key: "launches", title: "Launches", number: true, value: (row) => row.shapes[0].launches, text: whole, help: "of the first shape" },
      { key: "decode", title: "Decoding exposed", number: true, value: (row) => row.decode?.exposed_us.nominal ?? -1, text: (value, row) => decode(row), help: "at low, nominal and high cost of the firmware" },
      { key: "code", title: "Code", number: true, value: (row) => row.code_bytes, text: bytes },
      { key: "padding", title: "Padding", number: true, value: (row) => row.padding, text: percent },
    ],
    rows,
  });
}

function assumptions(each) {
  const some = ran(each).filter(({ assumed }) => assumed.length > 0);
  if (some.length === 0) return null;
  return el("details", {}, el("summary", {}, "What * rests on"),
    el("ul", {}, some.map(({ name, assumed }) => el("li", {}, `${name}: ${assumed.join(", ")}`))));
}

function refusals(each) {
  const refused = each.strategies.filter((one) => one.refused);
  return refused.length === 0 ? null : el("ul", { class: "note" }, refused.map((one) => el("li", {}, `${one.name}: ${one.refused}`)));
}

function ratioTable(report, cost, key, onCase) {
  const names = [...stylesOf(report).keys()];
  const rows = report.cases.map((each, number) => ({ number, name: `${each.workload} on ${placeOf(each)}`, found: ratios(each, cost) }));
  const of = (row, name) => row.found.get(name)?.[key];
  const column = (name) => ({
    key: name, title: name, number: true, value: (row) => of(row, name) ?? -1,
    text: (value, row) => { const ratio = of(row, name); return ratio === undefined ? "–" : `${ratio < 0.1 ? short(ratio) : ratio.toFixed(2)}×`; },
  });
  const means = {
    group: true, name: "geometric mean",
    found: new Map(names.map((name) => {
      const all = rows.map((row) => of(row, name)).filter((ratio) => ratio !== undefined);
      return [name, all.length > 0 ? { [key]: geometricMean(all) } : undefined];
    })),
  };
  return table({
    caption: `How many times faster than ${names[0]}`,
    search: rows.length > 12 ? "Search cases" : null,
    columns: [{ key: "name", title: "Case", value: (row) => row.name }, ...names.map(column)],
    rows: rows.length > 1 ? [...rows, means] : rows,
    onRow: (row) => !row.group && onCase(row.number),
  });
}

class Comparison {
  constructor(report) {
    this.report = report;
    this.styles = stylesOf(report);
    this.number = 0;
    this.cost = 0;
    this.places = new Map();
  }

  get each() {
    return this.report.cases[this.number];
  }

  /** A section whose content follows the chosen case and launch cost. */
  following(id, title, fill, ...before) {
    const place = el("div");
    this.places.set(place, fill);
    return section(id, title, ...before, place);
  }

  update() {
    for (const [place, fill] of this.places) place.replaceChildren(...[fill()].flat().filter(Boolean));
  }

  chooser() {
    const cases = this.report.cases.map((each, number) => [String(number), `${each.workload} on ${placeOf(each)}`]);
    this.casePicker = choice("Case", cases, "0", (value) => { this.number = Number(value); this.update(); });
    return el("div", { class: "tools pick", role: "group", "aria-label": "What is shown" }, this.casePicker,
      choice("Launch cost", this.report.launch_costs.map((name, number) => [String(number), name]), "0",
        (value) => { this.cost = Number(value); this.update(); }));
  }

  show(number) {
    this.number = number;
    this.casePicker.querySelector("select").value = String(number);
    this.update();
    document.getElementById("strategies").scrollIntoView();
  }

  /** What the framework makes of the model's operators, if it dispatches them one by one. */
  dispatched() {
    const counts = ran(this.each).map((one) => one.shapes[0].operators).find((found) => found);
    if (!counts) return "";
    const kinds = Object.entries(counts.rerolled).map(([kind, count]) => `${kind} ${whole(count)}`);
    return `, ${whole(counts.framework)} dispatched by the framework${kinds.length > 0 ? ` (${kinds.join(", ")})` : ""}`;
  }

  tiles() {
    const list = ran(this.each);
    const least = (key) => list.reduce((low, one) => (one.by_cost[this.cost][key] < low.by_cost[this.cost][key] ? one : low), list[0]);
    const best = (label, key) => {
      const one = least(key);
      return tile(label, one.name, time(one.by_cost[this.cost][key]));
    };
    return el("div", { class: "tiles" },
      tile("Runs", whole(this.each.steps.length), `${plural(this.each.shapes.length, "shape")}, ${whole(this.each.operators)} operators${this.dispatched()}`),
      list.length > 0 ? [best("Least in the mean", "mean_us"), best("Known shapes", "again_us"), best("New shapes", "new_us"), best("First result", "first_us"), best("Tail, p99", "p99_us")] : null);
  }

  latency() {
    const series = ran(this.each).map((one) => ({
      name: one.name, colour: this.styles.get(one.name).shade, dash: this.styles.get(one.name).dash, values: one.by_cost[this.cost].latency_us,
    }));
    const all = series.flatMap(({ values }) => values).filter((value) => value > 0);
    const low = all.reduce((a, b) => Math.min(a, b), Infinity), high = all.reduce((a, b) => Math.max(a, b), 0);
    return distribution({
      title: "Latency of a run", describe: "The share of the stream's runs that are done within a time.",
      series, text: time, unit: "µs", logarithmic: high > 20 * low,
    });
  }

  sections() {
    const some = (fill) => () => (ran(this.each).length > 0 ? fill() : el("p", {}, "No strategy ran."));
    let mean = MEANS[0][0], ratio = "whole";
    const launch = some(() => overLaunchCosts(this.report, this.each, mean, this.styles));
    const rates = () => ratioTable(this.report, this.cost, ratio, (number) => this.show(number));
    const all = [
      this.following("strategies", "Strategies", () => [this.tiles(), refusals(this.each), ran(this.each).length > 0 ? strategyTable(this.each, this.cost) : null, assumptions(this.each)]),
      this.following("break-even", "Break-even", some(() => breakEven(this.each, this.cost, this.styles))),
      this.following("latency", "Latency", some(() => this.latency())),
      this.following("breakdown", "Cost breakdown", some(() => breakdown(this.each, this.cost))),
      this.following("launch-cost", "Launch cost", launch,
        el("div", { class: "tools" }, choice("Runs of", MEANS, mean, (value) => { mean = value; this.update(); }))),
      this.following("cases", "All cases", rates,
        el("div", { class: "tools" }, choice("Ratios of", [["whole", "the whole stream"], ["known", "known shapes"]], ratio, (value) => { ratio = value; this.update(); }))),
      section("constants", "Constants", table({
        caption: "Of the strategies", search: "Search constants",
        columns: [
          { key: "key", title: "Constant", value: (row) => row.key }, { key: "value", title: "Value", value: (row) => row.value },
          { key: "assumed", title: "Rests on", value: (row) => (row.assumed ? "an assumption" : "a source") }, { key: "source", title: "Source", value: (row) => row.source },
        ],
        rows: this.report.constants,
      })),
      section("limits", "Not modelled", el("ul", {}, this.report.not_modelled.map((line) => el("li", {}, line)))),
    ];
    this.update();
    return all;
  }
}

export function comparePage(report) {
  const comparison = new Comparison(report);
  return {
    title: report.title || report.study,
    subtitle: `comparison of ${plural(stylesOf(report).size, "strategy", "strategies")} on ${plural(report.cases.length, "case")}`,
    bar: comparison.chooser(),
    sections: comparison.sections(),
  };
}
