/** The process title of a guardian; the process id of the platform it serves follows. */
export const GUARDIAN_TITLE = 'soleil-devdb guardian of';

/**
 * The guardian: a process between the platform and PostgreSQL which stops PostgreSQL when the platform is gone, however
 * it went. The platform holds the other end of the guardian's stdin; the system closes it even after SIGKILL.
 *
 * It is PostgreSQL's parent, so the process that it signals is its own child and can be no other: a process id is not
 * given away before the parent has taken notice of the exit.
 *
 * It is text handed to `node -e`, since it must run alike from TypeScript sources under a test runner and from compiled
 * files. It takes its own title so that `killall node` spares it and a later start can tell whose guardian it is.
 *
 * stdin: lines `fast` or `immediate`, how to shut down; its end means fast. stdout: JSON lines, `{ pid }` once, and
 * `{ ended: { code, signal } }` or `{ error }` at the end. stderr: PostgreSQL's own log, untouched.
 */
export const GUARDIAN_SOURCE = `
'use strict';
const { spawn, execFile } = require('node:child_process');
const spec = JSON.parse(process.argv[1]);
process.title = spec.title;

const report = (fact, then = () => {}) => process.stdout.write(JSON.stringify(fact) + '\\n', then);
process.stdout.on('error', () => {});

const { command, args, uid, gid } = spec;
const server = spawn(command, args, { uid, gid, cwd: spec.cwd, stdio: ['ignore', 'ignore', 'inherit'], windowsHide: true });
server.on('error', (error) => report({ error: error.message }, () => process.exit(0)));
server.on('exit', (code, signal) => report({ ended: { code, signal } }, () => process.exit(0)));
if (server.pid !== undefined) report({ pid: server.pid });

const send = (signal) => {
  if (process.platform !== 'win32') server.kill(signal);
  else execFile(spec.pgCtl, ['kill', signal.slice(3), String(server.pid)], { windowsHide: true }, () => {});
};
const harder = [];
const shutDown = (signal) => {
  send(signal);
  if (harder.length > 0) return;
  harder.push(setTimeout(send, spec.patienceMs, 'SIGQUIT'), setTimeout(() => server.kill('SIGKILL'), 2 * spec.patienceMs));
};
const fast = () => shutDown('SIGINT');

let pending = '';
process.stdin.setEncoding('utf8');
process.stdin.on('data', (chunk) => {
  const lines = (pending + chunk).split('\\n');
  pending = lines.pop();
  for (const line of lines) shutDown(line === 'immediate' ? 'SIGQUIT' : 'SIGINT');
});
process.stdin.on('end', fast);
process.stdin.on('error', fast);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, fast);
`;
