-- Who of some profiles was listed by name, and where: profile, segment, whether excluded, added_at, removed_at (ms since
-- 1970; the greatest bigint: never). Parameters: first, last (the range of profile ids), crowded (all of them),
-- profiles (or these).  Index: the list member's profile.
SELECT profile_id, segment_id, is_excluded::int,
       (extract(epoch FROM added_at) * 1000)::bigint,
       coalesce((extract(epoch FROM removed_at) * 1000)::bigint, 9223372036854775807)
FROM lifecycle_listmember
WHERE profile_id BETWEEN %(first)s AND %(last)s AND (%(crowded)s OR profile_id = ANY(%(profiles)s))
