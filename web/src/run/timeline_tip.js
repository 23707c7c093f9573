// What lies under the pointer on the timeline: a launch, a single command or wait, or the mix of
// all that one pixel holds.
import { tip } from "../base/chart.js";
import { cycles as cyclesText, percent, plural, whole } from "../base/format.js";
import { CLASSES, classOf } from "../base/reasons.js";
import { colour } from "../base/theme.js";
import { beginOf, mixOf, pieceAt } from "./pieces.js";

const SHOWN = 6;

function launchAt({ launches }, cycle) {
  return launches.find((launch) => launch.begin <= cycle && cycle < launch.end);
}

export function tipOfLaunch(timeline, cycle) {
  const launch = launchAt(timeline, cycle);
  if (!launch) return tip("between launches", [`at ${whole(cycle)} cycles`]);
  return tip(launch.label, [
    ["takes", cyclesText(launch.end - launch.begin)],
    ["begins at", whole(launch.begin)],
    ["submitted at", whole(launch.submitted)],
  ]);
}

/** Nothing if the piece is narrower than a pixel. */
function tipOfPiece({ kinds, classes }, lane, cycle, pixel, below) {
  const [row] = lane.rows;
  const piece = pieceAt(row, cycle);
  if (piece === row.ends.length) return tip(lane.name, ["idle"]);
  const length = row.ends[piece] - beginOf(row, piece);
  if (length < pixel) return null;
  const { label, reason } = kinds[row.kinds[piece]];
  return tip(`${lane.name}: ${label || reason}`, [
    ["takes", cyclesText(length), colour(CLASSES[classes[row.kinds[piece]]].colour)],
    ["from", whole(beginOf(row, piece))], ...below,
  ]);
}

/** `pixel`: cycles of one. */
export function tipOfLane(timeline, lane, cycle, pixel) {
  const launch = launchAt(timeline, cycle);
  const below = launch ? [["launch", launch.label]] : [];
  const single = lane.rows.length === 1 ? tipOfPiece(timeline, lane, cycle, pixel, below) : null;
  if (single) return single;
  const from = Math.max(timeline.begin, cycle - pixel / 2);
  const sums = new Map();
  for (const row of lane.rows) {
    for (const { name, reason, cycles } of mixOf(row, timeline.kinds, from, from + pixel)) {
      sums.set(name, { name, reason, cycles: cycles + (sums.get(name)?.cycles ?? 0) });
    }
  }
  const most = [...sums.values()].sort((a, b) => b.cycles - a.cycles).slice(0, SHOWN);
  return tip(lane.rows.length > 1 ? `${lane.name}, ${plural(lane.rows.length, "core")}` : lane.name, [
    ...most.map(({ name, reason, cycles }) =>
      [name, percent(cycles / (pixel * lane.rows.length)), colour(CLASSES[classOf(reason)].colour)]),
    ["at", whole(cycle)], ...below,
  ]);
}
