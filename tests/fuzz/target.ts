import type fc from "fast-check";

/** Something that must hold, whatever the bytes are. */
export type FuzzTarget = {
  /** What is tried: `a request head of any bytes`. */
  name: string;
  /** Throws where it does not hold, and says what is wrong. */
  // biome-ignore lint/suspicious/noExplicitAny: each target draws other values.
  property: fc.IProperty<any>;
};
