// Why every unit spent its cycles: stacked bars that sum to the cycles of the run.
import { choice, el, section } from "../base/dom.js";
import { axis, chart, tip } from "../base/chart.js";
import { cycles as cyclesText, percent, whole } from "../base/format.js";
import { CLASSES, added, byClass } from "../base/reasons.js";
import { table } from "../base/table.js";
import { colour } from "../base/theme.js";
import { partsOf } from "./pieces.js";

/** One row per kind of core and pipe: the mean of its cores. */
export function meanUnits(units) {
  const kinds = new Map();
  for (const unit of units) {
    const { unit: kind } = partsOf(unit.name);
    if (!kinds.has(kind)) kinds.set(kind, []);
    kinds.get(kind).push(unit);
  }
  return [...kinds].map(([name, all]) => {
    const sum = added(all.map(({ reasons }) => reasons));
    const reasons = Object.fromEntries(Object.entries(sum).map(([reason, each]) => [reason, each / all.length]));
    return { name, cores: all.length, total: all[0].total, reasons };
  });
}

/** A bar per unit, stacked by class. `units`: [{name, total, reasons}]. */
export function stackedBars(units, { title, describe }) {
  const classes = units.map(({ reasons }) => byClass(reasons));
  const total = (number) => units[number].total;
  const used = CLASSES.map((each, which) => which).filter((which) => classes.some((sums) => sums[which] > 0));
  const reasonLines = (unit) => Object.entries(unit.reasons).sort((a, b) => b[1] - a[1])
    .map(([reason, each]) => [
      reason, `${percent(each / unit.total)}  ${whole(each)}`,
      colour(CLASSES.find(({ reasons }) => reasons.includes(reason))?.colour ?? "idle"),
    ]);
  const draw = (width, hidden) => ({
    grid: { left: 8, right: 24, top: 8, bottom: 8, containLabel: true },
    tooltip: {
      trigger: "axis", axisPointer: { type: "shadow" },
      formatter: ([{ dataIndex }]) => tip(units[dataIndex].name,
        [...reasonLines(units[dataIndex]), ["together", cyclesText(units[dataIndex].total)]]),
    },
    xAxis: axis({ type: "value", min: 0, max: hidden.size > 0 ? null : 1, axisLabel: { formatter: (value) => `${Math.round(value * 100)} %` } }),
    yAxis: axis({ type: "category", inverse: true, data: units.map(({ name }) => name), axisLabel: { interval: 0 } }),
    series: used.map((which) => ({
      name: CLASSES[which].name, type: "bar", stack: "all", barMaxWidth: 16,
      itemStyle: { color: colour(CLASSES[which].colour) },
      data: classes.map((sums, number) => sums[which] / Math.max(1, total(number))),
    })),
  });
  return chart({
    title, describe, draw, height: 40 + 22 * units.length,
    items: used.map((which) => ({ ...CLASSES[which], colour: `var(--${CLASSES[which].colour})` })),
  });
}

/** The same with every reason, as numbers. */
export function reasonTable(units, caption) {
  const used = CLASSES.flatMap(({ reasons }) => reasons)
    .filter((reason) => units.some((unit) => unit.reasons[reason] > 0));
  return table({
    caption,
    search: units.length > 12 ? "Search units" : null,
    columns: [
      { key: "name", title: "Unit", value: (row) => row.name },
      ...used.map((reason) => ({
        key: reason, title: reason, number: true, value: (row) => row.reasons[reason] ?? 0, text: whole,
        bar: (row) => (row.reasons[reason] ?? 0) / row.total,
      })),
      { key: "total", title: "Total", unit: "cycles", number: true, value: (row) => row.total, text: whole },
    ],
    rows: units,
  });
}

export function stallSection({ units, cycles }) {
  if (units.length === 0) return null;
  const mean = meanUnits(units);
  const kinds = [...new Set(units.map(({ name }) => partsOf(name).unit))];
  const place = el("div");
  const show = (what) => {
    const rows = what === "mean" ? mean : units.filter(({ name }) => partsOf(name).unit === what);
    const name = what === "mean" ? "Mean over the cores of each kind" : `${what} of every core`;
    place.replaceChildren(
      stackedBars(rows, { title: name, describe: `Each bar sums to ${cyclesText(cycles)}.` }),
      el("details", {}, el("summary", {}, "As a table, with every reason"), reasonTable(rows, `${name}, cycles by reason`)));
  };
  show("mean");
  return section("stalls", "Where the cycles went",
    el("div", { class: "tools" },
      choice("Units", [["mean", "mean of each kind"], ...kinds.map((kind) => [kind, `${kind} of every core`])], "mean", show)),
    place);
}
