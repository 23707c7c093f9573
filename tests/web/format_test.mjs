// Numbers with their units, the same as the command prints them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { bytes, cycles, percent, plural, short, time, whole } from "../../web/src/base/format.js";

const plain = (text) => text.replaceAll("\u00a0", " ");

test("whole numbers are grouped", () => {
  assert.equal(whole(1234567), "1,234,567");
  assert.equal(whole(-1234.4), "−1,234");
  assert.equal(whole(-0.2), "0");
  assert.equal(cycles(1), "1 cycle");
  assert.equal(plural(30, "launch", "launches"), "30 launches");
});

test("times and sizes in the unit that suits them", () => {
  assert.equal(plain(time(426.78)), "426.78 µs");
  assert.equal(plain(time(12345)), "12.345 ms");
  assert.equal(plain(time(2.5e6)), "2.500 s");
  assert.equal(plain(time(0.25)), "250 ns");
  assert.equal(plain(bytes(512)), "512 B");
  assert.equal(plain(bytes(3 * 2 ** 20)), "3.00 MiB");
  assert.equal(plain(percent(0.8125)), "81.3 %");
});

test("short numbers keep three figures", () => {
  assert.deepEqual([0, 0.0123, 1.234, 12.34, 123.4, 1234].map(short), ["0", "0.012", "1.23", "12.3", "123", "1,234"]);
  assert.equal(short(0.00012), "1.2e−4");
});
