// The critical path: the longest chain of work and waits, and what a faster unit would gain.
import { el, section } from "../base/dom.js";
import { axis, chart, tip } from "../base/chart.js";
import { cycles, percent, whole } from "../base/format.js";
import { table } from "../base/table.js";
import { colour } from "../base/theme.js";

const SHOWN = 12;

/** Names as the command prints them: "cube.mte2", "mte2 latency", "host". */
export function labelOf({ unit, what }) {
  if (what === "work") return unit;
  return ["wait-memory", "latency", "other"].includes(what) ? `${unit} ${what}` : what;
}

function colourOf(what) {
  const names = { work: "work", "wait-memory": "memory", latency: "result", flag: "flag", "cross-core-flag": "cores", "program-fetch": "firmware", launch: "issue", host: "host" };
  return names[what] ?? "idle";
}

function parts(path) {
  const sums = new Map();
  for (const part of path.parts) {
    const name = labelOf(part);
    const known = sums.get(name) ?? { name, what: part.what, cycles: 0 };
    known.cycles += part.cycles;
    sums.set(name, known);
  }
  return [...sums.values()].sort((a, b) => b.cycles - a.cycles);
}

function partChart(path, rows) {
  const shown = rows.slice(0, SHOWN);
  return chart({
    title: "What the path consists of",
    describe: `Its parts add up to ${cycles(path.cycles)}.`,
    height: 30 + 22 * shown.length,
    draw: () => ({
      grid: { left: 8, right: 56, top: 8, bottom: 8, containLabel: true },
      tooltip: {
        trigger: "axis", axisPointer: { type: "shadow" },
        formatter: ([{ dataIndex }]) => tip(shown[dataIndex].name, [["of the path", percent(shown[dataIndex].cycles / path.cycles)], ["", cycles(shown[dataIndex].cycles)]]),
      },
      xAxis: axis({ type: "value", min: 0, axisLabel: { formatter: (value) => `${Math.round(value * 100)} %` } }),
      yAxis: axis({ type: "category", inverse: true, data: shown.map(({ name }) => name), axisLabel: { interval: 0 } }),
      series: [{
        type: "bar", barMaxWidth: 16,
        label: { show: true, position: "right", color: colour("text"), formatter: ({ value }) => percent(value) },
        data: shown.map((row) => ({ value: row.cycles / path.cycles, itemStyle: { color: colour(colourOf(row.what)) } })),
      }],
    }),
  });
}

function topTable(path) {
  return table({
    caption: "Who is on the path",
    sort: { key: "cycles", down: true },
    columns: [
      { key: "operator", title: "Operator", value: (row) => row.operator },
      { key: "instruction", title: "Instruction", value: (row) => row.instruction || row.unit },
      { key: "unit", title: "Unit", value: (row) => row.unit },
      { key: "cycles", title: "Cycles", number: true, value: (row) => row.cycles, text: whole, bar: (row) => row.cycles / path.cycles },
      { key: "commands", title: "Commands", number: true, value: (row) => row.commands, text: whole },
    ],
    rows: path.top,
  });
}

function gains(path) {
  const rows = Object.entries(path.slack).map(([name, each]) => ({ name, ...each }));
  if (rows.length === 0) return null;
  const faster = `${Math.round(100 * (path.faster - 1))} %`;
  return table({
    caption: `What the run would gain if one unit were ${faster} faster`,
    sort: { key: "gain", down: true },
    columns: [
      { key: "name", title: "Unit", value: (row) => row.name },
      { key: "gain", title: "Gain", number: true, value: (row) => row.gain, text: percent, bar: (row) => row.gain / 0.1 },
      { key: "cycles", title: "Run", unit: "cycles", number: true, value: (row) => row.cycles, text: whole },
    ],
    rows,
  });
}

export function pathSection({ critical_path: path }) {
  if (!path) return null;
  if (path.missing) {
    return section("path", "Critical path", el("p", {}, `Not computed: ${path.missing}.`), gains(path));
  }
  const rows = parts(path);
  return section("path", "Critical path",
    el("div", { class: "columns" },
      el("div", {}, partChart(path, rows)),
      el("div", {}, gains(path))),
    path.top.length > 0 ? topTable(path) : null);
}
