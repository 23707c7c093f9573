// When which strategy is best: the mean time of a run over how often each shape comes.
import { el } from "../base/dom.js";
import { axis, chart, tip } from "../base/chart.js";
import { short, time, whole } from "../base/format.js";
import { table } from "../base/table.js";
import { colour } from "../base/theme.js";
import { legendOf, meanAt, ran, reach } from "./figures.js";

const POINTS = 120;

/** "dvm up to 3.0 % of runs with a new shape, then eager" */
export function winnersText(winners) {
  return winners.map(({ strategy, to }) =>
    (to < 1 ? `${strategy} while at most 1 run in ${whole(Math.ceil(1 / to))} has a new shape` : strategy)).join(", then ");
}

function duelText({ better, runs }) {
  if (better === "below") return `from ${whole(Math.ceil(runs))} runs of each shape on`;
  if (better === "above") return `up to ${whole(Math.floor(runs))} runs of each shape`;
  return better;
}

export function breakEven(each, cost, styles) {
  const list = ran(each);
  const { winners, against } = each.break_even[cost];
  const far = reach(each, cost);
  const runs = Array.from({ length: POINTS + 1 }, (unused, i) => far ** (i / POINTS));
  const draw = () => ({
    grid: { left: 12, right: 28, top: 28, bottom: 34, containLabel: true },
    tooltip: {
      trigger: "axis",
      formatter: (points) => {
        const at = points[0].data[0];
        const sorted = list.map((one) => [one.name, meanAt(one.by_cost[cost], at)]).sort((a, b) => a[1] - b[1]);
        return tip(`${short(at)} runs of each shape`, sorted.map(([name, us]) => [name, time(us), colour(styles.get(name).shade)]));
      },
    },
    xAxis: axis({ type: "log", min: 1, max: far, name: "runs of each shape", nameLocation: "middle", nameGap: 28, axisLabel: { formatter: whole } }),
    yAxis: axis({ type: "log", name: "mean time of a run, µs", nameTextStyle: { align: "left" }, axisLabel: { formatter: short } }),
    series: list.map((one) => {
      const { shade, dash } = styles.get(one.name);
      return {
        name: one.name, type: "line", symbol: "none", lineStyle: { width: 2, type: dash }, itemStyle: { color: colour(shade) },
        data: runs.map((n) => [n, meanAt(one.by_cost[cost], n)]),
      };
    }),
  });
  return el("div", {},
    el("p", { class: "verdict" }, `Best: ${winnersText(winners)}.`),
    chart({
      title: "Mean time of a run, with all that a new shape costs",
      describe: "Left: every run has a new shape. To the right, each shape comes more and more often.",
      height: 360, draw, items: legendOf(list, styles),
    }),
    against.length > 0 ? table({
      caption: `When each beats ${against[0].other}`,
      columns: [
        { key: "strategy", title: "Strategy", value: (row) => row.strategy },
        { key: "when", title: `Better than ${against[0].other}`, value: duelText },
      ],
      rows: against,
    }) : null);
}
