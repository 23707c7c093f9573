// Every design as a point of cost against time; those that nothing beats in both are the front.
import { choice, el, section } from "../base/dom.js";
import { axis, chart, tip } from "../base/chart.js";
import { plural } from "../base/format.js";
import { table } from "../base/table.js";
import { colour } from "../base/theme.js";
import { describe, designAxes, figure, labelOf, quantities, textAt, varying } from "./designs.js";

const FRONT = "on the front", OTHER = "beaten";

function scatter(sweep, axes, all, x, y) {
  const points = sweep.designs.filter((design) => x.of(design) !== null && y.of(design) !== null);
  const objectives = sweep.pareto?.objectives ?? [];
  // Of more objectives than two, the front is no line in a plane.
  const isLine = objectives.length === 2 && objectives.includes(x.name) && objectives.includes(y.name);
  const data = (front) => points.filter((design) => design.on_front === front)
    .map((design) => ({ value: [x.of(design), y.of(design)], design }));
  const line = data(true).map(({ value }) => value).sort((a, b) => a[0] - b[0]);
  return chart({
    title: `${y.name} against ${x.name}`,
    describe: `${plural(points.length, "design")}, ${data(true).length} on the front of ${objectives.join(", ")}; ${[x, y].map((each) => `${each.more ? "more" : "less"} ${each.name}`).join(" and ")} is better.`,
    height: 380,
    items: [{ name: FRONT, colour: "var(--memory)" }, { name: OTHER, colour: "var(--work)" }],
    draw: () => ({
      grid: { left: 14, right: 24, top: 28, bottom: 34, containLabel: true },
      tooltip: {
        trigger: "item",
        formatter: ({ data: { design } }) => (design
          ? tip(`Design ${design.index}${design.on_front ? ", on the front" : ""}`, describe(sweep, axes, all, design))
          : ""),
      },
      xAxis: axis({ type: "value", name: labelOf(x), nameLocation: "middle", nameGap: 30, scale: true }),
      yAxis: axis({ type: "value", name: labelOf(y), nameTextStyle: { align: "left" }, scale: true }),
      series: [
        { name: OTHER, type: "scatter", symbolSize: 8, itemStyle: { color: colour("work"), opacity: 0.7 }, data: data(false) },
        isLine ? { name: FRONT, type: "line", step: x.more ? "start" : "end", symbol: "none", silent: true, lineStyle: { color: colour("memory"), width: 1.5 }, data: line } : null,
        { name: FRONT, type: "scatter", symbol: "diamond", symbolSize: 12, itemStyle: { color: colour("memory"), borderColor: colour("page") }, data: data(true) },
      ].filter(Boolean),
    }),
  });
}

export function designTable(sweep, designs, caption, search) {
  const axes = designAxes(sweep);
  const all = quantities(sweep);
  const largest = new Map(all.map((each) => [each.name, Math.max(...designs.map((design) => each.of(design) ?? 0))]));
  return table({
    caption, search, first: 30,
    sort: { key: `q ${(all.find(({ name }) => name === sweep.pareto?.objectives?.[0]) ?? all[0]).name}`, down: false },
    columns: [
      { key: "index", title: "Design", value: (row) => row.index },
      ...axes.map((each) => ({
        key: `a ${each.name}`, title: each.name,
        value: (row) => each.values[row.values[each.place]]?.number ?? textAt(each, row),
        text: (value, row) => textAt(each, row),
      })),
      ...all.map((each) => ({
        key: `q ${each.name}`, title: each.name, unit: each.assumed ? "assumed" : undefined, number: true,
        value: (row) => each.of(row) ?? Infinity, text: (value, row) => figure(each.of(row), each.unit),
        bar: (row) => (each.of(row) ?? 0) / largest.get(each.name),
      })),
    ],
    rows: designs,
  });
}

export function paretoSection(sweep) {
  const axes = designAxes(sweep);
  const all = varying(sweep, quantities(sweep));
  if (all.length < 2) return null;
  const objectives = sweep.pareto?.objectives ?? [];
  let y = all.find(({ name }) => name === objectives[0]) ?? all[0];
  let x = all.find(({ name }) => name === objectives[1] && name !== y.name) ?? all.find((each) => each !== y);
  const place = el("div");
  const show = () => place.replaceChildren(scatter(sweep, axes, all, x, y));
  show();
  const names = all.map(({ name }) => [name, name]);
  const front = sweep.designs.filter((design) => design.on_front);
  return section("pareto", "Pareto front",
    el("div", { class: "tools" },
      choice("Across", names, x.name, (name) => { x = all.find((each) => each.name === name); show(); }),
      choice("Up", names, y.name, (name) => { y = all.find((each) => each.name === name); show(); })),
    place,
    front.length > 0 ? designTable(sweep, front, "Designs on the front", front.length > 12 ? "Search the front" : null) : null);
}
