import type { Measure } from '../measure.js';
import { catchUp } from './catch-up.js';
import { dump } from './dump.js';
import { fanOut } from './fan-out.js';
import { latencyCurve } from './latency-curve.js';
import { library } from './library.js';
import { memory } from './memory.js';
import { operations } from './operations.js';
import { publish } from './publish.js';
import { slowLine } from './slow-line.js';
import { stalled } from './stalled.js';
import { steady } from './steady.js';
import { storm } from './storm.js';

/** In the order in which they are run. */
export const measures: readonly Measure[] = [
  fanOut,
  latencyCurve,
  steady,
  storm,
  catchUp,
  memory,
  stalled,
  slowLine,
  dump,
  publish,
  operations,
  library,
];
