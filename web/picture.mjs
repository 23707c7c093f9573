// Makes the picture of the README: the report of fused attention, its most telling sections.
// Usage: node picture.mjs DVMSIM OUT.png
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import puppeteer from "puppeteer-core";

const [dvmsim, out] = process.argv.slice(2).map((path) => resolve(path));
const model = new URL("../configs/workloads/attention.graph", import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), "dvmsim-picture-"));
const html = join(folder, "report.html");
const dims = { batch: 1, groups: 24, shared: 1, seq: 512, keys: 512 };
execFileSync(dvmsim, ["run", model, ...Object.entries(dims).flatMap(([name, size]) => ["--dim", `${name}=${size}`]),
  "--strategy", "resident", "--mode", "timing", "--html", html]);

const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-dev-shm-usage"],
});
const page = await browser.newPage();
await page.setViewport({ width: 940, height: 900 });
await page.goto(pathToFileURL(html).href);
await page.addStyleTag({
  content: "nav, footer, .theme, .note, .facts, main details, section:not(#summary, #timeline, #stalls) { display: none } section { padding-top: 1rem }",
});
await page.mouse.move(0, 0);
await page.screenshot({ path: out, fullPage: true });
await browser.close();
rmSync(folder, { recursive: true });
