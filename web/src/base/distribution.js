// How a figure is distributed: the share of all that is at most so much, a line per series.
import { axis, chart, tip } from "./chart.js";
import { percent, short } from "./format.js";
import { cumulative, percentile } from "./shares.js";
import { table } from "./table.js";
import { colour } from "./theme.js";

/** series: [{name, colour (name of a custom property), values}]; `text`: a value with its unit. */
export function distribution({ title, describe, series, text, unit, logarithmic = false }) {
  const sorted = series.map(({ values }) => [...values].sort((a, b) => a - b));
  const shares = [["p50", 0.5], ["p90", 0.9], ["p99", 0.99], ["max", 1]];
  const draw = () => ({
    grid: { left: 12, right: 28, top: 14, bottom: 34, containLabel: true },
    tooltip: {
      trigger: "item",
      formatter: ({ seriesIndex, data: [value, share] }) =>
        tip(series[seriesIndex].name, [[`${percent(share)} within`, text(value)]]),
    },
    xAxis: axis({
      type: logarithmic ? "log" : "value", scale: true, name: unit, nameLocation: "middle", nameGap: 28,
      axisLabel: { formatter: short },
    }),
    yAxis: axis({ type: "value", min: 0, max: 1, axisLabel: { formatter: (value) => `${Math.round(value * 100)} %` } }),
    series: series.map(({ name, colour: shade, dash = "solid", values }) => {
      const data = cumulative(values);
      return {
        name, type: "line", step: "end", symbol: "circle", symbolSize: 5, showSymbol: data.length < 80,
        lineStyle: { width: 2, type: dash }, itemStyle: { color: colour(shade) }, data,
      };
    }),
  });
  return chart({
    title, describe, height: 300, draw,
    items: series.length > 1 ? series.map(({ name, colour: shade }) => ({ name, colour: `var(--${shade})` })) : null,
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
