import type { Module } from "./config/module.ts";
import { fileServe } from "./modules/file-serve.ts";
import { redirect } from "./modules/redirect.ts";
import { reverseProxy } from "./modules/reverse-proxy.ts";

/** The features of the server: each brings its keys of the configuration and registers for the phases of a request. */
export const modules: readonly Module[] = [fileServe(), redirect(), reverseProxy()];
