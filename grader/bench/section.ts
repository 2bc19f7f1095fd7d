import type { Table } from "./table.ts";

/** How long and how often is measured. */
export type Options = {
  /** Rounds that count, for each contender and load. */
  rounds: number;
  /** The counted seconds of a round. */
  seconds: number;
  /** Seconds of load before them. */
  warmUpSeconds: number;
  /** Also what takes minutes. */
  long: boolean;
  /** Is told what is measured next. */
  progress(what: string): void;
};

/** What one part of the benchmark has found. */
export type Section = {
  part: string;
  tables: Table[];
  /** What a program printed that makes its own report. */
  text?: string;
  /** What was left out and why, and how a figure came about: a sentence each. */
  notes: string[];
  /** What went wrong, a sentence each: the benchmark's exit status is 1 then. */
  failures: string[];
  /** The figures of every round, for the record. */
  record: object;
};
