-- In which stages of a model the people of an account stand now. One row: stage (NULL: in none), customers.
-- Parameters: account, subject (the model), now.
-- Indexes: the affiliation's account, the profile's id, the standing's customer.
SELECT standing.stage_id, count(*)
FROM (
    SELECT DISTINCT profile.customer_id
    FROM customers_affiliation AS affiliation
    JOIN customers_profile AS profile ON profile.id = affiliation.profile_id
    WHERE affiliation.account_id = %(account)s AND (affiliation.until_at IS NULL OR affiliation.until_at > %(now)s)
) AS person
LEFT JOIN lifecycle_standing AS standing
    ON standing.customer_id = person.customer_id AND standing.subject_id = %(subject)s
GROUP BY standing.stage_id
ORDER BY count(*) DESC, standing.stage_id
