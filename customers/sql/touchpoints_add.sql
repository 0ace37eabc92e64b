-- Store what a batch told, in one statement and in one order (touchpoints by message, tellings, traits, Stale), so that
-- overlapping batches wait for each other and never in a circle: touchpoints with their order lines, the values of named
-- properties and their raw bodies; tellings of traits and the steps they make; one Stale row per profile changed.
-- Traits were worked out for messages believed to be new. If one of these turns out to be stored already, nothing is
-- written of traits, and the caller, who sees it in `is_whole`, begins again. So it does if one of the profiles was erased
-- a moment ago: whoever waited for the erasure knows the identities that were there before it.
-- The messages as they arrived come packed, and are stored so if all of the batch is new; if it is not, the caller, who
-- sees that too, keeps those that are. Where it could not, they come one by one (raw).
-- One row for each touchpoint that was known: place, body_hash (NULL if somebody else stored it while this ran), is_whole;
-- with none of them, one with no place.
-- Parameters: source, at (arrival, cut to the millisecond), now; of touchpoints, by place from 1: hashes, body_hashes,
-- profiles, types, channels, instants, causes, tells (whether it tells traits), properties (a JSON array of objects), and
-- amounts, original_amounts, currencies, order_refs, flags, raws, each empty if no touchpoint has one; lines (JSON, with the
-- place of their touchpoint; see ingest.py); of tellings, in their order: telling_profiles, telling_instants, telling_traits
-- (a JSON array of objects), telling_hashes, telling_raws (both empty if none has one), begins (whether it is all that was
-- ever told of its profile, and each of its traits one step); steps (JSON, see trait_steps.py), gone (ids of steps), seen,
-- seen_at (parallel arrays), changed, changed_causes (parallel arrays), expected (how many messages that tell traits, or are
-- tellings with a message, must be new), messages, bodies (hashes, and the bodies packed, see raw_bodies.py; none if they
-- come one by one), asked (how many touchpoints and tellings with a message there are).
-- Arrays are read in a third of the time that a JSON record a row takes.
-- Index: message_is_stored_once, telling_is_stored_once, trait_telling_of_profile, profile_without_names.
WITH told AS MATERIALIZED (
    SELECT *
    FROM ROWS FROM (
        unnest(
            %(hashes)s::uuid[], %(body_hashes)s::bigint[], %(profiles)s::bigint[], %(types)s::int[],
            %(channels)s::smallint[], %(instants)s::timestamptz[], %(causes)s::smallint[], %(tells)s::boolean[],
            %(amounts)s::bigint[], %(original_amounts)s::numeric[], %(currencies)s::text[], %(order_refs)s::text[],
            %(flags)s::smallint[], %(raws)s::text[]
        ),
        jsonb_array_elements(%(properties)s::jsonb)
    ) WITH ORDINALITY AS t (
        message_hash, body_hash, profile, type, channel, occurred_at, cause, tells, amount, original_amount, currency,
        order_ref, flags, raw, properties, place
    )
), stored AS (
    INSERT INTO customers_touchpoint (
        profile_id, occurred_at, received_at, amount, body_hash, message_hash, source_id, type_id, channel_id, flags,
        currency, original_amount, order_ref, properties
    )
    SELECT profile, occurred_at, %(at)s::timestamptz, amount, body_hash, message_hash, %(source)s::int, type, channel,
           coalesce(flags, 0), coalesce(currency, ''), original_amount, coalesce(order_ref, ''), properties
    FROM told
    ORDER BY message_hash
    ON CONFLICT (source_id, message_hash) DO NOTHING
    RETURNING id, message_hash, profile_id, occurred_at, type_id, channel_id, amount
), fresh AS MATERIALIZED (
    SELECT stored.*, told.place, told.properties, told.cause, told.raw, told.tells
    FROM stored
    JOIN told ON told.message_hash = stored.message_hash
), line AS (
    INSERT INTO customers_orderline (
        touchpoint_id, number, product, description, category, quantity, amount, cost, is_product
    )
    SELECT fresh.id, line.number, line.product, line.description, line.category, line.quantity, line.amount, line.cost,
           line.is_product
    FROM jsonb_to_recordset(%(lines)s::jsonb) AS line (
        place int, number int, product text, description text, category text, quantity numeric, amount bigint,
        cost bigint, is_product boolean
    )
    JOIN fresh ON fresh.place = line.place
), named AS (
    INSERT INTO customers_propertyvalue (
        touchpoint_id, property_key_id, profile_id, type_id, channel_id, occurred_at, amount, kind, text
    )
    SELECT fresh.id, property.id, fresh.profile_id, fresh.type_id, fresh.channel_id, fresh.occurred_at, fresh.amount,
           CASE jsonb_typeof(fresh.properties -> property.key)
               WHEN 'string' THEN 1 WHEN 'number' THEN 2 WHEN 'boolean' THEN 3 ELSE 4 END,
           CASE WHEN jsonb_typeof(fresh.properties -> property.key) IN ('string', 'number', 'boolean')
               THEN fresh.properties ->> property.key ELSE '' END
    FROM fresh
    JOIN customers_propertykey AS property
        ON fresh.properties ? property.key AND jsonb_typeof(fresh.properties -> property.key) <> 'null'
), telling AS MATERIALIZED (
    SELECT *
    FROM ROWS FROM (
        unnest(
            %(telling_profiles)s::bigint[], %(telling_instants)s::timestamptz[], %(telling_hashes)s::uuid[],
            %(telling_raws)s::text[], %(begins)s::boolean[]
        ),
        jsonb_array_elements(%(telling_traits)s::jsonb)
    ) WITH ORDINALITY AS t (profile, at, message_hash, raw, begins, traits, place)
), recorded AS (
    INSERT INTO customers_traittelling (profile_id, told_at, traits, recorded_at, source_id, message_hash)
    SELECT telling.profile, telling.at,
           CASE WHEN known.traits IS NULL THEN telling.traits ELSE '{}' END,
           %(now)s::timestamptz, CASE WHEN telling.message_hash IS NOT NULL THEN %(source)s::int END,
           telling.message_hash
    FROM telling
    LEFT JOIN LATERAL (
        SELECT known.traits
        FROM customers_traittelling AS known
        WHERE NOT telling.begins
          AND known.profile_id = telling.profile AND known.told_at = telling.at AND known.traits = telling.traits
        LIMIT 1
    ) AS known ON true
    WHERE (known.traits IS NULL OR telling.message_hash IS NOT NULL)
      AND (SELECT count(*) FROM fresh WHERE tells) + (SELECT count(*) FROM telling WHERE message_hash IS NOT NULL)
          = %(expected)s::bigint
    ORDER BY telling.place
    ON CONFLICT (source_id, message_hash) WHERE message_hash IS NOT NULL DO NOTHING
    RETURNING message_hash
), whole AS MATERIALIZED (
    SELECT (SELECT count(*) FROM fresh WHERE tells) + (SELECT count(*) FROM recorded WHERE message_hash IS NOT NULL)
           = %(expected)s::bigint
           AND NOT EXISTS (
               SELECT FROM customers_profile
               WHERE erasure_id IS NOT NULL
                 AND id IN (SELECT profile FROM told UNION ALL SELECT profile FROM telling)
           ) AS is_so
), raw AS (
    INSERT INTO customers_rawbody (received_at, source_id, message_hash, messages, body)
    SELECT %(at)s::timestamptz, %(source)s::int, (%(messages)s::uuid[])[1], %(messages)s::uuid[], %(bodies)s::bytea
    WHERE cardinality(%(messages)s::uuid[]) > 0
      AND (SELECT count(*) FROM stored) + (SELECT count(*) FROM recorded WHERE message_hash IS NOT NULL)
          = %(asked)s::bigint
    UNION ALL
    SELECT %(at)s::timestamptz, %(source)s::int, message_hash, NULL, convert_to(raw, 'UTF8')
    FROM (
        SELECT message_hash, raw FROM fresh WHERE raw IS NOT NULL
        UNION ALL
        SELECT telling.message_hash, telling.raw
        FROM recorded JOIN telling ON telling.message_hash = recorded.message_hash
        WHERE telling.raw IS NOT NULL
    ) AS apart
    ON CONFLICT DO NOTHING
), gone AS (
    DELETE FROM customers_trait WHERE id = ANY(%(gone)s::bigint[]) AND (SELECT is_so FROM whole)
    RETURNING id
), seen AS (
    UPDATE customers_trait AS trait
    SET last_seen_at = moved.at
    FROM unnest(%(seen)s::bigint[], %(seen_at)s::timestamptz[]) AS moved (id, at)
    WHERE trait.id = moved.id AND (SELECT is_so FROM whole)
), step AS (
    -- After those that are gone: another step may begin where one began.
    INSERT INTO customers_trait (profile_id, key, value, set_at, last_seen_at, recorded_at)
    SELECT profile, key, value, set_at, last_seen_at, %(now)s::timestamptz
    FROM (
        SELECT profile, key, value, set_at, last_seen_at
        FROM jsonb_to_recordset(%(steps)s::jsonb) AS t (
            profile bigint, key text, value jsonb, set_at timestamptz, last_seen_at timestamptz
        )
        UNION ALL
        SELECT telling.profile, told.key, nullif(told.value, 'null'), telling.at, telling.at
        FROM telling
        CROSS JOIN LATERAL jsonb_each(telling.traits) AS told (key, value)
        WHERE telling.begins
    ) AS begun
    WHERE (SELECT is_so FROM whole) AND (SELECT count(*) FROM gone) >= 0
    ORDER BY profile, key, set_at
), changed AS (
    INSERT INTO customers_stale (profile_id, cause, attempts)
    SELECT profile, min(cause), 0
    FROM (
        SELECT profile_id AS profile, cause FROM fresh
        UNION ALL
        SELECT profile, cause
        FROM unnest(%(changed)s::bigint[], %(changed_causes)s::smallint[]) AS trait (profile, cause)
        WHERE (SELECT is_so FROM whole)
    ) AS either
    GROUP BY profile
    ORDER BY profile
)
SELECT known.place,
       CASE WHEN known.place IS NOT NULL THEN (
           SELECT touchpoint.body_hash FROM customers_touchpoint AS touchpoint
           WHERE touchpoint.source_id = %(source)s::int AND touchpoint.message_hash = known.message_hash
       ) END,
       whole.is_so
FROM whole
LEFT JOIN (
    SELECT place, message_hash FROM told
    WHERE NOT EXISTS (SELECT FROM stored WHERE stored.message_hash = told.message_hash)
) AS known ON true
