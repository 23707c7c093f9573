// A line per design through all its axes and figures. Drag along an axis to keep only the designs
// that pass there.
import { choice, el, section } from "../base/dom.js";
import { chart, ramp, tip } from "../base/chart.js";
import { short } from "../base/format.js";
import { colour } from "../base/theme.js";
import { describe, designAxes, labelOf, quantities, shortNames, steps, varying } from "./designs.js";

const MOST = 2000; // lines

function lines(sweep, axes, all, by) {
  const designs = sweep.designs.filter((design) => all.every((each) => each.of(design) !== null)).slice(0, MOST);
  const sides = axes.map((each) => ({ each, list: steps(each, designs, 40) }));
  const names = shortNames([...axes, ...all].map(({ name }) => name));
  const rows = designs.map((design) => ({
    value: [
      ...sides.map(({ list }) => list.findIndex((step) => step.has(design))),
      ...all.map((each) => each.of(design)),
    ],
    design,
  }));
  const target = axes.length + all.indexOf(by);
  const figures = rows.map(({ value }) => value[target]);
  return chart({
    title: "Every design through its axes",
    describe: `Coloured by ${by.name}: blue is low, red is high. Drag along an axis to keep the designs that pass there, click on it to keep all.`,
    height: 420,
    least: 72 * (axes.length + all.length) + 40,
    draw: () => {
      const label = {
        color: colour("text"), fontSize: 11, textBorderColor: colour("page"), textBorderWidth: 3,
        formatter: (value) => (typeof value === "number" ? short(value) : value),
      };
      const common = {
        nameLocation: "end", nameGap: 12, nameTruncate: { maxWidth: 84 }, nameTextStyle: { color: colour("text"), fontSize: 11 }, axisLine: { lineStyle: { color: colour("soft") } },
        axisLabel: label, areaSelectStyle: { borderColor: colour("link"), color: colour("link"), opacity: 0.25 },
      };
      return {
        parallel: { left: 50, right: 70, top: 34, bottom: 16, axisExpandable: false },
        parallelAxis: [
          ...sides.map(({ each, list }, dim) => ({
            dim, type: "category", data: list.map(({ text }) => text), name: names[dim], ...common,
          })),
          ...all.map((each, number) => ({
            dim: axes.length + number, type: "value", scale: true, name: labelOf({ ...each, name: names[axes.length + number] }), ...common,
          })),
        ],
        visualMap: {
          show: false, dimension: target, min: Math.min(...figures), max: Math.max(...figures),
          inRange: { color: ramp() },
        },
        tooltip: { trigger: "item", formatter: ({ data }) => tip(`Design ${data.design.index}`, describe(sweep, axes, all, data.design)) },
        series: [{
          type: "parallel", lineStyle: { width: 1.4, opacity: 0.65 },
          inactiveOpacity: 0.04, activeOpacity: 0.9, progressive: 0, data: rows,
        }],
      };
    },
  });
}

export function parallelSection(sweep) {
  const axes = designAxes(sweep);
  const all = varying(sweep, quantities(sweep));
  if (axes.length + all.length < 2 || all.length === 0) return null;
  const place = el("div");
  const show = (name) => place.replaceChildren(lines(sweep, axes, all, all.find((each) => each.name === name)));
  show(all[0].name);
  return section("parallel", "Parallel coordinates",
    el("div", { class: "tools" }, choice("Colour by", all.map(({ name }) => [name, name]), all[0].name, show)), place);
}
