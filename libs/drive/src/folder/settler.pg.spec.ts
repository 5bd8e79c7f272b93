import { setImmediate } from 'node:timers/promises';
import { bandId, DriveRig } from '../../test/drive-rig.js';
import { ChangeLog } from '../change-log.js';
import { driveOptions } from '../options.js';
import { Root } from './root.js';
import { Settler } from './settler.js';

let rig: DriveRig;
afterEach(() => rig.tearDown());

it('stops while it is comparing a file: what is found out afterwards is left to the next comparison', async () => {
  rig = await DriveRig.running();
  await rig.write('../other/a.cho', 'a');
  const { dataSource } = rig.platforms[0]!;
  const settler = new Settler(
    await Root.find(rig.at('../other')),
    new ChangeLog(
      dataSource,
      { bandId, provider: 'folder', settings: { root: rig.root } },
      () => undefined,
      () => undefined,
    ),
    driveOptions({ settleMs: 1 }),
    (error) => expect(error).toBeNull(),
  );
  const blocker = dataSource.createQueryRunner();
  await blocker.startTransaction();
  await blocker.query('lock table drive_file in access exclusive mode');
  const answer = settler.notice('a.cho');
  const waiting = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
  while ((await rig.query(waiting)).length === 0);

  const stopped = settler.stop();
  await setImmediate();
  await blocker.commitTransaction();
  await blocker.release();
  await stopped;
  await expect(answer).resolves.toBe(0);
  expect(await rig.paths()).toEqual([]);
});
