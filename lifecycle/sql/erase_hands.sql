-- Take away what people wrote by hand about some profiles and customers: the lists they are on, with their history; the
-- reasons of placements (the placements stay, as facts about nobody); the names of examples; the errors they raised.
-- One row: how many memberships of lists there were.
-- Parameters: profiles, customers.  Index: lifecycle_listmember_profile_id, lifecycle_placement_profile_id,
-- lifecycle_example_customer_id; event tables are read whole.
WITH member AS (
    DELETE FROM lifecycle_listmember WHERE profile_id = ANY(%(profiles)s::bigint[]) RETURNING 1
), member_history AS (
    DELETE FROM lifecycle_listmemberevent WHERE profile_id = ANY(%(profiles)s::bigint[])
), placement AS (
    UPDATE lifecycle_placement SET reason = '(erased)' WHERE profile_id = ANY(%(profiles)s::bigint[])
), placement_history AS (
    UPDATE lifecycle_placementevent SET reason = '(erased)' WHERE profile_id = ANY(%(profiles)s::bigint[])
), example AS (
    UPDATE lifecycle_example SET name = '#' || customer_id WHERE customer_id = ANY(%(customers)s::bigint[])
), example_history AS (
    UPDATE lifecycle_exampleevent SET name = '#' || customer_id WHERE customer_id = ANY(%(customers)s::bigint[])
), parked AS (
    DELETE FROM lifecycle_parked WHERE customer_id = ANY(%(customers)s::bigint[])
)
SELECT count(*) FROM member
