// The timeline's rows as arrays of numbers, and what a stretch of them holds. Pure: no drawing.
import { CLASSES, classOf } from "../base/reasons.js";

function unpacked(base64) {
  const text = atob(base64);
  const numbers = [];
  for (let at = 0, number = 0, scale = 1; at < text.length; ++at) {
    const byte = text.charCodeAt(at);
    number += (byte & 127) * scale;
    scale *= 128;
    if (byte < 128) {
      numbers.push(number);
      number = 0;
      scale = 1;
    }
  }
  return numbers;
}

/** {name, resolution, ends: cycle at which each piece ends, kinds: its kind}; see traces/timeline.h. */
export function rowOf({ name, resolution, pieces }, begin) {
  const numbers = unpacked(pieces);
  const count = numbers.length / 2;
  const ends = new Float64Array(count);
  const kinds = new Uint16Array(count);
  let at = begin;
  for (let i = 0; i < count; ++i) {
    at += numbers[2 * i];
    ends[i] = at;
    kinds[i] = numbers[2 * i + 1];
  }
  return { name, resolution, begin, ends, kinds };
}

/** The first piece that ends after that cycle. */
export function pieceAt(row, cycle) {
  let low = 0;
  let high = row.ends.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (row.ends[middle] > cycle) high = middle;
    else low = middle + 1;
  }
  return low;
}

export function beginOf(row, piece) {
  return piece === 0 ? row.begin : row.ends[piece - 1];
}

/**
 * Adds to `sums` (count x classes) the cycles of each class in `count` equal parts of [from, to).
 * What lies beyond the last piece is idle. `classes`: class of each kind.
 */
export function addParts(row, classes, from, to, count, sums) {
  const wide = CLASSES.length;
  const width = (to - from) / count;
  const put = (begin, end, which) => {
    let at = Math.max(begin, from);
    const until = Math.min(end, to);
    let part = Math.min(count - 1, Math.floor((at - from) / width));
    while (at < until) {
      const edge = part === count - 1 ? to : from + (part + 1) * width;
      const stop = Math.min(until, edge);
      sums[part * wide + which] += stop - at;
      at = stop;
      ++part;
      if (part >= count) break;
    }
  };
  let piece = pieceAt(row, from);
  for (; piece < row.ends.length && beginOf(row, piece) < to; ++piece) {
    put(beginOf(row, piece), row.ends[piece], classes[row.kinds[piece]]);
  }
  const last = row.ends.length === 0 ? row.begin : row.ends[row.ends.length - 1];
  if (last < to) put(Math.max(last, from), to, wide - 1);
}

/** Cycles of [from, to) by "reason" and by label of the work. */
export function mixOf(row, kinds, from, to) {
  const sums = new Map();
  let seen = 0;
  for (let piece = pieceAt(row, from); piece < row.ends.length; ++piece) {
    const begin = beginOf(row, piece);
    if (begin >= to) break;
    const kind = kinds[row.kinds[piece]];
    const name = kind.label || kind.reason;
    const cycles = Math.min(row.ends[piece], to) - Math.max(begin, from);
    sums.set(name, { name, reason: kind.reason, cycles: (sums.get(name)?.cycles ?? 0) + cycles });
    seen += cycles;
  }
  if (seen < to - from) {
    const idle = sums.get("idle")?.cycles ?? 0;
    sums.set("idle", { name: "idle", reason: "idle", cycles: idle + to - from - seen });
  }
  return [...sums.values()].sort((a, b) => b.cycles - a.cycles);
}

/** Rows, launches and kinds of a report's timeline; lanes are what can be looked at. */
export function timelineOf(timeline) {
  return {
    begin: timeline.begin,
    end: timeline.end,
    kinds: timeline.kinds,
    classes: timeline.kinds.map(({ reason }) => classOf(reason)),
    launches: timeline.launches,
    rows: timeline.rows.map((row) => rowOf(row, timeline.begin)),
  };
}

/** "cube12.mte2" -> {core: "cube12", group: "cube", pipe: "mte2", unit: "cube.mte2"} */
export function partsOf(name) {
  const [core, pipe] = name.split(".");
  const group = core.replace(/\d+$/, "");
  return { core, group, pipe, unit: group === "host" ? name : `${group}.${pipe}` };
}

/** Lanes of rows that are drawn as one, averaged: one for each unit. */
export function averaged(rows) {
  const lanes = new Map();
  for (const row of rows) {
    const { unit } = partsOf(row.name);
    if (!lanes.has(unit)) lanes.set(unit, { name: unit, rows: [] });
    lanes.get(unit).rows.push(row);
  }
  return [...lanes.values()];
}
