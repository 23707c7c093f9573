// Bundles src/ and page.html into one page, and writes it as a C++ source with its two halves.
// Usage: node build.mjs OUT.cpp
import { readFile, writeFile } from "node:fs/promises";
import * as esbuild from "esbuild";

const MARKER = "%DATA%";

async function bundle(entry) {
  const result = await esbuild.build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    charset: "utf8",
    format: "iife",
    target: ["es2020"],
    legalComments: "eof", // the licences of what is bundled,
    write: false,
    logLevel: "warning",
  });
  return result.outputFiles[0].text.trim();
}

/** The script must not end the element that holds it. */
function inScript(code) {
  return code.replaceAll("</script", "<\\/script").replaceAll("<!--", "<\\!--");
}

/** Raw string literals of a length that every compiler takes. */
function literal(text) {
  const pieces = text.match(/[\s\S]{1,8000}/gu) ?? [];
  return pieces.map((piece) => `R"~page~(${piece})~page~"`).join("\n");
}

const [out] = process.argv.slice(2);
const page = (await readFile("page.html", "utf8")).split(MARKER);
if (page.length !== 2) throw new Error(`page.html holds ${MARKER} once`);
const style = await bundle("src/style.css");
const script = inScript(await bundle("src/main.js"));
const [head, tail] = page.map((half) =>
  half.replace("/*STYLE*/", () => style).replace("/*SCRIPT*/", () => script));
await writeFile(out, `#include "web/page.h"
namespace dvmsim {
std::string_view page_head() { return ${literal(head)}; }
std::string_view page_tail() { return ${literal(tail)}; }
}  // namespace dvmsim
`);
