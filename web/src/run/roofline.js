// A roof for every component: what it reached of its ceiling, and how long it was held.
import { section } from "../base/dom.js";
import { axis, chart, tip } from "../base/chart.js";
import { cycles, percent, whole } from "../base/format.js";
import { table } from "../base/table.js";
import { colour } from "../base/theme.js";

const REACHED = "reached of its ceiling", BUSY = "busy";

function bars(rows, key, name, colourName) {
  return {
    name, type: "bar", barGap: "0%", barMaxWidth: 11, itemStyle: { color: colour(colourName) },
    data: rows.map((row) => row[key]),
  };
}

export function rooflineSection({ roofline }) {
  const rows = Object.entries(roofline.components).map(([name, each]) => ({ name, ...each }));
  if (rows.length === 0) return null;
  const draw = () => ({
    grid: { left: 8, right: 24, top: 8, bottom: 8, containLabel: true },
    tooltip: {
      trigger: "axis", axisPointer: { type: "shadow" },
      formatter: ([{ dataIndex }]) => {
        const row = rows[dataIndex];
        return tip(`${row.name} (${row.side})`, [
          [REACHED, percent(row.reached), colour("work")], [BUSY, percent(row.busy), colour("flag")],
          ["ceiling", cycles(row.ceiling_cycles)], ["busy", cycles(row.busy_cycles)],
        ]);
      },
    },
    xAxis: axis({ type: "value", min: 0, max: 1, axisLabel: { formatter: (value) => `${Math.round(value * 100)} %` } }),
    yAxis: axis({ type: "category", inverse: true, data: rows.map(({ name }) => name) }),
    series: [
      {
        ...bars(rows, "reached", REACHED, "work"),
        markLine: {
          silent: true, symbol: "none", lineStyle: { color: colour("text"), type: "dashed" },
          label: { show: false }, data: [{ xAxis: 0.8 }],
        },
      },
      bars(rows, "busy", BUSY, "flag"),
    ],
  });
  return section("roofline", "Roofline", chart({
    title: "Each component against its roof",
    describe: "From 80 % of a ceiling on, that component bounds the run; busy without reaching it is low efficiency.",
    height: 40 + 30 * rows.length, draw,
    items: [{ name: REACHED, colour: "var(--work)" }, { name: BUSY, colour: "var(--flag)" }],
    data: table({
      caption: "Components",
      columns: [
        { key: "name", title: "Component", value: (row) => row.name },
        { key: "side", title: "Side", value: (row) => row.side },
        { key: "reached", title: "Reached", number: true, value: (row) => row.reached, text: percent, bar: (row) => row.reached },
        { key: "busy", title: "Busy", number: true, value: (row) => row.busy, text: percent, bar: (row) => row.busy },
        { key: "ceiling", title: "Ceiling", unit: "cycles", number: true, value: (row) => row.ceiling_cycles, text: whole },
        { key: "held", title: "Held", unit: "cycles", number: true, value: (row) => row.busy_cycles, text: whole },
      ],
      rows,
    }),
  }));
}
