// Which axis moves a figure how much.
import { choice, el, section } from "../base/dom.js";
import { axis, chart, tip } from "../base/chart.js";
import { percent, short } from "../base/format.js";
import { table } from "../base/table.js";
import { colour } from "../base/theme.js";

function bars(sweep, { metric, method, axes, explained }) {
  const unit = sweep.metrics.find(({ name }) => name === metric)?.unit;
  const textOf = (name, value) => sweep.axes.find((each) => each.name === name)?.values[value]?.text ?? String(value);
  const rows = [...axes].filter(({ effect }) => effect !== null).sort((a, b) => b.effect - a.effect);
  return el("div", {}, chart({
    title: `What moves ${metric}`,
    describe: `By ${method}: how much higher the mean is at an axis' worst value than at its best${typeof explained === "number" ? `; it explains ${percent(explained)} of the variance` : ""}.`,
    height: 40 + 26 * rows.length,
    draw: () => ({
      grid: { left: 8, right: 60, top: 8, bottom: 8, containLabel: true },
      tooltip: {
        trigger: "axis", axisPointer: { type: "shadow" },
        formatter: ([{ dataIndex }]) => {
          const row = rows[dataIndex];
          return tip(row.axis, [
            ...row.levels.slice(0, 12).map(({ value, mean }) => [textOf(row.axis, value), `${short(mean)} ${unit === "us" ? "µs" : unit ?? ""}`]),
            ["elasticity", row.elasticity === null ? "none" : short(row.elasticity)],
          ]);
        },
      },
      xAxis: axis({ type: "value", min: 0, axisLabel: { formatter: (value) => `${Math.round(100 * value)} %` } }),
      yAxis: axis({ type: "category", inverse: true, data: rows.map((row) => row.axis), axisLabel: { interval: 0 } }),
      series: [{
        type: "bar", barMaxWidth: 16, itemStyle: { color: colour("work") }, data: rows.map(({ effect }) => effect),
        label: { show: true, position: "right", color: colour("text"), formatter: ({ value }) => percent(value) },
      }],
    }),
    data: table({
      caption: `Sensitivity of ${metric}`,
      columns: [
        { key: "axis", title: "Axis", value: (row) => row.axis },
        { key: "effect", title: "Effect", number: true, value: (row) => row.effect ?? 0, text: percent },
        { key: "elasticity", title: "Elasticity", number: true, value: (row) => row.elasticity, text: (value) => (value === null ? "" : short(value)), help: "per cent of change for one per cent of the axis" },
      ],
      rows: axes,
    }),
  }));
}

export function sensitivitySection(sweep) {
  const list = sweep.sensitivity ?? [];
  if (list.length === 0 || list.every(({ axes }) => axes.length === 0)) return null;
  const place = el("div");
  const show = (name) => place.replaceChildren(bars(sweep, list.find(({ metric }) => metric === name)));
  show(list[0].metric);
  return section("sensitivity", "Sensitivity",
    list.length > 1 ? el("div", { class: "tools" }, choice("Figure", list.map(({ metric }) => [metric, metric]), list[0].metric, show)) : null,
    place);
}
