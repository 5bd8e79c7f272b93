/** A minute that ends later than in one is of a clock that was set back since. */
const isThisMinute = (endsAt: string): string =>
  `${endsAt} > clock_timestamp() and ${endsAt} <= clock_timestamp() + interval '1 minute'`;

/**
 * Of the operations in `due`, those whose bands are neither limited nor paused, and all that are critical. It only looks, where
 * {@link admitting} counts, and a claim is planned in two thirds of the time.
 */
export const unpaced = `
  admitted as (
    select due.id
    from due left join sync_band_pace pace using (band_id) left join sync_band_setting chosen using (band_id)
    where priority = 0 or band_id is null
       or operations_per_minute is null and coalesce(pace.paused_until, '-infinity') <= clock_timestamp()
  )`;

/**
 * Of the operations in `due`, those that their bands let begin: all that are critical, none of a band that is paused, and as many as
 * are left of a band's minute. The bands that are limited are locked in one order until commit, so that their minutes add up on all
 * nodes; the others cost a look.
 * @param perMinute how many operations of a band may begin in a minute where its settings do not say; null for as many as can
 */
export const admitting = (perMinute: string): string => `
  limit_of as materialized (
    select band_id, coalesce(chosen.operations_per_minute, ${perMinute}::int) as per_minute
    from (select distinct band_id from due where priority > 0) as bands left join sync_band_setting chosen using (band_id)
  ), limited as materialized (
    select pace.band_id, case when ${isThisMinute('minute_ends_at')} then begun else 0 end as begun
    from sync_band_pace pace join limit_of on limit_of.band_id = pace.band_id and per_minute is not null
    order by pace.band_id for update of pace
  ), ranked as (
    select id, band_id, priority = 0 or band_id is null as is_exempt,
           row_number() over (partition by band_id, priority = 0 order by priority, run_at) as place
    from due
  ), admitted as (
    select ranked.id, ranked.band_id, is_exempt
    from ranked
    left join sync_band_pace pace on pace.band_id = ranked.band_id
    left join limit_of on limit_of.band_id = ranked.band_id
    left join limited on limited.band_id = ranked.band_id
    where is_exempt
       or coalesce(pace.paused_until, '-infinity') <= clock_timestamp()
          and (per_minute is null or place <= per_minute - limited.begun)
  ), spent as (
    update sync_band_pace pace
    set begun = limited.begun + many,
        minute_ends_at = case when ${isThisMinute('pace.minute_ends_at')} then pace.minute_ends_at else clock_timestamp() + interval '1 minute' end
    from limited join (select band_id, count(*)::int as many from admitted where not is_exempt group by band_id) as counted using (band_id)
    where pace.band_id = limited.band_id
  )`;

/**
 * $1 band, $2 for how many ms, $3 code, $4 message. Whoever is told to wait says it anew: what was said last holds, and never ends what holds
 * longer.
 */
export const pause = `
  insert into sync_band_pace as pace (band_id, paused_since, paused_until, code, message)
  values ($1, clock_timestamp(), clock_timestamp() + $2 * interval '1 millisecond', $3, $4)
  on conflict (band_id) do update
  set paused_since = case when pace.paused_until > clock_timestamp() then pace.paused_since else excluded.paused_since end,
      paused_until = greatest(pace.paused_until, excluded.paused_until), code = excluded.code, message = excluded.message`;

/**
 * $1 a band of which a claim let not all begin, $2 how many may in a minute where its settings do not say, $3 code, $4 message for a minute that is
 * spent, with %s for how many. What is due
 * of it is due again, in its order, when the band goes on: so the next claims pass over it by the index, and nobody waits behind it. The
 * first claim of a band that is limited finds no row, lets nothing begin, and has one made here.
 */
export const postpone = `
  with made as (
    insert into sync_band_pace (band_id) values ($1) on conflict do nothing
  ), limit_of as (
    select coalesce((select operations_per_minute from sync_band_setting where band_id = $1), $2::int) as per_minute
  ), spent as (
    update sync_band_pace
    set paused_since = clock_timestamp(), paused_until = minute_ends_at, code = $3, message = format($4, per_minute)
    from limit_of
    where band_id = $1 and begun >= per_minute and ${isThisMinute('minute_ends_at')} and paused_until <= clock_timestamp()
    returning paused_until
  ), until as (
    select max(paused_until) as at
    from (select paused_until from spent union all select paused_until from sync_band_pace where band_id = $1) as told
  ), waiting as materialized (
    select o.id, o.priority, o.run_at
    from sync_operation o, until
    where o.band_id = $1 and o.priority > 0 and o.status in ('pending', 'failed') and o.run_at <= statement_timestamp()
      and until.at > clock_timestamp()
    for update of o skip locked
  )
  update sync_operation o
  set run_at = until.at + line.place * interval '1 microsecond'
  from (select id, row_number() over (order by priority, run_at) as place from waiting) as line, until
  where o.id = line.id`;

/** $1 band. */
export const paused = `
  select paused_since as since, paused_until as until, code, message
  from sync_band_pace where band_id = $1 and paused_until > clock_timestamp()`;
