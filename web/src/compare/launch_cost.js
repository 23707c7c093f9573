// What launching costs decides much, and published figures contradict each other: a run of a known
// shape, and one of the stream, at each cost.
import { axis, chart, tip } from "../base/chart.js";
import { short, time } from "../base/format.js";
import { colour } from "../base/theme.js";
import { legendOf, ran } from "./figures.js";

export const MEANS = [["again_us", "a known shape"], ["mean_us", "the whole stream"]];

export function overLaunchCosts(report, each, key, styles) {
  const list = ran(each);
  const figures = list.flatMap((one) => one.by_cost.map((at) => at[key]));
  const wide = Math.max(...figures) > 20 * Math.min(...figures);
  const what = MEANS.find(([name]) => name === key)[1];
  return chart({
    title: `Mean time of a run of ${what}, at each launch cost`,
    describe: "own: as the machine's file says; the others hold for every kind of launch.",
    height: 320,
    items: legendOf(list, styles),
    draw: () => ({
      grid: { left: 12, right: 28, top: 28, bottom: 34, containLabel: true },
      tooltip: {
        trigger: "axis",
        formatter: ([{ dataIndex }]) => tip(`launch cost ${report.launch_costs[dataIndex]}`, list
          .map((one) => [one.name, one.by_cost[dataIndex][key]]).sort((a, b) => a[1] - b[1])
          .map(([name, us]) => [name, time(us), colour(styles.get(name).shade)])),
      },
      xAxis: axis({ type: "category", data: report.launch_costs, name: "launch cost", nameLocation: "middle", nameGap: 28 }),
      yAxis: axis({ ...(wide ? { type: "log" } : { type: "value", min: 0 }), name: "µs", nameTextStyle: { align: "left" }, axisLabel: { formatter: short } }),
      series: list.map((one) => ({
        name: one.name, type: "line", symbol: "circle", symbolSize: 7, lineStyle: { width: 2, type: styles.get(one.name).dash },
        itemStyle: { color: colour(styles.get(one.name).shade) }, data: one.by_cost.map((at) => at[key]),
      })),
    }),
  });
}
