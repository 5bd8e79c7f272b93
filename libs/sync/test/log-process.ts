/** A process that sequences, for tests that must treat one badly: `run-sources.cjs log-process.ts <database url> <name>`. */
import { LogNode } from './log-rig.js';

const [url, node] = process.argv.slice(2);
void LogNode.on(url!, { node: node!, pollMs: 100 }).then(({ sequencer }) => sequencer.start());
