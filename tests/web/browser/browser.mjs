// Pages in headless Chromium, with a memory of everything that went wrong on them.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const puppeteer = createRequire(new URL("../../../web/package.json", import.meta.url))("puppeteer-core");
const folder = mkdtempSync(join(tmpdir(), "dvmsim-web-"));
export const sources = new URL("../../../", import.meta.url).pathname;

/** Runs the command; `code` is what it must return. */
export function dvmsim(words, code = 0) {
  const done = spawnSync(process.env.DVMSIM_BINARY, words, { cwd: folder, encoding: "utf8", maxBuffer: 1 << 28 });
  if (done.status !== code) throw new Error(`dvmsim ${words.join(" ")}: ${done.status}\n${done.stderr}`);
  return done;
}

export function file(name) {
  return join(folder, name);
}
export function json(name) {
  return JSON.parse(readFileSync(file(name), "utf8"));
}
export function write(name, value) {
  writeFileSync(file(name), typeof value === "string" ? value : JSON.stringify(value));
}

let browser = null;
export async function start() {
  browser = await puppeteer.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--force-color-profile=srgb"],
  });
}
export async function stop() {
  await browser?.close();
}

/** A page at a width; `faults` collects errors, warnings and every request but the file itself. */
export async function open(name, { width = 1280, height = 900, theme = "light" } = {}) {
  const page = await browser.newPage();
  const faults = [];
  const address = pathToFileURL(file(name)).href;
  page.on("console", (message) => faults.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => faults.push(`error: ${error.message}`));
  page.on("request", (request) => {
    if (request.url() !== address && !request.url().startsWith("data:")) faults.push(`request: ${request.url()}`);
  });
  await page.setViewport({ width, height });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: theme }]);
  await page.goto(address);
  await page.waitForSelector("main section");
  return { page, faults };
}

export function texts(page, selector) {
  return page.$$eval(selector, (all) => all.map((each) => each.textContent.replaceAll("\u00a0", " ").trim()));
}

/** Until the function holds in the page. */
export function until(page, what, ...values) {
  return page.waitForFunction(what, { timeout: 30000 }, ...values);
}

/** Charts draw themselves once they have a place: waits until so many have. */
export function charts(page, count) {
  return until(page, (wanted) => document.querySelectorAll(".canvas svg").length === wanted, count);
}

/** What is wrong on a phone: with all details open, whatever is wider than the window, and faults. */
export async function wrongOnPhone(name, theme = "light") {
  const { page, faults } = await open(name, { width: 360, height: 740, theme });
  const wide = await page.evaluate(() => {
    document.querySelectorAll("details").forEach((each) => { each.open = true; });
    document.querySelector("#operators tbody th button")?.click();
    if (document.documentElement.scrollWidth <= innerWidth) return [];
    return [...document.querySelectorAll("main *")]
      .filter((each) => each.getBoundingClientRect().right > innerWidth + 1 && !each.closest(".scroll"))
      .slice(0, 5).map((each) => each.outerHTML.slice(0, 120));
  });
  await page.close();
  return [...wide, ...faults];
}

/** Of a page: fields without a name, pictures without a text, tables without captions or headings. */
export function unnamed(page) {
  return page.evaluate(() => {
    const wrong = [];
    for (const field of document.querySelectorAll("input, select")) {
      if (field.labels.length === 0) wrong.push(`field ${field.outerHTML.slice(0, 80)}`);
    }
    for (const picture of document.querySelectorAll("[role=img]")) {
      if (!(picture.getAttribute("aria-label")?.length > 20)) wrong.push(`picture ${picture.outerHTML.slice(0, 80)}`);
    }
    for (const table of document.querySelectorAll("table")) {
      if (!table.caption?.textContent) wrong.push("a table without caption");
      for (const row of table.tBodies[0].rows) {
        if (!row.querySelector("th[scope=row], td[colspan]")) wrong.push(`${table.caption.textContent}: a row without heading`);
      }
    }
    for (const button of document.querySelectorAll("button")) {
      if (!button.hidden && !button.textContent.trim() && !button.getAttribute("aria-label")) wrong.push("a button without name");
    }
    const ids = [...document.querySelectorAll("[id]")].map(({ id }) => id);
    if (new Set(ids).size !== ids.length) wrong.push("an id twice");
    return wrong;
  });
}
