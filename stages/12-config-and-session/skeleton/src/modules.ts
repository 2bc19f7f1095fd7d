import type { Module } from "./config/module.ts";
import { fileServe } from "./modules/file-serve.ts";
import { redirect } from "./modules/redirect.ts";
import { reverseProxy } from "./modules/reverse-proxy.ts";

/** The features of the server, in the order in which they see a request. */
export const modules: Module[] = [fileServe(), reverseProxy(), redirect()];
