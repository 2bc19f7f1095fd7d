/** The middle one of some figures, or the mean of the two in the middle. */
export function median(figures: number[]): number {
  if (figures.length === 0) return Number.NaN;
  const sorted = [...figures].sort((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** How many times another figure something is: over all rounds the median, the least and the most. */
export type Ratio = { median: number; least: number; most: number };

/**
 * Compares figures with others of the same rounds. A machine whose speed wanders moves both of a round, so
 * each is divided by its neighbour before the median is taken, and not one median by the other.
 * @param figures one a round
 * @param others what they are divided by, of the same rounds
 */
export function ratioByRound(figures: number[], others: number[]): Ratio {
  const rounds = Math.min(figures.length, others.length);
  const ratios = Array.from({ length: rounds }, (_, round) => figures[round]! / others[round]!);
  return { median: median(ratios), least: Math.min(...ratios), most: Math.max(...ratios) };
}
