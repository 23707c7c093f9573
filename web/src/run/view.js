// The stretch of time that is looked at: zooming and moving within the limits of the run. Pure.

const LEAST = 8; // cycles

export class View {
  constructor(begin, end) {
    this.begin = begin;
    this.end = Math.max(end, begin + 1);
    this.from = this.begin;
    this.to = this.end;
    this.past = [];
  }

  get width() {
    return this.to - this.from;
  }

  /** To these cycles, moved inside the run. */
  show(from, to) {
    const width = Math.min(this.end - this.begin, Math.max(LEAST, to - from));
    const start = Math.min(this.end - width, Math.max(this.begin, (from + to - width) / 2));
    this.from = start;
    this.to = start + width;
  }

  /** As show, and `back` returns. */
  enter(from, to) {
    this.past.push([this.from, this.to]);
    this.show(from, to);
  }

  back() {
    const last = this.past.pop();
    if (last) [this.from, this.to] = last;
    else this.all();
  }

  /** Only what lies from `from` on, where that is inside. */
  since(from) {
    this.past = [];
    this.show(Math.max(this.begin, from), this.end);
  }

  all() {
    this.past = [];
    this.from = this.begin;
    this.to = this.end;
  }

  /** Factor below 1 zooms in; the cycle `around` keeps its place. */
  zoom(factor, around = (this.from + this.to) / 2) {
    const share = (around - this.from) / this.width;
    const width = Math.min(this.end - this.begin, Math.max(LEAST, this.width * factor));
    const from = around - share * width;
    this.show(from, from + width);
  }

  /** By a share of what is seen. */
  move(share) {
    const by = share * this.width;
    const from = Math.min(this.end - this.width, Math.max(this.begin, this.from + by));
    this.to = from + this.width;
    this.from = from;
  }
}
