import { months } from "./date.ts";

const dayName = "(?:Sun|Mon|Tue|Wed|Thu|Fri|Sat)";
const longDayName = "(?:Sunday|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday)";
const month = `(?<month>${months.join("|")})`;
const time = "(?<hour>\\d\\d):(?<minute>\\d\\d):(?<second>\\d\\d)";
const formats = [
  new RegExp(`^${dayName}, (?<day>\\d\\d) ${month} (?<year>\\d{4}) ${time} GMT$`),
  new RegExp(`^${longDayName}, (?<day>\\d\\d)-${month}-(?<year>\\d\\d) ${time} GMT$`), // RFC 850
  new RegExp(`^${dayName} ${month} (?<day>[ \\d]\\d) ${time} (?<year>\\d{4})$`), // asctime
];

/**
 * Reads a date in one of the three formats that a recipient has to know (RFC 9110 §5.6.7).
 * @returns seconds since 1970; `undefined` when it is no date
 */
export function parseDate(text: string): number | undefined {
  const groups = formats.map((format) => format.exec(text)?.groups).find((found) => found !== undefined);
  // TODO 6: a Date of UTC from the groups; `nearYear` for two digits. 31 Feb and 25:00 are no dates; the second 60 is one.
  return todo(`6: ${text} by ${groups?.year}, ${nearYear(26)}, ${months.length} months`);
}

/** Two digits of a year: one that would lie more than 50 years ahead was meant in the past. */
function nearYear(digits: number): number {
  const now = new Date().getUTCFullYear();
  const year = now - (now % 100) + digits;
  return year > now + 50 ? year - 100 : year;
}

/** Stands where code is missing. Remove it after the last gap of this file is filled. */
function todo(what: string): never {
  throw new Error(`TODO ${what}`);
}
