// Numbers as text, with their units. The same text on every computer: no locale is asked.

/** 1234567 -> "1,234,567" */
export function whole(number) {
  const digits = String(Math.abs(Math.round(number)));
  const grouped = digits.replace(/\B(?=(\d{3})+$)/g, ",");
  return (number < 0 && digits !== "0" ? "−" : "") + grouped;
}

export function cycles(number) {
  return `${whole(number)} ${Math.abs(number) === 1 ? "cycle" : "cycles"}`;
}

/** As many digits as say something: 0.0123, 1.23, 12.3, 123, 1,230 */
export function short(number) {
  if (Number.isInteger(number)) return whole(number);
  const size = Math.abs(number);
  if (size >= 1000) return whole(number);
  if (size < 0.001) return number.toExponential(1).replace("-", "−");
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  return number.toFixed(digits).replace("-", "−");
}

/** Microseconds as us, ms or s. */
export function time(us) {
  const size = Math.abs(us);
  if (size >= 1e6) return `${(us / 1e6).toFixed(3)}\u00a0s`;
  if (size >= 1e4) return `${(us / 1e3).toFixed(3)}\u00a0ms`;
  if (size < 1 && size > 0) return `${(us * 1e3).toFixed(0)}\u00a0ns`;
  return `${us.toFixed(2)}\u00a0µs`;
}

export function bytes(number) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = number;
  let unit = 0;
  for (; Math.abs(value) >= 1024 && unit + 1 < units.length; ++unit) value /= 1024;
  return unit === 0 ? `${number}\u00a0B` : `${value.toFixed(2)}\u00a0${units[unit]}`;
}

export function percent(share) {
  return `${(100 * share).toFixed(1)}\u00a0%`;
}

/** "1 launch", "3 launches" */
export function plural(number, one, many = `${one}s`) {
  return `${whole(number)} ${number === 1 ? one : many}`;
}
