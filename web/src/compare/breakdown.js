// What the time of a stream was spent on, strategy by strategy.
import { axis, chart, tip } from "../base/chart.js";
import { percent, short, time } from "../base/format.js";
import { table } from "../base/table.js";
import { colour } from "../base/theme.js";
import { ran } from "./figures.js";

const PARTS = [
  { key: "body", name: "cores at work", shade: "work" }, { key: "head", name: "before cores start", shade: "issue" },
  { key: "compile", name: "compiling exposed", shade: "memory" }, { key: "encode", name: "encoding exposed", shade: "flag" },
  { key: "host", name: "other work of the host", shade: "host" },
];

export function breakdown(each, cost) {
  const steps = each.steps.length;
  const rows = ran(each).map((one) => ({ name: one.name, ...one.by_cost[cost] }));
  const draw = () => ({
    grid: { left: 8, right: 28, top: 8, bottom: 34, containLabel: true },
    tooltip: {
      trigger: "axis", axisPointer: { type: "shadow" },
      formatter: ([{ dataIndex }]) => tip(rows[dataIndex].name, [
        ...PARTS.map(({ key, name, shade }) => [name, `${time(rows[dataIndex].breakdown[key] / steps)}  ${percent(rows[dataIndex].breakdown[key] / rows[dataIndex].total_us)}`, colour(shade)]),
        ["a run, in the mean", time(rows[dataIndex].mean_us)],
      ]),
    },
    xAxis: axis({ type: "value", min: 0, name: "µs a run", nameLocation: "middle", nameGap: 26, axisLabel: { formatter: short } }),
    yAxis: axis({ type: "category", inverse: true, data: rows.map(({ name }) => name), axisLabel: { interval: 0 } }),
    series: PARTS.map(({ key, name, shade }) => ({
      name, type: "bar", stack: "all", barMaxWidth: 18, itemStyle: { color: colour(shade) }, data: rows.map((row) => row.breakdown[key] / steps),
    })),
  });
  return chart({
    title: "Where the time of a run goes, in the mean over the stream",
    describe: "The parts of a bar add up to its time; what is exposed would be gained if it were free. Hide a part to see the others larger.",
    height: 60 + 30 * rows.length, draw, items: PARTS.map(({ name, shade }) => ({ name, colour: `var(--${shade})` })),
    data: table({
      caption: "Mean of a run",
      columns: [
        { key: "name", title: "Strategy", value: (row) => row.name },
        ...PARTS.map(({ key, name }) => ({
          key, title: name, number: true, value: (row) => row.breakdown[key] / steps, text: time, bar: (row) => row.breakdown[key] / row.total_us,
        })),
        { key: "mean", title: "Together", number: true, value: (row) => row.mean_us, text: time },
      ],
      rows,
    }),
  });
}
