// The bytecode, line by line, with what each line cost.
import { choice, el, section } from "../base/dom.js";
import { bytes, plural, whole } from "../base/format.js";
import { table } from "../base/table.js";

function waited(line) {
  return Object.values(line.waits ?? {}).reduce((sum, cycles) => sum + cycles, 0);
}

function mostly(line) {
  const waits = Object.entries(line.waits ?? {}).sort((a, b) => b[1] - a[1]);
  return waits.length > 0 ? waits[0][0] : "";
}

function programTable(program) {
  const busy = Math.max(1, ...program.lines.map((line) => line.busy ?? 0));
  const wait = Math.max(1, ...program.lines.map(waited));
  const optional = (value) => (value === null ? "" : whole(value));
  return table({
    caption: `Instructions of ${program.name}`,
    search: "Search instructions",
    columns: [
      { key: "pc", title: "Word", value: (row) => `${row.core} ${String(row.pc).padStart(4, "0")}` },
      { key: "text", title: "Instruction", code: true, value: (row) => row.text },
      { key: "mark", title: "Begins", value: (row) => row.mark ?? "" },
      { key: "commands", title: "Commands", number: true, value: (row) => row.commands ?? null, text: optional },
      { key: "busy", title: "Work", unit: "cycles", number: true, value: (row) => row.busy ?? null, text: optional, bar: (row) => (row.busy ?? 0) / busy },
      { key: "waits", title: "Waits", unit: "cycles", number: true, value: (row) => (row.commands ? waited(row) : null), text: optional, bar: (row) => waited(row) / wait },
      { key: "mostly", title: "Mostly for", value: mostly },
    ],
    rows: program.lines,
  });
}

export function listingSection({ listing }) {
  if (!listing?.length) return null;
  const place = el("div");
  const show = (number) => {
    const program = listing[Number(number)];
    place.replaceChildren(program.lines.length > 0
      ? programTable(program)
      : el("p", { class: "note" }, "Left out of this report: its programs have more lines than fit. dvmsim disasm prints it."));
  };
  show(0);
  const names = listing.map((program, number) =>
    [String(number), `${program.name}: ${plural(program.launches, "launch", "launches")}, ${bytes(program.bytes)}, ${whole(program.busy)} cycles of work`]);
  return section("listing", "Bytecode",
    el("p", { class: "note" }, "Cycles of all cores and launches together. Lines without commands are performed by the scalar unit alone."),
    el("div", { class: "tools" }, choice("Program", names, "0", show)), place);
}
