import type { DataSource } from 'typeorm';

/** What a statement looked at, as PostgreSQL counts it. */
export interface Cost {
  /** Of the log. */
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

/** Runs the statement and takes back what it did. */
export async function costOf(database: DataSource, sql: string, parameters: readonly unknown[]): Promise<Cost> {
  const runner = database.createQueryRunner();
  try {
    await runner.startTransaction();
    const [explained] = (await runner.query(`explain (analyze, buffers, format json) ${sql}`, [...parameters])) as [
      { 'QUERY PLAN': [{ Plan: PlanNode }] },
    ];
    const root = explained['QUERY PLAN'][0].Plan;
    const scans = withBelow(root).filter(isOfLog);
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

const isOfLog = (node: PlanNode): boolean => node['Relation Name'] === 'sync_message' && / Scan$/.test(node['Node Type']);

function withBelow(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(withBelow)];
}
