// A sweep's designs as rows that every chart draws: what was chosen on each axis, what came out.
// Pure.
import { bytes, percent, short, time, whole } from "../base/format.js";

/** Text of a figure in its unit. */
export function figure(value, unit) {
  if (value === null || value === undefined) return "";
  if (unit === "us") return time(value);
  if (unit === "B" || unit === "bytes") return bytes(value);
  if (unit === "cycles") return `${whole(value)} cycles`;
  if (unit === "share") return percent(value);
  return unit ? `${short(value)}\u00a0${unit}` : short(value);
}

/** Axes that tell designs apart; the others tell the cases of one design apart. */
export function designAxes(sweep) {
  return sweep.axes
    .map((axis, place) => ({ ...axis, place }))
    .filter(({ place }) => sweep.designs.some((design) => design.values[place] !== null));
}

export function textAt(axis, design) {
  const value = design.values[axis.place];
  return value === null ? "" : axis.values[value].text;
}

/** What designs are judged by: metrics and costs, each with how to get it, and whether more of it is better. */
export function quantities(sweep) {
  const metrics = sweep.metrics.map(({ name, unit, better }) => ({
    name, unit, kind: "metric", more: better === "more", of: (design) => design.metrics?.[name] ?? null,
  }));
  const costs = new Map();
  for (const { name, unit, assumed } of sweep.costs) {
    const known = costs.get(name);
    costs.set(name, { name, unit, assumed: assumed || Boolean(known?.assumed) });
  }
  return [...metrics, ...[...costs.values()].map((cost) => ({
    ...cost, kind: "cost", more: false, of: (design) => design.costs?.[cost.name] ?? null,
  }))].filter(({ of }) => sweep.designs.some((design) => of(design) !== null));
}

/** Those that differ between designs: what is the same for all says nothing in a chart. */
export function varying(sweep, all) {
  return all.filter(({ of }) => new Set(sweep.designs.map(of).filter((value) => value !== null)).size > 1);
}

/** The last part of dotted names, where it tells them apart. */
export function shortNames(names) {
  const last = names.map((name) => name.split(".").pop());
  return names.map((name, place) => (last.filter((each) => each === last[place]).length === 1 ? last[place] : name));
}

export function labelOf(quantity) {
  const unit = quantity.unit === "us" ? "µs" : quantity.unit;
  return `${quantity.name}${unit ? ` (${unit})` : ""}${quantity.assumed ? ", assumed" : ""}`;
}

/** Lines of a tooltip: the design's axes and figures. */
export function describe(sweep, axes, all, design) {
  return [
    ...axes.map((axis) => [axis.name, textAt(axis, design)]),
    ...all.map((each) => [each.name, figure(each.of(design), each.unit)]),
  ];
}

/** The values of an axis, or ranges of them if they are many: [{text, has(design)}]. */
export function steps(axis, designs, most = 12) {
  const used = [...new Set(designs.map((design) => design.values[axis.place]))].sort((a, b) => a - b);
  const number = (value) => axis.values[value].number;
  if (used.length <= most || used.some((value) => typeof number(value) !== "number")) {
    const order = used.every((value) => typeof number(value) === "number")
      ? used.sort((a, b) => number(a) - number(b)) : used;
    return order.map((value) => ({ text: axis.values[value].text, has: (design) => design.values[axis.place] === value }));
  }
  const low = Math.min(...used.map(number));
  const width = (Math.max(...used.map(number)) - low) / most;
  return Array.from({ length: most }, (unused, step) => {
    const from = low + step * width;
    const last = step === most - 1;
    return {
      text: `${short(from)} to ${short(from + width)}`,
      has: (design) => {
        const at = number(design.values[axis.place]);
        return at >= from && (last || at < from + width);
      },
    };
  });
}
