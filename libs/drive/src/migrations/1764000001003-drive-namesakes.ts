import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which files have a newer one of their name beside them. Each band's source finds out in its first round. */
export class DriveNamesakes1764000001003 implements MigrationInterface {
  readonly name = 'DriveNamesakes1764000001003';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table drive_file add column has_newer_namesake boolean not null default false`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table drive_file drop column has_newer_namesake');
  }
}
