import { SystemCallError } from "expserver-course/linux";
import { z } from "expserver-course/zod";
import { ConfigError } from "../config/config-error.ts";
import type { Module } from "../config/module.ts";
import { FileRoot } from "../disk/file.ts";
import { StaticFiles } from "./static-files.ts";

/** Routes that are answered by the files of a folder. */
export function fileServe(): Module {
  return {
    name: "file-serve",
    routeType: {
      type: "file_serve",
      keys: {
        dir_path: z.string().min(1).describe("The folder. The route's req_path stands for it."),
        index: z
          .array(z.string().regex(/^[^/\0]+$/, "has to be the name of a file"))
          .default(["index.html"])
          .describe("Names that are looked for when a folder is asked for."),
      },
    },
    setUpRoute({ core, config, keyPath, route, resolvePath }) {
      if (config.type !== "file_serve") return;
      // TODO 9a: a FileRoot for the folder and StaticFiles for the route's path and index; both are owned by the core. A folder that cannot be opened is
      // a ConfigError of this route's dir_path.
      todo(
        `9a: ${keyPath} ${route.prefix} ${resolvePath(config.dir_path as string)} ${core}: ${[FileRoot, StaticFiles, SystemCallError, ConfigError].map(({ name }) => name)}`,
      );
    },
  };
}

/** Stands where code is missing. Remove it after the last gap of this file is filled. */
function todo(what: string): never {
  throw new Error(`TODO ${what}`);
}
