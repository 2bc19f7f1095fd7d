/** What the file modules promise, seen from inside. */
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FileRoot } from "workspace:disk/file";
import { mimeType } from "workspace:disk/mime";
import { EISDIR, ENOENT, SystemCallError } from "expserver-course/linux";
import { assert, CheckFailure, count } from "../engine/evidence.ts";

/** Extensions and the types that IANA registers for them; text may name its character set. */
const types: [name: string, type: RegExp][] = [
  ["index.html", /^text\/html(;|$)/],
  ["style.css", /^text\/css(;|$)/],
  ["notes.txt", /^text\/plain(;|$)/],
  ["app.js", /^text\/javascript(;|$)/],
  ["module.mjs", /^text\/javascript(;|$)/],
  ["data.json", /^application\/json(;|$)/],
  ["code.wasm", /^application\/wasm$/],
  ["photo.png", /^image\/png$/],
  ["photo.jpg", /^image\/jpeg$/],
  ["photo.JPEG", /^image\/jpeg$/],
  ["drawing.SVG", /^image\/svg\+xml(;|$)/],
  ["film.mp4", /^video\/mp4$/],
  ["song.mp3", /^audio\/mpeg$/],
  ["paper.pdf", /^application\/pdf$/],
  ["font.woff2", /^font\/woff2$/],
  ["archive.zip", /^application\/zip$/],
  ["a/path.with/dots.in/it.gif", /^image\/gif$/],
  ["two.dots.html", /^text\/html(;|$)/],
];
/** Names that say nothing of their content. */
const unknown = ["README", "file.unheard-of", "folder.html/file", "html", "", "constructor", "a.__proto__"];

export const probes = {
  mime() {
    for (const [name, type] of types) {
      const observed = mimeType(name);
      assert(type.test(observed), {
        summary: `mimeType gives a wrong type for ${name}`,
        expected: String(type),
        observed: String(observed),
      });
    }
    for (const name of unknown) {
      assert(mimeType(name) === "application/octet-stream", {
        summary: `mimeType claims to know what "${name}" is`,
        expected: "application/octet-stream, for what the name does not say",
        observed: String(mimeType(name)),
      });
    }
  },

  "file-root"() {
    const folder = mkdtempSync(join(tmpdir(), "expserver-probe-"));
    try {
      mkdirSync(join(folder, "public/below"), { recursive: true });
      writeFileSync(join(folder, "public/below/file"), "hello");
      writeFileSync(join(folder, "outside"), "outside");
      symlinkSync("../outside", join(folder, "public/link"));
      const before = readdirSync("/proc/self/fd").length;
      const root = new FileRoot(join(folder, "public"));
      for (const path of ["below/file", "/below/file", "below/../below/file"]) {
        const file = root.open(path);
        if (typeof file === "number") {
          throw new CheckFailure({
            summary: `FileRoot does not open ${path}`,
            expected: "an OpenFile",
            observed: `the error ${file}`,
          });
        }
        const bytes = readFileSync(file.fd, "latin1");
        assert(
          bytes === "hello" && file.size === 5 && Math.abs(file.modifiedAt - Date.now() / 1000) < 86_400,
          {
            summary: `FileRoot opens something else for ${path}`,
            expected: "the file's bytes, its size 5, and its modification time in seconds",
            observed: `"${bytes}", size ${file.size}, modified at ${file.modifiedAt}`,
          },
        );
        file.release();
        file.release();
      }
      const refused: [path: string, errno: number | undefined][] = [
        ["missing", -ENOENT],
        ["below", -EISDIR],
        ["", -EISDIR],
        ["/", -EISDIR],
        ["../outside", undefined],
        ["below/../../outside", undefined],
        [join(folder, "outside"), undefined],
        ["link", undefined],
        ["below/file\0.html", undefined],
      ];
      for (const [path, errno] of refused) {
        const result = root.open(path);
        assert(typeof result === "number" && result < 0 && (errno === undefined || result === errno), {
          summary: `FileRoot does not refuse ${JSON.stringify(path)} as it should`,
          expected: errno === undefined ? "a negative errno" : `the errno ${errno}`,
          observed: typeof result === "number" ? String(result) : "an open file",
        });
      }
      const left = readdirSync("/proc/self/fd").length - before - 1;
      assert(left === 0, {
        summary: "FileRoot leaves descriptors open",
        expected: "its directory's alone, after every file was released",
        observed: `${count(left, "more descriptor")}`,
      });
      root.destroy();
      // Somebody else gets the number of the directory's descriptor: it is theirs now.
      const other = openSync(folder, "r");
      root.destroy();
      const result = root.open("public/below/file");
      assert(existsSync(`/proc/self/fd/${other}`) && typeof result === "number", {
        summary: "FileRoot uses its directory's descriptor after it was given back",
        expected: "a second destroy that does nothing, and an errno from open",
        observed:
          typeof result === "number"
            ? "the second destroy closed somebody else's descriptor"
            : "open opened a file below somebody else's directory",
      });
      closeSync(other);
      let error: unknown;
      try {
        new FileRoot(join(folder, "missing"));
      } catch (thrown) {
        error = thrown;
      }
      assert(error instanceof SystemCallError && error.message.includes("missing"), {
        summary: "FileRoot does not say that its folder is missing",
        expected: "a SystemCallError that names the folder",
        observed: String(error),
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};
