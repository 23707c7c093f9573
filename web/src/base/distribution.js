// How a figure is distributed: the share of all that is at most so much, a line per series.
import { axis, chart, tip } from "./chart.js";
import { percent, short } from "./format.js";
import { cumulative, percentile, shareWithin } from "./shares.js";
import { table } from "./table.js";
import { colour } from "./theme.js";

/** series: [{name, colour (name of a custom property), values}]; `text`: a value with its unit. */
export function distribution({ title, describe, series, text, unit, logarithmic = false }) {
  const sorted = series.map(({ values }) => [...values].sort((a, b) => a - b));
  const shares = [["p50", 0.5], ["p90", 0.9], ["p99", 0.99], ["max", 1]];
  const draw = () => ({
    grid: { left: 12, right: 28, top: 14, bottom: 34, containLabel: true },
    tooltip: {
      trigger: "axis",
      formatter: ([{ axisValue: most }]) => tip(`within ${text(most)}`, series.map(({ name, colour: shade }, number) =>
        [name, percent(shareWithin(sorted[number], most)), colour(shade)])),
    },
    xAxis: axis({
      type: logarithmic ? "log" : "value", scale: true, name: unit, nameLocation: "middle", nameGap: 28,
      axisLabel: { formatter: short },
    }),
    yAxis: axis({ type: "value", min: 0, max: 1, axisLabel: { formatter: (value) => `${Math.round(value * 100)} %` } }),
    series: series.map(({ name, colour: shade, dash = "solid", values }) => ({
      name, type: "line", step: "end", symbol: "none", lineStyle: { width: 2, type: dash }, itemStyle: { color: colour(shade) },
      data: cumulative(values),
    })),
  });
  return chart({
    title, describe, height: 300, draw,
    items: series.length > 1 ? series.map(({ name, colour: shade, dash }) => ({ name, colour: `var(--${shade})`, dash })) : null,
    data: table({
      caption: title,
      columns: [
        { key: "name", title: "Of", value: (row) => row.name },
        ...shares.map(([name, share]) => ({ key: name, title: name, number: true, value: (row) => percentile(row.sorted, share), text })),
      ],
      rows: series.map(({ name }, number) => ({ name, sorted: sorted[number] })),
    }),
  });
}
