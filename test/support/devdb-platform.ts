import { startPostgres, type EmbeddedPostgres } from '@soleil/devdb';
import pg from 'pg';

/**
 * A platform process that does nothing but have an embedded database; tests take its life. Its first argument is the data
 * directory. It prints one line of JSON when it is up. With `passing` as its second argument it then has nothing left to do;
 * else it stays, and on SIGINT shows that it can still use the database.
 */
async function run(dataDir: string, manner: string): Promise<void> {
  const postgres = await startPostgres({ dataDir, settings: { fsync: 'off' } });
  if (manner === 'staying') stay(postgres);
  // Last, since a test may send its signal as soon as it reads this.
  print({ url: postgres.url(), postgresPid: postgres.pid });
}

function stay(postgres: EmbeddedPostgres): void {
  const stayAlive = setInterval(() => undefined, 2 ** 30);
  process.once('SIGINT', () => void endWell(postgres).then(() => clearInterval(stayAlive)));
}

async function endWell(postgres: EmbeddedPostgres): Promise<void> {
  const client = new pg.Client({ connectionString: postgres.url() });
  await client.connect();
  await client.query(`create table last_words (text text)`);
  await client.end();
  await postgres.stop();
  print({ ended: 'well' });
}

function print(fact: object): void {
  process.stdout.write(`${JSON.stringify(fact)}\n`);
}

const [dataDir = '', manner = 'staying'] = process.argv.slice(2);
run(dataDir, manner).catch((error: Error & { code?: string }) => print({ code: error.code, message: error.message }));
