// What interpreting the bytecode costs, under each estimate of the firmware's own cost, and the
// times a hardware profiler would show.
import { el, section } from "../base/dom.js";
import { percent, time, whole } from "../base/format.js";
import { table } from "../base/table.js";

export function firmwareSection({ firmware }) {
  const rows = Object.entries(firmware.decode_profiles ?? {}).map(([name, each]) => ({ name, ...each }));
  if (rows.length === 0) return null;
  return section("firmware", "Decoding",
    el("p", { class: "note" }, "The firmware's cost is not published: itemised from scalar costs at three levels. Exposed: cycles of the compiled programs, launched again, less those with free firmware."),
    table({
      caption: "Decoding by cost level",
      columns: [
        { key: "name", title: "Cost", value: (row) => row.name },
        { key: "exposed", title: "Exposed", unit: "cycles", number: true, value: (row) => row.exposed_cycles, text: whole },
        { key: "share", title: "Of the run", number: true, value: (row) => row.exposed_cycles / Math.max(1, row.cycles), text: percent, bar: (row) => row.exposed_cycles / Math.max(1, row.cycles) },
        { key: "decode", title: "Decoding, all cores", unit: "cycles", number: true, value: (row) => row.decode_cycles, text: whole },
        { key: "cycles", title: "Launched again", unit: "cycles", number: true, value: (row) => row.cycles, text: whole },
      ],
      rows,
    }));
}

export function profilerSection({ profiler, task_us: total }) {
  const rows = Object.entries(profiler ?? {}).map(([name, us]) => ({ name, us }));
  if (rows.length === 0) return null;
  return section("profiler", "As a hardware profiler counts",
    table({
      caption: "Times of kinds of cores (aic: cube, aiv: vector) and their pipes",
      columns: [
        { key: "name", title: "Counter", value: (row) => row.name },
        { key: "us", title: "Time", number: true, value: (row) => row.us, text: time, bar: (row) => row.us / total },
      ],
      rows,
    }));
}
