// A row per operator: its launches, cycles, bytes and what its busiest pipe did; choosing one shows
// its pipes and instructions, and where it is on the timeline.
import { el, section } from "../base/dom.js";
import { bytes, percent, whole } from "../base/format.js";
import { table } from "../base/table.js";
import { reasonTable, stackedBars } from "./stalls.js";

/** The pipe with the largest share of work, and the wait that costs it most. */
export function busiest(operator) {
  let best = null;
  for (const unit of operator.units) {
    const share = (unit.reasons.work ?? 0) / Math.max(1, unit.total);
    if (!best || share > best.share) best = { unit, share };
  }
  if (!best) return { name: "", share: 0, wait: "" };
  const waits = Object.entries(best.unit.reasons).filter(([reason]) => reason !== "work" && reason !== "idle").sort((a, b) => b[1] - a[1]);
  return { name: best.unit.name, share: best.share, wait: waits.length > 0 ? waits[0][0] : "" };
}

function instructions(operator) {
  const rows = operator.units.flatMap((unit) =>
    Object.entries(unit.instructions).map(([name, each]) => ({ name, unit: unit.name, total: unit.total, ...each })));
  if (rows.length === 0) return null;
  return table({
    caption: "Instructions, all cores together",
    sort: { key: "cycles", down: true },
    columns: [
      { key: "name", title: "Instruction", value: (row) => row.name },
      { key: "unit", title: "Pipe", value: (row) => row.unit },
      { key: "commands", title: "Commands", number: true, value: (row) => row.commands, text: whole },
      { key: "cycles", title: "Work", unit: "cycles", number: true, value: (row) => row.cycles, text: whole, bar: (row) => row.cycles / row.total },
    ],
    rows,
  });
}

function details(operator, onShow) {
  return el("div", { class: "card", role: "region", "aria-label": `Operator ${operator.name}` },
    el("h3", {}, operator.name),
    onShow ? el("button", { type: "button", on: { click: () => onShow(operator.name) } }, "Show in the timeline") : null,
    stackedBars(operator.units, {
      title: "Its pipes", describe: "Shares of the time of all cores that took part.",
    }),
    el("details", {}, el("summary", {}, "As a table, with every reason"), reasonTable(operator.units, "Cycles by reason")),
    instructions(operator));
}

export function operatorSection(report, onShow) {
  if (!report.operators?.length) return null;
  const together = report.operators.reduce((sum, { cycles }) => sum + cycles, 0);
  const rows = report.operators.map((operator) => ({ ...operator, busiest: busiest(operator), share: operator.cycles / Math.max(1, together) }));
  const place = el("div", { "aria-live": "polite" });
  let chosen = null;
  const made = table({
    caption: "Operators",
    search: "Search operators",
    sort: { key: "cycles", down: true },
    first: 25,
    columns: [
      { key: "name", title: "Operator", value: (row) => row.name },
      { key: "cycles", title: "Cycles", number: true, value: (row) => row.cycles, text: whole, bar: (row) => row.share, help: "from a launch's beginning on the device to its last core's end" },
      { key: "share", title: "Share", number: true, value: (row) => row.share, text: percent, help: "of all launches" },
      { key: "launches", title: "Launches", number: true, value: (row) => row.launches + (row.tasks ?? 0), text: whole, help: "or tasks of a launch" },
      { key: "pipe", title: "Busiest pipe", value: (row) => row.busiest.name },
      { key: "work", title: "Pipe works", number: true, value: (row) => row.busiest.share, text: percent, bar: (row) => row.busiest.share },
      { key: "wait", title: "Waits most for", value: (row) => row.busiest.wait },
      { key: "read", title: "HBM read", number: true, value: (row) => row.hbm_read_bytes, text: bytes },
      { key: "written", title: "HBM write", number: true, value: (row) => row.hbm_write_bytes, text: bytes },
      { key: "hits", title: "L2 hits", number: true, value: (row) => row.l2_hit_bytes, text: bytes },
    ],
    rows,
    selected: (row) => row === chosen,
    onRow: (row) => {
      chosen = row;
      made.redraw();
      place.replaceChildren(details(row, onShow));
    },
  });
  return section("operators", "Operators",
    el("p", { class: "note" }, "Choose an operator to see its pipes and instructions."), made, place);
}
