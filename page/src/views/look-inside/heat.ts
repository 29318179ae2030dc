// The polynomial of matplotlib's "inferno", highest power first, per channel.
const INFERNO = [
  [25.13112622, -71.31942825, 77.1629357, -41.70399613, 11.60249308, 0.10651342, 0.00021894],
  [-12.24266895, 32.62606426, -33.40235894, 17.43639888, -3.97285397, 0.56395644, 0.001651],
  [-23.070325, 73.20951986, -81.80730926, 44.3541452, -15.94239411, 3.93271239, -0.0194809],
];

/** The color of a value from 0 (dark) to 1 (bright), as in saved pictures. Its brightness grows evenly. */
export function heat(value: number): [number, number, number] {
  const channels = INFERNO.map((terms) => terms.reduce((sum, term) => sum * value + term, 0));
  const [red = 0, green = 0, blue = 0] = channels.map((x) => Math.round(255 * Math.min(1, Math.max(0, x))));
  return [red, green, blue];
}
