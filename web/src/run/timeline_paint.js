// Draws lanes of the timeline on a canvas. However many pieces a lane has, it is drawn as one
// column a pixel, stacked by what the cycles under that pixel were spent on; single commands get
// edges and names as soon as they are wide enough.
import { whole } from "../base/format.js";
import { CLASSES } from "../base/reasons.js";
import { colour } from "../base/theme.js";
import { addParts, beginOf, pieceAt } from "./pieces.js";

export const LANE = 20, GAP = 4, RULER = 22, STRIP = 20;

export function heightOf(lanes) {
  return RULER + STRIP + lanes.length * (LANE + GAP) + GAP;
}

/** Cycles between the lines of the ruler: 1, 2 or 5 times a power of ten. */
export function stepOf(width, lines) {
  const raw = width / Math.max(1, lines);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= raw);
  return Math.max(1, step);
}

/** 1,200 or 1,200 k or 2 M, as the lines of the ruler need it. */
export function rulerText(cycle, step) {
  if (cycle === 0 || step < 10000) return whole(cycle);
  return step % 1000000 === 0 ? `${whole(cycle / 1000000)} M` : `${whole(cycle / 1000)} k`;
}

class Painter {
  constructor(canvas, gutter) {
    this.gutter = gutter;
    this.scale = window.devicePixelRatio || 1;
    this.width = canvas.clientWidth;
    this.height = canvas.clientHeight;
    canvas.width = Math.round(this.width * this.scale);
    canvas.height = Math.round(this.height * this.scale);
    this.pen = canvas.getContext("2d");
    this.pen.scale(this.scale, this.scale);
    this.pen.font = "11px system-ui, sans-serif";
    this.pen.textBaseline = "middle";
    this.text = colour("text");
    this.soft = colour("soft");
    this.grid = colour("grid");
    this.line = colour("line");
    this.colours = CLASSES.map((each) => colour(each.colour));
  }

  get plot() {
    return this.width - this.gutter;
  }

  x(view, cycle) {
    return this.gutter + ((cycle - view.from) / view.width) * this.plot;
  }

  ruler(view) {
    const step = stepOf(view.width, this.plot / 90);
    this.pen.textAlign = "center";
    for (let at = Math.ceil(view.from / step) * step; at <= view.to; at += step) {
      const x = Math.round(this.x(view, at)) + 0.5;
      this.pen.fillStyle = this.grid;
      this.pen.fillRect(x, RULER, 1, this.height - RULER);
      this.pen.fillStyle = this.soft;
      const text = rulerText(at, step);
      const half = this.pen.measureText(text).width / 2;
      if (x - half > this.gutter && x + half < this.width) this.pen.fillText(text, x, RULER / 2);
    }
  }

  clipped(text, width) {
    if (this.pen.measureText(text).width <= width) return text;
    let length = text.length;
    while (length > 1 && this.pen.measureText(`${text.slice(0, length)}…`).width > width) length -= Math.ceil(length / 8);
    return length > 1 ? `${text.slice(0, length)}…` : "";
  }

  label(text, y) {
    this.pen.textAlign = "left";
    this.pen.fillStyle = this.text;
    this.pen.fillText(this.clipped(text, this.gutter - 8), 2, y + LANE / 2);
  }

  launches(view, launches) {
    this.label("launches", RULER);
    let last = -1;
    launches.forEach((launch, number) => {
      if (launch.end < view.from || launch.begin > view.to) return;
      const left = Math.max(this.gutter, this.x(view, launch.begin));
      const right = Math.min(this.width, this.x(view, launch.end));
      if (right <= last) return; // hidden behind those drawn
      this.pen.fillStyle = number % 2 === 0 ? colour("launch") : colour("launch-other");
      this.pen.fillRect(left, RULER + 2, Math.max(1, right - left - (right - left > 4 ? 1 : 0)), STRIP - 4);
      last = right;
      if (right - left < 30) return;
      this.pen.fillStyle = this.text;
      this.pen.textAlign = "left";
      this.pen.fillText(this.clipped(launch.label, right - left - 8), left + 4, RULER + STRIP / 2);
    });
  }

  /** One column a pixel; equal neighbours are drawn as one. */
  columns(view, lane, classes, shown, y) {
    const count = Math.max(1, Math.round(this.plot));
    const wide = CLASSES.length;
    const sums = new Float64Array(count * wide);
    for (const row of lane.rows) addParts(row, classes, view.from, view.to, count, sums);
    const whole = (view.width / count) * lane.rows.length;
    let run = 0;
    const same = (a, b) => {
      for (let i = 0; i < wide; ++i) {
        const one = sums[a * wide + i], other = sums[b * wide + i];
        if ((one === 0) !== (other === 0) || Math.abs(one - other) > whole / 200) return false;
      }
      return true;
    };
    for (let at = 1; at <= count; ++at) {
      if (at < count && same(run, at)) continue;
      let bottom = y + LANE;
      for (let which = 0; which < wide; ++which) {
        const high = (sums[run * wide + which] / whole) * LANE;
        if (high > 0 && shown[which] && which !== wide - 1) {
          this.pen.fillStyle = this.colours[which];
          this.pen.fillRect(this.gutter + run, bottom - high, at - run, high);
        }
        bottom -= high;
      }
      run = at;
    }
  }

  /** Edges and names of single pieces of a lane that is one row. */
  commands(view, row, { kinds, classes }, shown, y) {
    const last = Math.min(row.ends.length, pieceAt(row, view.to) + 1);
    const first = pieceAt(row, view.from);
    if (last - first > this.plot) return;
    this.pen.textAlign = "left";
    for (let piece = first; piece < last; ++piece) {
      const which = classes[row.kinds[piece]];
      if (which === CLASSES.length - 1 || !shown[which]) continue;
      const left = this.x(view, beginOf(row, piece));
      const right = this.x(view, row.ends[piece]);
      if (right - left < 4) continue;
      this.pen.fillStyle = colour("page");
      if (right < this.width) this.pen.fillRect(Math.max(this.gutter, right - 1), y, 1, LANE);
      const from = Math.max(left, this.gutter);
      const room = Math.min(right, this.width) - from - 6;
      const { label, reason } = kinds[row.kinds[piece]];
      if (room < 24) continue;
      this.pen.fillStyle = which === 0 ? colour("on-work") : "#000";
      this.pen.fillText(this.clipped(label || reason, room), from + 3, y + LANE / 2 + 0.5);
    }
  }
}

/** `shown`: by class, whether its cycles are drawn. `mark`: cycles [from, to) being chosen. */
export function paint(canvas, { timeline, lanes, view, shown, gutter, mark }) {
  const painter = new Painter(canvas, gutter);
  painter.ruler(view);
  painter.launches(view, timeline.launches);
  lanes.forEach((lane, number) => {
    const y = RULER + STRIP + GAP + number * (LANE + GAP);
    painter.label(lane.name, y);
    painter.pen.fillStyle = colour("trough");
    painter.pen.fillRect(gutter, y, painter.plot, LANE);
    painter.columns(view, lane, timeline.classes, shown, y);
    if (lane.rows.length === 1) painter.commands(view, lane.rows[0], timeline, shown, y);
  });
  if (!mark) return;
  painter.pen.fillStyle = colour("mark");
  const left = painter.x(view, Math.min(...mark));
  painter.pen.fillRect(left, RULER, painter.x(view, Math.max(...mark)) - left, painter.height - RULER);
}
