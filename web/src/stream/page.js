// The page of a stream: many runs of a model, one after another.
import { choice, definitions, el, section } from "../base/dom.js";
import { axis, chart, tip } from "../base/chart.js";
import { distribution } from "../base/distribution.js";
import { bytes, percent, plural, short, time, whole } from "../base/format.js";
import { table } from "../base/table.js";
import { tile } from "../base/tile.js";
import { colour } from "../base/theme.js";

const FIGURES = [
  { key: "e2e_us", name: "end to end", shade: "work" }, { key: "task_us", name: "launches", shade: "flag" },
  { key: "encode_us", name: "encode", shade: "firmware" }, { key: "compile_us", name: "compile", shade: "memory" },
];

function dimsOf(step) {
  return Object.entries(step.dims).map(([name, size]) => `${name}=${size}`).join(" ");
}

function summarySection({ totals, percentiles: { e2e_us: e2e }, steps }) {
  const failed = steps.filter(({ check }) => check && !check.pass).length;
  return section("summary", "Summary",
    el("div", { class: "tiles" },
      tile("Steps", whole(totals.steps), `${whole(totals.misses)} made a module`),
      tile("Half the steps within", time(e2e.p50), `end to end; first ${time(steps[0]?.e2e_us ?? 0)}`),
      tile("99 % within", time(e2e.p99), `the slowest ${time(e2e.max)}`),
      tile("All together", time(totals.e2e_us), `${time(totals.task_us)} of launches`),
      tile("Launches", whole(totals.launches), `${whole(totals.cycles)} cycles`),
      tile("Device memory", bytes(totals.peak_memory_bytes), "at most"),
      steps.some(({ check }) => check) ? tile("Check", failed === 0 ? "pass" : "FAIL", failed === 0 ? "" : plural(failed, "step")) : null),
    definitions([["Host", `compile ${time(totals.compile_us)}, encode ${time(totals.encode_us)}`]]));
}

/** Figures of every step, in order or over the size of a dimension. */
function overSteps(steps, by) {
  const at = (step, number) => (by === "step" ? number : step.dims[by]);
  const order = steps.map((step, number) => ({ step, number, at: at(step, number) })).filter((each) => each.at !== undefined);
  return chart({
    title: by === "step" ? "Every step in its order" : `Every step over ${by}`,
    describe: "Modelled times of host and device.",
    height: 320,
    items: FIGURES.map(({ name, shade }) => ({ name, colour: `var(--${shade})` })),
    draw: () => ({
      grid: { left: 12, right: 24, top: 28, bottom: by === "step" ? 60 : 34, containLabel: true },
      tooltip: {
        trigger: "item",
        formatter: ({ data: [, , number] }) => {
          const step = steps[number];
          return tip(`Step ${number} ${dimsOf(step)}`, FIGURES.map(({ key, name, shade }) => [name, time(step[key]), colour(shade)]));
        },
      },
      dataZoom: by === "step" && steps.length > 50
        ? [{ type: "slider", height: 18, bottom: 4, borderColor: colour("line"), textStyle: { color: colour("soft") } }] : [],
      xAxis: axis({ type: "value", scale: true, max: by === "step" ? steps.length - 1 : null, name: by, nameLocation: "middle", nameGap: 26, axisLabel: { formatter: whole } }),
      yAxis: axis({ type: "value", name: "µs", nameTextStyle: { align: "left" }, axisLabel: { formatter: short } }),
      series: FIGURES.map(({ key, name, shade }) => ({
        name, type: by === "step" ? "line" : "scatter", symbol: "circle", symbolSize: by === "step" ? 4 : 6, showSymbol: steps.length < 200,
        lineStyle: { width: 1.5 }, itemStyle: { color: colour(shade), opacity: by === "step" ? 1 : 0.7 },
        data: order.map((each) => [each.at, each.step[key], each.number]),
      })),
    }),
  });
}

function stepSection({ steps }) {
  const dims = [...new Set(steps.flatMap(({ dims: sizes }) => Object.keys(sizes)))];
  const place = el("div");
  const show = (by) => place.replaceChildren(overSteps(steps, by));
  show("step");
  return section("steps", "Step by step",
    el("div", { class: "tools" }, choice("Over", [["step", "step"], ...dims.map((name) => [name, name])], "step", show)), place);
}

function stepTable({ steps }) {
  const most = Math.max(...steps.map(({ e2e_us: us }) => us));
  return section("table", "Steps", table({
    caption: plural(steps.length, "step"), search: "Search steps", first: 30,
    columns: [
      { key: "number", title: "Step", value: (row) => row.number },
      { key: "dims", title: "Sizes", value: dimsOf },
      { key: "cached", title: "Module", value: (row) => (row.cached ? "hit" : "miss") },
      ...FIGURES.map(({ key, name }) => ({
        key, title: name, number: true, value: (row) => row[key], text: time, bar: key === "e2e_us" ? (row) => row[key] / most : undefined,
      })),
      { key: "launches", title: "Launches", number: true, value: (row) => row.launches, text: whole },
      { key: "cycles", title: "Cycles", number: true, value: (row) => row.cycles, text: whole },
      { key: "memory", title: "Memory", number: true, value: (row) => row.memory_bytes, text: bytes },
      ...(steps.some(({ check }) => check) ? [{ key: "check", title: "Check", value: (row) => (row.check ? (row.check.pass ? "pass" : "FAIL") : "") }] : []),
    ],
    rows: steps.map((step, number) => ({ number, ...step })),
  }));
}

export function streamPage(report) {
  const misses = report.totals.misses / Math.max(1, report.totals.steps);
  return {
    title: `${report.model} ${report.stream}`,
    subtitle: `${report.strategy} on ${report.hardware}`,
    sections: [
      summarySection(report),
      stepSection(report),
      section("latency", "Latency", distribution({
        title: "Latency of the steps", describe: `The share of steps done within a time; ${percent(misses)} made a module.`,
        unit: "µs", text: time,
        series: FIGURES.slice(0, 2).map(({ key, name, shade }) => ({ name, colour: shade, values: report.steps.map((step) => step[key]) })),
      })),
      stepTable(report),
      section("limits", "Not modelled", el("ul", {}, report.not_modelled.map((line) => el("li", {}, line)))),
    ],
  };
}
