import type { DataSource } from 'typeorm';

/** What a statement looked at, as PostgreSQL counts it. */
export interface Cost {
  /** Of the table that is asked about. */
  rows: number;
  buffers: number;
}

interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  'Shared Hit Blocks': number;
  'Shared Read Blocks': number;
  Plans?: PlanNode[];
}

/** Runs the statement and takes back what it did. @param table whose rows count */
export async function costOf(
  database: DataSource,
  sql: string,
  parameters: readonly unknown[],
  table = 'sync_message',
): Promise<Cost> {
  const runner = database.createQueryRunner();
  try {
    await runner.startTransaction();
    const [explained] = (await runner.query(`explain (analyze, buffers, format json) ${sql}`, [...parameters])) as [
      { 'QUERY PLAN': [{ Plan: PlanNode }] },
    ];
    const root = explained['QUERY PLAN'][0].Plan;
    const scans = withBelow(root).filter(isScanOf(table));
    const rows = scans.map((node) => (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops']);
    return {
      rows: rows.reduce((sum, each) => sum + each, 0),
      buffers: root['Shared Hit Blocks'] + root['Shared Read Blocks'],
    };
  } finally {
    await runner.rollbackTransaction();
    await runner.release();
  }
}

const isScanOf =
  (table: string) =>
  (node: PlanNode): boolean =>
    node['Relation Name'] === table && / Scan$/.test(node['Node Type']);

function withBelow(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(withBelow)];
}
