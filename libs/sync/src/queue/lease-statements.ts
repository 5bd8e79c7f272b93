import { waiting } from './intake-statements.js';
import { admitting, unpaced } from './pace-statements.js';

/** Of a file that somebody works on, nothing is due. */
const due = `
  ${waiting} and run_at <= statement_timestamp()
  and not exists (select from sync_operation held where held.ordering_key = o.ordering_key and held.lease_token is not null)`;

/**
 * Claims what `due` lists and its bands let begin: $3 node, $4 token, $5 length of the lease, $6 worker.
 * @param admitted a query for these
 * @returns those claimed, and for each that its band keeps waiting a row of nothing but `kept_band`
 */
const claiming = (admitted: string): string => `
  ${admitted},
  claimed as (
  update sync_operation o
  set status = 'running', attempts = attempts + 1, node = $3, lease_token = $4, worker = $6,
      started_at = clock_timestamp(), lease_until = clock_timestamp() + $5 * interval '1 millisecond',
      prepared_at = null, error_code = null, error_message = null, error_remedy = null
  from admitted where o.id = admitted.id
  returning o.*)
  select case when claimed.id is null then due.band_id end as kept_band, claimed.*
  from due left join claimed on claimed.id = due.id
  order by due.priority, due.run_at`;

/**
 * Of each of $1, priorities, the first that are due: the index has them by priority and age. @param many of each at most
 */
const firstOfEach = (many: string): string => `
  unnest($1::smallint[]) as given (priority)
  cross join lateral (
    select o.id, o.band_id, o.priority, o.run_at from sync_operation o where o.priority = given.priority and ${due}
    order by o.run_at limit ${many} for update skip locked) as first`;

const oldest = (many: string): string => `
  select * from (select first.* from ${firstOfEach(many)} order by first.run_at limit ${many}) as oldest union`;

/**
 * $1 priorities, in this order, $2 how many. A priority that has enough leaves the later ones unread.
 * @param isPaced also of bands that are limited: $7 is how many of a band may begin in a minute where its settings do not say
 * @param withOldest beside these, the last parameter says how many that have been due for longest: it takes a quarter longer to plan
 */
export const claim = (isPaced: boolean, withOldest: boolean): string => `
  with due as materialized (
    ${withOldest ? oldest(isPaced ? '$8' : '$7') : ''}
    select * from (select first.* from ${firstOfEach('$2')} limit $2) as first
  ), ${claiming(isPaced ? admitting('$7') : unpaced)}`;

/**
 * $1 operations, $2 tokens, $3 length of the lease. What is being completed is locked, and left alone. @returns those whose token is
 * another by now
 */
export const renew = `
  with given as (select * from unnest($1::uuid[], $2::uuid[]) as given (id, token)),
  held as (
    select o.id from sync_operation o join given on o.id = given.id and o.lease_token = given.token
    order by o.id for update of o skip locked
  ), renewed as (
    update sync_operation o set lease_until = clock_timestamp() + $3 * interval '1 millisecond' from held where o.id = held.id
  )
  select given.id from given left join sync_operation o on o.id = given.id and o.lease_token = given.token where o.id is null`;
