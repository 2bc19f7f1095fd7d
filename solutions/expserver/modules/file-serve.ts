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
      const directory = resolvePath(config.dir_path as string);
      let root: FileRoot;
      try {
        root = core.own(new FileRoot(directory));
      } catch (error) {
        if (!(error instanceof SystemCallError)) throw error;
        throw new ConfigError(`${keyPath}.dir_path`, error.message);
      }
      const options = { prefix: config.req_path, index: config.index as string[] };
      route.content = core.own(new StaticFiles(root, () => core.loop.now, options)).handle;
    },
  };
}
