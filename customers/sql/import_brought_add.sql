-- Note what one portion of an import stored or found stored by an earlier file of its source. One row: its id.
-- Parameters: import, source, touchpoints, tellings (hashes of messages), kinds, identity_values (parallel arrays, of
-- identities that were not there before), since (the clock before they were written), consents (ids), profiles, accounts
-- (keys), from_at (parallel arrays of affiliations told), told_anew (JSON, of known accounts), with_told (whether
-- touchpoints of this import tell traits).
-- Indexes: message_is_stored_once, telling_is_stored_once, identity_belongs_to_one_profile, affiliation_starts_once.
INSERT INTO customers_importbrought (
    from_import_id, touchpoints, tellings, identities, consents, affiliations, merges, accounts
)
SELECT %(import)s,
       ARRAY(SELECT id FROM customers_touchpoint
             WHERE source_id = %(source)s AND message_hash = ANY(%(touchpoints)s::uuid[]) ORDER BY id),
       ARRAY(SELECT id FROM customers_traittelling
             WHERE source_id = %(source)s AND message_hash = ANY(%(tellings)s::uuid[])
             UNION
             SELECT telling.id
             FROM customers_touchpoint AS touchpoint
             JOIN customers_traittelling AS telling
                 ON telling.profile_id = touchpoint.profile_id AND telling.told_at = touchpoint.occurred_at
                AND telling.message_hash IS NULL
             WHERE %(with_told)s AND touchpoint.source_id = %(source)s
               AND touchpoint.message_hash = ANY(%(touchpoints)s::uuid[])
             ORDER BY id),
       ARRAY(SELECT identity.id
             FROM unnest(%(kinds)s::text[], %(identity_values)s::text[]) AS told (kind, value)
             JOIN customers_identity AS identity ON identity.kind = told.kind AND identity.value = told.value
             WHERE identity.created_at >= %(since)s ORDER BY identity.id),
       %(consents)s::bigint[],
       ARRAY(SELECT affiliation.id
             FROM unnest(%(profiles)s::bigint[], %(accounts)s::text[], %(from_at)s::timestamptz[])
                  AS told (profile, key, at)
             CROSS JOIN LATERAL (SELECT id FROM customers_account WHERE key = told.key OFFSET 0) AS account
             JOIN customers_affiliation AS affiliation
                 ON affiliation.profile_id = told.profile AND affiliation.account_id = account.id
                AND affiliation.from_at = told.at
             ORDER BY affiliation.id),
       '{}', %(told_anew)s::jsonb
RETURNING id
