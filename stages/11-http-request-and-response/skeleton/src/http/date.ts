const days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
/** As HTTP writes them. */
export const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** Characters of a date as HTTP writes it. */
export const dateLength = "Sun, 06 Nov 1994 08:49:37 GMT".length;

/**
 * A time as HTTP writes it: IMF-fixdate, `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7).
 * @param seconds since 1970
 */
export function formatDate(seconds: number): string {
  // TODO 1: the weekday, day, month, year and time of day in UTC, each as long as in the example, and GMT.
  return todo(`1: ${seconds} s, one of ${days.length} days and ${months.length} months`);
}

/** Stands where code is missing. Remove it after the last gap of this file is filled. */
function todo(what: string): never {
  throw new Error(`TODO ${what}`);
}
