// Percentiles, and the line of a distribution. Pure.

const MOST = 400; // points of a line

/** Smallest value that at least `share` of all are not above; `sorted` ascending. */
export function percentile(sorted, share) {
  if (sorted.length === 0) return 0;
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))];
}

/** [value, share of all that are at most that], in steps, as few as draw the line. */
export function cumulative(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const points = [];
  const every = Math.max(1, Math.floor(sorted.length / MOST));
  sorted.forEach((value, place) => {
    const last = place + 1 === sorted.length;
    if (!last && sorted[place + 1] === value) return;
    if (last || place % every === 0) points.push([value, (place + 1) / sorted.length]);
  });
  return points.length > 0 ? [[points[0][0], 0], ...points] : [];
}

/** The share of `sorted` that is at most that. */
export function shareWithin(sorted, most) {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] <= most) low = middle + 1;
    else high = middle;
  }
  return sorted.length === 0 ? 0 : low / sorted.length;
}
