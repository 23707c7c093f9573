// The timeline of a run: every pipe over time. Drag to zoom into a stretch, Shift and drag to move,
// Ctrl and wheel to zoom; on a touch screen drag to move and pinch to zoom; or buttons and keys.
import { choice, el, section } from "../base/dom.js";
import { cycles as cyclesText, percent, time, whole } from "../base/format.js";
import { legend } from "../base/chart.js";
import { CLASSES } from "../base/reasons.js";
import { onTheme } from "../base/theme.js";
import { table } from "../base/table.js";
import { averaged, mixOf, partsOf, timelineOf } from "./pieces.js";
import { GAP, LANE, RULER, STRIP, heightOf, paint } from "./timeline_paint.js";
import { tipOfLane, tipOfLaunch } from "./timeline_tip.js";
import { View } from "./view.js";

const AVERAGE = "average", HOST = "host";

class Timeline {
  constructor(report) {
    this.mhz = report.clock_mhz;
    this.timeline = timelineOf(report.timeline);
    this.view = new View(this.timeline.begin, this.timeline.end);
    this.device();
    this.shown = CLASSES.map(() => true);
    this.host = this.timeline.rows.filter((row) => partsOf(row.name).group === HOST);
    this.cores = this.timeline.rows.filter((row) => partsOf(row.name).group !== HOST);
    this.choose(AVERAGE);
    this.build();
  }

  /** The device's part of the run: the host may have compiled for long before. */
  device() {
    const first = this.timeline.launches.length > 0 ? this.timeline.launches[0].begin : 0;
    this.view.since(Math.min(0, first));
  }

  /** What can be looked at, as value and text. */
  choices() {
    const cores = [...new Set(this.cores.map((row) => partsOf(row.name).core))];
    const units = [...new Set(this.cores.map((row) => partsOf(row.name).unit))];
    return [
      [AVERAGE, "all cores, averaged"],
      ...cores.map((core) => [`core ${core}`, `core ${core}`]),
      ...units.map((unit) => [`unit ${unit}`, `${unit} of every core`]),
    ];
  }

  choose(what) {
    const [how, name] = what.split(" ");
    const single = (rows) => rows.map((row) => ({ name: row.name, rows: [row] }));
    let lanes = averaged(this.cores);
    if (how === "core") lanes = single(this.cores.filter((row) => partsOf(row.name).core === name));
    if (how === "unit") lanes = single(this.cores.filter((row) => partsOf(row.name).unit === name));
    this.lanes = [...single(this.host), ...lanes];
  }

  build() {
    this.canvas = el("canvas", {
      tabindex: 0, role: "img",
      "aria-label": "Every pipe over time. Plus and minus zoom, arrows move, 0 shows all; the table below says what is in view.",
    });
    this.readout = el("output", { class: "readout", role: "status" });
    this.bubble = el("div", { class: "bubble", hidden: true });
    this.inView = el("div");
    this.gathered = el("p", { class: "note" });
    const button = (text, label, act) =>
      el("button", { type: "button", "aria-label": label, title: label, on: { click: () => (act(), this.changed()) } }, text);
    const tools = el("div", { class: "tools" },
      choice("Rows", this.choices(), AVERAGE, (value) => (this.choose(value), this.changed())),
      el("span", { class: "buttons", role: "group", "aria-label": "Zoom" },
        button("−", "Zoom out", () => this.view.zoom(2)),
        button("+", "Zoom in", () => this.view.zoom(0.5)),
        button("◀", "Earlier", () => this.view.move(-0.5)),
        button("▶", "Later", () => this.view.move(0.5)),
        button("Back", "Back to before the last zoom", () => this.view.back()),
        button("Device", "Show what the device does", () => this.device()),
        button("All", "Show the whole run, with the host before the device", () => this.view.all())),
      this.readout);
    const items = CLASSES.map((each) => ({ name: each.name, colour: `var(--${each.colour})`, help: each.help }));
    const legends = legend(items.slice(0, -1), (name, shown) => {
      this.shown[CLASSES.findIndex((each) => each.name === name)] = shown;
      this.changed();
    });
    this.frame = el("div", { class: "timeline" }, this.canvas, this.bubble);
    this.details = el("details", { on: { toggle: () => this.fillTable() } },
      el("summary", {}, "What is in view, as a table"), this.inView);
    this.element = section("timeline", "Timeline",
      el("p", { class: "note" }, "A column a pixel, stacked by what its cycles were spent on. Drag to zoom in, Shift-drag to move, Ctrl-wheel to zoom."),
      tools, legends, this.frame, this.gathered, this.details);
    this.listen();
    new ResizeObserver(() => this.changed()).observe(this.frame);
    onTheme(() => this.draw());
  }

  /** Says where single commands of what is shown are not kept. */
  noteGathered() {
    const most = Math.max(1, ...this.lanes.flatMap(({ rows }) => rows.map(({ resolution }) => resolution)));
    this.gathered.hidden = most === 1;
    this.gathered.textContent =
      `Some rows gather their many commands in stretches of up to ${cyclesText(most)}, where sums are exact and the order is lost; --trace keeps every command.`;
  }

  get gutter() {
    return this.frame.clientWidth < 560 ? 84 : 112;
  }

  changed() {
    const { from, to } = this.view;
    this.canvas.style.height = `${heightOf(this.lanes)}px`;
    Object.assign(this.canvas.dataset, { from: Math.round(from), to: Math.round(to), lanes: this.lanes.length });
    this.readout.textContent = `${whole(from)} to ${whole(to)} cycles (${time((to - from) / this.mhz)})`;
    this.noteGathered();
    this.draw();
    this.fillTable();
  }

