// The page of a sweep; its JSON is described where the command writes it.
import { definitions, el, section } from "../base/dom.js";
import { plural, whole } from "../base/format.js";
import { table } from "../base/table.js";
import { tile } from "../base/tile.js";
import { designAxes, figure, quantities, textAt, varying } from "./designs.js";
import { heatSection } from "./heat.js";
import { parallelSection } from "./parallel.js";
import { designTable, paretoSection } from "./pareto.js";
import { sensitivitySection } from "./sensitivity.js";

function best(sweep) {
  const axes = designAxes(sweep);
  return varying(sweep, quantities(sweep)).map((each) => {
    const design = sweep.designs.filter((one) => each.of(one) !== null)
      .reduce((found, one) => (found === null || (each.more ? each.of(one) > each.of(found) : each.of(one) < each.of(found)) ? one : found), null);
    return tile(`${each.more ? "Most" : "Least"} ${each.name}`, figure(each.of(design), each.unit), `design ${design.index}`,
      axes.map((axis) => textAt(axis, design)).join(", "));
  });
}

function summarySection(sweep) {
  const { counts } = sweep;
  const failed = Object.entries(counts).filter(([name, count]) => name !== "points" && name !== "ok" && count > 0)
    .map(([name, count]) => `${whole(count)} ${name}`);
  return section("summary", "Summary",
    el("div", { class: "tiles" },
      tile("Points", whole(counts.points), `${whole(counts.ok)} ran`, failed.join(", ")),
      tile("Designs", whole(sweep.designs.length), `${whole(sweep.designs.filter((one) => one.on_front).length)} on the front`),
      best(sweep)),
    definitions([
      ["Axes", ...sweep.axes.map(({ name, values, kind }) =>
        `${name}${kind === "parameter" ? "" : ` (${kind})`}: ${values.length > 12 ? `${values.length} values, ${values[0].text} to ${values[values.length - 1].text}` : values.map(({ text }) => text).join(", ")}`)],
      ...sweep.fixed.map(({ name, text }) => [name, text]),
      ["Cases", ...sweep.cases.slice(0, 12).map(({ workload, dims, weight }) =>
        [workload, ...Object.entries(dims ?? {}).map(([name, size]) => `${name}=${size}`), weight === 1 ? "" : `weight ${weight}`].join(" ")),
        sweep.cases.length > 12 ? `and ${sweep.cases.length - 12} more` : null].filter(Boolean),
    ]));
}

function costSection({ costs }) {
  const rows = costs.flatMap(({ name, unit, hardware, terms }) => terms.map((term) => ({ cost: name, unit, hardware, ...term })));
  if (rows.length === 0) return null;
  return section("costs", "What costs are made of", table({
    caption: "Terms of the cost expressions",
    columns: [
      { key: "cost", title: "Cost", value: (row) => row.cost },
      { key: "unit", title: "Unit", value: (row) => row.unit },
      { key: "hardware", title: "Machine", value: (row) => row.hardware },
      { key: "name", title: "Term", value: (row) => row.name },
      { key: "value", title: "Expression", code: true, value: (row) => row.value },
      { key: "source", title: "Source", value: (row) => row.source },
    ],
    rows,
  }));
}

function pointSection(sweep) {
  const cases = sweep.cases.map(({ workload, dims }) =>
    [workload, ...Object.entries(dims ?? {}).map(([name, size]) => `${name}=${size}`)].join(" "));
  return section("points", "Points", table({
    caption: plural(sweep.points.length, "point"),
    search: "Search points",
    first: 30,
    columns: [
      { key: "index", title: "Point", value: (row) => row.index },
      { key: "design", title: "Design", value: (row) => row.design },
      { key: "case", title: "Case", value: (row) => cases[row.case] },
      ...sweep.axes.map((axis, place) => ({
        key: axis.name, title: axis.name,
        value: (row) => axis.values[row.values[place]]?.number ?? axis.values[row.values[place]]?.text ?? "",
        text: (value, row) => axis.values[row.values[place]]?.text ?? "",
      })),
      { key: "status", title: "Status", value: (row) => row.status },
      ...sweep.metrics.map(({ name, unit }) => ({
        key: `m ${name}`, title: name, number: true, value: (row) => row.metrics?.[name] ?? Infinity,
        text: (value, row) => figure(row.metrics?.[name], unit),
      })),
      { key: "reason", title: "Why not", value: (row) => row.reason ?? "" },
    ],
    rows: sweep.points,
  }));
}

export function sweepPage(sweep) {
  return {
    title: sweep.study,
    subtitle: `sweep of ${plural(sweep.counts.points, "point")}, ${sweep.sampling}`,
    sections: [
      summarySection(sweep),
      paretoSection(sweep),
      parallelSection(sweep),
      heatSection(sweep),
      sensitivitySection(sweep),
      section("designs", "Designs", designTable(sweep, sweep.designs, "All designs", "Search designs")),
      pointSection(sweep),
      costSection(sweep),
      sweep.not_modelled?.length > 0
        ? section("limits", "Not modelled", el("ul", {}, sweep.not_modelled.map((line) => el("li", {}, line)))) : null,
    ].filter(Boolean),
  };
}
