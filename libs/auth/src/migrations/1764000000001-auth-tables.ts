import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The constraints' names are part of the code: `roster.ts` tells by them what was violated. */
export class AuthTables1764000000001 implements MigrationInterface {
  readonly name = 'AuthTables1764000000001';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      create table auth_user (
        id uuid primary key default gen_random_uuid(),
        login text not null constraint auth_user_login unique check (login = lower(login)),
        name text not null,
        password_hash text not null,
        created_at timestamptz not null default now()
      )`);
    await queryRunner.query(`
      create table auth_band (
        id uuid primary key default gen_random_uuid(),
        name text not null,
        slug text not null constraint auth_band_slug unique check (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
        created_at timestamptz not null default now()
      )`);
    await queryRunner.query(`
      create table auth_membership (
        user_id uuid not null constraint auth_membership_user references auth_user,
        band_id uuid not null constraint auth_membership_band references auth_band,
        role text not null check (role in ('member', 'leader')),
        instrument text not null,
        primary key (user_id, band_id)
      )`);
    await queryRunner.query(`create index auth_membership_of_band on auth_membership (band_id)`);
    await queryRunner.query(`
      create table auth_session (
        id uuid primary key default gen_random_uuid(),
        user_id uuid not null references auth_user,
        created_at timestamptz not null,
        expires_at timestamptz not null,
        ended_at timestamptz,
        user_agent text
      )`);
    await queryRunner.query(`create index auth_session_of_user on auth_session (user_id, expires_at)`);
    await queryRunner.query(`
      create table auth_signing_key (
        single boolean primary key default true check (single),
        secret bytea not null check (octet_length(secret) >= 32),
        created_at timestamptz not null default now()
      )`);
    await queryRunner.query(`
      create table auth_attempts (
        login text primary key,
        attempted_at timestamptz[] not null,
        last_attempted_at timestamptz not null
      )`);
    await queryRunner.query(`create index auth_attempts_by_age on auth_attempts (last_attempted_at)`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(
      `drop table auth_attempts, auth_signing_key, auth_session, auth_membership, auth_band, auth_user`,
    );
  }
}
