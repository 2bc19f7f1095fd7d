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
  const date = new Date(1000 * seconds);
  const two = (number: number) => String(number).padStart(2, "0");
  const day = `${days[date.getUTCDay()]}, ${two(date.getUTCDate())} ${months[date.getUTCMonth()]}`;
  const year = String(date.getUTCFullYear()).padStart(4, "0");
  const time = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map(two).join(":");
  return `${day} ${year} ${time} GMT`;
}
