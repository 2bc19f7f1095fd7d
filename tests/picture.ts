/**
 * `npm run picture`: records the terminal picture of the README from a real run: a learner's server with
 * a typical fault, graded in a terminal of 80 columns. Writes docs/terminal.svg.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawn } from "@lydell/node-pty";
import { packageRoot } from "../stages/package-root.ts";
import { findStage } from "../stages/stage.ts";
import { solutionFiles, writeTree } from "../stages/tree.ts";

const columns = 80;
const cellWidth = 8.4;
const lineHeight = 18;
const padding = 16;
const background = "#16181d";
const foreground = "#d7dae0";
const colours: Record<number, string> = {
  31: "#ff6b68",
  32: "#6ac46a",
  33: "#e5c07b",
  34: "#61afef",
  35: "#c678dd",
  36: "#56b6c2",
  90: "#7f848e",
};

type Style = { colour: string; bold: boolean; dim: boolean };
const plain: Style = { colour: foreground, bold: false, dim: false };

function applySequence(before: Style, codes: number[]): Style {
  let style = before;
  for (const code of codes) {
    if (code === 0) style = plain;
    else if (code === 1) style = { ...style, bold: true };
    else if (code === 2) style = { ...style, dim: true };
    else if (code === 22) style = { ...style, bold: false, dim: false };
    else if (code === 39) style = { ...style, colour: foreground };
    else style = { ...style, colour: colours[code] ?? style.colour };
  }
  return style;
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** Terminal output with colour sequences as an SVG picture. */
function toSvg(output: string): string {
  let style = plain;
  const lines = output.trimEnd().split(/\r*\n/);
  const texts = lines.map((line, row) => {
    let column = 0;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one
    return line.split(/(\x1b\[[\d;]*m)/).map((part) => {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one
      const sequence = /^\x1b\[([\d;]*)m$/.exec(part);
      if (sequence !== null) {
        style = applySequence(style, (sequence[1] || "0").split(";").map(Number));
        return "";
      }
      const x = padding + column * cellWidth;
      column += [...part].length;
      if (part.trim() === "") return "";
      const look = `fill="${style.colour}"${style.bold ? ' font-weight="bold"' : ""}${style.dim ? ' opacity="0.65"' : ""}`;
      const length = `textLength="${([...part].length * cellWidth).toFixed(1)}"`;
      return `<text x="${x.toFixed(1)}" y="${padding + (row + 0.75) * lineHeight}" ${look} ${length}>${escapeXml(part)}</text>`;
    });
  });
  const width = Math.ceil(columns * cellWidth + 2 * padding);
  const height = lines.length * lineHeight + 2 * padding;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    "<title>A grading in the terminal: one failed check, with what was sent, expected and observed</title>",
    `<rect width="100%" height="100%" rx="8" fill="${background}"/>`,
    '<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="14" xml:space="preserve">',
    ...texts.flat().filter(Boolean),
    "</g>",
    "</svg>",
    "",
  ].join("\n");
}

const stage = findStage("1")!;
const folder = mkdtempSync(join(tmpdir(), "expserver-picture-"));
try {
  const commandLine = join(packageRoot, "dist", "cli", "main.js");
  execFileSync(process.execPath, [commandLine, "init", "my-expserver"], { cwd: folder });
  const workspace = join(folder, "my-expserver");
  writeTree(solutionFiles(stage), workspace);
  const program = join(workspace, stage.program.entry);
  const source = readFileSync(program, "utf8");
  // The classic fault: the whole buffer goes back instead of the bytes that came.
  const faulty = source.replace("sendAll(client, message)", "sendAll(client, buffer)");
  if (faulty === source)
    throw new Error("the reference has changed: this recording's fault no longer applies");
  writeFileSync(program, faulty);
  const command = "npx grade stage-1 --only thousand-lines --seed 4f2a";
  const output = await new Promise<string>((resolve) => {
    const args = [commandLine, "grade", ...command.split(" ").slice(2)];
    const terminal = spawn(process.execPath, args, {
      name: "xterm-256color",
      cols: columns,
      rows: 24,
      cwd: workspace,
      env: { ...process.env, CI: "" },
    });
    let text = "";
    terminal.onData((data) => {
      text += data;
    });
    terminal.onExit(() => resolve(text));
  });
  const shown = output.replaceAll(folder, "~");
  writeFileSync(join(packageRoot, "docs", "terminal.svg"), toSvg(`\x1b[32m$\x1b[0m ${command}\n${shown}`));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
