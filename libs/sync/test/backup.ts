import type { DataSource } from 'typeorm';

const logTables = [
  'sync_outbox',
  'sync_channel',
  'sync_channel_epoch',
  'sync_message',
  'sync_leader',
  'sync_idempotency',
  'sync_retention',
] as const;

/** Remembers the log's tables as they are now. @returns what sets them back, in one transaction, under whoever is connected */
export async function backupOf(database: DataSource): Promise<() => Promise<void>> {
  const tables: [string, string][] = [];
  for (const table of logTables) {
    const [row] = await database.query<[{ rows: string }]>(
      `select coalesce(jsonb_agg(to_jsonb(${table})), '[]')::text as rows from ${table}`,
    );
    tables.push([table, row.rows]);
  }
  const [sequence] = await database.query<[{ last: string; called: boolean }]>(
    `select last_value as last, is_called as called from sync_outbox_id`,
  );
  return () =>
    database.transaction(async (transaction) => {
      for (const [table, rows] of tables) {
        await transaction.query(`delete from ${table}`);
        await transaction.query(`insert into ${table} select * from jsonb_populate_recordset(null::${table}, $1::jsonb)`, [
          rows,
        ]);
      }
      await transaction.query(`select setval('sync_outbox_id', $1, $2)`, [sequence.last, sequence.called]);
    });
}
