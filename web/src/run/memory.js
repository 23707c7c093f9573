// Device memory when the run used most, and what crossed L2 and HBM.
import { section } from "../base/dom.js";
import { chart, tip, axis } from "../base/chart.js";
import { bytes, percent } from "../base/format.js";
import { table } from "../base/table.js";
import { colour } from "../base/theme.js";

const USES = [
  ["weights_bytes", "weights", "work"], ["inputs_outputs_bytes", "inputs and outputs", "flag"],
  ["intermediates_bytes", "intermediates", "firmware"], ["programs_bytes", "programs", "cores"],
];

export function memorySection({ device_memory: memory }) {
  if (!memory || memory.peak_bytes === 0) return null;
  const rows = USES.map(([key, name, shade]) => ({ name, shade, bytes: memory[key] }));
  const draw = () => ({
    grid: { left: 8, right: 24, top: 4, bottom: 4, containLabel: true },
    tooltip: { trigger: "axis", formatter: () => tip("At the peak", rows.map((row) => [row.name, bytes(row.bytes), colour(row.shade)])) },
    xAxis: axis({ type: "value", max: memory.peak_bytes, axisLabel: { formatter: bytes, showMaxLabel: true }, splitNumber: 3 }),
    yAxis: axis({ type: "category", data: ["in use"] }),
    series: rows.map((row) => ({
      name: row.name, type: "bar", stack: "all", barWidth: 26, data: [row.bytes], itemStyle: { color: colour(row.shade) },
    })),
  });
  return section("memory", "Memory", chart({
    title: `Device memory at the peak: ${bytes(memory.peak_bytes)}`,
    describe: rows.map((row) => `${row.name} ${bytes(row.bytes)}`).join(", "),
    height: 76, draw, items: rows.map((row) => ({ name: row.name, colour: `var(--${row.shade})` })),
    data: table({
      caption: "Device memory",
      columns: [
        { key: "name", title: "Used by", value: (row) => row.name },
        { key: "bytes", title: "Size", number: true, value: (row) => row.bytes, text: bytes, bar: (row) => row.bytes / memory.peak_bytes },
        { key: "share", title: "Share", number: true, value: (row) => row.bytes / memory.peak_bytes, text: percent },
      ],
      rows,
    }),
  }));
}
