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
  if (groups === undefined) return undefined;
  const [day, hour, minute, second] = [groups.day, groups.hour, groups.minute, groups.second].map(Number);
  const monthIndex = months.indexOf(groups.month!);
  const year = groups.year!.length === 2 ? nearYear(Number(groups.year)) : Number(groups.year);
  // A leap second counts as the second before it: JavaScript's time has none.
  const date = new Date(0);
  date.setUTCFullYear(year, monthIndex, day);
  date.setUTCHours(hour!, minute, Math.min(second!, 59));
  const isReal =
    date.getUTCDate() === day &&
    date.getUTCMonth() === monthIndex &&
    hour! < 24 &&
    minute! < 60 &&
    second! <= 60;
  return isReal ? date.getTime() / 1000 : undefined;
}

/** Two digits of a year: one that would lie more than 50 years ahead was meant in the past. */
function nearYear(digits: number): number {
  const now = new Date().getUTCFullYear();
  const year = now - (now % 100) + digits;
  return year > now + 50 ? year - 100 : year;
}
