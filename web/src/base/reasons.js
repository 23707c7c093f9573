// Why a pipe spent a cycle, in eight classes that eight colours can tell apart (Okabe and Ito's, for
// every kind of colour vision), in the order in which they are stacked.

export const CLASSES = [
  { name: "work", colour: "work", reasons: ["work", "host"], help: "the pipe works on a command" },
  { name: "memory", colour: "memory", reasons: ["wait-memory"], help: "a copy waits for L2 or HBM" },
  { name: "flag", colour: "flag", reasons: ["wait-flag"], help: "waits for another pipe of its core" },
  { name: "other cores", colour: "cores", reasons: ["wait-cross-core", "wait-barrier"], help: "waits for another core" },
  {
    name: "own result", colour: "result", reasons: ["wait-dependency", "wait-bank", "wait-result"],
    help: "waits for a result that is not visible yet, or for a bank of UB",
  },
  {
    name: "firmware", colour: "firmware", reasons: ["empty-decode", "empty-program-fetch"],
    help: "the queue is empty while the firmware decodes or fetches the program",
  },
  {
    name: "issue", colour: "issue", reasons: ["empty-issue-blocked", "queue-full"],
    help: "the firmware is held up by a full queue or a wait",
  },
  { name: "idle", colour: "idle", reasons: ["idle"], help: "no launch, or nothing left for this pipe" },
];

const byReason = new Map(CLASSES.flatMap((each, number) => each.reasons.map((reason) => [reason, number])));

/** The number of the class of a reason. */
export function classOf(reason) {
  return byReason.get(reason) ?? CLASSES.length - 1;
}

/** Cycles by reason -> cycles by class. */
export function byClass(reasons) {
  const sums = new Array(CLASSES.length).fill(0);
  for (const [reason, cycles] of Object.entries(reasons)) sums[classOf(reason)] += cycles;
  return sums;
}

/** Cycles by reason of several, added. */
export function added(list) {
  const sum = {};
  for (const reasons of list) {
    for (const [reason, cycles] of Object.entries(reasons)) sum[reason] = (sum[reason] ?? 0) + cycles;
  }
  return sum;
}
