import type { Measure } from '../measure.js';
import { fanOut } from './fan-out.js';

/** In the order in which they are run. */
export const measures: readonly Measure[] = [fanOut];