  draw() {
    if (this.frame.clientWidth === 0) return;
    paint(this.canvas, {
      timeline: this.timeline, lanes: this.lanes, view: this.view, shown: this.shown, gutter: this.gutter, mark: this.mark,
    });
  }

  fillTable() {
    if (!this.details.open) return;
    const { from, to } = this.view;
    const rows = this.lanes.map((lane) => {
      const mixes = lane.rows.flatMap((row) => mixOf(row, this.timeline.kinds, from, to));
      const total = (to - from) * lane.rows.length;
      const sums = CLASSES.map((each) =>
        mixes.filter(({ reason }) => each.reasons.includes(reason)).reduce((sum, { cycles }) => sum + cycles, 0) / total);
      return { name: lane.name, sums };
    });
    this.inView.replaceChildren(table({
      caption: `Shares of ${whole(from)} to ${whole(to)} cycles`,
      columns: [
        { key: "name", title: "Row", value: (row) => row.name },
        ...CLASSES.map((each, which) => ({
          key: each.colour, title: each.name, number: true, help: each.help,
          value: (row) => row.sums[which], text: percent, bar: (row) => row.sums[which],
        })),
      ],
      rows,
    }));
  }

  cycleAt(x) {
    const { from, width } = this.view;
    return from + ((x - this.gutter) / (this.frame.clientWidth - this.gutter)) * width;
  }

  listen() {
    const on = (event, listener, options) => this.canvas.addEventListener(event, listener, options);
    on("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      this.view.zoom(event.deltaY > 0 ? 1.25 : 0.8, this.cycleAt(event.offsetX));
      this.changed();
    }, { passive: false });
    on("keydown", (event) => this.key(event));
    on("pointerdown", (event) => this.press(event));
    on("pointermove", (event) => this.follow(event));
    on("pointerup", (event) => this.release(event));
    on("pointercancel", (event) => this.release(event));
    on("pointerleave", () => (this.bubble.hidden = true));
    on("dblclick", () => (this.view.back(), this.changed()));
  }

  key(event) {
    const acts = {
      "+": () => this.view.zoom(0.5), "=": () => this.view.zoom(0.5), "-": () => this.view.zoom(2),
      ArrowLeft: () => this.view.move(-0.2), ArrowRight: () => this.view.move(0.2),
      0: () => this.view.all(), Home: () => this.view.all(), Backspace: () => this.view.back(),
    };
    const act = acts[event.key];
    if (!act || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    act();
    this.changed();
  }

  press(event) {
    if (event.button !== 0 || event.offsetX < this.gutter) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.fingers ??= new Map();
    this.fingers.set(event.pointerId, event.offsetX);
    this.bubble.hidden = true;
    if (event.pointerType === "mouse" && !event.shiftKey) this.mark = [this.cycleAt(event.offsetX), this.cycleAt(event.offsetX)];
  }

  follow(event) {
    const before = this.fingers?.get(event.pointerId);
    if (before === undefined) return this.hover(event);
    const plot = this.frame.clientWidth - this.gutter;
    const spread = () => {
      const [a, b] = [...this.fingers.values()];
      return Math.max(8, Math.abs(a - b));
    };
    if (this.mark) {
      this.mark[1] = Math.max(this.view.from, Math.min(this.view.to, this.cycleAt(event.offsetX)));
      return this.draw();
    }
    if (this.fingers.size === 2) {
      const was = spread();
      this.fingers.set(event.pointerId, event.offsetX);
      this.view.zoom(was / spread(), this.cycleAt([...this.fingers.values()].reduce((a, b) => a + b) / 2));
    } else {
      this.fingers.set(event.pointerId, event.offsetX);
      this.view.move((before - event.offsetX) / plot);
    }
    this.changed();
  }

  release(event) {
    this.fingers?.delete(event.pointerId);
    if (!this.mark) return;
    const [from, to] = [Math.min(...this.mark), Math.max(...this.mark)];
    this.mark = null;
    const pixels = ((to - from) / this.view.width) * (this.frame.clientWidth - this.gutter);
    if (pixels > 4 && event.type === "pointerup") this.view.enter(from, to);
    this.changed();
  }

  hover(event) {
    const number = Math.floor((event.offsetY - RULER - STRIP - GAP) / (LANE + GAP));
    const lane = this.lanes[number];
    this.bubble.hidden = event.offsetX < this.gutter || event.offsetY < RULER || (number >= 0 && !lane);
    if (this.bubble.hidden) return;
    const at = this.cycleAt(event.offsetX);
    const pixel = this.view.width / (this.frame.clientWidth - this.gutter);
    this.bubble.replaceChildren(lane ? tipOfLane(this.timeline, lane, at, pixel) : tipOfLaunch(this.timeline, at));
    const wide = this.bubble.offsetWidth;
    const left = Math.min(event.offsetX + 12, this.frame.clientWidth - wide - 4);
    this.bubble.style.left = `${Math.max(0, left)}px`;
    this.bubble.style.top = `${event.offsetY + 16}px`;
  }

  /** Zooms to the launches with this label and shows where they are. */
  showLaunches(label) {
    const found = this.timeline.launches.filter((launch) => launch.label === label);
    if (found.length === 0) return;
    const from = Math.min(...found.map((launch) => launch.begin));
    const to = Math.max(...found.map((launch) => launch.end));
    const room = (to - from) / 20;
    this.view.enter(from - room, to + room);
    this.changed();
    this.element.scrollIntoView({ block: "start" });
  }
}

export function timelineSection(report) {
  if (!report.timeline) return null;
  const made = new Timeline(report);
  made.element.showLaunches = (label) => made.showLaunches(label);
  return made.element;
}
